"""Messages a Chongqing system would write by hand: no field map is used, so that the two can disagree."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta, timezone
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

from gateway.canonical import invented
from gateway.canonical.kinds import Kind, State
from gateway.canonical.rehearsal import Facts

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from gateway.canonical.rehearsal import Draw, Turn

CHINA = timezone(timedelta(hours=8))


@dataclass(frozen=True, slots=True)
class Agency:
    """A Chongqing agency: division, full name of the place, USCC (the designed ones of the tables)."""

    division: str
    place: str
    uscc: str


AGENCIES = (
    Agency("500101", "重庆市万州区", "1150010100000000XT"),
    Agency("500103", "重庆市渝中区", "1150010300000000XP"),
    Agency("500106", "重庆市沙坪坝区", "1150010600000000X3"),
    Agency("500107", "重庆市九龙坡区", "1150010700000000XH"),
    Agency("500108", "重庆市南岸区", "1150010800000000X0"),
    Agency("500113", "重庆市巴南区", "1150011300000000X7"),
    Agency("500153", "重庆市荣昌区", "1150015300000000X5"),
)
_SICHUAN = (
    *("四川省成都市锦江区", "四川省成都市武侯区", "四川省绵阳市三台县", "四川省内江市威远县"),
    *("四川省南充市顺庆区", "四川省宜宾市翠屏区", "四川省凉山彝族自治州西昌市"),
)
_NATIONS = ("汉族", "汉族", "汉族", "土家族", "苗族", "彝族", "回族")
_CHANNELS = ("窗口", "窗口", "网上大厅", "自助终端", "手机应用", "微信", "支付宝", None)
_REASONS = (
    "解除劳动合同",
    "劳动合同期满终止",
    "用人单位破产",
    "用人单位关闭解散",
    "经济性裁员",
    "劳动者依法解除",
)
_EMPLOYERS = (("成都示例科技有限公司", "91510104MA6TE00000"), ("重庆示例制造有限公司", "91500103MA6TE00000"))
#: base code, name of the item, XZLX, YLLX
_TRANSFERS = (
    ("002014006002", "企业职工基本养老保险关系转移接续", "1", "1"),
    ("002014006002", "企业职工基本养老保险关系转移接续", "1", "1"),
    ("002014006003", "城乡居民基本养老保险关系转移接续", "1", "3"),
    ("002014006005", "机关事业单位养老保险关系转移接续", "1", "2"),
)
_CLAIM = ("002014011003", "失业保险金申领", "2", None)
_CERTIFICATIONS = (
    ("002014006004", "领取养老金人员待遇资格认证", "1", "1"),
    ("002014006004", "领取养老金人员待遇资格认证", "1", "3"),
    ("002014006009", "养老保险供养亲属待遇资格认证", "1", "2"),
    ("002014014001", "工伤保险定期待遇资格认证", "4", None),
)
_CARDS = (
    ("8f1c0a52-0000-4000-8000-000000000001", "有效身份证件"),
    ("8f1c0a52-0000-4000-8000-000000000002", "社会保障卡"),
    ("8f1c0a52-0000-4000-8000-000000000011", "身份证或社会保障卡"),
)
_SPECIAL = {"extension": "延长", "appraisal": "鉴定", "hearing": "听证", "inspection": "实地核查"}
_STATES = {
    State.RECEIVED: ("待办理", None),
    State.CORRECTION: ("待补正", None),
    State.ACCEPTED: ("已受理", None),
    State.DECLINED: ("不予受理", None),
    State.WITHDRAWN: ("已撤回", None),
    State.IN_REVIEW: ("办理中", None),
    State.SUSPENDED_PROCEDURE: ("挂起", None),
    State.CONCLUDED: ("已办结", "准予"),
    State.RETURNED: ("已退件", None),
    State.SERVED: ("已送达", None),
}
WORDS = {word: state for state, (word, _) in _STATES.items()}


def serial_number(draw: Draw) -> str:
    """``CQ`` + yyyyMMddHHmmss + 6 digits."""
    return f"CQ{draw.now.astimezone(CHINA):%Y%m%d%H%M%S}{draw.serial % 10**6:06d}"


def written(now: datetime) -> str:
    return f"{now.astimezone(CHINA):%Y-%m-%d %H:%M:%S}"


def packet(jym: str, division: str, body: dict[str, Any], draw: Draw) -> tuple[str, bytes]:
    """LSH and bytes of a message or receipt from an agency to the gateway."""
    lsh = serial_number(draw)
    head = {
        "BBH": "1.0",
        "FSF": f"CQ{division}",
        "JSF": "CYTB",
        "JYM": jym,
        "LSH": lsh,
        "FSSJ": written(draw.now),
    }
    text = f'<?xml version="1.0" encoding="GB18030"?>\n<PACKET>{_xml({"HEAD": head, "BODY": body})}</PACKET>'
    return lsh, text.encode("gb18030")


def application(kind: Kind, draw: Draw) -> tuple[dict[str, Any], Facts]:
    """BODY of an application with an invented person, and what to remember of it."""
    return _APPLICATIONS[kind](draw)


def follow_up(facts: Facts, turn: Turn, draw: Draw) -> dict[str, Any]:
    """BODY of a follow-up by the number Chongqing uses."""
    return _FOLLOW_UPS[turn.kind](facts, turn, draw)


def _transfer(draw: Draw) -> tuple[dict[str, Any], Facts]:
    chance = draw.chance
    agency, there = chance.choice(AGENCIES), chance.choice(_SICHUAN)
    item = chance.choice(_TRANSFERS)
    # mostly the new place asks; now and then the old place starts the transfer itself
    new_place = chance.random() > 0.15
    facts, heading = _opened(Kind.TRANSFER_APPLY, agency, item, draw)
    facts, applicant = _person(facts, draw, ages=(20, 58))
    places = (there, agency.place) if new_place else (agency.place, there)
    business = {
        "XZLX": item[2],
        "YLLX": item[3],
        "ZYFX": "转入" if new_place else "转出",
        "ZCDMC": places[0],
        "ZRDMC": places[1],
        "LXH": _contact_letter(agency, facts.case_ref) if new_place else None,
    }
    body = {"BJXX": heading, "SQR": applicant, "YWXX": business, "CLLB": {"CL": _card(draw)}}
    return body, replace(facts, old_place=not new_place, origin_concludes=new_place)


def _claim(draw: Draw) -> tuple[dict[str, Any], Facts]:
    chance = draw.chance
    agency, household = chance.choice(AGENCIES), chance.random() < 0.5
    facts, heading = _opened(Kind.UNEMPLOYMENT_CLAIM, agency, _CLAIM, draw)
    facts, applicant = _person(facts, draw, ages=(20, 58))
    employer, uscc = chance.choice(_EMPLOYERS)
    lost = draw.now.astimezone(CHINA).date() - timedelta(days=chance.randint(10, 55))
    business = {
        "XZLX": "2",
        "CBDMC": chance.choice(_SICHUAN),
        "YDWMC": employer,
        "YDWXYDM": uscc,
        "SYRQ": lost.isoformat(),
        "SYYY": chance.choice(_REASONS),
        "SYDJRQ": (lost + timedelta(days=7)).isoformat(),
        "SLFS": "户籍地申领" if household else "参保地申领",
        "FFFS": "社会保障卡",
        "KHYH": "示例银行",
        "HM": facts.name,
        "ZH": f"{chance.randint(0, 999):016d}",
    }
    body = {"BJXX": heading, "SQR": applicant, "YWXX": business, "CLLB": {"CL": _card(draw)}}
    return body, replace(facts, origin_concludes=household)


def _certification(draw: Draw) -> tuple[dict[str, Any], Facts]:
    chance = draw.chance
    agency, item = chance.choice(AGENCIES), chance.choice(_CERTIFICATIONS)
    facts, heading = _opened(Kind.CERTIFICATION_NOTICE, agency, item, draw)
    facts, applicant = _person(facts, draw, ages=(60, 90))
    alive = chance.random() < 0.95
    heading = {name: value for name, value in heading.items() if not name.startswith("CNSX")}
    heading |= {"BJZT": "已办结", "BJJG": "认证通过" if alive else "认证未通过"}
    business = {
        "XZLX": item[2],
        "YLLX": item[3],
        "DYFFDMC": chance.choice(_SICHUAN),
        "RZFS": chance.choice(("窗口认证", "上门认证", "人脸识别", "指纹识别", "数据比对")),
        "RZSJ": heading["SLSJ"],
        "SCZT": "健在" if alive else "失踪",
    }
    return {"BJXX": heading, "SQR": applicant, "YWXX": business}, facts


# The general application (TY_SQ) joins here when its kind crosses.
_APPLICATIONS: dict[Kind, Callable[[Draw], tuple[dict[str, Any], Facts]]] = {
    Kind.TRANSFER_APPLY: _transfer,
    Kind.UNEMPLOYMENT_CLAIM: _claim,
    Kind.CERTIFICATION_NOTICE: _certification,
}
OFFERS = tuple(_APPLICATIONS)


def _sheet(facts: Facts, _: Turn, draw: Draw) -> dict[str, Any]:
    record = invented.record(draw.chance, draw.now.astimezone(CHINA).year - 1)
    first = f"{record.years[0].year}-{record.years[0].first:02d}"
    settled = draw.chance.random() < 0.3
    business = {
        **_scheme(facts),
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
    benefit = invented.benefit(draw.chance, draw.now.astimezone(CHINA).date())
    business = {
        **_scheme(facts),
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
    word, result = _STATES[turn.state]
    report = {
        "SBLSH": facts.case_ref,
        "BJZT": word,
        "TBCXZL": _SPECIAL[turn.special] if turn.special else None,
        "BJJG": result,
        "BJSJ": written(draw.now),
        "ZFHTHYY": turn.reason or None,
    }
    return {"BJXX": report}


# Supplement, withdrawal and rating join here when their kinds cross.
_FOLLOW_UPS: dict[Kind, Callable[[Facts, Turn, Draw], dict[str, Any]]] = {
    Kind.TRANSFER_SHEET: _sheet,
    Kind.UNEMPLOYMENT_ANSWER: _benefit,
    Kind.STATUS_REPORT: _status,
}
JYM = {
    Kind.TRANSFER_APPLY: "YLZY_SQ",
    Kind.TRANSFER_SHEET: "YLZY_XXB",
    Kind.UNEMPLOYMENT_CLAIM: "SYJ_SQ",
    Kind.UNEMPLOYMENT_ANSWER: "SYJ_HF",
    Kind.CERTIFICATION_NOTICE: "ZGRZ_TZ",
    Kind.GENERAL_APPLY: "TY_SQ",
    Kind.STATUS_REPORT: "ZT_TZ",
    Kind.MATERIAL_SUPPLEMENT: "BZ_CL",
    Kind.CASE_WITHDRAW: "CH_SQ",
    Kind.CASE_RATING: "PJ_TS",
}


def _opened(
    kind: Kind, agency: Agency, item: tuple[str, str, str, str | None], draw: Draw
) -> tuple[Facts, dict[str, Any]]:
    now = draw.now.astimezone(CHINA)
    number = f"CQ{agency.division}{now:%Y%m%d}{draw.serial % 10**6:06d}"
    heading = {
        "SBLSH": number,
        "SXBM": f"{agency.uscc}4{item[0]}",
        "SXMC": item[1],
        "SLD": agency.place,
        "SLSJ": written(now),
        "SLQD": draw.chance.choice(_CHANNELS),
        "CNSX": "10",
        "CNSXDW": "工作日",
        "BJZT": "已受理" if draw.chance.random() < 0.8 else "待办理",
    }
    scheme = "|".join(filter(None, item[2:]))
    return Facts(kind, number, agency.division, origin=True, scheme=scheme), heading


def _person(facts: Facts, draw: Draw, *, ages: tuple[int, int]) -> tuple[Facts, dict[str, Any]]:
    today = draw.now.astimezone(CHINA).date()
    who = invented.person(draw.chance, youngest=ages[0], oldest=ages[1], on=today)
    applicant = {
        "XM": who.name,
        "ZJLX": "A",
        "ZJHM": who.id_no,
        "XB": "男" if who.male else "女",
        "MZ": draw.chance.choice(_NATIONS),
        "CSRQ": who.born.isoformat(),
        "HJDMC": draw.chance.choice((None, "重庆市渝中区", "贵州省遵义市")),
        "SJH": who.mobile,
    }
    return replace(facts, name=who.name, id_no=who.id_no), applicant


def _card(draw: Draw) -> dict[str, str]:
    number, name = draw.chance.choice(_CARDS)
    return {"CLBH": number, "CLMC": name, "TJFS": draw.chance.choice(("原件核验", "电子证照"))}


def _contact_letter(agency: Agency, number: str) -> dict[str, str]:
    return {
        "BH": f"LXH{number}",
        "KHH": "示例银行重庆支行",
        "HM": f"{agency.place}社会保险局",
        "ZH": "0000000000000003",
        "DZ": "示例路2号",
        "YB": "400000",
        "DH": "023-00000000",
    }


def _scheme(facts: Facts) -> dict[str, str | None]:
    kind, _, pension = facts.scheme.partition("|")
    return {"XZLX": kind, "YLLX": pension or None}


def _xml(tree: dict[str, Any]) -> str:
    """Elements of a tree; None is left out, a list repeats its element."""
    return "".join(
        f"<{tag}>{_xml(one) if isinstance(one, dict) else escape(one)}</{tag}>"
        for tag, value in tree.items()
        for one in (value if isinstance(value, list) else (value,))
        if one is not None
    )
