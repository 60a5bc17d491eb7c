"""The follow-ups of Chongqing: sheet, answer, status report, supplement, withdrawal, rating."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from adapters.chongqing.drafts.heads import materials, scheme, today, written
from gateway.canonical import invented
from gateway.canonical.kinds import Kind, State

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.canonical.rehearsal import Draw, Facts, Turn

_SPECIAL = {"extension": "延长", "appraisal": "鉴定", "hearing": "听证", "inspection": "实地核查"}
#: BJZT, TBCXZL, BJJG of each state
_STATES = {
    State.RECEIVED: ("待办理", None, None),
    State.CORRECTION: ("待补正", None, None),
    State.ACCEPTED: ("已受理", None, None),
    State.DECLINED: ("不予受理", None, None),
    State.WITHDRAWN: ("已撤回", None, None),
    State.IN_REVIEW: ("办理中", None, None),
    State.INQUIRY: ("办理中", "协查", None),
    State.SUSPENDED_CORRECTION: ("挂起", "补正", None),
    State.SUSPENDED_PROCEDURE: ("挂起", None, None),
    State.CONCLUDED: ("已办结", None, "准予"),
    State.RETURNED: ("已退件", None, None),
    State.SERVED: ("已送达", None, None),
}
#: The other way to say 41 (crossing §5.1).
_NOT_GRANTED = ("已办结", None, "不予")


_MEANT = {(word, special or ""): state for state, (word, special, _) in _STATES.items()}


def state_of(word: str, special: str, result: str) -> State | None:
    """The state Chongqing means by its three words; None when it has no such words."""
    if (word, result) == ("已办结", "不予"):
        return State.RETURNED
    if word == "挂起" and special != "补正":
        return State.SUSPENDED_PROCEDURE
    return _MEANT.get((word, special))


def _sheet(facts: Facts, _: Turn, draw: Draw) -> dict[str, Any]:
    record = invented.record(draw.chance, today(draw).year - 1)
    first = f"{record.years[0].year}-{record.years[0].first:02d}"
    settled = draw.chance.random() < 0.3
    business = {
        **scheme(facts),
        "SCCBNY": first,
        "JFQSNY": first,
        "JFZZNY": f"{record.years[-1].year}-12",
        "SJJFYS": f"{record.months // 12}年{record.months % 12}个月",
        "STJFYS": "0年0个月",
        "NMX": [_year(year) for year in record.years],
        "QSLX": str(record.years[-1].interest) if settled else None,
        "GRZH1998Q": "0",
        "GRZH1998H": str(record.account),
        "DNJZ": "0",
        "GRZHZYE": str(record.account),
        "TCZYE": str(record.pooled),
        "ZYZE": str(record.account + record.pooled),
    }
    return {"BJXX": {"SBLSH": facts.case_ref, "BJZT": "已转出"}, "YWXX": business}


def _year(year: invented.Year) -> dict[str, str]:
    return {
        "ND": str(year.year),
        "QSY": f"{year.first:02d}",
        "ZZY": f"{year.last:02d}",
        "YS": str(year.months),
        "NJFJS": str(year.base),
        "GRBL": "8",
        "DNJZBJ": str(year.principal),
        "DNLX": str(year.interest),
        "NMLJ": str(year.balance),
    }


def _benefit(facts: Facts, _: Turn, draw: Draw) -> dict[str, Any]:
    benefit = invented.benefit(draw.chance, today(draw))
    business = {
        **scheme(facts),
        "BCYS": str(benefit.total),
        "LJYS": str(benefit.total),
        "YXYS": str(benefit.entitled),
        "SYYS": str(benefit.entitled),
        "PJGZ": str(benefit.wage),
        "YFBZ": str(benefit.monthly),
        "QSNY": f"{benefit.first[0]}-{benefit.first[1]:02d}",
        "ZZNY": f"{benefit.last[0]}-{benefit.last[1]:02d}",
    }
    return {"BJXX": {"SBLSH": facts.case_ref}, "YWXX": business}


def _status(facts: Facts, turn: Turn, draw: Draw) -> dict[str, Any]:
    if turn.state is None:
        raise ValueError("a status report needs a state")
    word, special, result = _STATES[turn.state]
    if turn.state is State.RETURNED and draw.chance.random() < 0.5:
        word, special, result = _NOT_GRANTED
    report = {
        "SBLSH": facts.case_ref,
        "BJZT": word,
        "TBCXZL": _SPECIAL[turn.special] if turn.special else special,
        "BJJG": result,
        "BJSJ": written(draw.now - timedelta(seconds=turn.late_s)),
        "ZFHTHYY": turn.reason or None,
    }
    return {"BJXX": report}


def _supplement(facts: Facts, turn: Turn, draw: Draw) -> dict[str, Any]:
    heading = {"SBLSH": facts.case_ref, "BZSJ": written(draw.now), "BZ": turn.reason or None}
    return {"BJXX": heading, "CLLB": materials(facts.papers[:2], draw)}


def _withdrawal(facts: Facts, turn: Turn, draw: Draw) -> dict[str, Any]:
    return {"BJXX": {"SBLSH": facts.case_ref, "CHSJ": written(draw.now), "CHYY": turn.reason}}


def _rating(facts: Facts, turn: Turn, draw: Draw) -> dict[str, Any]:
    chance = draw.chance
    grades = ("非常满意", "满意", "基本满意", "不满意", "非常不满意")
    heading = {
        "SBLSH": facts.case_ref,
        "PJDJ": chance.choices(grades, (60, 25, 10, 3, 2))[0],
        "PJNR": turn.reason or None,
        "PJQD": chance.choice(("PC端", "移动服务端", "二维码", "政务大厅平板电脑", "电话", "短信")),
        "PJSJ": written(draw.now),
    }
    return {"BJXX": heading}


FOLLOW_UPS: dict[Kind, Callable[[Facts, Turn, Draw], dict[str, Any]]] = {
    Kind.TRANSFER_SHEET: _sheet,
    Kind.UNEMPLOYMENT_ANSWER: _benefit,
    Kind.STATUS_REPORT: _status,
    Kind.MATERIAL_SUPPLEMENT: _supplement,
    Kind.CASE_WITHDRAW: _withdrawal,
    Kind.CASE_RATING: _rating,
}
