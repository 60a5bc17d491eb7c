"""A run as one picture, drawn by hand: speed, processor time by part, and latencies at the same rate."""

from __future__ import annotations

from math import log10
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

from bench.figures import CURVE

if TYPE_CHECKING:
    from pathlib import Path

WIDTH, HEIGHT = 1040, 372
INK, SOFT, LINE = "#1b2733", "#53626f", "#d4dbe1"
COLOUR = {"tongban": "#2b7654", "textbook": "#a8432f"}
PARTS = {
    "web": "#1f5fa8",
    "worker": "#2b7654",
    "postgres": "#8a6100",
    "redis": "#a8432f",
    "receivers": "#8d99a5",
    "generator": "#c0c8d0",
}
FONT = "'Noto Sans CJK SC','Source Han Sans SC','PingFang SC','Microsoft YaHei',system-ui,'Segoe UI',Arial,sans-serif"


def write(file: Path, scores: dict[str, Any]) -> None:
    """The picture as SVG."""
    parts = [*_speed(scores, 24), *_processor(scores, 372), *_latencies(scores, 720)]
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}"'
        f' role="img" aria-labelledby="title" font-family="{FONT}">\n'
        '<title id="title">通办网关与教科书做法的对比 · tongban beside the textbook</title>\n'
        f'<rect width="{WIDTH}" height="{HEIGHT}" rx="14" fill="#f6f8fa"/>\n'
    )
    file.write_text(head + "\n".join(parts) + "\n</svg>\n", "utf-8")


def _speed(scores: dict[str, Any], left: int) -> list[str]:
    drawn = _heading(left, "每秒办件", "cases per second, full speed")
    most = max(score["accept_per_s"] for score in scores.values())
    top = 92
    for figure, label in (("end_to_end_per_s", "端到端 · end to end"), ("accept_per_s", "收件 · accepted")):
        drawn.append(_text(left, top, label, size=13, fill=SOFT))
        for name, score in scores.items():
            top += 14
            width = 210 * score[figure] / most
            drawn.append(
                f'<rect x="{left}" y="{top - 4}" width="{width:.1f}" height="26" fill="{COLOUR[name]}"/>'
            )
            drawn.append(_text(left + width + 8, top + 14, f"{score[figure]:,.0f} {name}", size=13))
            top += 20
        top += 36
    return drawn


def _processor(scores: dict[str, Any], left: int) -> list[str]:
    drawn = _heading(left, "每个办件的处理器时间", "CPU per case at full speed, ms")
    used = {name: _by_part(score["cpu_ms"]) for name, score in scores.items()}
    most = max(sum(parts.values()) for parts in used.values())
    top = 92
    for name, parts in used.items():
        drawn.append(_text(left, top, f"{name}  {sum(parts.values()):.2f} ms", size=13))
        at = float(left)
        for part, ms in parts.items():
            width = 300 * ms / most
            drawn.append(
                f'<rect x="{at:.1f}" y="{top + 10}" width="{width:.1f}" height="26" fill="{PARTS[part]}"/>'
            )
            at += width
        top += 68
    for place, (part, colour) in enumerate(PARTS.items()):
        x, y = left + place % 3 * 104, top + place // 3 * 24
        drawn.append(f'<rect x="{x}" y="{y}" width="12" height="12" fill="{colour}"/>')
        drawn.append(_text(x + 18, y + 11, part, size=12.5, fill=SOFT))
    return drawn


def _by_part(cpu_ms: dict[str, float]) -> dict[str, float]:
    parts = {part: cpu_ms.get(part, 0.0) for part in PARTS}
    parts["receivers"] = sum(ms for part, ms in cpu_ms.items() if part.startswith("receiver"))
    return parts


def _latencies(scores: dict[str, Any], left: int) -> list[str]:
    """Shares of the cases (upwards) within so many milliseconds (to the right, by powers of ten)."""
    rate = scores["textbook"]["own half"]["per_s"]
    drawn = _heading(left, f"端到端用时，每秒 {rate:.0f} 件", f"end to end at the same {rate:.0f} cases/s")
    shown = {
        "tongban": scores["tongban"]["same rate"]["end_to_end_curve"],
        "textbook": scores["textbook"]["own half"]["end_to_end_curve"],
    }
    low = log10(max(1.0, min(curve[0] for curve in shown.values())))
    high = log10(max(curve[-1] for curve in shown.values())) + 0.05
    box_top, box_bottom, box_width = 92, 300, 290

    def x(ms: float) -> float:
        return left + box_width * (max(log10(max(ms, 0.1)), low) - low) / max(high - low, 0.1)

    def y(share: float) -> float:
        return box_bottom - (box_bottom - box_top) * share

    for share in (0.5, 0.95, 0.99):
        drawn.append(f'<path d="M{left} {y(share):.1f}h{box_width}" stroke="{LINE}"/>')
    drawn.append(_text(left, y(0.5) - 4, "50 %", size=11, fill=SOFT))
    drawn.append(_text(left, y(0.95) + 12, "95, 99 %", size=11, fill=SOFT))
    for ms in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000):
        if low <= log10(ms) <= high:
            drawn.append(f'<path d="M{x(ms):.1f} {box_top}V{box_bottom}" stroke="{LINE}"/>')
            drawn.append(_text(x(ms), box_bottom + 16, f"{ms:g}", size=11, fill=SOFT, anchor="middle"))
    drawn.append(_text(left + box_width, box_bottom + 34, "ms", size=12, fill=SOFT, anchor="end"))
    for place, (name, curve) in enumerate(shown.items()):
        points = " ".join(f"{x(ms):.1f},{y(at / 1000):.1f}" for at, ms in zip(CURVE, curve, strict=True))
        drawn.append(f'<polyline points="{points}" fill="none" stroke="{COLOUR[name]}" stroke-width="2.2"/>')
        drawn.append(_text(left + place * 100, box_bottom + 34, name, size=13, fill=COLOUR[name]))
    return drawn


def _heading(left: int, chinese: str, english: str) -> list[str]:
    return [_text(left, 40, chinese, size=17, weight=700), _text(left, 62, english, size=12.5, fill=SOFT)]


def _text(
    x: float, y: float, words: str, *, size: float, fill: str = INK, weight: int = 400, anchor: str = "start"
) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" fill="{fill}" font-weight="{weight}"'
        f' text-anchor="{anchor}">{escape(words)}</text>'
    )
