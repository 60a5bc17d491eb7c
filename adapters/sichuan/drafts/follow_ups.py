"""The follow-ups of Sichuan: sheet, answer, status report, supplement, withdrawal, rating."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from adapters.sichuan.drafts.heads import materials, stamp, today, yuan
from gateway.canonical import invented
from gateway.canonical.kinds import Kind, State

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.canonical.rehearsal import Draw, Facts, Turn

_SPECIAL = {"extension": "1", "appraisal": "2", "hearing": "3", "inspection": "5"}
_STATES = {
    State.RECEIVED: "01",
    State.CORRECTION: "02",
    State.ACCEPTED: "03",
    State.DECLINED: "04",
    State.WITHDRAWN: "05",
    State.IN_REVIEW: "06",
    State.SUSPENDED_CORRECTION: "07",
    State.SUSPENDED_PROCEDURE: "08",
    State.CONCLUDED: "09",
    State.RETURNED: "10",
    State.SERVED: "11",
}
WORDS = {word: state for state, word in _STATES.items()}


def _sheet(facts: Facts, _: Turn, draw: Draw) -> dict[str, Any]:
    record = invented.record(draw.chance, today(draw).year - 1)
    first, last = record.years[0], record.years[-1]
    param = {
        "aae140": facts.scheme,
        "aac049": first.year * 100 + first.first,
        "aae030": (first.year * 100 + first.first) * 100 + 1,
        "aae031": last.year * 10_000 + 1231,
        "aae201": record.months,
        "aae200": 0,
        "ic91": [_year(year, facts.division) for year in record.years],
        "aic093": yuan(0),
        "aic089": yuan(record.account),
        "aic082": yuan(0),
        "aic083": yuan(record.account),
        "aic084": yuan(record.pooled),
        "aic102": yuan(record.account + record.pooled),
    }
    return {"aac002": facts.id_no, "aac003": facts.name, "param": param}


def _year(year: invented.Year, division: str) -> dict[str, Any]:
    monthly, rest = divmod(year.base, year.months)
    row = {
        "aab299": division,
        "aae001": year.year,
        "aae041": year.year * 100 + year.first,
        "aae042": year.year * 100 + year.last,
        "aae202": year.months,
        "aae180": yuan(monthly + (2 * rest >= year.months)),
    }
    if rest:
        row["yae181"] = yuan(year.base)
    return row | {
        "aaa041": 0.08,
        "aae264": yuan(year.principal),
        "aae265": yuan(year.interest),
        "aae273": yuan(year.balance),
    }


def _benefit(facts: Facts, _: Turn, draw: Draw) -> dict[str, Any]:
    benefit = invented.benefit(draw.chance, today(draw))
    param = {
        "aae140": facts.scheme,
        "ajc071": benefit.total,
        "ajc072": benefit.total,
        "ajc097": benefit.entitled,
        "ajc099": benefit.entitled,
        "ajc061": yuan(benefit.wage),
        "aae019": yuan(benefit.monthly),
        "aae041": benefit.first[0] * 100 + benefit.first[1],
        "aae042": benefit.last[0] * 100 + benefit.last[1],
    }
    return {"aae011": f"{facts.division}031", "aae414": "周宁", "yab003": facts.division, "param": param}


def _status(facts: Facts, turn: Turn, draw: Draw) -> dict[str, Any]:
    if turn.state is None:
        raise ValueError("a status report needs a state")
    inquiry = turn.state is State.INQUIRY
    param = {
        "blzt": _STATES[State.IN_REVIEW if inquiry else turn.state],
        "blsj": stamp(draw.now - timedelta(seconds=turn.late_s)),
    }
    if turn.reason:
        param["blyy"] = turn.reason
    if inquiry or turn.special:
        param["tbcx"] = "4" if inquiry else _SPECIAL[turn.special]
    return {"yab003": facts.division, "param": param}


def _supplement(facts: Facts, turn: Turn, draw: Draw) -> dict[str, Any]:
    param = {"bzsj": stamp(draw.now), "clist": materials(facts.papers[:2], draw)}
    if turn.reason:
        param["aae013"] = turn.reason
    return {"yab003": facts.division, "param": param}


def _withdrawal(_: Facts, turn: Turn, draw: Draw) -> dict[str, Any]:
    return {"param": {"chsj": stamp(draw.now), "chyy": turn.reason}}


def _rating(_: Facts, turn: Turn, draw: Draw) -> dict[str, Any]:
    chance = draw.chance
    param = {
        "pjdj": chance.choices("12345", (60, 25, 10, 3, 2))[0],
        "pjqd": chance.choice("1234567"),
        "pjsj": stamp(draw.now),
    }
    if turn.reason:
        param["pjnr"] = turn.reason
    return {"param": param}


FOLLOW_UPS: dict[Kind, Callable[[Facts, Turn, Draw], dict[str, Any]]] = {
    Kind.TRANSFER_SHEET: _sheet,
    Kind.UNEMPLOYMENT_ANSWER: _benefit,
    Kind.STATUS_REPORT: _status,
    Kind.MATERIAL_SUPPLEMENT: _supplement,
    Kind.CASE_WITHDRAW: _withdrawal,
    Kind.CASE_RATING: _rating,
}
