"""Lists read as much as they show, however much is stored; a scrape reads nothing. Proved by plans."""

import asyncio
import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from sqlalchemy import event, text

from bench.fill import fill
from gateway.canonical.kinds import State
from gateway.runtime import Runtime
from gateway.store import engine as engines
from gateway.store import overview, releases
from gateway.store import parked as parked_
from gateway.store.case_file import CaseFiles
from gateway.store.case_list import SORTED, CaseList
from gateway.store.case_list_sql import Wanted
from gateway.store.cases import CaseFilter, Cases
from gateway.store.deliveries import Deliveries
from gateway.store.direct import Direct
from gateway.store.parked import Cause
from gateway.store.vault import Vault
from gateway.web.app import create

CASES = 50_000
#: A page shows 50: index entries, rows and what is joined to them.
MOST_READ = 700
GROWING = ("cases", "messages", "bodies", "events", "attempts", "receipts", "deliveries", "tallies", "audit")
NOW = datetime.now(UTC)  # noqa: TID251 - the rows were filled by the database's clock

pytestmark = pytest.mark.timeout(300)


class Read:
    """The statements an engine sent, each explained with its own parameters."""

    def __init__(self, engine):
        self.engine, self.sent, self.listening = engine, [], False
        event.listen(engine.sync_engine, "before_cursor_execute", self.note)
        self._straight = Direct.on

    def note(self, _connection, _cursor, statement, parameters, _context, _many):
        if self.listening:
            self.sent.append((statement, parameters))

    async def of(self, asked):
        """Await what is asked; its answer, and the plan of every statement."""
        self.sent, self.listening = [], True

        async def noted(direct, connection, values):
            self.sent.append((direct.sql, tuple(values[name] for name in direct._names)))
            return await self._straight(direct, connection, values)

        Direct.on = noted
        try:
            answer = await asked
        finally:
            Direct.on, self.listening = self._straight, False
        plans = []
        # one transaction, as the list itself has: what it sets for itself holds for the statements after it
        async with self.engine.begin() as connection:
            for statement, parameters in self.sent:
                if statement.lstrip().startswith(("SELECT", "WITH")):
                    explain = f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}"
                    found = (await connection.exec_driver_sql(explain, parameters)).scalar_one()
                    plans.append((json.loads(found) if isinstance(found, str) else found)[0]["Plan"])
        return answer, plans


def nodes(plan):
    yield plan
    for child in plan.get("Plans", ()):
        yield from nodes(child)


def rows_read(plan):
    """Rows that scans looked at, shown or not."""
    names = ("Actual Rows", "Rows Removed by Filter", "Rows Removed by Index Recheck")
    return sum(
        sum(node.get(name, 0) for name in names) * node.get("Actual Loops", 1)
        for node in nodes(plan)
        if node["Node Type"].endswith("Scan") and "Relation Name" in node
    )


def judge(plans, most=MOST_READ):
    assert plans
    for plan in plans:
        whole = [
            node["Relation Name"]
            for node in nodes(plan)
            if node["Node Type"] == "Seq Scan" and node["Relation Name"].startswith(GROWING)
        ]
        assert whole == []
        assert "Sort" not in {node["Node Type"] for node in nodes(plan) if node.get("Actual Rows", 0) > most}
        assert rows_read(plan) <= most, json.dumps(plan)[:2000]


@pytest.fixture(scope="module")
def filled(database_url):
    asyncio.run(fill(database_url, CASES, bodies=False, resting=9_000))
    asyncio.run(collected(database_url))
    return database_url


async def collected(database_url):
    """One case in five is a channel's."""
    engine = engines.create(database_url)
    async with engine.connect() as connection:
        await connection.execution_options(isolation_level="AUTOCOMMIT")
        await connection.execute(
            text(
                "UPDATE cases SET tracking = tracking || jsonb_build_object('channel', 'bank')"
                " WHERE right(case_no, 1) IN ('3', '7')"
            )
        )
        await connection.execute(text("VACUUM (ANALYZE) cases"))
    await engine.dispose()


@pytest.fixture
async def store(filled):
    engine = engines.create(filled)
    vault = Vault(bytes(range(32)), engine)
    await vault.open()
    yield Read(engine), engine, vault
    await engine.dispose()


DAY = timedelta(days=1)
FILTERS = {
    "all": {},
    "of a region": {"region": "sichuan"},
    "of a division": {"division": "510105"},
    "of an item": {"item": "pension_transfer"},
    "in a state": {"state": State.SERVED},
    "in a rare state": {"state": State.ACCEPTED},
    "in a state nothing is in": {"state": State.UNDELIVERED},
    "of an item that is not": {"item": "nothing"},
    "of a span of days": {"received_from": NOW - 60 * DAY, "received_to": NOW - 50 * DAY},
    "of a channel": {"channel": "bank"},
    "of an item in a state": {"item": "pension_transfer", "state": State.SERVED},
    "of a division in a state": {"division": "510105", "state": State.SERVED},
    "of a region in a span": {"region": "chongqing", "received_to": NOW - 90 * DAY},
    "of a division in a span": {"division": "510105", "received_from": NOW - 100 * DAY},
}


@pytest.mark.parametrize("wanted", FILTERS.values(), ids=FILTERS)
async def test_a_page_of_cases_reads_what_it_shows(store, wanted):
    read, engine, vault = store
    cases, after = Cases(engine, vault), None
    for _ in range(3):
        (found, after), plans = await read.of(cases.page(CaseFilter(**wanted), 50, after))
        judge(plans)
        if after is None:
            break
    assert (len(found) == 50) == (after is not None)


WANTED = {
    "all": Wanted(),
    "of a region": Wanted(origin="sichuan"),
    "of a division, whichever side": Wanted(division="500105"),
    "of an item only the other side sends": Wanted(item="pension_transfer", origin="chongqing"),
    "of an item in a state in a division on a day": Wanted(
        item="pension_transfer",
        states=(State.SERVED,),
        division="510105",
        received_from=NOW - 22 * DAY,
        received_to=NOW - 21 * DAY,
    ),
    "in a state nothing is in": Wanted(states=(State.UNDELIVERED,), origin="sichuan"),
    "of a channel": Wanted(channel="bank"),
    "of a channel in a state nothing is in": Wanted(channel="bank", states=(State.UNDELIVERED,)),
    "of a channel that is not": Wanted(channel="nobody", item="pension_transfer"),
    "of a channel, of an item, due first": Wanted(channel="bank", item="pension_transfer", sort="due"),
    "of a channel and overdue": Wanted(channel="bank", due_to=NOW.date() - DAY),
    "due first": Wanted(sort="due"),
    "overdue": Wanted(due_to=NOW.date() - DAY),
    "overdue of a division": Wanted(due_to=NOW.date() - DAY, division="500105"),
    "due when nothing is": Wanted(due_from=NOW.date() + 90 * DAY),
    "overdue and received in a long span": Wanted(
        due_to=NOW.date() - DAY, received_from=NOW - 150 * DAY, received_to=NOW - 60 * DAY
    ),
    "overdue and received on a day": Wanted(
        due_to=NOW.date() - DAY, received_from=NOW - 100 * DAY, received_to=NOW - 99 * DAY
    ),
}


@pytest.mark.parametrize("wanted", WANTED.values(), ids=WANTED)
async def test_a_page_of_the_operators_list_reads_a_page_of_each_kind_of_case_at_most(store, wanted):
    read, engine, vault = store
    cases, place = CaseList(engine, vault, ("sichuan", "chongqing")), {}
    for _ in range(3):
        found, plans = await read.of(cases.page(wanted, 50, **place))
        # 4 items, 4 states of these, 2 directions; a window of receipt is sized up first
        judge(plans, most=4 * 4 * 51 * 2 + SORTED)
        if found.following is None:
            break
        place = {"after": found.following}
    if found.previous is not None:
        judge((await read.of(cases.page(wanted, 50, before=found.previous)))[1], most=4 * 4 * 51 * 2 + SORTED)


@pytest.mark.parametrize("code", [None, "1001", "1999"])
async def test_what_rests_is_read_from_what_rests(store, code):
    read, engine, vault = store
    wanted = Wanted(resting="parked", code=code, item="pension_transfer", origin="chongqing")
    found, plans = await read.of(CaseList(engine, vault, ("sichuan", "chongqing")).page(wanted, 50))
    assert found.lines == ()
    judge(plans, most=9_000)  # 3 000 are parked: each, its case, and once more when counted


async def test_the_page_of_a_case_reads_what_is_of_that_case(store):
    read, engine, vault = store
    (_, one, *_), _ = await Cases(engine, vault).page(CaseFilter(state=State.SERVED), 50, None)
    files = CaseFiles(engine, vault)
    for asked in (files.file(one.case_no), files.mark(one.case_no), files.message(one.case_no, 1)):
        found, plans = await read.of(asked)
        assert found is not None
        judge(plans, most=120)


async def test_a_case_is_found_by_either_number_with_its_history(store):
    read, engine, vault = store
    cases = Cases(engine, vault)
    (one, *_), _ = await cases.page(CaseFilter(region="sichuan"), 1, None)
    judge((await read.of(cases.page(CaseFilter(origin_case_no=one.origin_case_no), 50)))[1])
    for asked in (
        cases.by_no(one.case_no),
        cases.find("sichuan", one.origin_case_no),
        cases.find("chongqing", one.target_case_no),
        cases.history(one.case_no),
    ):
        found, plans = await read.of(asked)
        assert found is not None
        judge(plans, most=40)
    assert len(found.events) == 3


async def test_the_history_of_a_case_looks_into_no_month_before_it(store):
    read, engine, vault = store
    cases = Cases(engine, vault)
    (newest, *_), _ = await cases.page(CaseFilter(), 1, None)
    _, plans = await read.of(cases.history(newest.case_no))
    touched = {
        node["Relation Name"]
        for plan in plans
        for node in nodes(plan)
        if node.get("Relation Name", "").startswith(("events", "messages", "bodies"))
        and node.get("Actual Loops", 0) > 0
    }
    months = sorted(name for name in touched if not name.endswith("rest"))
    assert not any(f"{NOW - 100 * DAY:%Y_%m}" in name for name in months), months


async def test_a_person_is_found_by_the_blind_index(store):
    read, engine, vault = store
    _, plans = await read.of(Cases(engine, vault).by_citizen("510101199001011234"))
    judge(plans, most=60)


async def test_parked_messages_and_those_of_a_cause_are_pages(store):
    read, engine, vault = store
    cases, after = Cases(engine, vault), None
    for _ in range(2):
        (found, after), plans = await read.of(cases.parked_page(50, after))
        assert len(found) == 50
        judge(plans)
    assert len((await read.of(releases.parked_page(engine, 50, None)))[0]) == 50


async def test_groups_of_parked_messages_are_counted_within_a_bound(store, monkeypatch):
    read, engine, _ = store
    for bound in (500, 1000):  # of 9 000 messages that wait for staff
        query = text(str(parked_._GROUPS).replace(f"LIMIT {parked_.LOOKED_AT}", f"LIMIT {bound}"))
        monkeypatch.setattr(parked_, "_GROUPS", query)
        (groups, _), plans = await read.of(parked_.groups(engine, 50, None))
        monkeypatch.undo()
        assert sum(group.messages for group in groups) <= bound
        judge(plans, most=bound * 2 + 9_000)
    cause = Cause(groups[0].cause.code, groups[0].cause.path, groups[0].cause.value)
    _, plans = await read.of(parked_.waiting_for(engine, cause, 5, None))
    assert "Seq Scan" not in {node["Node Type"] for plan in plans for node in nodes(plan)}


async def test_the_overview_counts_to_its_bound_and_looks_at_the_newest_cases_only(store, monkeypatch):
    read, engine, _ = store
    monkeypatch.setattr(overview, "MOST", 700)
    monkeypatch.setattr(overview, "NEWEST", 400)
    whole = overview.Overview(engine)
    standing, plans = await read.of(whole.standing(NOW.date(), NOW.date()))
    judge(plans, most=8 * 701)
    assert (standing.parked, standing.dead, standing.refused) == (701, 701, 701)
    resting, plans = await read.of(whole.resting())
    judge(plans, most=3 * 701)
    assert sum(resting.values()) == 3 * 700
    passages, plans = await read.of(whole.passages(NOW - 30 * DAY))
    judge(plans, most=400)
    assert sum(each.cases for each in passages) == 400
    monkeypatch.setattr(overview, "LEADING", 300)
    groups, plans = await read.of(whole.leading(5))
    judge(plans, most=2 * 300 + 9_000)  # the key serves as well as the index of what rests, where all rest
    assert 5 == len(groups) <= sum(group.messages for group in groups) <= 300
    for asked in (whole.today(NOW), whole.items(NOW, 24), whole.reruns_waiting(), whole.releases_waiting()):
        judge((await read.of(asked))[1], most=100)


@pytest.mark.parametrize("state", [None, "parked", "dead", "refused"])
async def test_open_deliveries_are_pages(store, state):
    read, engine, vault = store
    queue, after = Deliveries(engine, vault, clock=lambda: NOW), None
    for _ in range(2):
        (found, after), plans = await read.of(queue.open(state, limit=50, after=after))
        assert len(found) == 50
        judge(plans)


@pytest.mark.parametrize("state", ["ready", "behind", "sending"])
async def test_deliveries_under_way_are_read_in_order_of_the_key(store, state):
    read, engine, vault = store
    _, plans = await read.of(Deliveries(engine, vault, clock=lambda: NOW).open(state, limit=50))
    for plan in plans:
        assert {node["Node Type"] for node in nodes(plan)} <= {"Limit", "Index Scan"}


async def test_a_receipt_a_claim_and_the_due_age_are_probes(store):
    read, engine, vault = store
    queue = Deliveries(engine, vault, clock=lambda: NOW)
    for asked in (queue.due(), queue.next_due_in("chongqing")):
        judge((await read.of(asked))[1], most=40)


async def test_no_statement_of_the_program_skips_by_offset_or_counts_a_growing_table():
    root = Path(__file__).parents[2] / "gateway"
    sources = "\n".join(file.read_text() for file in (root / "store").glob("*.py"))
    assert not re.search(r"\bOFFSET\b|\.offset\(", sources)
    counted = re.findall(r"count\(\*\) FROM (\w+)", sources)
    assert counted
    assert not {name for name in counted if name in GROWING}, counted


async def test_a_scrape_asks_the_database_for_nothing(settings, filled):
    async with Runtime.open(settings.model_copy(update={"database_url": filled}), environ={}) as rt:
        read = Read(rt.engine)
        app = create()
        app.state.runtime = rt
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(app=app), base_url="http://gateway.test"
        ) as client:
            read.listening = True
            answer = await client.get("/metrics")
            assert answer.status_code == 200
            assert "tongban_retention_overdue_seconds" in answer.text
            assert read.sent == []
            await client.get("/readyz")
            assert read.sent != []
