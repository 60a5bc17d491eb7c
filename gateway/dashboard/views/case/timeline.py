"""What happened to a case in one line of time: its events, attempts put off, staff's acts; looks folded (pure)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gateway.canonical.stages import IMPLIED
from gateway.canonical.worktime import beijing_day

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date, datetime

    from gateway.canonical.tracking import CaseEvent
    from gateway.store.case_file import Attempt, AuditLine, CaseFile

#: Verbs of the audit that changed nothing.
LOOKS = frozenset({"look", "reveal"})
RETRY = "retry"


@dataclass(frozen=True, slots=True)
class Entry:
    """One of: an event, attempts of one message in a row that were put off, an act, or looks in a row."""

    at: datetime
    event: CaseEvent | None = None
    attempts: tuple[Attempt, ...] = ()
    act: AuditLine | None = None
    looks: tuple[AuditLine, ...] = ()

    @property
    def is_implied(self) -> bool:
        """Whether a later report stands for it."""
        return self.event is not None and self.event.note == IMPLIED


@dataclass(frozen=True, slots=True)
class DayOf:
    """The entries of a Beijing day, newest first."""

    on: date
    entries: tuple[Entry, ...]


def timeline(file: CaseFile) -> tuple[DayOf, ...]:
    """Newest day first. An attempt that ended a delivery, well or ill, is told by its event."""
    failed = [attempt for attempt in file.attempts if attempt.outcome == RETRY]
    single = [
        *(Entry(event.at, event=event) for event in file.events),
        *(Entry(attempt.began_at, attempts=(attempt,)) for attempt in failed),
        *(
            Entry(line.at, looks=(line,)) if line.verb in LOOKS else Entry(line.at, act=line)
            for line in file.lines
        ),
    ]
    # sorting is stable: what has the same time stays in the order it was written
    folded = _folded(sorted(single, key=lambda entry: entry.at))
    days: dict[date, list[Entry]] = {}
    for entry in reversed(folded):
        days.setdefault(beijing_day(entry.at), []).append(entry)
    return tuple(DayOf(on, tuple(entries)) for on, entries in days.items())


def _folded(entries: Iterable[Entry]) -> Sequence[Entry]:
    """Neighbours of one sort become one entry with the time of the last."""
    found: list[Entry] = []
    for entry in entries:
        last = found[-1] if found else None
        if last and entry.looks and last.looks and beijing_day(last.at) == beijing_day(entry.at):
            found[-1] = Entry(entry.at, looks=(*last.looks, *entry.looks))
        elif last and _same_message(last, entry):
            found[-1] = Entry(entry.at, attempts=(*last.attempts, *entry.attempts))
        else:
            found.append(entry)
    return found


def _same_message(last: Entry, entry: Entry) -> bool:
    if not (last.attempts and entry.attempts):
        return False
    return last.attempts[-1].message_id == entry.attempts[0].message_id
