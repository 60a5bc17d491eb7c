"""Figures from samples. Units: seconds in, milliseconds out."""

from __future__ import annotations

from statistics import median, quantiles
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

PLACES = (50, 95, 99)
#: Where a curve of latencies is kept, in parts of a thousand.
CURVE = (*range(10, 1000, 10), 995, 999)


def percentiles(seconds: Sequence[float]) -> dict[str, float]:
    """p50, p95 and p99."""
    cuts = _cuts(seconds, 100)
    return {f"p{place}": round(cuts[place - 1] * 1e3, 1) for place in PLACES}


def curve(seconds: Sequence[float]) -> list[float]:
    """The latency at each place of `CURVE`."""
    cuts = _cuts(seconds, 1000)
    return [round(cuts[place - 1] * 1e3, 2) for place in CURVE]


def three(figures: Mapping[str, float]) -> str:
    return " / ".join(f"{figure:g}" for figure in figures.values())


def middle(rows: Iterable[Mapping[str, Any]], *path: str) -> float:
    """The median of a member over the rows."""
    return float(median(_at(row, path) for row in rows))


def middles(rows: Sequence[Mapping[str, Any]], name: str) -> dict[str, float]:
    """The median of each part of a member that is a table of its own."""
    return {part: round(middle(rows, name, part), 3) for part in rows[0][name]}


def peaks(rows: Sequence[Mapping[str, Any]], name: str) -> dict[str, float]:
    """The largest of each part."""
    return {part: max(row[name][part] for row in rows) for part in rows[0][name]}


def _at(row: Any, path: Sequence[str]) -> Any:
    for name in path:
        row = row[name]
    return row


def _cuts(seconds: Sequence[float], parts: int) -> list[float]:
    return quantiles(seconds if len(seconds) > 1 else [*seconds, *seconds], n=parts, method="inclusive")
