"""``/ops/cases``: the list of cases, its filters, kept views, and what is new since it was opened."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import parse_qsl, urlencode
from uuid import UUID

from fastapi import APIRouter, Form
from starlette.datastructures import QueryParams
from starlette.responses import JSONResponse, Response

from gateway.canonical.kinds import State
from gateway.dashboard.desk import Desk, Refused, needs
from gateway.dashboard.views import case_filters as filters_
from gateway.dashboard.views.case_filters import Filters, NotUnderstoodError
from gateway.dashboard.views.case_lines import Lines, names_of
from gateway.store.case_list import CaseList, CasePage, TooWide
from gateway.store.saved_views import SavedView, SavedViews

if TYPE_CHECKING:
    from gateway.dashboard.views.case_filters import Names

router = APIRouter()

PAGE = "cases"
PLACES = 50
#: New cases are counted up to here; more are said to be more.
MOST_NEW = 100
_Looker = Annotated[Desk, needs("look")]


def case_list(desk: Desk) -> CaseList:
    """The list over this runtime's store."""
    return CaseList(desk.rt.engine, desk.rt.vault, desk.rt.regions)


def asked(desk: Desk, query: QueryParams | None = None) -> Filters:
    """The filters of an address. Errors: `Refused` 400 with what is wrong and how to go on."""
    try:
        return Filters.of(desk.request.query_params if query is None else query)
    except NotUnderstoodError as error:
        raise Refused(
            400, desk.say("筛选条件 %(name)s 的值无法识别，请从办件页重新筛选", name=str(error))
        ) from None


@router.get("/cases")
async def cases(desk: _Looker) -> Response:
    """A page of the list."""
    names = names_of(desk)
    filters = _by_code(asked(desk), names)
    query = desk.request.query_params
    page, fault = CasePage(()), ""
    if not (unknown := filters_.unmatched(filters, names)):
        try:
            page = await case_list(desk).page(
                filters.wanted(desk),
                PLACES,
                after=query.get("after") or None,
                before=query.get("before") or None,
            )
        except TooWide:
            fault = desk.say("这组条件要查看的办件太多，未在限时内完成；请再加一个条件，例如收件日期或事项")
        except ValueError:
            raise Refused(400, desk.say("翻页位置无法识别，请从第一页重新开始")) from None
    lines = Lines(desk, names)
    return desk.page(
        "cases/list.html",
        filters=filters,
        names=names,
        chips=list(filters_.chips(desk, filters, names)),
        choices=_choices(names),
        lines=[lines.line(each) for each in page.lines],
        previous=_address(filters, before=page.previous),
        following=_address(filters, after=page.following),
        newer=_newer(filters, page) if not (query.get("after") or query.get("before") or unknown) else "",
        unknown=unknown,
        fault=fault,
        views=await SavedViews(desk.rt.engine).of(desk.staff.name, PAGE),
        common=filters_.COMMON,
        query=filters.query(),
    )


@router.get("/list/divisions")
async def divisions(desk: _Looker) -> Response:
    """Codes and names of the divisions, for whoever is about to write one."""
    return JSONResponse(sorted(names_of(desk).divisions.items()))


@router.get("/list/newer")
async def newer(desk: _Looker, first: str = "") -> Response:
    """How many cases the list has that came after it was opened; nothing when there are none."""
    filters = asked(desk)
    wanted = filters.wanted(desk)
    try:
        count = await case_list(desk).newer(wanted, first or None, MOST_NEW)
    except (TooWide, ValueError):
        count = 0
    return desk.part("cases/_newer.html", count=count, most=MOST_NEW, to=_address(filters, top=True))


@router.post("/list/views")
async def keep_view(
    desk: _Looker,
    title: Annotated[str, Form(max_length=40)] = "",
    query: Annotated[str, Form(max_length=2000)] = "",
) -> Response:
    """Keeps the filters under a title; one of the same title is replaced."""
    title = " ".join(title.split())
    if not title:
        return desk.refuse(400, desk.say("请填写视图名称"))
    filters = asked(desk, QueryParams(query))
    view = SavedView(desk.rt.new_id(), PAGE, title, filters.query(), desk.now)
    if not await SavedViews(desk.rt.engine).keep(desk.staff.name, view):
        return desk.refuse(409, desk.say("已保存的视图太多，请先删除不用的"))
    return desk.done(desk.say("已保存视图“%(title)s”", title=title), to=_address(filters, top=True))


@router.post("/list/views/{view_id}/drop")
async def drop_view(
    desk: _Looker, view_id: UUID, query: Annotated[str, Form(max_length=2000)] = ""
) -> Response:
    """Forgets a view of one's own."""
    await SavedViews(desk.rt.engine).drop(desk.staff.name, view_id)
    return desk.done(desk.say("已删除视图"), to=_address(asked(desk, QueryParams(query)), top=True))


def _by_code(filters: Filters, names: Names) -> Filters:
    """A division written as a name is looked up; what is no name stays as it is."""
    if filters.division in {"", *names.divisions}:
        return filters
    codes = [code for code, name in names.divisions.items() if name == filters.division]
    return replace(filters, division=codes[0]) if len(codes) == 1 else filters


def _address(filters: Filters, *, top: bool = False, **place: str | None) -> str:
    """Where a page of the list is; empty when its place is at an end."""
    if not top and not any(place.values()):
        return ""
    query = filters.query(**place)
    return f"/ops/cases?{query}" if query else "/ops/cases"


def _newer(filters: Filters, page: CasePage) -> str:
    """Where the first page asks what has come since; a list by due date has no top to come in at."""
    if filters.by_due:
        return ""
    return "/ops/list/newer?" + urlencode([*parse_qsl(filters.query()), ("first", page.first or "")])


def _choices(names: Names) -> dict[str, Any]:
    """What the selects offer; the words of the page's own sets are said by the template."""
    return {
        "groups": filters_.GROUPS,
        "states": [state.value for state in State],
        "dues": filters_.DUES,
        "restings": filters_.RESTINGS,
        "sorts": filters_.SORTS,
        "divisions": names.divisions,
    }
