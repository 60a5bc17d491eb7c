"""``/ops/performance``: due days, the overdue, rankings, and that every number opens the cases it counts."""

import asyncio
import re
from datetime import date, timedelta
from html import unescape
from io import BytesIO

import openpyxl
import pytest
from histories import day, lived, opening, rating, report
from sqlalchemy import text
from yards import one

from gateway.canonical.kinds import State
from gateway.dashboard.views.indicators import FEW
from gateway.store import performance_cases as lists
from gateway.store.performance import Folder
from gateway.store.performance_reads import Wanted
from gateway.worker import indicators

pytestmark = pytest.mark.parametrize("settings", ["2026-11-26T15:42:17+08:00"], indirect=True)
PATH = "/ops/performance"


@pytest.fixture
async def lives(rt):
    """Twelve cases concluded in one place, two of them late; one overdue; one rated badly. Told once a module."""
    sides = {"origin": "sichuan", "target": "chongqing", "origin_division": "510104"}
    if await one(rt.engine, "SELECT count(*) FROM cases"):
        return
    for n in range(12):
        case, opened = opening(day(2), target_division="500103", **sides)
        ended = report(case, day(20 if n < 2 else 5), State.CONCLUDED)
        await lived(rt, opened, report(case, day(3), State.ACCEPTED), ended)
        if n == 0:
            await lived(rt, rating(case, day(21), 5))
    overdue, opened = opening(day(2), target_division="500101", case_no="CYTB51010420261102OVERDUE", **sides)
    await lived(
        rt, opened, report(overdue, day(3), State.CORRECTION), report(overdue, day(4), State.ACCEPTED)
    )
    folder = Folder(rt.engine, rt.vault, rt.tables.calendar)
    await folder.fold(settled_after=timedelta())


def links(page):
    """Every address of a list, with the number written on it."""
    found = re.findall(rf'<a[^>]*href="({PATH}/cases\?[^"]+)"[^>]*>(.*?)</a>', page, re.DOTALL)
    return {unescape(href): re.sub(r"<[^>]+>", "", words).strip() for href, words in found}


async def test_every_number_opens_exactly_the_cases_it_counts(ops, lives):
    client = await ops("viewer")
    page = (await client.get(f"{PATH}?month=2026-11")).text
    opened = links(page)
    assert any("measure=late" in href and "agency=500103" in href for href in opened)
    checked = 0
    for href, words in opened.items():
        counted = re.search(r"(?:^|\s)(\d+)$", words)
        listed = (await client.get(href)).text
        assert "没有符合条件的办件" not in listed
        if counted:
            checked += 1
            assert len(set(re.findall(r"/ops/cases/(\w+)", listed))) == int(counted[1])
    assert checked > 10


async def test_an_agency_of_few_cases_is_shown_and_not_ranked(ops, lives):
    page = (await (await ops("viewer")).get(PATH)).text
    rows = re.findall(
        r"<tr( class=\"is-few\")?>\s*<td class=\"num\">(.*?)</td>.*?title=\"(.*?)\"", page, re.DOTALL
    )
    ranks = {name: re.sub(r"<[^>]+>", "", place).strip() for _, place, name in rows}
    assert FEW == 10
    assert any(place == "1" for name, place in ranks.items() if "渝中区" in name)
    assert "样本不足" in page
    assert "83.3%" in page


async def test_a_bad_rating_is_put_right_once_and_counts_at_once(ops, lives, rt):
    client = await ops("operator")
    where = f"{PATH}/cases?measure=unclosed&side=target&first=2026-11-01&last=2026-11-30"
    case_no = re.search(r"/ops/cases/(\w+)", (await client.get(where)).text)[1]
    act = f"{PATH}/cases/{case_no}/rectified"
    assert (await (await ops("viewer")).post(act, data={"reason": "已回访"})).status_code == 403
    done = await client.post(act, data={"reason": "已回访并致歉", "back": where})
    assert (done.status_code, done.headers["location"]) == (303, where)
    assert "没有符合条件的办件" in (await client.get(where)).text
    again = await client.post(act, data={"reason": "再来一次"})
    assert again.status_code == 409
    assert "已登记整改" in again.text
    told = await one(
        rt.engine, "SELECT count(*) FROM audit WHERE verb = 'rating.rectified' AND target = :no", no=case_no
    )
    assert told == 1
    assert "100.0%" in (await client.get(PATH)).text


async def test_exports_hold_the_ranking_and_its_definitions_and_no_person(ops, lives):
    client = await ops("viewer")
    book = openpyxl.load_workbook(BytesIO((await client.get(f"{PATH}/indicators.xlsx")).content))
    assert book.sheetnames == ["机构绩效", "事项绩效", "指标定义"]
    head, *rows = list(book["机构绩效"].iter_rows(min_row=2, values_only=True))
    by_name = {row[0]: dict(zip(head, row, strict=True)) for row in rows}
    yuzhong = next(row for name, row in by_name.items() if "渝中区" in name)
    assert (yuzhong["名次"], yuzhong["按时办结率·样本"]) == (1, 12)
    assert yuzhong["按时办结率"] == pytest.approx(10 / 12)
    listed = (
        await client.get(f"{PATH}/cases.csv?measure=due&side=target&first=2000-01-01&last=2026-11-25")
    ).content
    assert listed.startswith(b"\xef\xbb\xbf")
    assert "CYTB51010420261102OVERDUE" in listed.decode("utf-8-sig")
    assert "金丝雀" not in listed.decode("utf-8-sig")


@pytest.mark.parametrize(
    "query",
    [
        "measure=nothing&first=2026-11-01&last=2026-11-30",
        "measure=late&first=yesterday&last=2026-11-30",
        "measure=late&side=both&first=2026-11-01&last=2026-11-30",
        "measure=late&first=2026-11-01&last=2026-11-30&after=%00nonsense",
    ],
)
async def test_an_address_that_was_tampered_with_is_a_designed_no(ops, lives, query):
    answer = await (await ops("viewer")).get(f"{PATH}/cases?{query}")
    assert answer.status_code == 400
    assert "请返回页面重新选择" in answer.text


async def test_pages_of_a_list_meet_without_gap_or_double_both_ways(rt, lives):
    wanted = Wanted("target", date(2026, 11, 1), date(2026, 11, 30))
    seen, place, pages = [], None, []
    while True:
        page = await lists.cases(rt.engine, "concluded", wanted, None, 5, after=place)
        pages.append([each.case_no for each in page.cases])
        seen += pages[-1]
        if page.next is None:
            break
        place = page.next
    assert len(seen) == len(set(seen)) == 12
    assert page.previous is not None
    back = await lists.cases(rt.engine, "concluded", wanted, None, 5, before=page.previous)
    assert [each.case_no for each in back.cases] == pages[-2]
    days = [each.day for each in back.cases]
    assert days == sorted(days, reverse=True)


async def test_a_worker_folds_what_has_settled_and_walks_through_what_is_old(rt, lives):
    async with rt.engine.begin() as connection:
        await connection.execute(text("TRUNCATE case_facts, performance"))
        await connection.execute(text("UPDATE performance_marks SET laps = 0 WHERE name = 'cases'"))
    await indicators.turn(rt, asyncio.Event())
    assert await one(rt.engine, "SELECT count(*) FROM case_facts") == 13
    assert await one(rt.engine, "SELECT laps FROM performance_marks WHERE name = 'cases'") == 1
