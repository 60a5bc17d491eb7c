"""What Chongqing's drafts have in common: packet, heads, applicant, materials, spellings."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta, timezone
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

from gateway.canonical.kinds import Kind
from gateway.canonical.rehearsal import Facts

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date, datetime

    from gateway.canonical.invented import Person
    from gateway.canonical.rehearsal import Draw, Errand, Paper

CHINA = timezone(timedelta(hours=8))
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
_NATIONS = ("汉族", "汉族", "汉族", "土家族", "苗族", "彝族", "回族")
_CHANNELS = (
    "窗口",
    "窗口",
    "银行网点",
    "网上大厅",
    "自助终端",
    "手机应用",
    "微信",
    "支付宝",
    "电子社保卡",
    None,
)
_HUKOU = (None, "非农业", "农业")
_HOMES = (None, "重庆市渝中区", "贵州省遵义市")
#: the letter of each id type of the shared list
_LETTERS = {"01": "A", "04": "C", "05": "C", "07": "E", "08": "B"}


def written(now: datetime) -> str:
    return f"{now.astimezone(CHINA):%Y-%m-%d %H:%M:%S}"


def today(draw: Draw) -> date:
    return draw.now.astimezone(CHINA).date()


def serial_number(draw: Draw) -> str:
    """``CQ`` + yyyyMMddHHmmss + 6 digits."""
    return f"CQ{draw.now.astimezone(CHINA):%Y%m%d%H%M%S}{draw.serial % 10**6:06d}"


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


def opened(errand: Errand, draw: Draw) -> tuple[Facts, dict[str, Any]]:
    """What is remembered of a new case, and its BJXX."""
    here, now = errand.here, draw.now.astimezone(CHINA)
    number = f"CQ{here.division}{now:%Y%m%d}{draw.serial % 10**6:06d}"
    heading = {
        "SBLSH": number,
        "SXBM": f"{here.uscc}{here.level}{errand.code}",
        "SXMC": errand.name,
        "SLD": here.place,
        "SLSJ": written(now),
        "SLQD": draw.chance.choice(_CHANNELS),
        "CNSX": str(errand.limit[0]),
        "CNSXDW": errand.limit[1],
        "BJZT": "已受理" if draw.chance.random() < 0.7 else "待办理",
    }
    facts = Facts(
        errand.kind,
        number,
        here.division,
        origin=True,
        scheme=errand.scheme,
        item=errand.code,
        papers=errand.papers,
    )
    return facts, heading


def applicant(who: Person, facts: Facts, draw: Draw) -> tuple[Facts, dict[str, Any]]:
    """The person put into the facts, and SQR."""
    chance = draw.chance
    written_down = {
        "XM": who.name,
        "ZJLX": _LETTERS[who.id_type],
        "ZJHM": who.id_no,
        "XB": "男" if who.male else "女",
        "MZ": chance.choice(_NATIONS),
        "CSRQ": who.born.isoformat(),
        "HKXZ": chance.choice(_HUKOU),
        "HJDMC": chance.choice(_HOMES),
        "SJH": who.mobile,
    }
    return replace(facts, name=who.name, id_no=who.id_no), written_down


def materials(papers: Iterable[Paper], draw: Draw) -> dict[str, Any]:
    """CLLB: each paper seen, uploaded or fetched as an e-licence."""
    return {"CL": [_material(paper, place, draw) for place, paper in enumerate(papers, 1)]}


def _material(paper: Paper, place: int, draw: Draw) -> dict[str, str | None]:
    method = draw.chance.choice(("原件核验", "上传", "电子证照"))
    number = f"{today(draw):%Y%m%d}-{draw.serial % 10**6:06d}-{place:02d}"
    return {
        "CLBH": paper.code,
        "CLMC": paper.name,
        "TJFS": method,
        "ZZBS": f"Z{number}" if method == "电子证照" else None,
        "WJBS": f"F{number}" if method == "上传" else None,
    }


def scheme(facts: Facts) -> dict[str, str | None]:
    """XZLX and YLLX; nothing when the item names no scheme."""
    kind, _, pension = facts.scheme.partition("|")
    return {"XZLX": kind or None, "YLLX": pension or None}


def _xml(tree: dict[str, Any]) -> str:
    """Elements of a tree; None is left out, a list repeats its element."""
    return "".join(
        f"<{tag}>{_xml(one) if isinstance(one, dict) else escape(one)}</{tag}>"
        for tag, value in tree.items()
        for one in (value if isinstance(value, list) else (value,))
        if one is not None
    )
