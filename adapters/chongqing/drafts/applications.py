"""The four applications of Chongqing, filled in by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from adapters.chongqing.drafts.heads import applicant, materials, opened, scheme, today
from gateway.canonical import invented
from gateway.canonical.kinds import Kind

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.canonical.rehearsal import Draw, Errand, Facts, Office

_REASONS = (
    "解除劳动合同",
    "劳动合同期满终止",
    "用人单位破产",
    "用人单位关闭解散",
    "用人单位单方解除",
    "经济性裁员",
    "劳动者依法解除",
    "辞退除名",
    "解除聘用合同",
)
_EMPLOYERS = (("成都示例科技有限公司", "91510104MA6TE00000"), ("重庆示例制造有限公司", "91500103MA6TE00000"))
_WAYS = ("窗口认证", "上门认证", "人脸识别", "指纹识别", "数据比对")


def _transfer(errand: Errand, draw: Draw) -> tuple[dict[str, Any], Facts]:
    chance = draw.chance
    # mostly the new place asks; now and then the old place starts the transfer itself
    new_place = chance.random() > 0.2
    facts, heading = opened(errand, draw)
    who = invented.person(chance, youngest=20, oldest=58, on=today(draw))
    facts, person = applicant(who, facts, draw)
    places = (errand.there.place, errand.here.place)
    business = {
        **scheme(facts),
        "ZYFX": "转入" if new_place else "转出",
        "ZCDMC": places[0] if new_place else places[1],
        "ZRDMC": places[1] if new_place else places[0],
        "LXH": _contact_letter(errand.here, facts.case_ref) if new_place else None,
    }
    body = {"BJXX": heading, "SQR": person, "YWXX": business, "CLLB": materials(errand.papers, draw)}
    return body, replace(facts, old_place=not new_place, origin_concludes=new_place)


def _claim(errand: Errand, draw: Draw) -> tuple[dict[str, Any], Facts]:
    chance = draw.chance
    household = chance.random() < 0.5
    facts, heading = opened(errand, draw)
    who = invented.person(chance, youngest=20, oldest=58, on=today(draw))
    facts, person = applicant(who, facts, draw)
    employer, uscc = chance.choice(_EMPLOYERS)
    lost = today(draw) - timedelta(days=chance.randint(10, 55))
    business = {
        "XZLX": scheme(facts)["XZLX"],
        "CBDMC": errand.there.place,
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
    body = {"BJXX": heading, "SQR": person, "YWXX": business, "CLLB": materials(errand.papers, draw)}
    return body, replace(facts, origin_concludes=household)


def _certification(errand: Errand, draw: Draw) -> tuple[dict[str, Any], Facts]:
    chance = draw.chance
    facts, heading = opened(errand, draw)
    facts, person = applicant(invented.person(chance, youngest=60, oldest=90, on=today(draw)), facts, draw)
    alive = chance.choices(("健在", "死亡", "失踪"), (95, 2, 3))[0]
    heading = {name: value for name, value in heading.items() if not name.startswith("CNSX")}
    heading |= {"BJZT": "已办结", "BJJG": "认证通过" if alive == "健在" else "认证未通过"}
    business = {
        **scheme(facts),
        "DYFFDMC": errand.there.place,
        "RZFS": chance.choice(_WAYS),
        "RZSJ": heading["SLSJ"],
        "SCZT": alive,
    }
    return {"BJXX": heading, "SQR": person, "YWXX": business}, facts


def _general(errand: Errand, draw: Draw) -> tuple[dict[str, Any], Facts]:
    chance = draw.chance
    facts, heading = opened(errand, draw)
    facts, person = applicant(invented.anyone(chance, on=today(draw)), facts, draw)
    form = invented.form(chance, errand.item)
    employer, uscc = chance.choice(_EMPLOYERS) if errand.by_employer else (None, None)
    business = {
        **scheme(facts),
        "YSDMC": errand.there.place,
        "DWMC": employer,
        "DWXYDM": uscc,
        "KZX": [{"MC": name, "Z": value} for name, value in form.extras],
        "BZ": form.remark,
    }
    body = {
        "BJXX": heading,
        "SQR": {"SQRLX": "单位" if errand.by_employer else "个人", **person},
        "YWXX": business,
        "CLLB": materials(errand.papers, draw) if errand.papers else None,
    }
    return body, facts


APPLICATIONS: dict[Kind, Callable[[Errand, Draw], tuple[dict[str, Any], Facts]]] = {
    Kind.TRANSFER_APPLY: _transfer,
    Kind.UNEMPLOYMENT_CLAIM: _claim,
    Kind.CERTIFICATION_NOTICE: _certification,
    Kind.GENERAL_APPLY: _general,
}


def _contact_letter(office: Office, number: str) -> dict[str, str]:
    return {
        "BH": f"LXH{number}",
        "KHH": "示例银行重庆支行",
        "HM": office.name,
        "ZH": "0000000000000003",
        "DZ": "示例路2号",
        "YB": "400000",
        "DH": "023-00000000",
    }
