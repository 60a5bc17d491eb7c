"""What a side does with a case, and when: the plays of a rehearsal (pure).

Nobody speaks out of turn: the target waits for what it asked for, an origin withdraws only while the target
waits, and rates what was served. So a rehearsal that goes wrong shows a fault of the gateway.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from gateway.canonical.kinds import Kind, State
from gateway.canonical.rehearsal import Facts, Turn

if TYPE_CHECKING:
    from random import Random


@dataclass(frozen=True, slots=True)
class Habits:
    """How a side works. Units: ``work_s`` mean seconds a step takes; rates are shares of the cases.

    ``withdraw_rate``: of the cases in which materials are asked for; ``rating_rate``: of those served;
    ``stray_rate``: of the cases with a report sent twice or dated back, which the gateway ignores.
    """

    work_s: float = 1.0
    decline_rate: float = 0.03
    return_rate: float = 0.03
    suspend_rate: float = 0.15
    correct_rate: float = 0.12
    withdraw_rate: float = 0.1
    serve_rate: float = 0.6
    rating_rate: float = 0.5
    stray_rate: float = 0.06


#: How a published case is played: straight to its end, served and rated.
PLAIN = Habits(
    decline_rate=0.0,
    return_rate=0.0,
    suspend_rate=0.0,
    correct_rate=0.0,
    withdraw_rate=0.0,
    serve_rate=1.0,
    rating_rate=1.0,
    stray_rate=0.0,
)


@dataclass(frozen=True, slots=True)
class Step:
    """A turn, the seconds of work before it, and what has to be heard before the work begins."""

    after_s: float
    turn: Turn
    awaits: Kind | None = None


#: States in which a case has come to its end for both sides.
FINAL = frozenset(
    {State.DECLINED, State.WITHDRAWN, State.CONCLUDED, State.RETURNED, State.SERVED, State.RATED}
)
#: States in which the target waits for materials.
ASKED = frozenset({State.CORRECTION, State.SUSPENDED_CORRECTION})


def _report(state: State, reason: str = "", special: str = "") -> Turn:
    return Turn(Kind.STATUS_REPORT, state, special=special, reason=reason)


_DECLINED = _report(State.DECLINED, "申请人不在本机构业务范围内，请向参保地经办机构提出")
_RETURNED = _report(State.RETURNED, "经核实不符合办理条件，予以退件")
_ACCEPTED = _report(State.ACCEPTED)
_REVIEW = _report(State.IN_REVIEW)
_CONCLUDED = _report(State.CONCLUDED)
_SERVED = _report(State.SERVED)
_CORRECTION = _report(State.CORRECTION, "材料不清晰，请补充后重新提交")
_SUSPENDED = _report(State.SUSPENDED_CORRECTION, "审核中发现材料不齐，请补正")
_SPECIAL = (
    _report(State.SUSPENDED_PROCEDURE, "需要鉴定", "appraisal"),
    _report(State.SUSPENDED_PROCEDURE, "案情复杂，经批准延长", "extension"),
    _report(State.SUSPENDED_PROCEDURE, "需要听证", "hearing"),
    _report(State.SUSPENDED_PROCEDURE, "需要实地核查", "inspection"),
    _report(State.INQUIRY),
)
_SUPPLEMENT = Turn(Kind.MATERIAL_SUPPLEMENT, reason="已按要求补充")
_WITHDRAWAL = Turn(Kind.CASE_WITHDRAW, reason="申请人自愿撤回")
_RATINGS = ("", "不用来回跑，很方便", "办得快", "等得有点久\n希望再快些")
_INFORMATION = {
    Kind.TRANSFER_APPLY: Turn(Kind.TRANSFER_SHEET),
    Kind.UNEMPLOYMENT_CLAIM: Turn(Kind.UNEMPLOYMENT_ANSWER),
}


def as_target(facts: Facts, chance: Random, habits: Habits, *, must_correct: bool = False) -> list[Step]:
    """What the target does with an application it has received.

    It never reports once the case is the origin's: its sheet or answer is its last word then. As the new
    place it only says that it accepts, and waits for the sheet (crossing §5.2). ``must_correct``: asks
    for materials before it accepts, whatever its habits.
    """
    if facts.kind is Kind.CERTIFICATION_NOTICE:
        # a certification takes no other report (crossing §5.2)
        return _timed([_SERVED] if chance.random() < habits.serve_rate else [], chance, habits)
    if not must_correct and chance.random() < habits.decline_rate:
        return _timed([_DECLINED], chance, habits)
    opening, rest = _course(facts, chance, habits)
    if not facts.papers or not (must_correct or chance.random() < habits.correct_rate):
        return _timed(_strayed([*opening, *rest], chance, habits), chance, habits)
    waits_for_sheet = facts.kind is Kind.TRANSFER_APPLY and not facts.old_place
    if must_correct or waits_for_sheet or chance.random() < 0.5:
        return _interrupted([_CORRECTION], [*opening, *rest], chance, habits)
    return _interrupted([*opening, _SUSPENDED], rest, chance, habits)


def on_hearing(facts: Facts, heard: Kind, state: State | None, chance: Random, habits: Habits) -> list[Step]:
    """What a side does when the other one goes on with a case."""
    if facts.origin and state in ASKED:
        withdraws = chance.random() < habits.withdraw_rate
        return _timed([_WITHDRAWAL if withdraws else _SUPPLEMENT], chance, habits)
    if facts.origin and state is State.SERVED:
        return _timed(_rated(chance, habits), chance, habits)
    if facts.kind is Kind.TRANSFER_APPLY and facts.origin and facts.old_place and state is State.ACCEPTED:
        return _timed([_INFORMATION[facts.kind]], chance, habits)
    # The new place merges the record; the household place pays.
    merges = heard is Kind.TRANSFER_SHEET
    pays = heard is Kind.UNEMPLOYMENT_ANSWER and facts.origin and facts.origin_concludes
    if not (merges or pays):
        return []
    leg = [_REVIEW] if merges and chance.random() < 0.5 else []
    return _timed([*leg, *_ending(facts, chance, habits)], chance, habits)


def became(kind: Kind, reported: State | None, held: State | None) -> State | None:
    """The state after a follow-up was taken; as held when it says nothing about it (crossing §4, §5)."""
    match kind:
        case Kind.STATUS_REPORT:
            return reported or held
        case Kind.TRANSFER_SHEET | Kind.UNEMPLOYMENT_ANSWER:
            return State.IN_REVIEW
        case Kind.MATERIAL_SUPPLEMENT:
            after = {State.CORRECTION: State.RECEIVED, State.SUSPENDED_CORRECTION: State.IN_REVIEW}
            return after.get(held, held) if held else None
        case Kind.CASE_WITHDRAW:
            return State.WITHDRAWN
        case Kind.CASE_RATING:
            return State.RATED
        case _:
            return held


def _course(facts: Facts, chance: Random, habits: Habits) -> tuple[list[Turn], list[Turn]]:
    """The target's turns up to the review, and from there on."""
    if facts.kind is Kind.TRANSFER_APPLY and not facts.old_place:
        return [_ACCEPTED], []
    rest: list[Turn] = []
    if chance.random() < habits.suspend_rate:
        rest += [chance.choice(_SPECIAL), _REVIEW]
    if facts.kind in _INFORMATION:
        rest.append(_INFORMATION[facts.kind])
    if not facts.origin_concludes:
        rest += _ending(facts, chance, habits)
    return [_ACCEPTED, _REVIEW], rest


def _ending(facts: Facts, chance: Random, habits: Habits) -> list[Turn]:
    """The decision, its service, and the rating where the origin decides itself."""
    turns = [_RETURNED if chance.random() < habits.return_rate else _CONCLUDED]
    if chance.random() < habits.serve_rate:
        turns.append(_SERVED)
    return turns + (_rated(chance, habits) if facts.origin else [])


def _rated(chance: Random, habits: Habits) -> list[Turn]:
    if chance.random() >= habits.rating_rate:
        return []
    return [Turn(Kind.CASE_RATING, reason=chance.choice(_RATINGS))]


def _strayed(turns: list[Turn], chance: Random, habits: Habits) -> list[Turn]:
    """Now and then a report goes out twice, or once more with an old date: 1102, 1101 (crossing §5.3)."""
    if chance.random() >= habits.stray_rate:
        return turns
    place = chance.choice([n for n, turn in enumerate(turns) if turn in (_ACCEPTED, _REVIEW)])
    again = replace(turns[place], late_s=chance.choice((0, 3600)))
    return [*turns[: place + 1], again, *turns[place + 1 :]]


def _interrupted(before: list[Turn], after: list[Turn], chance: Random, habits: Habits) -> list[Step]:
    """Asks for materials, and goes on when they have come."""
    resumed = _timed(after, chance, habits)
    if resumed:
        resumed[0] = replace(resumed[0], awaits=Kind.MATERIAL_SUPPLEMENT)
    return _timed(before, chance, habits) + resumed


def _timed(turns: list[Turn], chance: Random, habits: Habits) -> list[Step]:
    return [Step(chance.uniform(0.5, 1.5) * habits.work_s, turn) for turn in turns]
