"""What a list of cases is asked for: read from an address, said in words, and written as an address again."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any, cast, get_args
from urllib.parse import urlencode

from gateway.canonical.kinds import State
from gateway.canonical.transitions import FINAL
from gateway.canonical.worktime import BEIJING, beijing_day
from gateway.dashboard.texts import N_
from gateway.store.case_list_sql import RUNNING, Resting, Wanted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from starlette.datastructures import QueryParams

    from gateway.canonical.worktime import WorkCalendar
    from gateway.dashboard.desk import Desk
    from gateway.region import Region

#: Working days in which a case is due soon.
SOON = 3
_ONE_DAY = timedelta(days=1)
_MOST_DAYS = 3650
_MOST = 40

#: Words for groups of states: they stand in the address as such, so that a kept view stays what it says.
GROUPS = {"running": N_("在办"), "ended": N_("已办结")}
_GROUP_STATES = {"running": RUNNING, "ended": tuple(state for state in State if state in FINAL)}
DUES = {"overdue": N_("已超期"), "soon": N_("3 个工作日内到期")}
RESTINGS = {"parked": N_("挂起，待补规则"), "dead": N_("死信"), "refused": N_("对方拒收")}
SORTS = {"newest": N_("最新收件在前"), "due": N_("最早到期在前")}

#: Views everybody has; the address behind each.
COMMON = (
    (N_("全部"), ""),
    (N_("在办"), "state=running"),
    (N_("已超期"), "due=overdue"),
    (N_("3 个工作日内到期"), "due=soon"),
    (N_("挂起，待补规则"), "resting=parked"),
    (N_("死信"), "resting=dead"),
    (N_("对方拒收"), "resting=refused"),
)


class NotUnderstoodError(ValueError):
    """A part of the address means nothing here; the text names it."""


@dataclass(frozen=True, slots=True)
class Filters:
    """The filters of an address, each as written there; empty: any. No person's number is among them."""

    state: tuple[str, ...] = ()
    origin: str = ""
    target: str = ""
    item: str = ""
    channel: str = ""
    division: str = ""
    due: str = ""
    due_from: str = ""
    due_to: str = ""
    older: str = ""
    received_from: str = ""
    received_to: str = ""
    resting: str = ""
    code: str = ""
    sort: str = ""

    @classmethod
    def of(cls, query: QueryParams) -> Filters:
        """Read from an address. Errors: `NotUnderstoodError` for what is no value of its name."""
        given: dict[str, Any] = {
            each.name: query.get(each.name, "").strip() for each in fields(cls) if each.name != "state"
        }
        states = tuple(dict.fromkeys(state for state in query.getlist("state") if state))
        found = cls(**given, state=states)
        found._check()
        return found

    def _check(self) -> None:
        known = {
            "due": DUES,
            "resting": get_args(Resting),
            "sort": SORTS,
        }
        for name, values in known.items():
            if getattr(self, name) and getattr(self, name) not in values:
                raise NotUnderstoodError(name)
        if len(self.state) > _MOST or any(
            each not in GROUPS and each not in set(State) for each in self.state
        ):
            raise NotUnderstoodError("state")
        for name in ("due_from", "due_to", "received_from", "received_to"):
            _day(self, name)
        if self.older and not (
            self.older.isdecimal() and len(self.older) < 5 and int(self.older) <= _MOST_DAYS
        ):
            raise NotUnderstoodError("older")
        for name in ("origin", "target", "item", "channel", "division", "code"):
            if len(getattr(self, name)) > _MOST or not getattr(self, name).isprintable():
                raise NotUnderstoodError(name)

    @property
    def by_due(self) -> bool:
        """Whether the list goes by due date: a due date that is asked for brings its own order."""
        return bool(self.sort == "due" or self.due or self.due_from or self.due_to)

    def pairs(self) -> list[tuple[str, str]]:
        """Names and values as an address has them."""
        told = [("state", state) for state in self.state]
        return told + [
            (each.name, getattr(self, each.name))
            for each in fields(self)
            if each.name != "state" and getattr(self, each.name)
        ]

    def query(self, **more: str | None) -> str:
        """The part of an address after ``?``."""
        return urlencode(self.pairs() + [(name, value) for name, value in more.items() if value])

    def wanted(self, desk: Desk) -> Wanted:
        """What the store is asked for at this moment."""
        now, calendar = desk.now, desk.rt.tables.calendar
        today = beijing_day(now)
        due_from, due_to = _day(self, "due_from"), _day(self, "due_to")
        if self.due == "overdue":
            due_to = min(due_to or date.max, today - _ONE_DAY)
        if self.due == "soon":
            due_from, due_to = max(due_from or today, today), min(due_to or date.max, soon(today, calendar))
        until = _day(self, "received_to")
        received_to = None if until is None else _midnight(until + _ONE_DAY) - timedelta(microseconds=1)
        if self.older:
            received_to = min(received_to or now, now - int(self.older) * _ONE_DAY)
        since = _day(self, "received_from")
        return Wanted(
            origin=self.origin or None,
            target=self.target or None,
            division=self.division or None,
            division_of=_region_of(self.division, desk.rt.regions),
            item=self.item or None,
            channel=self.channel or None,
            states=self.states(),
            due_from=due_from,
            due_to=due_to,
            received_from=None if since is None else _midnight(since),
            received_to=received_to,
            resting=cast("Resting | None", self.resting or None),  # checked when it was read
            code=(self.code or None) if self.resting else None,
            sort="due" if self.by_due else "newest",
        )

    def states(self) -> tuple[State, ...]:
        """The states asked for, groups spelled out."""
        spelled = [each for name in self.state for each in _GROUP_STATES.get(name, (name,))]
        return tuple(dict.fromkeys(State(each) for each in spelled))


@dataclass(frozen=True, slots=True)
class Chip:
    """One filter in words, and the address without it."""

    name: str
    text: str
    without: str


def soon(today: date, calendar: WorkCalendar) -> date:
    """The last day on which a case counts as due soon."""
    day, left = today, SOON
    while left:
        day += _ONE_DAY
        left -= calendar.is_working(day)
    return day


def chips(desk: Desk, filters: Filters, names: Names) -> Iterator[Chip]:
    """Every filter in words; each can be taken away."""
    for state in filters.state:
        word = desk.say(GROUPS[state]) if state in GROUPS else desk.say(State(state).label)
        rest = replace(filters, state=tuple(each for each in filters.state if each != state))
        yield Chip(desk.say("状态"), word, rest.query())
    words = {
        "origin": (N_("来源方"), names.regions.get(filters.origin, filters.origin)),
        "target": (N_("目的方"), names.regions.get(filters.target, filters.target)),
        "item": (N_("事项"), names.items.get(filters.item, filters.item)),
        "channel": (N_("收件渠道"), names.channels.get(filters.channel, filters.channel)),
        "division": (N_("区划"), names.divisions.get(filters.division, filters.division)),
        "due": (N_("期限"), desk.say(DUES.get(filters.due, "")) if filters.due else ""),
        "due_from": (N_("到期不早于"), filters.due_from),
        "due_to": (N_("到期不晚于"), filters.due_to),
        "older": (N_("件龄"), desk.say("满 %(days)s 天", days=filters.older) if filters.older else ""),
        "received_from": (N_("收件不早于"), filters.received_from),
        "received_to": (N_("收件不晚于"), filters.received_to),
        "resting": (N_("滞留"), desk.say(RESTINGS.get(filters.resting, "")) if filters.resting else ""),
        "code": (N_("原因编码"), filters.code),
    }
    for name, (title, word) in words.items():
        if getattr(filters, name):
            gone: dict[str, Any] = {name: ""} | ({"code": ""} if name == "resting" else {})
            yield Chip(desk.say(title), word, replace(filters, **gone).query())


@dataclass(frozen=True, slots=True)
class Names:
    """What codes are called, for the choices and the chips."""

    regions: dict[str, str]
    items: dict[str, str]
    divisions: dict[str, str]
    #: those there are now; cases of one that was taken away can be asked for by its name
    channels: dict[str, str]


def unmatched(filters: Filters, names: Names) -> Sequence[str]:
    """Names of filters whose value nobody knows: the list will be empty for that reason."""
    known = {
        "origin": names.regions,
        "target": names.regions,
        "item": names.items,
        "division": names.divisions,
    }
    return [name for name, values in known.items() if getattr(filters, name) not in {"", *values}]


def _region_of(division: str, regions: Mapping[str, Region]) -> str | None:
    found = [slug for slug, region in regions.items() if division.startswith(region.division_prefix)]
    return found[0] if division and len(found) == 1 else None


def _day(filters: Filters, name: str) -> date | None:
    written = getattr(filters, name)
    if not written:
        return None
    try:
        found = date.fromisoformat(written)
    except ValueError:
        raise NotUnderstoodError(name) from None
    if not 2000 <= found.year < 2200:
        raise NotUnderstoodError(name)
    return found


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), BEIJING)
