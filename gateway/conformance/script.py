"""What a side does with a case, and when: the plays of a rehearsal (pure)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gateway.canonical.kinds import Kind, State
from gateway.canonical.rehearsal import Facts, Turn

if TYPE_CHECKING:
    from random import Random


@dataclass(frozen=True, slots=True)
class Habits:
    """How a side works. Units: ``work_s`` mean seconds a step takes; rates are shares of the cases."""

    work_s: float = 1.0
    decline_rate: float = 0.03
    return_rate: float = 0.03
    suspend_rate: float = 0.15


@dataclass(frozen=True, slots=True)
class Step:
    """A turn and the seconds of work before it."""

    after_s: float
    turn: Turn


#: States in which a case has come to its end for both sides.
FINAL = frozenset(
    {State.DECLINED, State.WITHDRAWN, State.CONCLUDED, State.RETURNED, State.SERVED, State.RATED}
)

_DECLINED = Turn(
    Kind.STATUS_REPORT, State.DECLINED, reason="申请人不在本机构业务范围内，请向参保地经办机构提出"
)
_RETURNED = Turn(Kind.STATUS_REPORT, State.RETURNED, reason="经核实不符合办理条件，予以退件")
_ACCEPTED = Turn(Kind.STATUS_REPORT, State.ACCEPTED)
_REVIEW = Turn(Kind.STATUS_REPORT, State.IN_REVIEW)
_APPRAISAL = Turn(Kind.STATUS_REPORT, State.SUSPENDED_PROCEDURE, special="appraisal", reason="需要鉴定")
_CONCLUDED = Turn(Kind.STATUS_REPORT, State.CONCLUDED)
_INFORMATION = {
    Kind.TRANSFER_APPLY: Turn(Kind.TRANSFER_SHEET),
    Kind.UNEMPLOYMENT_CLAIM: Turn(Kind.UNEMPLOYMENT_ANSWER),
}


def as_target(facts: Facts, chance: Random, habits: Habits) -> list[Step]:
    """What the target does with an application it has received.

    It never reports once the case is the origin's: its sheet or answer is its last word then. As the new
    place it only says that it accepts, and waits for the sheet (crossing §5.2).
    """
    if facts.kind is Kind.CERTIFICATION_NOTICE:
        return []
    if chance.random() < habits.decline_rate:
        return _timed([_DECLINED], chance, habits)
    if facts.kind is Kind.TRANSFER_APPLY and not facts.old_place:
        return _timed([_ACCEPTED], chance, habits)
    turns = [_ACCEPTED, _REVIEW]
    if chance.random() < habits.suspend_rate:
        turns += [_APPRAISAL, _REVIEW]
    if facts.kind in _INFORMATION:
        turns.append(_INFORMATION[facts.kind])
    if not facts.origin_concludes:
        turns.append(_end(chance, habits))
    return _timed(turns, chance, habits)


def on_hearing(facts: Facts, heard: Kind, state: State | None, chance: Random, habits: Habits) -> list[Step]:
    """What a side does when the other one goes on with a case."""
    if facts.kind is Kind.TRANSFER_APPLY and facts.origin and facts.old_place and state is State.ACCEPTED:
        return _timed([_INFORMATION[facts.kind]], chance, habits)
    # The new place merges the record; the household place pays.
    merges = heard is Kind.TRANSFER_SHEET
    pays = heard is Kind.UNEMPLOYMENT_ANSWER and facts.origin and facts.origin_concludes
    return _timed([_end(chance, habits)], chance, habits) if merges or pays else []


def _end(chance: Random, habits: Habits) -> Turn:
    return _RETURNED if chance.random() < habits.return_rate else _CONCLUDED


def _timed(turns: list[Turn], chance: Random, habits: Habits) -> list[Step]:
    return [Step(chance.uniform(0.5, 1.5) * habits.work_s, turn) for turn in turns]
