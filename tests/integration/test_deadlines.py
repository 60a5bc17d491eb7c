"""Due dates on an unpublished calendar are computed anew when it is published, and the change is on record."""

from __future__ import annotations

import asyncio
import json
from datetime import date
from functools import partial

import pytest
from sqlalchemy import text
from test_intervene import Side

from gateway.canonical.stages import timed
from gateway.canonical.worktime import WorkCalendar
from gateway.store.deadlines import recompute
from gateway.worker.rounds import Rounds

LATE = pytest.mark.parametrize(
    "settings", ["2026-12-28T10:00:00+08:00"], indirect=True, ids=["late in the year"]
)


def published(calendar):
    """The calendar of 2027 is out: the first three days of the year and the Monday after are holidays."""
    off = {date(2027, 1, 1), date(2027, 1, 4)}
    return WorkCalendar(2027, calendar.off | off, calendar.makeup)


async def accepted(rt, number):
    """A case accepted on 28 December 2026, its number."""
    moment = {"aae035": 20261228, "aae036": "20261228094210"}
    _, receipt = await Side(rt).hand_in("tbzy0001", number, **moment)
    return receipt["cytbh"]


async def audited(rt, case_no):
    query = text("SELECT actor, verb, before, after FROM audit WHERE target = :case_no ORDER BY id")
    async with rt.engine.connect() as connection:
        return [tuple(row) for row in await connection.execute(query, {"case_no": case_no})]


@LATE
async def test_a_published_calendar_moves_the_dates_batch_by_batch_and_tells_the_audit_only(rt):
    numbers = [await accepted(rt, number) for number in (801, 802, 803)]
    before = [(await rt.cases.by_no(case_no)).case for case_no in numbers]
    assert {(case.due_on, case.due_provisional) for case in before} == {(date(2027, 1, 4), True)}
    lines = len((await rt.cases.history(numbers[0])).events)

    calendar = partial(timed, calendar=published(rt.tables.calendar))
    first, after = await recompute(rt.engine, calendar, limit=2, after=None)
    second, end = await recompute(rt.engine, calendar, limit=2, after=after)
    assert (first, second, end) == (2, 1, None)

    now = [(await rt.cases.by_no(case_no)).case for case_no in numbers]
    assert {(case.due_on, case.due_provisional) for case in now} == {(date(2027, 1, 6), False)}
    assert await audited(rt, numbers[0]) == [
        (
            "gateway",
            "recompute-due-date",
            {"due_on": "2027-01-04", "provisional": True},
            {"due_on": "2027-01-06", "provisional": False},
        )
    ]
    assert len((await rt.cases.history(numbers[0])).events) == lines
    assert await recompute(rt.engine, calendar, limit=2, after=None) == (0, None)


@LATE
async def test_a_calendar_that_says_nothing_new_writes_nothing(rt):
    case_no = await accepted(rt, 811)
    same = partial(timed, calendar=rt.tables.calendar)
    changed, _ = await recompute(rt.engine, same, limit=100, after=None)
    assert changed == 0
    assert await audited(rt, case_no) == []


@LATE
async def test_a_worker_counts_anew_when_it_starts(rt, monkeypatch):
    case_no = await accepted(rt, 821)
    monkeypatch.setattr(type(rt.tables.calendar), "is_published", lambda _calendar, day: day.year <= 2027)
    await Rounds(rt, frozenset(), asyncio.Event())._count_anew()
    case = (await rt.cases.by_no(case_no)).case
    assert (case.due_on, case.due_provisional) == (date(2027, 1, 4), False)
    (_, verb, before, after) = (await audited(rt, case_no))[0]
    assert verb == "recompute-due-date"
    assert (json.dumps(before), after["provisional"]) == (
        '{"due_on": "2027-01-04", "provisional": true}',
        False,
    )


@LATE
async def test_the_case_view_shows_the_light_the_legal_date_and_the_legs(rt, door):
    case_no = await accepted(rt, 831)
    async with door("desk-token") as desk:
        case = (await desk.get(f"/v1/cases/{case_no}")).json()
    assert (case["light"], case["due_on"], case["legal_due_on"]) == ("green", "2027-01-04", "2027-03-01")
    assert [(leg["region"], leg["limit"]["value"], leg["started_on"]) for leg in case["legs"]] == [
        ("sichuan", 1, "2026-12-28"),
        ("chongqing", 2, None),
        ("sichuan", 2, None),
    ]
    assert (case["legs"][0]["due_on"], case["legs"][0]["light"]) == ("2026-12-29", "amber")
