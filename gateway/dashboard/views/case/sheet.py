"""Everything the page of one case is given, from what is stored (pure)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gateway.canonical.ahead import Ahead, ahead, holders
from gateway.canonical.legs import LegClock, leg_clocks
from gateway.canonical.worktime import beijing_day
from gateway.dashboard.views.case import possible
from gateway.dashboard.views.case.clock import ClockView, clock_view
from gateway.dashboard.views.case.flow import Flow, flow
from gateway.dashboard.views.case.missing import Missing, missing
from gateway.dashboard.views.case.stays import stays
from gateway.dashboard.views.case.timeline import DayOf, timeline

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from gateway.canonical.tracking import TrackedCase
    from gateway.dashboard.views.case.possible import Possible
    from gateway.mapping.explain import FieldLine
    from gateway.mapping.tables import Tables
    from gateway.store.case_file import CaseFile, FiledMessage

RETRY = "retry"


@dataclass(frozen=True, slots=True)
class OpenMessage:
    """A message that is not at its end: what it lacks, and what may be done about it."""

    message: FiledMessage
    missing: tuple[Missing, ...]
    possible: tuple[Possible, ...]


@dataclass(frozen=True, slots=True)
class CaseSheet:
    """A case as people look at it. ``relevant``: the number of the message that is worth looking at first."""

    file: CaseFile
    flow: Flow
    ahead: tuple[Ahead, ...]
    holders: tuple[str, ...]
    clock: ClockView | None
    legs: tuple[LegClock, ...]
    days: tuple[DayOf, ...]
    open_messages: tuple[OpenMessage, ...]
    closed: tuple[Possible, ...]
    may_return: Possible
    relevant: int

    @property
    def case(self) -> TrackedCase:
        """As it stands."""
        return self.file.record.case


def sheet(
    file: CaseFile,
    tables: Tables,
    now: datetime,
    line_of: Callable[[str, str, str | None], FieldLine | None],
) -> CaseSheet:
    """The sheet of a case at a moment. ``line_of``: what is declared of a field."""
    case = file.record.case
    nexts = ahead(case, now=now, calendar=tables.calendar)
    retried = [attempt.began_at for attempt in file.attempts if attempt.outcome == RETRY]
    open_ = tuple(
        OpenMessage(
            message,
            missing(message, line_of) if message.delivery == "parked" else (),
            possible.of_message(message),
        )
        for message in file.messages
        if message.delivery
    )
    gone = possible.of_message(file.messages[-1]) if file.messages and not open_ else ()
    return CaseSheet(
        file=file,
        flow=flow(case.kind, stays(file.events, retried), nexts),
        ahead=nexts,
        holders=holders(case),
        clock=clock_view(case, file.events, tables.calendar, now),
        legs=_legs(file, tables, now),
        days=timeline(file),
        open_messages=open_,
        closed=gone,
        may_return=possible.of_case(case),
        relevant=_relevant(file, open_),
    )


def _legs(file: CaseFile, tables: Tables, now: datetime) -> tuple[LegClock, ...]:
    case = file.record.case
    rows = tables.legs.of(case.item, case.accepted_on) if case.accepted_on else ()
    if not rows or not case.old_region:
        return ()
    return leg_clocks(case, file.events, rows, calendar=tables.calendar, today=beijing_day(now))


_WORST_FIRST = ("parked", "dead", "refused", "sending", "ready", "behind")


def _relevant(file: CaseFile, open_: tuple[OpenMessage, ...]) -> int:
    """The first message in trouble, else the newest."""
    if open_:
        worst = min(open_, key=lambda each: (_WORST_FIRST.index(each.message.delivery), each.message.seq))
        return worst.message.seq
    return file.messages[-1].seq if file.messages else 0
