"""A case as a line of a list: names, who holds it now, what is left of its time, what it waits for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from gateway.canonical.identifiers import mask_name
from gateway.canonical.kinds import State
from gateway.canonical.lifecycle import owners
from gateway.canonical.transitions import FINAL
from gateway.canonical.worktime import UNIT_KEYS, beijing_day
from gateway.dashboard import marks
from gateway.dashboard.figures import NONE
from gateway.dashboard.rendering import region_name
from gateway.dashboard.texts import N_
from gateway.dashboard.views.case_filters import SOON, Names
from gateway.exchange.masking import mask_words

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date, datetime

    from gateway.canonical.tracking import TrackedCase
    from gateway.canonical.worktime import WorkCalendar
    from gateway.dashboard.desk import Desk
    from gateway.runtime import Runtime
    from gateway.store.case_list import CaseLine, Waiting

_ONE_DAY = timedelta(days=1)
#: Which of several open deliveries says where a case is: what rests first.
_RANK = ("parked", "dead", "refused", "sending", "ready", "behind")
_RESTS = {
    "parked": (N_("挂起，待补规则"), "player-pause", "wait"),
    "dead": (N_("死信，待重投"), "mail-off", "bad"),
    "refused": (N_("对方拒收，待处置"), "ban", "bad"),
}
_UNITS = {
    "workday": N_("暂停计时，余 %(n)s 个工作日"),
    "day": N_("暂停计时，余 %(n)s 日"),
    "month": N_("暂停计时，余 %(n)s 个月"),
}


@dataclass(frozen=True, slots=True)
class Due:
    """A due date in words; ``tone`` is a tone of the style sheet or empty."""

    on: date | None
    words: str
    tone: str = ""
    icon: str = ""


@dataclass(frozen=True, slots=True)
class Cause:
    """Why a case rests: a code and a sentence without personal data."""

    words: str
    icon: str
    tone: str
    code: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the list, in words of the person's language; the person's name masked."""

    case_no: str
    origin_no: str
    target_no: str
    item: str
    applicant: str
    origin: str
    origin_place: str
    target: str
    target_place: str
    state: str
    holder: str
    due: Due
    received_at: datetime
    age_days: int
    cause: Cause | None
    #: who collected it, and at which outlet; a region's own case has a number of its own instead
    collected: str = ""


_places: dict[str, dict[str, str]] = {}


def names_of(desk: Desk) -> Names:
    """What regions, items and divisions are called here; divisions without the name of their region before them."""
    rt = desk.rt
    return Names(
        regions={slug: region_name(rt, desk.language, slug) for slug in rt.regions},
        items=dict(marks.item_names(rt.tables, desk.now, desk.language)),
        divisions=_divisions(rt),
        channels={channel.name: channel.title for channel in rt.settings.channels},
    )


def _divisions(rt: Runtime) -> dict[str, str]:
    """Made once a table set."""
    digest = rt.tables.digest
    if digest not in _places:
        _places.clear()
        regions = [region.name for region in rt.regions.values()]
        _places[digest] = {
            code: _shorter(rows[-1].place.full_name, regions)
            for code, rows in rt.tables.divisions.codes.items()
        }
    return _places[digest]


def _shorter(name: str, regions: Iterable[str]) -> str:
    for region in regions:
        if name != region and name.startswith(region):
            return name.removeprefix(region)
    return name


class Lines:
    """Makes lines; what is the same for many of a page is found once."""

    def __init__(self, desk: Desk, names: Names) -> None:
        self._desk, self._names = desk, names
        self._calendar, self._today = desk.rt.tables.calendar, beijing_day(desk.now)
        self._left: dict[date, int] = {}

    def line(self, found: CaseLine) -> Line:
        case = found.case
        return Line(
            case_no=case.case_no,
            origin_no=case.origin_case_no,
            target_no=case.target_case_no,
            item=self._names.items.get(case.item, case.item or NONE),
            applicant=mask_name(found.person.name),
            origin=self._names.regions.get(case.origin, case.origin),
            origin_place=self._place(case.origin, case.origin_division),
            target=self._names.regions.get(case.target, case.target),
            target_place=self._place(case.target, case.target_division),
            state=case.state.value,
            holder=self._holder(case, found.waiting),
            due=self._due(case),
            received_at=case.received_at,
            age_days=(self._today - beijing_day(case.received_at)).days,
            cause=self._cause(found.waiting),
            collected=f"{case.collected['organisation']} {case.collected['outlet_name']}"
            if case.channel
            else "",
        )

    def _place(self, region: str, division: str) -> str:
        """The division's name; nothing for the one that is the whole region."""
        name = self._names.divisions.get(division, division)
        known = self._desk.rt.regions.get(region)
        return "" if known is not None and name == known.name else name

    def _holder(self, case: TrackedCase, waiting: tuple[Waiting, ...]) -> str:
        """Who has to do something next; empty when nobody has."""
        say = self._desk.say
        first = _first(waiting)
        if first is not None:
            return say("网关，待人工") if first.state in _RESTS else say("网关，投递中")
        if case.state is State.UNDELIVERED:
            return say("网关，待人工")
        if case.state in FINAL:
            return ""
        if case.state in {State.CORRECTION, State.SUSPENDED_CORRECTION}:
            return say("%(side)s，待补正", side=self._party(case, case.origin))
        sides = sorted(owners(case), key=lambda slug: slug != case.target)
        return "、".join(self._party(case, slug) for slug in sides)

    def _party(self, case: TrackedCase, slug: str) -> str:
        """A side of a case; of a collected one the origin is whoever collected it."""
        if case.channel and slug == case.origin:
            return case.collected["organisation"]
        return self._names.regions.get(slug, slug)

    def _due(self, case: TrackedCase) -> Due:
        say = self._desk.say
        if case.remaining is not None and case.state not in FINAL:
            unit = _UNITS[UNIT_KEYS[case.remaining.unit]]
            return Due(None, say(unit, n=case.remaining.value), "calm", "player-pause")
        if case.due_on is None or case.state in FINAL:
            return Due(case.due_on if case.state in FINAL else None, "")
        left = self._working_days(case.due_on)
        if left < 0:
            return Due(case.due_on, say("超期 %(n)s 个工作日", n=-left), "bad", "alert-triangle")
        if case.due_on < self._today:  # over, and no working day since
            return Due(case.due_on, say("已超期"), "bad", "alert-triangle")
        if left == 0:
            return Due(case.due_on, say("今日到期"), "wait", "calendar-due")
        words = say("剩 %(n)s 个工作日", n=left)
        return Due(case.due_on, words, "wait", "calendar-due") if left <= SOON else Due(case.due_on, words)

    def _working_days(self, due_on: date) -> int:
        """Working days from today to the due date; below zero: since it."""
        if due_on not in self._left:
            self._left[due_on] = working_days(self._today, due_on, self._calendar)
        return self._left[due_on]

    def _cause(self, waiting: tuple[Waiting, ...]) -> Cause | None:
        first = _first(waiting)
        if first is None or first.state not in _RESTS:
            return None
        words, icon, tone = _RESTS[first.state]
        return Cause(self._desk.say(words), icon, tone, first.code, mask_words(self._desk.told(first.words)))


def working_days(today: date, until: date, calendar: WorkCalendar) -> int:
    """Working days after today up to a day; of a day that has passed those after it up to today, negative."""
    first, last = sorted((today, until))
    days = (first + n * _ONE_DAY for n in range(1, (last - first).days + 1))
    count = sum(calendar.is_working(day) for day in days)
    return count if until >= today else -count


def _first(waiting: tuple[Waiting, ...]) -> Waiting | None:
    return min(waiting, key=lambda each: _RANK.index(each.state), default=None)
