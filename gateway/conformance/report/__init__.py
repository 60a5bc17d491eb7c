"""The report on a check: one value, written as text, JSON, JUnit XML, HTML and a badge; signed."""

from gateway.conformance.report.model import Report

__all__ = ["Report"]
