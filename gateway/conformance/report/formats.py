"""A report as text, JSON, JUnit XML, HTML or badge, by name."""

from __future__ import annotations

import json
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from gateway.conformance.report.html import html
from gateway.conformance.report.junit import junit
from gateway.conformance.report.text import plain

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.conformance.report.model import Report


class Format(StrEnum):
    """What a report can be written as."""

    TEXT = "text"
    JSON = "json"
    JUNIT = "junit"
    HTML = "html"


def write(report: Report, form: Format, signature: Mapping[str, str] | None = None) -> bytes:
    """The bytes of a report in UTF-8; JSON and HTML carry the signature when there is one."""
    match form:
        case Format.TEXT:
            return plain(report).encode()
        case Format.JSON:
            members: dict[str, Any] = report.as_json()
            if signature:
                members["signature"] = dict(signature)
            return json.dumps(members, ensure_ascii=False, indent=1).encode() + b"\n"
        case Format.JUNIT:
            return junit(report)
        case Format.HTML:
            return html(report, signature).encode()
