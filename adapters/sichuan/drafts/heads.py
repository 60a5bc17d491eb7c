"""What Sichuan's drafts have in common: heads, person, materials, spellings."""

from __future__ import annotations

from datetime import timedelta, timezone
from typing import TYPE_CHECKING, Any

from gateway.canonical.kinds import Kind
from gateway.canonical.rehearsal import Facts

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date, datetime

    from gateway.canonical.invented import Person
    from gateway.canonical.rehearsal import Draw, Errand, Paper

CHINA = timezone(timedelta(hours=8))
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
_CLERKS = ("李敏", "何川", "周宁", "吉伍", "郑霞")
_NATIONS = ("01", "01", "01", "02", "03", "07", "15")
_CHANNELS = ("11", "11", "12", "21", "31", "41", "51", "52", "53", "54", "55")
_HUKOU = (None, "10", "11", "12", "20", "21")
_HOMES = (None, "四川省成都市锦江区示例路1号", "贵州省遵义市", "西藏自治区昌都市")


def stamp(now: datetime) -> str:
    """A date-time of 14 digits, Beijing time."""
    return f"{now.astimezone(CHINA):%Y%m%d%H%M%S}"


def number_of(day: date) -> int:
    """A date as the integer yyyyMMdd."""
    return int(f"{day:%Y%m%d}")


def today(draw: Draw) -> date:
    return draw.now.astimezone(CHINA).date()


def yuan(fen: int) -> float:
    # A binary float of at most 12 digits prints its two decimals exactly.
    return fen / 100


def log_number(draw: Draw) -> str:
    """``SC`` + yyyyMMdd + 12 digits: the time of day and a running number."""
    return f"SC{stamp(draw.now)}{draw.serial % 10**6:06d}"


def opened(errand: Errand, draw: Draw) -> tuple[dict[str, Any], dict[str, Any]]:
    """The head of an application and its still empty ``param``."""
    chance, param = draw.chance, dict[str, Any]()
    area = errand.here.division
    tree = {
        "fwid": FWID[errand.kind],
        "aaz002": log_number(draw),
        # Sichuan's own serials begin with 0 to 8
        "affairCode": f"{area}-{draw.now.astimezone(CHINA):%Y%m%d}-{draw.serial % 900_000:06d}",
        "itemCode": f"{errand.code}-{area}000000-000-{errand.here.uscc}-1-00",
        "aae011": f"{area}{chance.randint(1, 99):03d}",
        "aae414": chance.choice(_CLERKS),
        "yab003": area,
        "accept_source": chance.choice(_CHANNELS),
        "aac001": "",
        "param": param,
    }
    return tree, param


def sign(
    who: Person, tree: dict[str, Any], param: dict[str, Any], draw: Draw, *, phone: str = "aac067"
) -> None:
    """Writes the applicant into both places he stands in."""
    chance = draw.chance
    tree |= {"aac002": who.id_no, "aac003": who.name}
    param |= {
        "aac058": who.id_type,
        "aac147": who.id_no,
        "aac004": "1" if who.male else "2",
        "aac005": chance.choice(_NATIONS),
        "aac006": number_of(who.born),
        phone: who.mobile,
    }
    hukou, home = chance.choice(_HUKOU), chance.choice(_HOMES)
    param |= {name: value for name, value in (("aac009", hukou), ("aac010", home)) if value}


def accepted(draw: Draw) -> dict[str, Any]:
    return {"aae035": number_of(today(draw)), "aae036": stamp(draw.now)}


def materials(papers: Iterable[Paper], draw: Draw) -> list[dict[str, str]]:
    """``clist``: each paper seen, uploaded or fetched as an e-licence."""
    return [_material(paper, place, draw) for place, paper in enumerate(papers, 1)]


def _material(paper: Paper, place: int, draw: Draw) -> dict[str, str]:
    method = draw.chance.choice("123")
    row = {"clbm": paper.code, "clmc": paper.name, "sqfs": method, "dzzz": "1" if method == "3" else "0"}
    number = f"{today(draw):%Y%m%d}-{draw.serial % 10**6:06d}-{place:02d}"
    if method == "2":
        row["wjbs"] = f"F{number}"
    if method == "3":
        row["zzbs"] = f"Z{number}"
    return row


def facts_of(
    errand: Errand, tree: dict[str, Any], *, old_place: bool = False, origin_concludes: bool = False
) -> Facts:
    """What the origin remembers of its own application."""
    return Facts(
        kind=errand.kind,
        case_ref=tree["affairCode"],
        division=errand.here.division,
        origin=True,
        scheme=errand.scheme,
        old_place=old_place,
        origin_concludes=origin_concludes,
        item=errand.code,
        papers=errand.papers,
        name=tree["aac003"],
        id_no=tree["aac002"],
    )
