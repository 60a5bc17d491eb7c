"""``/ops/performance``: what falls due when, what is overdue where, and how agencies and items do."""

from __future__ import annotations

from asyncio import to_thread
from datetime import date, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Query
from starlette.responses import Response

from gateway.canonical.facts import BAD_FROM
from gateway.canonical.worktime import beijing_day
from gateway.dashboard.desk import Desk, Refused, needs
from gateway.dashboard.marks import item_names
from gateway.dashboard.rendering import region_name
from gateway.dashboard.texts import N_
from gateway.dashboard.views import duties, sheets
from gateway.dashboard.views.assessed import LEVELS, SIDES, Asked, Places
from gateway.dashboard.views.indicators import BAR_PX, BY_KEY, FEW, INDICATORS, Ranked, ranked, shown
from gateway.dashboard.views.periods import NAMES, month_of, period, shifted
from gateway.errors import Refusal
from gateway.exchange import ratings
from gateway.store import performance_cases as lists
from gateway.store import performance_reads as reads

router = APIRouter()

_LOOK = needs("look")
#: Long before the first case.
_EVER = date(2000, 1, 1)
_PAGE = 50
#: Agencies of the ranking that are shown at first.
_LINES = 30
#: Rows of a list that are exported: an assessment has thousands, not millions.
_MOST_EXPORTED = 5_000


def asked_of(  # noqa: PLR0913, PLR0917 - the filters of the page
    desk: Annotated[Desk, _LOOK],
    side: str = "target",
    level: str = "district",
    item: Annotated[str, Query(max_length=64)] = "",
    region: Annotated[str, Query(max_length=64)] = "",
    period_name: Annotated[str, Query(alias="period")] = "month",
    first: Annotated[str, Query(max_length=10)] = "",
    last: Annotated[str, Query(max_length=10)] = "",
    sort: str = "on_time",
    best: str = "",
) -> Asked:
    """The filters as they were given; what is unknown is as if it were not there."""
    today = beijing_day(desk.now)
    return Asked(
        side=side if side in SIDES else "target",
        level=level if level in LEVELS else "district",
        item=item if item in desk.rt.tables.items.by_item else "",
        region=region if region in desk.rt.regions else "",
        period=period(period_name, today, _day(first), _day(last)),
        sort=sort if sort in BY_KEY else "on_time",
        best=best != "0",
    )


_Asked = Annotated[Asked, Depends(asked_of)]


def _day(written: str) -> date | None:
    try:
        return date.fromisoformat(written)
    except ValueError:
        return None


def places_of(desk: Desk) -> Places:
    """The agencies, by the tables of now."""
    names = {slug: region_name(desk.rt, desk.language, slug) for slug in desk.rt.regions}
    return Places(desk.rt.tables, names, desk.say("区划未知"))


@router.get("/performance")
async def performance(
    desk: Annotated[Desk, _LOOK], asked: _Asked, month: str = "", lines: str = ""
) -> Response:
    """The page. ``lines``: ``all`` shows every agency, else the first of the ranking."""
    today = beijing_day(desk.now)
    sheet = month_of(month, today)
    places = places_of(desk)
    seen = await _seen(desk, asked)
    first, last = duties.shown(sheet)
    due = await reads.due_days(
        desk.rt.engine, reads.Wanted(asked.side, first, last, asked.item, asked.region)
    )
    overdue = await reads.overdue(desk.rt.engine, asked.side, today, asked.item, asked.region)
    heat = duties.heat(overdue, lambda *place: places.key(asked.level, *place), places.short)
    reach = await reads.reached(desk.rt.engine)
    return desk.page(
        "performance/performance.html",
        asked=asked,
        indicators=INDICATORS,
        by=BY_KEY[asked.sort],
        few=FEW,
        total=seen.total,
        agencies=_agencies(asked, places, seen),
        most_lines=None if lines == "all" else _LINES,
        items=_items(desk, asked, seen),
        shown=shown,
        bar_px=BAR_PX,
        opens={
            name: asked.list(name, first=asked.period.first, last=asked.period.last)
            for name in lists.MEASURES
        },
        sheet=sheet,
        neighbours=(shifted(sheet, -1), shifted(sheet, 1)),
        weeks=duties.weeks(sheet, today, due, desk.rt.tables.calendar),
        heat=heat,
        ever=_EVER,
        today=today,
        yesterday=today - timedelta(days=1),
        reach=reach,
        seen_at=desk.now - reach.behind,
        **_choices(desk),
    )


async def _seen(desk: Desk, asked: Asked) -> reads.Sums:
    return await reads.sums(desk.rt.engine, asked.wanted())


def _agencies(asked: Asked, places: Places, seen: reads.Sums) -> list[Ranked]:
    return ranked(places.lines(asked.level, seen.by_division), BY_KEY[asked.sort], best_first=asked.best)


def _items(desk: Desk, asked: Asked, seen: reads.Sums) -> list[Ranked]:
    names = item_names(desk.rt.tables, desk.now, desk.language)
    lines = [
        Ranked(item, names.get(item, item) or desk.say("事项未知"), "", (), counts)
        for item, counts in seen.by_item.items()
    ]
    return ranked(lines, BY_KEY[asked.sort], best_first=asked.best)


def _choices(desk: Desk) -> dict[str, Any]:
    return {
        "sides": SIDES,
        "levels": LEVELS,
        "periods": NAMES,
        "regions": list(desk.rt.regions),
        "all_items": item_names(desk.rt.tables, desk.now, desk.language),
    }


# -- exports -------------------------------------------------------------------------------------------


@router.get("/performance/indicators.{form}")
async def export(desk: Annotated[Desk, _LOOK], asked: _Asked, form: str) -> Response:
    """The ranking as a workbook (agencies, items, definitions), or the agencies as text."""
    if form not in sheets.MEDIA:
        raise Refused(404, desk.say("没有这种导出格式"))
    seen = await _seen(desk, asked)
    head = [desk.say("机构"), *sheets.head(desk.say)]
    agencies = sheets.rows(_agencies(asked, places_of(desk), seen))
    title = f"{desk.say(SIDES[asked.side])} {asked.period.first}—{asked.period.last}"
    content = await to_thread(
        sheets.written,
        form,
        [
            sheets.Sheet(desk.say("机构绩效"), title, head, agencies),
            sheets.Sheet(
                desk.say("事项绩效"),
                title,
                [desk.say("事项"), *head[1:]],
                sheets.rows(_items(desk, asked, seen)),
            ),
            sheets.definitions(desk.say),
        ],
    )
    return sheets.answer(form, content, f"performance-{asked.period.first}-{asked.period.last}")


# -- the cases behind a number -------------------------------------------------------------------------

#: What a list is called, by the measure in its address.
_TITLES = {
    "received": N_("收件"),
    "supplemented": N_("有补正"),
    "reworked": N_("缺映射滞留"),
    "decided": N_("受理决定"),
    "not_first": N_("非一次受理"),
    "concluded": N_("办结件"),
    "late": N_("超期办结"),
    "rated": N_("评价"),
    "bad": N_("差评"),
    "unclosed": N_("差评未整改"),
    "due": N_("未结件"),
    "provisional": N_("到期日暂定"),
}


#: What the verb of the page may say no with.
_NOT_BAD = (N_("此件没有差评，无需整改"), N_("此件的差评已登记整改"))


class Listing:
    """The filters of a list of cases, as they stand in its address."""

    def __init__(  # noqa: PLR0913, PLR0917 - the filters of the list
        self,
        desk: Annotated[Desk, _LOOK],
        measure: str = "",
        side: str = "target",
        level: str = "district",
        agency: Annotated[str, Query(max_length=64)] = "",
        region: Annotated[str, Query(max_length=64)] = "",
        item: Annotated[str, Query(max_length=64)] = "",
        first: Annotated[str, Query(max_length=10)] = "",
        last: Annotated[str, Query(max_length=10)] = "",
        after: Annotated[str | None, Query(max_length=80)] = None,
        before: Annotated[str | None, Query(max_length=80)] = None,
    ) -> None:
        begin, end = _day(first), _day(last)
        if measure not in lists.MEASURES or side not in SIDES or level not in LEVELS or not begin or not end:
            raise Refused(400, desk.say("地址或表单中的参数不正确，请返回页面重新选择"))
        self.desk, self.places = desk, places_of(desk)
        self.measure, self.level, self.agency, self.after, self.before = measure, level, agency, after, before
        self.divisions, within = self.places.members(level, agency) if agency else (None, region)
        self.wanted = reads.Wanted(side, begin, end, item, within or region)

    @property
    def title(self) -> str:
        """What is counted, in words; open cases whose day has passed are overdue."""
        if self.measure == "due" and self.wanted.last < beijing_day(self.desk.now):
            return self.desk.say("超期未结")
        return self.desk.say(_TITLES[self.measure])

    def address(self, path: str = "/ops/performance/cases", **changes: str | None) -> str:
        """The list's address with another place in it."""
        wanted = self.wanted
        given = {
            "measure": self.measure,
            "side": wanted.side,
            "level": self.level,
            "agency": self.agency,
            "region": wanted.region,
            "item": wanted.item,
            "first": wanted.first.isoformat(),
            "last": wanted.last.isoformat(),
            **changes,
        }
        return f"{path}?{sheets.urlencode({name: value for name, value in given.items() if value})}"

    async def page(self, places: int) -> lists.Page:
        """The cases of this place in the list. Errors: `Refused` 400 for a place that is none."""
        try:
            return await lists.cases(
                self.desk.rt.engine,
                self.measure,
                self.wanted,
                self.divisions,
                places,
                after=self.after,
                before=self.before,
            )
        except ValueError:
            raise Refused(400, self.desk.say("地址或表单中的参数不正确，请返回页面重新选择")) from None


_Listing = Annotated[Listing, Depends()]


@router.get("/performance/cases")
async def cases(listing: _Listing) -> Response:
    """The cases a number counts."""
    desk, wanted = listing.desk, listing.wanted
    page = await listing.page(_PAGE)
    return desk.page(
        "performance/cases.html",
        listing=listing,
        wanted=wanted,
        cases=page.cases,
        previous=listing.address(before=page.previous) if page.previous else "",
        next=listing.address(after=page.next) if page.next else "",
        agency_name=listing.places.name(listing.level, listing.agency) if listing.agency else "",
        place=listing.places.short,
        rates=listing.measure in {"rated", "bad", "unclosed"},
        sides=SIDES,
        bad_from=BAD_FROM,
        most=_MOST_EXPORTED,
        ever=_EVER,
        today=beijing_day(desk.now),
    )


@router.get("/performance/cases.{form}")
async def export_cases(listing: _Listing, form: str) -> Response:
    """The first thousands of a list. There is no person in it: a case is named by our number."""
    desk = listing.desk
    if form not in sheets.MEDIA:
        raise Refused(404, desk.say("没有这种导出格式"))
    page = await listing.page(_MOST_EXPORTED)
    names = item_names(desk.rt.tables, desk.now, desk.language)
    title = f"{listing.title} {listing.wanted.first}—{listing.wanted.last}"
    sheet = sheets.cases(desk.say, title, page.cases, listing.places.short, names)
    content = await to_thread(sheets.written, form, [sheet])
    return sheets.answer(form, content, f"cases-{listing.measure}-{listing.wanted.last}")


@router.post("/performance/cases/{case_no}/rectified")
async def rectified(
    desk: Annotated[Desk, needs("act")],
    case_no: str,
    reason: Annotated[str, Form(min_length=1, max_length=200)],
    back: Annotated[str, Form(max_length=600)] = "",
) -> Response:
    """A bad rating has been put right."""
    try:
        await ratings.rectified(desk.rt, case_no, desk.actor, reason)
    except LookupError:
        return desk.refuse(404, desk.say("没有这个办件，请核对编号"))
    except Refusal as refused:
        said = refused.text
        return desk.refuse(409, desk.say(said if said in _NOT_BAD else "请求未成功，请重试"))
    to = back if back.startswith("/ops/performance") else "/ops/performance"
    return desk.done(desk.say("已登记整改：%(case_no)s", case_no=case_no), to=to)
