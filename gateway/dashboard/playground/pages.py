"""``/playground/``: the form, what became of a message, links that carry it."""

from __future__ import annotations

import asyncio
import base64
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from gateway.dashboard.desk import LANGUAGE_COOKIE, PATHS, Refused
from gateway.dashboard.playground import form as forms
from gateway.dashboard.playground.form import Filled
from gateway.dashboard.playground.ground import today
from gateway.dashboard.playground.link import NotOpened
from gateway.dashboard.playground.samples import samples
from gateway.dashboard.playground.tried import Asked, Rules, Tried, attempt
from gateway.dashboard.playground.visit import Visit
from gateway.dashboard.texts import N_, preferred
from gateway.dashboard.views.case.words import KINDS
from gateway.errors import CannotStart

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.dashboard.playground.samples import Sample

router = APIRouter()

#: Findings shown; whoever has more begins with these.
MOST = 200

#: Members of a context as officials call them; a region's own number is called after the region.
MEMBERS = {
    "case_no": N_("通办编号"),
    "accepted_on": N_("受理日"),
    "item": N_("事项"),
    "scheme": N_("险种"),
    "old_place": N_("转出地区划"),
    "claim_place": N_("申领地"),
    "target_division": N_("接收机构区划"),
}
PERSON = {"name": N_("申请人姓名"), "id_type": N_("证件类型"), "id_no": N_("证件号码")}
STATES = {
    "active": N_("已启用"),
    "proposed": N_("待批准"),
    "retired": N_("已停用"),
    "packaged": N_("随产品发布"),
}


async def _visit(request: Request) -> Visit:
    """Whoever comes, admitted or not. Errors: `NotSignedIn`, `Refused`."""
    if request.method == "POST":
        await forms.read(request)  # first: it may be longer than the guard would read by itself
    found: Visit = await request.app.state.admit(request)
    return found


_Visiting = Annotated[Visit, Depends(_visit)]


@router.get("/")
async def page(
    visit: _Visiting,
    sample: Annotated[str, Query(max_length=100)] = "",
    rules: Annotated[str, Query(max_length=64)] = "",
    on: Annotated[str, Query(max_length=10)] = "",
) -> Response:
    """The page; with a sample in it, tried at once."""
    if not sample:
        return await _page(visit, Filled(rules=rules, on=on))
    found = samples(visit.ground.regions).get(sample)
    if found is None:
        raise Refused(404, visit.say(N_("没有这个样例，请从列表中选择")))
    filled = forms.of_bytes(found.body, rules=rules, on=on, context=found.context)
    return await _page(visit, filled, sample=found)


@router.post("/")
async def tried(visit: _Visiting) -> Response:
    """What becomes of the message in the form."""
    filled = await forms.filled(visit)
    if filled.lays_out:
        filled = filled.laid_out()
    if not visit.is_htmx:
        return await _page(visit, filled)
    if filled.lays_out:
        whole = visit.page("playground/_play.html", **await _context(visit, filled))
        whole.headers["HX-Retarget"] = "#play"
        return whole
    return visit.page("playground/_outcome.html", **await _outcome(visit, filled))


@router.post("/share")
async def share(visit: _Visiting) -> Response:
    """A link's token for what is in the form; nothing of it stays here."""
    filled = await forms.filled(visit)
    try:
        token, until = visit.links.seal(filled.as_json(), visit.now)
    except NotOpened as refused:
        return JSONResponse({"sentence": visit.say(refused.text, **refused.values)}, 413)
    return JSONResponse({"token": token, "until": until.date().isoformat()})


@router.post("/open")
async def opened(visit: _Visiting) -> Response:
    """What a link carries, in the form and tried; or why it cannot be opened."""
    given = (await forms.read(visit.request)).get("token")
    try:
        content = visit.links.open(given if isinstance(given, str) else "", visit.now)
    except NotOpened as refused:
        fault = visit.say(refused.text, **refused.values)
        return visit.page("playground/_play.html", **await _context(visit, Filled(), fault=fault))
    return visit.page("playground/_play.html", **await _context(visit, forms.of_json(content)))


@router.get("/language")
async def language(to: Annotated[str, Query()] = "zh") -> Response:
    """Remembers the language; where there is a desk, its own address does the same."""
    response = RedirectResponse("/playground/", 303)
    response.set_cookie(
        LANGUAGE_COOKIE, preferred([to]), max_age=365 * 86400, path=PATHS[1], httponly=True, samesite="lax"
    )
    return response


async def _page(visit: Visit, filled: Filled, sample: Sample | None = None) -> Response:
    return visit.page("playground/playground.html", **await _context(visit, filled, sample=sample))


async def _context(
    visit: Visit, filled: Filled, *, sample: Sample | None = None, fault: str = ""
) -> dict[str, Any]:
    ground = visit.ground
    return {
        "filled": filled,
        "sample": sample,
        "samples": _by_region(ground.regions),
        "choices": await ground.choices(),
        "states": STATES,
        "context_names": forms.names(ground.regions),
        "member_names": MEMBERS,
        "person_names": PERSON,
        "numbers_of": {region.context_name: slug for slug, region in ground.regions.items()},
        "items": ground.tables.items.all(today(ground)),
        "days": visit.links.days,
        **await _outcome(visit, filled, fault=fault),
    }


def _by_region(regions: Mapping[str, Any]) -> dict[str, list[Sample]]:
    found: dict[str, list[Sample]] = {slug: [] for slug in regions}
    for each in samples(regions).values():
        found[each.region].append(each)
    return {slug: own for slug, own in found.items() if own}


async def _outcome(visit: Visit, filled: Filled, *, fault: str = "") -> dict[str, Any]:
    """What the outcome's fragment is given; a form that cannot be tried says why there."""
    context: dict[str, Any] = {
        "kind_names": KINDS,
        "tried": None,
        "book": None,
        "fault": fault,
        "most": MOST,
        "quotes": (False, False),
        "set_word": "",
        "written64": "",
        "may_propose": visit.staff is not None,
    }
    if fault or not filled.text.strip():
        return context
    try:
        done, digest = await _attempted(visit, filled)
    except Refused as refused:
        return context | {"fault": refused.sentence}
    regions = visit.ground.regions
    quotes = tuple(
        slug in regions and "json" in regions[slug].content_type for slug in (done.sender, done.receiver)
    )
    word = ("active" if digest == visit.ground.tables.digest else digest) if visit.staff else ""
    written = base64.b64encode(done.written).decode()
    return context | {
        "tried": done,
        "book": digest,
        "quotes": quotes,
        "set_word": word,
        "written64": written,
    }


async def _attempted(visit: Visit, filled: Filled) -> tuple[Tried, str]:
    """Errors: `Refused` with what is wrong in the form."""
    ground = visit.ground
    if filled.sender and filled.sender not in ground.regions:
        raise Refused(400, visit.say(forms.NO_REGION))
    try:
        on = filled.day
    except ValueError:
        raise Refused(400, visit.say(forms.NO_DAY)) from None
    try:
        book = await ground.book(filled.rules)
    except CannotStart as error:
        raise Refused(409, str(error)) from None
    if book is None:
        raise Refused(404, visit.say(forms.NO_RULES))
    rules = Rules(ground.regions, ground.lines, book, visit.now)
    asked = Asked(filled.body(), filled.sender, filled.context or None, on)
    # the longest messages take a second or two: other requests of this process go on meanwhile
    return await asyncio.to_thread(attempt, rules, asked), book.digest
