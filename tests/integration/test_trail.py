"""Reading the audit: every filter, both ways, and each of them by an index however long it has become."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import event, text

from gateway.store.audit import Audit
from gateway.store.engine import single
from gateway.store.trail import Trail, Wanted

FILL = text(
    """
    INSERT INTO audit (id, at, actor, verb, target)
    SELECT uuidv7(n * interval '-7 seconds'), now() + n * interval '-7 seconds', 'staff:p' || n % 40,
           (ARRAY['look','look','look','retry','pause'])[1 + n % 5], 'CYTB' || n % 5000
      FROM generate_series(1, 60000) n
    """
)


@pytest.fixture
async def long(fresh):
    """An audit of 60,000 lines over five days; the engine."""
    async with single(fresh) as connection:
        await connection.execute(FILL)
        await connection.execute(text("ANALYZE audit"))
    return fresh


async def lines(engine, vault, **wanted):
    return [entry async for entry in Trail(engine, vault).all(Wanted(**wanted), 100_000, reasons=False)]


async def test_pages_lead_down_and_up_again_without_a_gap_or_a_repeat(engine, vault):
    audit = Audit(engine, vault)
    for n in range(23):
        await audit.append("staff:page", "look", f"case-{n}", f"因为 {n}")
    trail, wanted, seen, older = Trail(engine, vault), Wanted(actor="staff:page"), [], None
    while True:
        leaf = await trail.page(wanted, 10, older_than=older, reasons=True)
        seen.append(leaf)
        if not leaf.older:
            break
        older = leaf.entries[-1].id
    assert [len(leaf.entries) for leaf in seen] == [10, 10, 3]
    assert [entry.target for leaf in seen for entry in leaf.entries] == [
        f"case-{n}" for n in range(22, -1, -1)
    ]
    assert seen[0].entries[0].reason == "因为 22"
    assert [leaf.newer for leaf in seen] == [False, True, True]
    up = await trail.page(wanted, 10, newer_than=seen[2].entries[0].id, reasons=False)
    assert [entry.id for entry in up.entries] == [entry.id for entry in seen[1].entries]
    assert (up.newer, up.older) == (True, True)
    top = await trail.page(wanted, 10, newer_than=up.entries[0].id, reasons=False)
    assert [entry.id for entry in top.entries] == [entry.id for entry in seen[0].entries]
    assert not top.newer
    assert up.entries[0].reason is None


async def test_a_reason_that_does_not_open_hides_no_line(engine, vault):
    await Audit(engine, vault).append("staff:moved", "look", "x", "secret")
    async with single(engine) as connection:
        await connection.execute(
            text(
                "INSERT INTO audit (id, at, actor, verb, target, reason)"
                " SELECT uuidv7(), now(), 'staff:moved', 'look', 'y', reason FROM audit WHERE actor = 'staff:moved'"
            )
        )
    leaf = await Trail(engine, vault).page(Wanted(actor="staff:moved"), 10, reasons=True)
    assert [(entry.target, entry.reason) for entry in leaf.entries] == [("y", None), ("x", "secret")]


async def test_each_filter_finds_its_lines_and_no_others(long, vault):
    assert {entry.actor for entry in await lines(long, vault, actor="staff:p7")} == {"staff:p7"}
    assert len(await lines(long, vault, actor="staff:p7")) == 1500
    assert len(await lines(long, vault, verb="pause")) == 12_000
    assert len(await lines(long, vault, target="CYTB17")) == 12
    assert {entry.verb for entry in await lines(long, vault, actor="staff:p8", verb="retry")} == {"retry"}
    async with single(long) as connection:
        now: datetime = (await connection.execute(text("SELECT now()"))).scalar_one()
    hour = await lines(long, vault, since=now - timedelta(hours=2), until=now - timedelta(hours=1))
    assert 510 <= len(hour) <= 516
    assert all(now - timedelta(hours=2) <= entry.at < now - timedelta(hours=1) for entry in hour)


ASKED = (
    Wanted(),
    Wanted(actor="staff:p7"),
    Wanted(verb="pause"),
    Wanted(target="CYTB17"),
    Wanted(actor="staff:p7", verb="pause"),
    Wanted(actor="staff:p7", verb="look"),
    Wanted(actor="nobody"),
    Wanted(verb="nothing"),
    Wanted(actor="staff:p7", target="CYTB7"),
)


async def test_a_page_reads_little_whatever_is_asked_and_names_are_found_by_jumps(long, vault):
    trail, asked = Trail(long, vault), []

    def keep(_connection, _cursor, statement, parameters, *_):
        asked.append((statement, parameters))

    event.listen(long.sync_engine, "before_cursor_execute", keep)
    for wanted in ASKED:
        await trail.page(wanted, 50, reasons=False)
    verbs, actors = await trail.verbs(), await trail.actors()
    event.remove(long.sync_engine, "before_cursor_execute", keep)
    assert (verbs, len(actors)) == (["look", "pause", "retry"], 40)
    read = {}
    async with single(long) as connection:
        raw = (await connection.get_raw_connection()).driver_connection
        for wanted, (statement, parameters) in zip([*ASKED, "verbs", "actors"], asked, strict=True):
            plan = [row[0] for row in await raw.fetch(f"EXPLAIN (ANALYZE, BUFFERS) {statement}", *parameters)]
            buffers = next(line for line in plan if line.strip().startswith("Buffers: shared"))
            pages = sum(
                int(part.split("=")[1]) for part in buffers.split() if part.startswith(("hit=", "read="))
            )
            read[str(wanted)] = "Seq Scan" if "Seq Scan" in "".join(plan) else pages
    assert {name: pages for name, pages in read.items() if pages == "Seq Scan" or pages > 400} == {}
