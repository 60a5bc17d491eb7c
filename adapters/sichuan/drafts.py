"""Messages a Sichuan system would write by hand: no field map is used, so that the two can disagree."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta, timezone
from typing import TYPE_CHECKING, Any

from gateway.canonical import invented
from gateway.canonical.kinds import Kind, State
from gateway.canonical.rehearsal import Facts

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.canonical.rehearsal import Draw, Turn

CHINA = timezone(timedelta(hours=8))


@dataclass(frozen=True, slots=True)
class Agency:
    """A Sichuan agency: division, name, USCC (the designed ones of the tables)."""

    division: str
    name: str
    uscc: str


AGENCIES = (
    Agency("510104", "成都市锦江区社会保险事业管理局", "1151010400000000XA"),
    Agency("510107", "成都市武侯区社会保险事业管理局", "1151010700000000XM"),
    Agency("510722", "绵阳市三台县社会保险事业管理局", "1151072200000000XB"),
    Agency("511024", "内江市威远县社会保险事业管理局", "1151102400000000XG"),
    Agency("511302", "南充市顺庆区社会保险事业管理局", "1151130200000000X4"),
    Agency("511502", "宜宾市翠屏区社会保险事业管理局", "1151150200000000XE"),
    Agency("513401", "凉山彝族自治州西昌市社会保险事业管理局", "1151340100000000XK"),
)
_CHONGQING = ("500101", "500103", "500106", "500107", "500108", "500113", "500153")
_CLERKS = ("李敏", "何川", "周宁", "吉伍", "郑霞")
_NATIONS = ("01", "01", "01", "02", "03", "07", "15")
_CHANNELS = ("11", "11", "21", "31", "51", "52", "53", "54", "55")
_REASONS = ("6301", "6302", "6303", "6304", "6305", "6306", "6307", "6308", "6309")
_EMPLOYERS = (("成都示例科技有限公司", "91510104MA6TE00000"), ("绵阳示例制造有限公司", "91510722MA6TE00000"))
#: base code and schemes of the items that have a form of their own
_TRANSFERS = (
    ("512B0068100002", "110"),
    ("512B0068100002", "110"),
    ("512B0359600026", "170"),
    ("512B0359600022", "120"),
)
_CLAIM = ("512B0070100003", "210")
_CERTIFICATIONS = (
    *(("51201400600004", "110"), ("51201400600004", "170"), ("51201400600005", "120")),
    *(("51201401400008", "410"), ("51201401400009", "410")),
)
_CARD = {"clbm": "CL001", "clmc": "居民身份证"}
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


def log_number(draw: Draw) -> str:
    """``SC`` + yyyyMMdd + 12 digits: the time of day and a running number."""
    return f"SC{draw.now.astimezone(CHINA):%Y%m%d%H%M%S}{draw.serial % 10**6:06d}"


def application(kind: Kind, draw: Draw) -> tuple[dict[str, Any], Facts]:
    """An application with an invented person, and what to remember of it."""
    return _APPLICATIONS[kind](draw)


def follow_up(facts: Facts, turn: Turn, draw: Draw) -> dict[str, Any]:
    """A follow-up of a case by the number Sichuan uses."""
    head = {"fwid": FWID[turn.kind], "aaz002": log_number(draw), "affairCode": facts.case_ref}
    return {**head, **_FOLLOW_UPS[turn.kind](facts, turn, draw)}


def _transfer(draw: Draw) -> tuple[dict[str, Any], Facts]:
    chance = draw.chance
    base, scheme = chance.choice(_TRANSFERS)
    agency, there = chance.choice(AGENCIES), chance.choice(_CHONGQING)
    # mostly the new place asks; now and then the old place starts the transfer itself
    new_place = chance.random() > 0.15
    tree, param = _head("tbzy0001", base, agency, draw)
    who = _person(tree, param, draw, phone="aae005", ages=(20, 58))
    param |= {
        "aae140": scheme,
        "aac070": "2" if new_place else "1",
        "aae173": "10",
        **_accepted(draw),
        "aab299": agency.division if new_place else there,
        "aab301": agency.division,
        "yac250": there,
        "clist": [_card(draw)],
    }
    if new_place:
        param["lxh"] = _contact_letter(agency, tree["affairCode"])
    facts = Facts(Kind.TRANSFER_APPLY, tree["affairCode"], agency.division, origin=True, scheme=scheme)
    return tree, _of(facts, who, old_place=not new_place, origin_concludes=new_place)


def _claim(draw: Draw) -> tuple[dict[str, Any], Facts]:
    chance = draw.chance
    base, scheme = _CLAIM
    agency, household = chance.choice(AGENCIES), chance.random() < 0.5
    tree, param = _head("tbsy0001", base, agency, draw)
    who = _person(tree, param, draw, phone="aac067", ages=(20, 58))
    employer, uscc = chance.choice(_EMPLOYERS)
    lost = draw.now.astimezone(CHINA).date() - timedelta(days=chance.randint(10, 55))
    param |= {
        **_accepted(draw),
        "aab299": chance.choice(_CHONGQING),
        "aab301": agency.division,
        "aae140": scheme,
        "aab004": employer,
        "aab998": uscc,
        "ajc090": int(f"{lost:%Y%m%d}"),
        "abc916": int(f"{lost:%Y%m%d}"),
        "abc917": chance.choice(_REASONS),
        "aae043": int(f"{lost + timedelta(days=7):%Y%m%d}"),
        "sldbz": "2" if household else "1",
        "aae145": "11",
        "aae008": "示例银行",
        "aae009": who.name,
        "aae010": f"{chance.randint(0, 999):016d}",
        "clist": [_card(draw)],
    }
    facts = Facts(Kind.UNEMPLOYMENT_CLAIM, tree["affairCode"], agency.division, origin=True, scheme=scheme)
    return tree, _of(facts, who, origin_concludes=household)


def _certification(draw: Draw) -> tuple[dict[str, Any], Facts]:
    chance = draw.chance
    base, scheme = chance.choice(_CERTIFICATIONS)
    agency, now = chance.choice(AGENCIES), draw.now.astimezone(CHINA)
    tree, param = _head("tbrz0001", base, agency, draw)
    who = _person(tree, param, draw, phone="aac067", ages=(60, 90))
    param |= {
        "aae140": scheme,
        "aac060": "1" if chance.random() < 0.95 else "3",
        "bic162": int(f"{now:%Y%m%d}"),
        "aae036": f"{now:%Y%m%d%H%M%S}",
        "rzfs": chance.choice(("01", "02", "03", "04", "05")),
        "aab301": agency.division,
        "aab299": chance.choice(_CHONGQING),
    }
    facts = Facts(Kind.CERTIFICATION_NOTICE, tree["affairCode"], agency.division, origin=True, scheme=scheme)
    return tree, _of(facts, who)


# The general application (tbty0001) joins here when its kind crosses.
_APPLICATIONS: dict[Kind, Callable[[Draw], tuple[dict[str, Any], Facts]]] = {
    Kind.TRANSFER_APPLY: _transfer,
    Kind.UNEMPLOYMENT_CLAIM: _claim,
    Kind.CERTIFICATION_NOTICE: _certification,
}
OFFERS = tuple(_APPLICATIONS)


def _sheet(facts: Facts, _: Turn, draw: Draw) -> dict[str, Any]:
    record = invented.record(draw.chance, draw.now.astimezone(CHINA).year - 1)
    first, last = record.years[0], record.years[-1]
    param = {
        "aae140": facts.scheme,
        "aac049": first.year * 100 + first.first,
        "aae030": (first.year * 100 + first.first) * 100 + 1,
        "aae031": last.year * 10_000 + 1231,
        "aae201": record.months,
        "aae200": 0,
        "ic91": [_year(year, facts.division) for year in record.years],
        "aic093": _yuan(0),
        "aic089": _yuan(record.account),
        "aic082": _yuan(0),
        "aic083": _yuan(record.account),
        "aic084": _yuan(record.pooled),
        "aic102": _yuan(record.account + record.pooled),
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
        "aae180": _yuan(monthly + (2 * rest >= year.months)),
    }
    if rest:
        row["yae181"] = _yuan(year.base)
    return row | {
        "aaa041": 0.08,
        "aae264": _yuan(year.principal),
        "aae265": _yuan(year.interest),
        "aae273": _yuan(year.balance),
    }


def _benefit(facts: Facts, _: Turn, draw: Draw) -> dict[str, Any]:
    benefit = invented.benefit(draw.chance, draw.now.astimezone(CHINA).date())
    param = {
        "aae140": facts.scheme,
        "ajc071": benefit.total,
        "ajc072": benefit.total,
        "ajc097": benefit.entitled,
        "ajc099": benefit.entitled,
        "ajc061": _yuan(benefit.wage),
        "aae019": _yuan(benefit.monthly),
        "aae041": benefit.first[0] * 100 + benefit.first[1],
        "aae042": benefit.last[0] * 100 + benefit.last[1],
    }
    return {"aae011": f"{facts.division}031", "aae414": "周宁", "yab003": facts.division, "param": param}


def _status(facts: Facts, turn: Turn, draw: Draw) -> dict[str, Any]:
    if turn.state is None:
        raise ValueError("a status report needs a state")
    param = {"blzt": _STATES[turn.state], "blsj": f"{draw.now.astimezone(CHINA):%Y%m%d%H%M%S}"}
    if turn.reason:
        param["blyy"] = turn.reason
    if turn.special:
        param["tbcx"] = _SPECIAL[turn.special]
    return {"yab003": facts.division, "param": param}


# Supplement, withdrawal and rating join here when their kinds cross.
_FOLLOW_UPS: dict[Kind, Callable[[Facts, Turn, Draw], dict[str, Any]]] = {
    Kind.TRANSFER_SHEET: _sheet,
    Kind.UNEMPLOYMENT_ANSWER: _benefit,
    Kind.STATUS_REPORT: _status,
}
FWID = {
    Kind.TRANSFER_APPLY: "tbzy0001",
    Kind.TRANSFER_SHEET: "tbzy0002",
    Kind.UNEMPLOYMENT_CLAIM: "tbsy0001",
    Kind.UNEMPLOYMENT_ANSWER: "tbsy0002",
    Kind.CERTIFICATION_NOTICE: "tbrz0001",
    Kind.GENERAL_APPLY: "tbty0001",
    Kind.STATUS_REPORT: "tbzt0001",
    Kind.MATERIAL_SUPPLEMENT: "tbbz0001",
    Kind.CASE_WITHDRAW: "tbch0001",
    Kind.CASE_RATING: "tbpj0001",
}


def _head(fwid: str, base: str, agency: Agency, draw: Draw) -> tuple[dict[str, Any], dict[str, Any]]:
    chance, param = draw.chance, dict[str, Any]()
    area = agency.division
    tree = {
        "fwid": fwid,
        "aaz002": log_number(draw),
        # Sichuan's own serials begin with 0 to 8
        "affairCode": f"{area}-{draw.now.astimezone(CHINA):%Y%m%d}-{draw.serial % 900_000:06d}",
        "itemCode": f"{base}-{area}000000-000-{agency.uscc}-1-00",
        "aae011": f"{area}{chance.randint(1, 99):03d}",
        "aae414": chance.choice(_CLERKS),
        "yab003": area,
        "accept_source": chance.choice(_CHANNELS),
        "aac001": "",
        "param": param,
    }
    return tree, param


def _person(
    tree: dict[str, Any], param: dict[str, Any], draw: Draw, *, phone: str, ages: tuple[int, int]
) -> invented.Person:
    today = draw.now.astimezone(CHINA).date()
    who = invented.person(draw.chance, youngest=ages[0], oldest=ages[1], on=today)
    tree |= {"aac002": who.id_no, "aac003": who.name}
    param |= {
        "aac058": "01",
        "aac147": who.id_no,
        "aac004": "1" if who.male else "2",
        "aac005": draw.chance.choice(_NATIONS),
        "aac006": int(f"{who.born:%Y%m%d}"),
        phone: who.mobile,
    }
    return who


def _accepted(draw: Draw) -> dict[str, Any]:
    now = draw.now.astimezone(CHINA)
    return {"aae035": int(f"{now:%Y%m%d}"), "aae036": f"{now:%Y%m%d%H%M%S}"}


def _card(draw: Draw) -> dict[str, str]:
    method = draw.chance.choice("13")
    return {**_CARD, "sqfs": method, "dzzz": "1" if method == "3" else "0"}


def _contact_letter(agency: Agency, affair_code: str) -> dict[str, str]:
    return {
        "aae270": f"LXH{affair_code.replace('-', '')}",
        "aac155": "示例银行成都支行",
        "aae009": agency.name,
        "aac078": "0000000000000001",
        "aae006": "示例路1号",
        "aae007": "610000",
        "aae005": "028-00000000",
    }


def _of(
    facts: Facts, who: invented.Person, *, old_place: bool = False, origin_concludes: bool = False
) -> Facts:
    return Facts(
        kind=facts.kind,
        case_ref=facts.case_ref,
        division=facts.division,
        origin=facts.origin,
        scheme=facts.scheme,
        old_place=old_place,
        origin_concludes=origin_concludes,
        name=who.name,
        id_no=who.id_no,
    )


def _yuan(fen: int) -> float:
    # A binary float of at most 12 digits prints its two decimals exactly.
    return fen / 100
