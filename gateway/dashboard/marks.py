"""What things are called and how they are marked: a colour never stands without icon and word."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gateway.canonical.kinds import State
from gateway.canonical.worktime import beijing_day
from gateway.dashboard.texts import LANGUAGES, N_, catalog

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date, datetime

    from gateway.dashboard.texts import Language
    from gateway.mapping.tables import Tables


@dataclass(frozen=True, slots=True)
class Mark:
    """``tone`` is one of good, work, wait, bad, calm: a class of the style sheet."""

    tone: str
    icon: str


_STATES = {
    State.RECEIVED: Mark("work", "inbox"),
    State.CORRECTION: Mark("wait", "pencil"),
    State.ACCEPTED: Mark("work", "check"),
    State.DECLINED: Mark("calm", "ban"),
    State.FORWARDED: Mark("work", "send"),
    State.WITHDRAWN: Mark("calm", "arrow-back-up"),
    State.UNDELIVERED: Mark("bad", "mail-off"),
    State.IN_REVIEW: Mark("work", "search"),
    State.SUSPENDED_CORRECTION: Mark("wait", "player-pause"),
    State.SUSPENDED_PROCEDURE: Mark("wait", "player-pause"),
    State.INQUIRY: Mark("wait", "hourglass"),
    State.CONCLUDED: Mark("good", "circle-check"),
    State.RETURNED: Mark("calm", "circle-x"),
    State.SERVED: Mark("good", "truck-delivery"),
    State.RATED: Mark("good", "star"),
    State.CLOSED: Mark("calm", "package"),
}


def state_mark(code: str) -> Mark:
    """How a state of the life cycle is marked."""
    return _STATES[State(code)]


ROLES = {"viewer": N_("查看"), "operator": N_("操作"), "approver": N_("审批"), "auditor": N_("审计员")}

_names: dict[tuple[str, date], Mapping[Language, Mapping[str, str]]] = {}


def item_names(tables: Tables, now: datetime, language: Language) -> Mapping[str, str]:
    """Names of the items of this day, by code; made once a day and table set. One without English keeps its own."""
    key = (tables.digest, beijing_day(now))
    if key not in _names:
        _names.clear()
        official = {version.item: version.name for version in tables.items.all(key[1])}
        _names[key] = {
            each: {code: catalog(each).gettext(name) for code, name in official.items()} for each in LANGUAGES
        }
    return _names[key][language]
