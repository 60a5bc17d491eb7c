"""``/ops/cases/{case_no}``: one case, its path, its clock, its messages in three forms, what may be done."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Form, Path, Query
from starlette.responses import Response

from gateway.dashboard.desk import Desk, Refused, needs
from gateway.dashboard.texts import N_
from gateway.dashboard.views import verbs
from gateway.dashboard.views.case.possible import CANCEL, RELEASE, RETRY, RETURN
from gateway.dashboard.views.case.sheet import CaseSheet, sheet
from gateway.dashboard.views.case.spread import spread
from gateway.dashboard.views.case.veil import Veil
from gateway.dashboard.views.case.words import ACTORS, EVENTS, HINTS, KINDS, MARKS, STAGES, USES, VERBS
from gateway.errors import Refusal
from gateway.exchange import intervene
from gateway.exchange.explaining import Explaining
from gateway.mapping.places import Place
from gateway.store.archive import KeptCase
from gateway.store.case_file import CaseFiles

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.exchange.explain import Reader
    from gateway.store.archive import KeptMessage
    from gateway.store.case_file import FiledMessage, OpenedMessage
    from gateway.store.records import CaseRecord

router = APIRouter(prefix="/cases/{case_no}")

_CaseNo = Annotated[str, Path(pattern="^[0-9A-Za-z]{1,64}$")]
_Seq = Annotated[int, Path(ge=1, le=1_000_000)]
_Reason = Annotated[str, Form(max_length=200)]
_Looking = Annotated[Desk, needs("look")]
_Acting = Annotated[Desk, needs("act")]


@router.get("")
async def case(desk: _Looking, case_no: _CaseNo) -> Response:
    """The page."""
    return desk.page("case/case.html", **await _context(desk, case_no))


@router.get("/changes")
async def changes(
    desk: _Looking,
    case_no: _CaseNo,
    mark: Annotated[str, Query(max_length=2000)] = "",
    seen: Annotated[int, Query(ge=0)] = 0,
) -> Response:
    """What has changed since the page was made, as pieces that replace themselves; 204 when nothing has."""
    if mark == await _files(desk).mark(case_no):
        return Response(status_code=204)
    return desk.part("case/_changes.html", seen=seen, **await _context(desk, case_no))


@router.get("/messages/{seq}")
async def message(desk: _Looking, case_no: _CaseNo, seq: _Seq) -> Response:
    """One message in its three forms, masked."""
    return await _message(desk, case_no, seq, reason=None)


@router.post("/messages/{seq}/reveal")
async def reveal(
    desk: Annotated[Desk, needs("reveal")], case_no: _CaseNo, seq: _Seq, reason: _Reason = ""
) -> Response:
    """The same unmasked, in this one answer; the look is on record before anything is read."""
    return await _message(desk, case_no, seq, reason=_given(desk, reason))


@router.post("/{verb}")
async def act(
    desk: _Acting,
    case_no: _CaseNo,
    verb: str,
    reason: _Reason = "",
    message_id: Annotated[str, Form(alias="message")] = "",
) -> Response:
    """Retry, release, cancel a message of the case; or return the case to its origin."""
    said = _given(desk, reason)
    if verb == RETURN:
        return await _returned(desk, case_no, said)
    message = await _of_case(desk, case_no, message_id)
    try:
        await _done(desk, verb, message.id, said)
    except LookupError:
        return desk.refuse(409, desk.say("状态刚刚变了，这个操作已不适用；请刷新后再看"))
    return desk.done(desk.say(_DONE[verb]), f"/ops/cases/{case_no}")


_DONE = {
    RETRY: N_("已安排重新投递"),
    RELEASE: N_("已放行，正在投递"),
    CANCEL: N_("已取消这条报文，后面的报文继续"),
}


async def _done(desk: Desk, verb: str, message_id: UUID, reason: str) -> None:
    if verb == RETRY:
        await intervene.retry(desk.rt, message_id, desk.actor, reason)
    elif verb == CANCEL:
        await intervene.cancel(desk.rt, message_id, desk.actor, reason)
    elif verb == RELEASE:
        if await intervene.release(desk.rt, message_id, desk.actor, reason):
            raise Refused(409, desk.say("还缺表行或规则，报文仍挂起；缺什么已更新在本页"))
    else:
        raise Refused(404, desk.say("没有这种操作"))


async def _returned(desk: Desk, case_no: str, reason: str) -> Response:
    try:
        await intervene.return_to_origin(desk.rt, case_no, desk.actor, reason)
    except LookupError:
        raise _nobodys(desk) from None
    except Refusal as refused:
        return desk.refuse(409, desk.told(refused.text))
    return desk.done(desk.say("已退回来源方，并已告知来源方"), f"/ops/cases/{case_no}")


async def _of_case(desk: Desk, case_no: str, message_id: str) -> FiledMessage:
    """The message a form is about: one of this case."""
    file = await _files(desk).file(case_no)
    found = [each for each in file.messages if str(each.id) == message_id] if file else []
    if not found:
        raise Refused(404, desk.say("这个办件没有这条报文"))
    return found[0]


def _given(desk: Desk, reason: str) -> str:
    said = reason.strip()
    if not said:
        raise Refused(400, desk.say("请写明理由（1 至 200 字），它会记入审计"))
    return said


# --- what templates are given ---


async def _context(desk: Desk, case_no: str) -> dict[str, Any]:
    file = await _files(desk).file(case_no)
    if file is None:
        raise _nobodys(desk)
    explaining = _explaining(desk)
    made = sheet(file, desk.rt.tables, desk.now, explaining.line)
    return {"sheet": made, "case": made.case, "file": file} | _common(desk, file.record, explaining, made)


def _common(
    desk: Desk, record: CaseRecord, explaining: Explaining, made: CaseSheet | None = None
) -> dict[str, Any]:
    veil = Veil(explaining.masker, record.person)
    return {
        "veil": veil,
        "person": record.person,
        "place_name": _place_name(desk, record),
        "stage_names": STAGES,
        "event_names": EVENTS,
        "verb_names": VERBS,
        "act_names": verbs.VERBS,
        "kind_names": KINDS,
        "marks": MARKS,
        "hints": HINTS,
        "use_names": USES,
        "actor_names": ACTORS,
        "may_act": desk.staff.may("act"),
        "may_reveal": desk.staff.may("reveal"),
        "may_audit": desk.staff.may("audit"),
        "numbers": {each.id: each.seq for each in made.file.messages} if made else {},
    }


def _place_name(desk: Desk, record: CaseRecord) -> Callable[[str], str]:
    on = record.case.accepted_on or desk.now.date()

    def name(division: str) -> str:
        found = desk.rt.tables.divisions.by_code(division, on)
        return found.full_name if isinstance(found, Place) else division

    return name


async def _message(desk: Desk, case_no: str, seq: int, *, reason: str | None) -> Response:
    if reason is not None:
        after = {"message": seq}
        await desk.rt.audit.append(desk.actor, "reveal", case_no, reason, after=after)
    found = await _files(desk).message(case_no, seq)
    if found is None:
        raise Refused(404, desk.say("这个办件没有这条报文"))
    record, opened = found
    explaining = _explaining(desk)
    reader = await explaining.reader([opened.kept.tables_digest], desk.rt)
    context = _common(desk, record, explaining) | _opened(
        record, opened, reader, explaining, bare=reason is not None
    )
    context |= {"case": record.case, "revealed": reason is not None} | _quotes(desk, opened.kept)
    # a fragment within the page of the case; by its own address a page of its own
    return (
        desk.part("case/_message.html", **context)
        if desk.is_htmx
        else desk.page("case/message.html", **context)
    )


def _quotes(desk: Desk, kept: KeptMessage) -> dict[str, bool]:
    """JSON has its names and texts in quotes."""
    regions = desk.rt.regions
    return {
        name: slug in regions and "json" in regions[slug].content_type
        for name, slug in (("quotes_in", kept.region), ("quotes_out", kept.destination))
    }


def _opened(
    record: CaseRecord, opened: OpenedMessage, reader: Reader, explaining: Explaining, *, bare: bool
) -> dict[str, Any]:
    case = KeptCase(record, (opened.kept,))
    veil = None if bare else Veil(explaining.masker, record.person)
    shown = None if opened.is_gone else spread(case, opened.kept, opened.canonical, reader, veil)
    return {"message": opened.kept, "opened": opened, "spread": shown}


def _files(desk: Desk) -> CaseFiles:
    return CaseFiles(desk.rt.engine, desk.rt.vault)


def _explaining(desk: Desk) -> Explaining:
    """Made at the first request of the process."""
    state = desk.request.app.state
    found: Explaining | None = getattr(state, "explaining", None)
    if found is None:
        settings = desk.rt.settings
        found = state.explaining = Explaining(
            desk.rt.engine,
            desk.rt.regions,
            folder=settings.tables_dir,
            calendar_until=settings.calendar_until,
        )
    return found


def _nobodys(desk: Desk) -> Refused:
    return Refused(404, desk.say("没有这个办件，请核对通办编号"))
