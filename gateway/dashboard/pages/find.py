"""``/ops/find``: a case by any number, or the cases of a person; a person's number never stands in an address."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Form
from starlette.responses import RedirectResponse, Response

from gateway.canonical.identifiers import citizen_id_fault
from gateway.dashboard.desk import Desk, needs
from gateway.dashboard.pages.cases import case_list
from gateway.dashboard.texts import N_
from gateway.dashboard.views.case_lines import Lines, names_of
from gateway.store.case_list import FOUND, TooWide

if TYPE_CHECKING:
    from gateway.store.case_list import CaseLine

router = APIRouter()

#: Shorter beginnings of numbers lead to more cases than anybody reads.
SHORTEST = 4
#: Looks like a citizen number, right or mistyped: its seventh digit begins a year.
_CITIZEN = re.compile(r"[1-9][0-9]{5}(?:1[89]|20)[0-9]{9}[0-9X]")
#: What is said of a mistyped one, so that it is said in English too.
FAULTS = (
    N_("是 15 位旧号码：请先换成 18 位公民身份号码"),
    N_("应为 18 位公民身份号码：前 17 位为数字，末位为数字或 X"),
    N_("号码中的出生日期不存在：请核对第 7 至 14 位"),
    N_("校验码不符：请核对号码"),
)
_Looker = Annotated[Desk, needs("look")]


@router.get("/find")
async def find_page(desk: _Looker) -> Response:
    """The page by itself, as after a reload: nothing is looked for."""
    return desk.page("find/found.html", lines=None, number="", sentence="", more=False, most=FOUND)


@router.post("/find")
async def find(desk: _Looker, q: Annotated[str, Form(max_length=64)] = "") -> Response:
    """One case: on to it; several: a list; a person's number: first the reason."""
    number = "".join(q.split())
    if not number:
        return RedirectResponse("/ops/cases", 303)
    if _CITIZEN.fullmatch(number.upper()):
        fault = citizen_id_fault(number.upper())
        return desk.page("find/person.html", number=number, fault=desk.say(fault) if fault else "", reason="")
    if len(number) < SHORTEST:
        sentence = desk.say("请至少输入编号的前 %(n)s 位", n=SHORTEST)
        return _found(desk, (), number=number, sentence=sentence)
    try:
        lines = await case_list(desk).by_number(number) if number.isprintable() else ()
    except TooWide:
        return _found(desk, (), number=number, sentence=desk.say("以此开头的编号太多，请多输入几位"))
    if len(lines) == 1:
        return RedirectResponse(f"/ops/cases/{lines[0].case.case_no}", 303)
    sentence = (
        ""
        if lines
        else desk.say("没有这个编号的办件：请核对编号；通办编号以 CYTB 开头，也可输入任一方的编号")
    )
    return _found(desk, lines, number=number, sentence=sentence)


@router.post("/find/person")
async def find_person(
    desk: _Looker,
    id_no: Annotated[str, Form(max_length=64)] = "",
    reason: Annotated[str, Form(max_length=200)] = "",
) -> Response:
    """The cases of a person, by the blind index of the number; on record before anything is shown."""
    number, reason = "".join(id_no.split()).upper(), reason.strip()
    fault = citizen_id_fault(number)
    if fault or not reason:
        said = desk.say(fault) if fault else desk.say("请填写理由，它将记入审计")
        return desk.page("find/person.html", status=400, number=number, fault=said, reason=reason)
    lines = await case_list(desk).by_citizen(number)
    # the numbers of the cases, so that it can be told later whose were seen; never the person's own
    seen = [line.case.case_no for line in lines[:FOUND]]
    await desk.rt.audit.append(desk.actor, "find-person", "cases", reason, None, {"case_nos": seen})
    sentence = "" if lines else desk.say("此人没有办件")
    return _found(desk, lines, number="", sentence=sentence)


def _found(desk: Desk, lines: tuple[CaseLine, ...], *, number: str, sentence: str) -> Response:
    maker = Lines(desk, names_of(desk))
    return desk.page(
        "find/found.html",
        lines=[maker.line(each) for each in lines[:FOUND]],
        number=number,
        sentence=sentence,
        more=len(lines) > FOUND,
        most=FOUND,
    )
