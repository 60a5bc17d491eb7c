"""A badge: how far a subject holds the laws, and since when, as a small picture of its own (SVG)."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from gateway.canonical.worktime import BEIJING
from gateway.conformance.law import Verdict

if TYPE_CHECKING:
    from gateway.conformance.report.model import Report

#: Left half, held, broken: each at least 4.5 : 1 against white text.
_GREY, _GREEN, _RED = "#3d4650", "#17794a", "#b3261e"
_SIZE_PX = 11
_FONT = "'Noto Sans SC','PingFang SC','Microsoft YaHei',sans-serif"


def badge(report: Report) -> str:
    """SVG text with a title that says the same in words."""
    label = "通办互认"
    mark = "✓" if report.held else "✗"
    day, open_ = f"{report.at.astimezone(BEIJING):%Y-%m-%d}", report.count(Verdict.SKIPPED)
    said = f"{report.level} {mark} {day}"
    if report.held and open_:
        said = f"{said} 未检 {open_}"
    title = escape(f"{label}：{report.name or report.subject}，{report.level.label}检查{report.word}，{day}")
    left, right = _width(label), _width(said)
    colour = _GREEN if report.held else _RED
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + right}" height="20" role="img"'
        f' aria-labelledby="t"><title id="t">{title}</title>'
        f'<clipPath id="r"><rect width="{left + right}" height="20" rx="3"/></clipPath>'
        f'<g clip-path="url(#r)"><rect width="{left}" height="20" fill="{_GREY}"/>'
        f'<rect x="{left}" width="{right}" height="20" fill="{colour}"/></g>'
        f'<g fill="#fff" font-family="{_FONT}" font-size="{_SIZE_PX}" text-anchor="middle">'
        f'<text x="{left / 2:g}" y="14">{label}</text>'
        f'<text x="{left + right / 2:g}" y="14">{escape(said)}</text></g></svg>\n'
    )


def _width(text: str) -> int:
    """Pixels a text takes with a margin on either side; Chinese letters are square."""
    return round(sum(_SIZE_PX if ord(letter) > 0x2E80 else _SIZE_PX * 0.6 for letter in text)) + 14
