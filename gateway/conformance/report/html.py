"""A report as one HTML file: no script, nothing fetched, prints well."""

from __future__ import annotations

import json
from importlib import resources
from typing import TYPE_CHECKING, Any

import lxml.html
from jinja2 import Environment, PackageLoader, StrictUndefined
from lxml.etree import LxmlError

from gateway.canonical.worktime import BEIJING
from gateway.conformance.law import Level, Verdict
from gateway.conformance.report.badge import badge
from gateway.conformance.report.model import report_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.conformance.report.model import Report

_PAGES = Environment(
    loader=PackageLoader("gateway.conformance.report", "."),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def html(report: Report, signature: Mapping[str, str] | None = None) -> str:
    """The page, Chinese first, with the English title of each law under the Chinese one."""
    return _PAGES.get_template("report.html").render(
        report=report,
        at=report.at.astimezone(BEIJING),
        levels=[(level, [r for r in report.results if r.law.level is level]) for level in Level],
        Verdict=Verdict,
        badge=badge(report),
        style=(resources.files(__package__) / "report.css").read_text(encoding="utf-8"),
        signature=signature,
        signed=json.dumps({**report.as_json(), "signature": dict(signature)}) if signature else "",
    )


def signed_part(page: bytes) -> str:
    """The signed JSON report inside a page. Errors: `ValueError` for a page without one."""
    try:
        document: Any = lxml.html.fromstring(page)
    except LxmlError as error:
        raise ValueError("读不成页面") from error
    found = document.xpath("//pre[@id='signed']")
    if not found:
        raise ValueError("页面中没有签名的内容")
    return str(found[0].text_content())


def shows(page: bytes, members: Mapping[str, Any]) -> bool:
    """Whether a page is, byte for byte, the one these signed members are written as by this gateway.

    People read the page and not the JSON inside it: a word changed around it has to be found out.
    """
    return page == html(report_of(members), members["signature"]).encode()
