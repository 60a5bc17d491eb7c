"""The four applications of Sichuan, filled in by hand."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from adapters.sichuan.drafts.heads import accepted, facts_of, materials, number_of, opened, sign, stamp, today
from gateway.canonical import invented
from gateway.canonical.kinds import Kind

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.canonical.rehearsal import Draw, Errand, Facts, Office

_REASONS = ("6301", "6302", "6303", "6304", "6305", "6306", "6307", "6308", "6309")
_EMPLOYERS = (("成都示例科技有限公司", "91510104MA6TE00000"), ("绵阳示例制造有限公司", "91510722MA6TE00000"))
_WAYS = ("01", "02", "03", "04", "05")


def _transfer(errand: Errand, draw: Draw) -> tuple[dict[str, Any], Facts]:
    chance = draw.chance
    # mostly the new place asks; now and then the old place starts the transfer itself
    new_place = chance.random() > 0.2
    tree, param = opened(errand, draw)
    who = invented.person(chance, youngest=20, oldest=58, on=today(draw))
    sign(who, tree, param, draw, phone="aae005")
    here, there = errand.here, errand.there
    param |= {
        "aae140": errand.scheme,
        "aac070": "2" if new_place else "1",
        "aae173": "10",
        **accepted(draw),
        "aab299": here.division if new_place else there.division,
        "aab301": here.division,
        "yac250": there.division,
        "yac256": there.place,
        "yac251": there.name,
        "clist": materials(errand.papers, draw),
    }
    if new_place:
        param["lxh"] = _contact_letter(here, tree["affairCode"])
    return tree, facts_of(errand, tree, old_place=not new_place, origin_concludes=new_place)


def _claim(errand: Errand, draw: Draw) -> tuple[dict[str, Any], Facts]:
    chance = draw.chance
    household = chance.random() < 0.5
    tree, param = opened(errand, draw)
    who = invented.person(chance, youngest=20, oldest=58, on=today(draw))
    sign(who, tree, param, draw)
    employer, uscc = chance.choice(_EMPLOYERS)
    lost = today(draw) - timedelta(days=chance.randint(10, 55))
    param |= {
        **accepted(draw),
        "aab299": errand.there.division,
        "aab301": errand.here.division,
        "aae140": errand.scheme,
        "aab004": employer,
        "aab998": uscc,
        "ajc090": number_of(lost),
        "abc916": number_of(lost),
        "abc917": chance.choice(_REASONS),
        "aae043": number_of(lost + timedelta(days=7)),
        "sldbz": "2" if household else "1",
        "aae145": "11",
        "aae008": "示例银行",
        "aae009": who.name,
        "aae010": f"{chance.randint(0, 999):016d}",
        "clist": materials(errand.papers, draw),
    }
    return tree, facts_of(errand, tree, origin_concludes=household)


def _certification(errand: Errand, draw: Draw) -> tuple[dict[str, Any], Facts]:
    chance = draw.chance
    tree, param = opened(errand, draw)
    sign(invented.person(chance, youngest=60, oldest=90, on=today(draw)), tree, param, draw)
    param |= {
        "aae140": errand.scheme,
        "aac060": chance.choices("123", (95, 2, 3))[0],
        "bic162": number_of(today(draw)),
        "aae036": stamp(draw.now),
        "rzfs": chance.choice(_WAYS),
        "aab301": errand.here.division,
        "aab299": errand.there.division,
    }
    return tree, facts_of(errand, tree)


def _general(errand: Errand, draw: Draw) -> tuple[dict[str, Any], Facts]:
    chance = draw.chance
    tree, param = opened(errand, draw)
    form = invented.form(chance, errand.item)
    sign(invented.anyone(chance, on=today(draw)), tree, param, draw)
    param |= {
        "sqrlx": "2" if errand.by_employer else "1",
        **accepted(draw),
        "aab299": errand.there.division,
        "aab301": errand.here.division,
    }
    if chance.random() < 0.3:
        param["sjbz"] = "1"  # 代收代办: received, the other side accepts
    if errand.scheme:
        param["aae140"] = errand.scheme
    if errand.by_employer:
        param["aab004"], param["aab998"] = chance.choice(_EMPLOYERS)
    if form.extras:
        param["ywxx"] = [{"name": name, "value": value} for name, value in form.extras]
    if errand.papers:
        param["clist"] = materials(errand.papers, draw)
    if form.remark:
        param["aae013"] = form.remark
    return tree, facts_of(errand, tree)


APPLICATIONS: dict[Kind, Callable[[Errand, Draw], tuple[dict[str, Any], Facts]]] = {
    Kind.TRANSFER_APPLY: _transfer,
    Kind.UNEMPLOYMENT_CLAIM: _claim,
    Kind.CERTIFICATION_NOTICE: _certification,
    Kind.GENERAL_APPLY: _general,
}


def _contact_letter(office: Office, affair_code: str) -> dict[str, str]:
    return {
        "aae270": f"LXH{affair_code.replace('-', '')}",
        "aac155": "示例银行成都支行",
        "aae009": office.name,
        "aac078": "0000000000000001",
        "aae006": "示例路1号",
        "aae007": "610000",
        "aae005": "028-00000000",
    }
