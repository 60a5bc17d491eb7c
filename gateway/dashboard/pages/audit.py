"""``/ops/audit``: who did and looked at what, by person, act, object and time; and the same as a file."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Annotated, Any
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from starlette.responses import Response, StreamingResponse

from gateway.canonical.worktime import BEIJING, beijing_day
from gateway.dashboard.desk import Desk, needs
from gateway.dashboard.texts import N_
from gateway.dashboard.views.verbs import MEMBERS, VERBS, words
from gateway.store.audit import Line
from gateway.store.engine import single
from gateway.store.trail import Entry, Trail, Wanted

router = APIRouter()
_Auditor = Annotated[Desk, needs("audit")]

PAGE = 50
#: Lines of one file; the page says when there are more.
MOST_LINES = 100_000

_HEADINGS = (N_("时间"), N_("人员"), N_("动作"), N_("对象"), N_("理由"), N_("此前"), N_("此后"))


def _absent(value: Any) -> Any:
    return None if value == "" else value


_Word = Annotated[str, Field(max_length=200, pattern=r"^[^\x00-\x1f]*$")]
_Day = Annotated[date | None, BeforeValidator(_absent)]
_Id = Annotated[UUID | None, BeforeValidator(_absent)]


class Filter(BaseModel):
    """The address of the page. Days are Beijing's, both ends included."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    actor: _Word = ""
    verb: _Word = ""
    target: _Word = ""
    since: _Day = None
    until: _Day = None
    older: _Id = None
    newer: _Id = None

    @property
    def wanted(self) -> Wanted:
        """As the store asks for it."""
        until = None if self.until is None else _begin(self.until + timedelta(days=1))
        since = None if self.since is None else _begin(self.since)
        return Wanted(self.actor, self.verb, self.target, since, until)

    def query(self, **more: object) -> str:
        """The filter as an address's query, without its place."""
        own = self.model_dump(exclude={"older", "newer"}, exclude_none=True)
        return urlencode({name: value for name, value in {**own, **more}.items() if value not in {"", None}})


_Filter = Annotated[Filter, Query()]


@dataclass(frozen=True, slots=True)
class Shown:
    """A line in words. ``changes``: (member, before, after)."""

    entry: Entry
    text: str
    icon: str
    changes: tuple[tuple[str, str, str], ...]
    case_no: str


@router.get("/audit")
async def audit(desk: _Auditor, wanted: _Filter) -> Response:
    """A page of lines, newest first; as a fragment only the table."""
    trail = Trail(desk.rt.engine, desk.rt.vault)
    leaf = await trail.page(
        wanted.wanted, PAGE, older_than=wanted.older, newer_than=wanted.newer, reasons=True
    )
    entries = leaf.entries
    context: dict[str, Any] = {
        "filter": wanted,
        "lines": [_shown(desk, entry) for entry in entries],
        "newer": f"/ops/audit?{wanted.query(newer=entries[0].id)}" if leaf.newer and entries else "",
        "older": f"/ops/audit?{wanted.query(older=entries[-1].id)}" if leaf.older and entries else "",
        "members": MEMBERS,
        "first": wanted.older is None and wanted.newer is None,
    }
    if desk.is_htmx:
        return desk.part("audit/_lines.html", **context)
    verbs = sorted({*await trail.verbs(), wanted.verb} - {""})
    today = beijing_day(desk.now)
    return desk.page(
        "audit/audit.html",
        **context,
        actors=await trail.actors(),
        verbs=[(verb, words(verb)[0]) for verb in verbs],
        quick=[
            (N_("今天"), today, today),
            (N_("近 7 天"), today - timedelta(days=6), today),
            (N_("近 30 天"), today - timedelta(days=29), today),
        ],
        export=f"/ops/audit.csv?{wanted.query()}",
        most=MOST_LINES,
    )


@router.get("/audit.csv")
async def export(desk: _Auditor, wanted: _Filter) -> Response:
    """The lines of a filter as a file; that it was taken is on record first."""
    asked = wanted.model_dump(mode="json", exclude={"older", "newer"}, exclude_none=True)
    line = Line(
        desk.actor, "audit.export", "audit", "", after={key: each for key, each in asked.items() if each}
    )
    async with single(desk.rt.engine) as connection:
        await desk.rt.audit.write(connection, line)
    trail = Trail(desk.rt.engine, desk.rt.vault)
    entries = trail.all(wanted.wanted, MOST_LINES, reasons=True)
    name = f"audit-{beijing_day(desk.now):%Y%m%d}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingResponse(_file(desk, entries), media_type="text/csv; charset=utf-8", headers=headers)


async def _file(desk: Desk, entries: AsyncIterator[Entry]) -> AsyncIterator[str]:
    yield "\ufeff" + _row([desk.say(heading) for heading in _HEADINGS])
    async for entry in entries:
        shown = _shown(desk, entry)
        yield _row(
            [
                f"{entry.at.astimezone(BEIJING):%Y-%m-%d %H:%M:%S}",
                entry.actor,
                shown.text,
                entry.target,
                entry.reason or "",
                "；".join(f"{name}={before}" for name, before, _ in shown.changes if before),
                "；".join(f"{name}={after}" for name, _, after in shown.changes if after),
            ]
        )


def _row(cells: list[str]) -> str:
    """A line of the file; what a spreadsheet would take for a formula is marked as text."""
    out = io.StringIO()
    csv.writer(out).writerow([f"'{cell}" if cell[:1] in set("=+-@\t\r") else cell for cell in cells])
    return out.getvalue()


def _shown(desk: Desk, entry: Entry) -> Shown:
    text, icon = words(entry.verb)
    before, after = entry.before or {}, entry.after or {}
    changes = tuple(
        (name, _said(desk, before.get(name)), _said(desk, after.get(name)))
        for name in dict.fromkeys([*before, *after])
        if before.get(name) != after.get(name)
    )
    is_case = entry.target.startswith("CYTB")
    return Shown(
        entry,
        desk.say(text) if entry.verb in VERBS else entry.verb,
        icon,
        changes,
        entry.target if is_case else "",
    )


def _said(desk: Desk, value: Any) -> str:
    if value is None or value == "":
        return ""
    if isinstance(value, bool):
        return desk.say(N_("是") if value else N_("否"))
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return str(value)


def _begin(day: date) -> datetime:
    return datetime.combine(day, time(), BEIJING)
