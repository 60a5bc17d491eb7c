"""The list of cases: every combination of filters, both ways, without a person's number anywhere."""

import csv
import io
import itertools
import re
import zipfile
from dataclasses import replace
from datetime import date
from urllib.parse import parse_qs, urlsplit

import pytest
from case_builders import DAY, TODAY, asked, expected, invented, put, rest
from sqlalchemy import text
from store_builders import CANARY, NOW, new_case

from gateway.canonical.kinds import State
from gateway.canonical.tracking import Clock
from gateway.dashboard.views import exporting
from gateway.dashboard.views.case_lines import working_days
from gateway.dashboard.views.exporting import harmless
from gateway.store import case_list
from gateway.store.case_list import CaseList, Wanted


@pytest.fixture(scope="module")
def kept():
    return {}


@pytest.fixture
async def lists(rt, kept):
    """300 cases, 60 of them at rest; stored once for the module."""
    if not kept:
        kept["cases"] = list(invented(300))
        kept["resting"] = {}
        await put(rt, kept["cases"])
        for n, case in enumerate(kept["cases"][:60]):
            state, code = ("parked", "dead", "refused")[n % 3], ("1001", "1002")[n % 2]
            await rest(rt, case, state, code)
            kept["resting"][case.id] = (state, code)
    return CaseList(rt.engine, rt.vault, rt.regions)


async def through(lists, wanted, limit=7):
    """All pages forwards, then all backwards; each as case numbers."""
    forwards, backwards, place = [], [], {}
    while True:
        page = await lists.page(wanted, limit, **place)
        forwards.append([line.case.case_no for line in page.lines])
        if page.following is None:
            break
        place = {"after": page.following}
    while page.previous is not None:
        page = await lists.page(wanted, limit, before=page.previous)
        backwards.append([line.case.case_no for line in page.lines])
    return forwards, backwards


async def test_every_combination_of_filters_finds_what_reading_everything_finds(lists, kept):
    found = 0
    for wanted in asked(150):
        page = await lists.page(wanted, 500)
        assert [line.case.case_no for line in page.lines] == expected(kept, wanted), wanted
        assert await lists.count(wanted, 1000) == len(page.lines), wanted
        found += bool(page.lines)
    assert 40 < found < 140  # neither all empty nor none


@pytest.mark.parametrize(("name", "value"), [("SORTED", 0), ("FLOOD", 0)])
async def test_the_paths_for_much_find_the_same_as_those_for_little(lists, kept, monkeypatch, name, value):
    monkeypatch.setattr(case_list, name, value)
    for wanted in asked(80, seed=5):
        narrow = replace(wanted, received_from=wanted.received_from or NOW - 30 * DAY)
        page = await lists.page(narrow, 500)
        assert [line.case.case_no for line in page.lines] == expected(kept, narrow), narrow


@pytest.mark.parametrize(
    "wanted",
    [
        Wanted(),
        Wanted(sort="due"),
        Wanted(resting="parked"),
        Wanted(division="500103", states=(State("50"),)),
        Wanted(due_to=TODAY, received_from=NOW - 30 * DAY),
    ],
    ids=["newest", "due", "parked", "division", "overdue in a window"],
)
async def test_pages_lead_to_the_end_and_back_without_a_gap_or_a_repetition(lists, kept, wanted):
    forwards, backwards = await through(lists, wanted)
    assert list(itertools.chain(*forwards)) == expected(kept, wanted)
    assert len(forwards) > 2
    assert [len(page) for page in forwards[:-1]] == [7] * (len(forwards) - 1)
    # read back from the last page, whatever lies before it comes in pages of the same size
    assert list(itertools.chain(*reversed(backwards)))[: 7 * (len(forwards) - 1)] == list(
        itertools.chain(*forwards[:-1])
    )


async def test_cases_that_come_while_somebody_reads_shift_no_page_and_are_counted(rt, lists, kept):
    first = await lists.page(Wanted(), 5)
    second = await lists.page(Wanted(), 5, after=first.following)
    assert await lists.newer(Wanted(), first.first, 100) == 0
    await put(
        rt, came := [new_case(origin="sichuan", target="chongqing", received_at=NOW + DAY) for _ in range(3)]
    )
    kept["cases"] += came
    again = await lists.page(Wanted(), 5, after=first.following)
    back = await lists.page(Wanted(), 5, before=again.previous)
    assert [line.case.id for line in again.lines] == [line.case.id for line in second.lines]
    assert [line.case.id for line in back.lines] == [line.case.id for line in first.lines]
    assert await lists.newer(Wanted(), first.first, 100) == 3
    assert await lists.newer(Wanted(), first.first, 2) == 2


@pytest.mark.parametrize("place", ["x", "WzFd", "WyJ4IiwgImEiXQ", "W251bGwsIDFd"])
async def test_a_place_that_is_none_is_said_to_be_none(lists, place):
    for wanted in (Wanted(), Wanted(sort="due")):
        with pytest.raises(ValueError, match=r"."):
            await lists.page(wanted, 5, after=place)


async def test_any_sides_number_finds_its_case_and_a_beginning_those_that_have_it(lists, kept):
    case = kept["cases"][5]
    for number in (case.case_no, case.origin_case_no, case.target_case_no):
        assert case.case_no in [line.case.case_no for line in await lists.by_number(number)]
    own = [line.case.origin_case_no for line in await lists.by_number("own-000")]
    assert sorted(own) == [f"own-000{n}" for n in range(10)]
    assert len(await lists.by_number("own-")) == case_list.FOUND + 1
    assert await lists.by_number("own-9999") == ()


def test_working_days_are_counted_to_a_day_and_since_it(rt):
    calendar = rt.tables.calendar
    monday = date(2026, 11, 23)
    assert [working_days(monday, monday + n * DAY, calendar) for n in (0, 1, 4, 5, 7)] == [0, 1, 4, 4, 5]
    assert [working_days(monday, monday - n * DAY, calendar) for n in (1, 3, 7)] == [-1, -1, -5]


# -- the page ----------------------------------------------------------------------------------------


async def test_the_page_says_in_words_what_is_shown_and_each_word_can_be_taken_away(lists, ops):
    client = await ops("viewer")
    answer = await client.get("/ops/cases?state=running&item=pension_transfer&due=overdue&resting=&after=")
    assert answer.status_code == 200
    chips = re.findall(r'class="chip said-chip" href="([^"]+)"', answer.text)
    assert len(chips) == 3
    without = {frozenset(parse_qs(urlsplit(chip.replace("&amp;", "&")).query)) for chip in chips}
    assert without == {frozenset(each) for each in itertools.combinations(("state", "item", "due"), 2)}
    assert "最早到期在前" in answer.text


async def test_an_overdue_case_is_red_has_a_word_and_names_nobody_in_full(rt, ops):
    late = new_case(
        origin="sichuan", target="chongqing", due_on=TODAY - 7 * DAY, state=State("30"), clock=Clock(TODAY)
    )
    await put(rt, [late], person=CANARY)
    client = await ops("viewer")
    answer = await client.get(f"/ops/cases?due_to={TODAY - 7 * DAY}&due_from={TODAY - 7 * DAY}")
    row = re.search(rf"<tr data-row>(?:(?!</tr>).)*{late.case_no}.*?</tr>", answer.text, re.DOTALL).group()
    assert "超期 5 个工作日" in row
    assert "ink-bad" in row
    assert "测*" in row
    assert CANARY.name not in answer.text
    assert CANARY.id_no not in answer.text


@pytest.mark.parametrize(
    "query",
    ["state=99", "due=never", "received_from=yesterday", "older=-1", "sort=x", "resting=lost", "after=%21"],
)
async def test_an_address_that_means_nothing_is_answered_with_what_to_do(ops, query):
    answer = await (await ops("viewer")).get(f"/ops/cases?{query}")
    assert answer.status_code == 400
    assert "重新" in answer.text


async def test_nothing_found_says_how_to_go_on(ops):
    answer = await (await ops("viewer")).get("/ops/cases?origin=sichuan&target=sichuan")
    assert "没有符合条件的办件" in answer.text
    assert "去掉一个条件" in answer.text


async def test_a_division_may_be_asked_for_by_its_name(lists, ops):
    client = await ops("viewer")
    codes = dict((await client.get("/ops/list/divisions")).json())
    answer = await client.get("/ops/cases", params={"division": codes["510104"]})
    assert "data-row" in answer.text
    assert "区划" in answer.text


async def test_a_view_is_kept_for_its_person_alone_until_it_is_dropped(ops):
    mine, theirs = await ops("viewer", name="mine"), await ops("viewer", name="theirs")
    form = {"title": "晨会", "query": "due=overdue&division=510104&csrf=x&id_no=1"}
    kept = await mine.post("/ops/list/views", data=form)
    assert kept.headers["location"] == "/ops/cases?division=510104&due=overdue"
    page = (await mine.get("/ops/cases")).text
    assert "晨会" in page
    assert "晨会" not in (await theirs.get("/ops/cases")).text
    drop = re.search(r'action="(/ops/list/views/[^"]+/drop)"', page).group(1)
    await theirs.post(drop)
    assert "晨会" in (await mine.get("/ops/cases")).text
    await mine.post(drop)
    assert "晨会" not in (await mine.get("/ops/cases")).text


async def test_new_cases_are_announced_and_the_rows_stay(rt, lists, ops):
    client = await ops("viewer")
    page = (await client.get("/ops/cases?origin=chongqing")).text
    newer = re.search(r'hx-get="(/ops/list/newer[^"]+)"', page).group(1).replace("&amp;", "&")
    assert (await client.get(newer)).text.strip() == ""
    await put(rt, [new_case(origin="chongqing", target="sichuan", received_at=NOW + 2 * DAY)])
    assert "新到 1 件" in (await client.get(newer)).text


# -- finding -----------------------------------------------------------------------------------------


async def test_one_match_leads_to_the_case_several_to_a_list_and_none_to_a_sentence(lists, kept, ops):
    client, case = await ops("viewer"), kept["cases"][8]
    found = await client.post("/ops/find", data={"q": f" {case.origin_case_no} "})
    assert (found.status_code, found.headers["location"]) == (303, f"/ops/cases/{case.case_no}")
    several = await client.post("/ops/find", data={"q": "own-000"})
    assert several.text.count("<tr data-row>") == 10
    assert "没有这个编号的办件" in (await client.post("/ops/find", data={"q": "own-9999"})).text
    assert "前 4 位" in (await client.post("/ops/find", data={"q": "own"})).text


async def test_a_person_is_found_with_a_reason_that_is_on_record_before_the_answer(rt, ops):
    mine = new_case(origin="sichuan", target="chongqing", received_at=NOW + 3 * DAY)
    await put(rt, [mine], person=CANARY)
    client = await ops("viewer", name="finder")
    asked_for = await client.post("/ops/find", data={"q": CANARY.id_no.lower()})
    assert asked_for.status_code == 200
    assert "理由" in asked_for.text
    assert mine.case_no not in asked_for.text
    assert (
        await client.post("/ops/find/person", data={"id_no": CANARY.id_no, "reason": " "})
    ).status_code == 400
    assert await _audited(rt) == []
    answer = await client.post("/ops/find/person", data={"id_no": CANARY.id_no, "reason": "来电咨询"})
    assert mine.case_no in answer.text
    assert answer.headers["cache-control"] == "no-store"
    assert CANARY.id_no not in answer.text
    ((actor, target, after, reason_id),) = await _audited(rt)
    assert (actor, target) == ("staff:finder", "cases")
    assert mine.case_no in after["case_nos"]
    assert CANARY.id_no not in str(after)
    assert await rt.audit.reason(reason_id) == "来电咨询"


async def test_a_mistyped_number_is_said_to_be_one_and_is_looked_for_nowhere(rt, ops):
    before = await _audited(rt)
    client = await ops("viewer")
    answer = await client.post("/ops/find/person", data={"id_no": "110105194912310021", "reason": "来电"})
    assert answer.status_code == 400
    assert "校验码不符" in answer.text
    assert await _audited(rt) == before


async def _audited(rt, verb="find-person"):
    async with rt.engine.connect() as connection:
        found = await connection.execute(
            text("SELECT actor, target, after, id FROM audit WHERE verb = :verb ORDER BY id"), {"verb": verb}
        )
        return [tuple(row) for row in found]


# -- exports -----------------------------------------------------------------------------------------


async def exported(client, format_, query=""):
    begun = await client.post("/ops/exports", data={"query": query, "format": format_, "reason": "周报"})
    assert begun.status_code == 303
    await exporting.finished()
    page = (await client.get("/ops/exports")).text
    return (await client.get(re.search(r'href="(/ops/exports/[^"]+/file)"', page).group(1))), page


async def test_a_list_is_exported_whole_masked_and_on_record(rt, lists, kept, ops):
    client = await ops("viewer", name="writer")
    answer, page = await exported(client, "csv", "origin=chongqing&sort=due")
    assert answer.content.startswith("\N{ZERO WIDTH NO-BREAK SPACE}通办编号,".encode())
    lines = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert [line[0] for line in lines[1:]] == expected(kept, Wanted(origin="chongqing", sort="due"))
    assert f"{len(lines) - 1} 行" in page
    assert "attachment" in answer.headers["content-disposition"]
    ((actor, _, after, _),) = await _audited(rt, "export")
    assert (actor, after) == ("staff:writer", {"format": "csv", "filter": "origin=chongqing&sort=due"})


async def test_a_workbook_holds_the_same_as_text(lists, ops):
    client = await ops("viewer", name="sheets")
    answer, _ = await exported(client, "xlsx", "item=card_loss")
    with zipfile.ZipFile(io.BytesIO(answer.content)) as book:
        sheet = book.read("xl/worksheets/sheet1.xml").decode()
    assert "<f>" not in sheet
    assert "CYTB" in sheet
    other = await ops("viewer", name="other")
    assert (await other.get(answer.url.path)).status_code == 404


async def test_an_export_needs_a_reason_and_only_so_many_run_at_once(rt, lists, ops, monkeypatch):
    client = await ops("viewer", name="eager")
    assert (await client.post("/ops/exports", data={"format": "csv", "reason": ""})).status_code == 400
    monkeypatch.setattr(exporting, "start", lambda *_: None)
    form = {"format": "csv", "reason": "周报"}
    assert [(await client.post("/ops/exports", data=form)).status_code for _ in range(3)] == [303, 303, 409]
    page = (await client.get("/ops/exports/progress")).text
    assert 'hx-trigger="every 1s"' in page
    cancel = re.search(r'action="(/ops/exports/[^"]+/cancel)"', page).group(1)
    await client.post(cancel)
    assert "已取消" in (await client.get("/ops/exports")).text


async def test_an_export_that_is_given_up_on_the_way_leaves_nothing(rt, lists, ops, monkeypatch):
    monkeypatch.setattr(exporting, "STEP", 10)
    monkeypatch.setattr(exporting, "_TOLD", 10)
    client = await ops("viewer", name="undecided")
    await client.post("/ops/exports", data={"format": "csv", "reason": "周报"})
    page = (await client.get("/ops/exports")).text
    await client.post(re.search(r'action="(/ops/exports/[^"]+/cancel)"', page).group(1))
    await exporting.finished()
    async with rt.engine.connect() as connection:
        left = await connection.execute(
            text(
                "SELECT e.state, count(p.n) FROM exports e LEFT JOIN export_parts p ON p.export_id = e.id"
                " WHERE e.name = 'undecided' GROUP BY e.state"
            )
        )
        assert [tuple(row) for row in left] == [("cancelled", 0)]


@pytest.mark.parametrize("value", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\r=x"])
def test_no_cell_is_taken_for_a_formula(value):
    assert harmless(value) == f"'{value}"
    assert harmless(f"a{value}") == f"a{value}"
