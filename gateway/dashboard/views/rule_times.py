"""Releases on a line of time: where each one's bar begins and ends, in units of a fixed width (pure)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

from gateway.canonical.worktime import beijing_day
from gateway.exchange.releasing import Stage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.mapping.release import Release

    Told = Sequence[tuple[Release, Stage]]

#: The picture's width in its own units, and the rows it has at most.
WIDTH, ROWS = 1000, 8
_AHEAD = timedelta(days=14)
_LEAST = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Span:
    """One release's bar. ``begin``, ``length`` in the picture's units; ``until`` None = open."""

    release: Release
    stage: Stage
    begin: int
    length: int
    until: date | None


@dataclass(frozen=True, slots=True)
class Axis:
    """The line: where today is, and a few days with their places."""

    today: int
    marks: tuple[tuple[int, date], ...]


def spans(told: Told, today: date) -> list[Span]:
    """The newest releases, oldest on top."""
    chosen = list(told[:ROWS])[::-1]
    first, last = _bounds(chosen, today)
    return [_span(release, stage, chosen, first=first, last=last) for release, stage in chosen]


def axis(told: Told, today: date) -> Axis:
    """Days at quarters of the line."""
    first, last = _bounds(told[:ROWS], today)
    days = (last - first).days
    marks = tuple(
        (round(WIDTH * part / 4), first + timedelta(days=round(days * part / 4))) for part in range(5)
    )
    return Axis(_at(today, first, last), marks)


def _bounds(told: Told, today: date) -> tuple[date, date]:
    days = [release.effective_from for release, _ in told] or [today]
    first = min([*days, today - _LEAST])
    return first, max([*days, today]) + _AHEAD


def _span(release: Release, stage: Stage, told: Told, *, first: date, last: date) -> Span:
    until = _until(release, told)
    begin = _at(release.effective_from, first, last)
    end = _at(until, first, last) if until else WIDTH
    return Span(release, stage, begin, max(6, end - begin), until)


def _until(release: Release, told: Told) -> date | None:
    """When it was retired, or when the next active one took its place."""
    if release.retired_at is not None:
        return beijing_day(release.retired_at)
    later = [
        other.effective_from
        for other, _ in told
        if other.activated_at is not None
        and other.retired_at is None
        and release.activated_at is not None
        and (other.effective_from, other.activated_at) > (release.effective_from, release.activated_at)
    ]
    return min(later, default=None)


def _at(day: date, first: date, last: date) -> int:
    return round(WIDTH * min(1.0, max(0.0, (day - first) / (last - first))))
