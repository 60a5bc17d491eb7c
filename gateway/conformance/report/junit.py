"""A report as JUnit XML: one test case per law, one suite per level."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lxml import etree

from gateway.canonical.worktime import BEIJING
from gateway.conformance.law import Level, Verdict

if TYPE_CHECKING:
    from gateway.conformance.law import Breach, Result
    from gateway.conformance.report.model import Report

#: What XML 1.0 cannot hold.
_UNHEARD_OF = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit(report: Report) -> bytes:
    """UTF-8 XML of the common schema (``testsuites/testsuite/testcase``)."""
    root = etree.Element(
        "testsuites", _counts(report.results), name=f"tongban {report.kind} {report.subject}"
    )
    at = report.at.astimezone(BEIJING).strftime("%Y-%m-%dT%H:%M:%S")
    for level in Level:
        results = tuple(result for result in report.results if result.law.level is level)
        if results:
            name = f"{report.kind}.{report.subject}.{level}"
            suite = etree.SubElement(root, "testsuite", _counts(results), name=name, timestamp=at)
            suite.set("skipped", str(sum(result.verdict is Verdict.SKIPPED for result in results)))
            for result in results:
                _case(suite, name, result)
    found: bytes = etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)
    return found


def _counts(results: tuple[Result, ...]) -> dict[str, str]:
    return {
        "tests": str(len(results)),
        "failures": str(sum(result.verdict is Verdict.BROKEN for result in results)),
        "errors": "0",
        "time": f"{sum(result.took_s for result in results):.3f}",
    }


def _case(suite: etree._Element, name: str, result: Result) -> None:
    law = result.law
    case = etree.SubElement(
        suite, "testcase", classname=name, name=f"{law.id} {law.title}", time=f"{result.took_s:.3f}"
    )
    if result.verdict is Verdict.SKIPPED:
        etree.SubElement(case, "skipped", message=_clean(result.skipped))
    elif result.breaches:
        failure = etree.SubElement(case, "failure", type=law.id, message=_clean(result.breaches[0].sentence))
        failure.text = _clean("\n\n".join(map(_said, result.breaches)))


def _said(breach: Breach) -> str:
    where = [f"位置：{breach.path}"] if breach.path else []
    where += [f"样例：{breach.example}"] if breach.example else []
    return "\n".join([breach.sentence, *where, f"改法：{breach.remedy}"])


def _clean(text: str) -> str:
    return _UNHEARD_OF.sub("�", text)
