"""A report as one HTML file: no script, nothing fetched, prints well."""

from __future__ import annotations

import json
from importlib import resources
from typing import TYPE_CHECKING, Any

import lxml.html
from jinja2 import Environment, PackageLoader, StrictUndefined

from gateway.canonical.worktime import BEIJING
from gateway.conformance.law import Level, Verdict
from gateway.conformance.report.badge import badge

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


def members_of(page: bytes) -> dict[str, Any]:
    """The signed JSON report inside a page. Errors: `ValueError` for a page without one."""
    document: Any = lxml.html.fromstring(page)
    found = document.xpath("//pre[@id='signed']")
    if not found:
        raise ValueError("页面中没有签名的内容")
    members: dict[str, Any] = json.loads(found[0].text_content())
    return members
