"""What a shift sees first is so: the lights of the destinations, and everything that waits for a person, in order."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import text
from store_builders import NOW, application, follow_up, new_case
from yards import accept, deliver

from gateway.canonical.kinds import Kind as MessageKind
from gateway.canonical.kinds import State
from gateway.exchange import overview, peers
from gateway.exchange.overview import Kind, Light, Need, Urgency
from gateway.store.engine import single
from gateway.store.overview import ItemFlow, Overview, Passage
from gateway.store.peers import Sighting
from gateway.store.records import Ending
from gateway.store.workers import Beat

TODAY, SOON_DAYS = NOW.date(), 3
SOON = TODAY + timedelta(days=SOON_DAYS)


async def do(engine, *statements):
    async with single(engine) as connection:
        for statement in statements:
            await connection.execute(text(statement))


def due(days, **fields):
    return application(case=new_case(due_on=TODAY + timedelta(days=days), **fields))


async def test_cases_are_overdue_or_soon_due_while_they_are_under_way(yard):
    over = due(-1, state=State.CONCLUDED)
    await accept(yard, due(-1), due(0), due(0), due(SOON_DAYS), due(SOON_DAYS + 1), over, application())
    found = await Overview(yard.engine).standing(TODAY, SOON)
    assert (found.overdue, found.due_today, found.due_soon) == (1, 2, 3)


async def test_what_is_open_is_counted_by_what_it_waits_for(yard):
    await accept(yard, *(application() for _ in range(5)), application(parked=True))
    await deliver(yard, ending=Ending.DEAD)
    await accept(yard, application(), application())
    found = await Overview(yard.engine).standing(TODAY, SOON)
    assert (found.in_transit, found.parked, found.dead, found.refused, found.rest_rows) == (2, 1, 5, 0, 0)
    resting = await Overview(yard.engine).resting()
    assert resting == {("south", "dead"): 5, ("south", "parked"): 1}


async def test_the_day_counts_what_was_received_opened_and_delivered(yard):
    first = new_case(item="pension_transfer")
    await accept(yard, application(case=first), application(parked=True))
    await accept(yard, follow_up(first))
    await accept(yard, application(received_at=NOW - timedelta(days=1)))
    await deliver(yard)
    found = await Overview(yard.engine).today(NOW)
    assert (found.received, found.opened, found.parked) == (3, 2, 1)
    assert (
        found.delivered == 2
    )  # what arrived yesterday is delivered today as well; one waits behind its case


async def test_flows_are_by_division_and_by_item_and_leave_old_cases_out(yard):
    told = {"origin_division": "510104", "target_division": "500103"}
    near = [new_case(received_at=NOW - timedelta(minutes=n), **told) for n in range(3)]
    far = new_case(received_at=NOW - timedelta(hours=2), item="unemployment", target_division="500101")
    old = new_case(received_at=NOW - timedelta(days=3))
    await accept(yard, *(application(case=case, received_at=case.received_at) for case in (*near, far, old)))
    whole = Overview(yard.engine)
    assert await whole.passages(NOW - timedelta(days=1)) == [
        Passage("north", "south", "510104", "500103", 3),
        Passage("north", "south", "510104", "500101", 1),
    ]
    assert await whole.items(NOW, 24) == [
        ItemFlow("north", "pension_transfer", "south", 3),
        ItemFlow("north", "unemployment", "south", 1),
    ]


@pytest.fixture
async def clean(rt):
    """A runtime whose destinations are served by one worker each and have sent something just now."""
    await do(rt.engine, "TRUNCATE peers, workers, deliveries, cases, reruns, messages, tally_deltas")
    for slug in rt.regions:
        await rt.workers.beat(Beat(f"worker-{slug}", 60, (slug,), "1"))
        await rt.peers.saw(slug, Sighting(is_open=False, ok_at=rt.clock.now()))
    return rt


def light_of(seen, slug):
    return next(route.light for route in seen.routes if route.slug == slug)


async def test_a_quiet_gateway_needs_nobody(clean):
    seen = await overview.look(clean)
    assert [route.light for route in seen.routes] == [Light.FLOWING] * 2
    assert seen.needs == []


LIGHTS = {
    Light.PAUSED: (
        "UPDATE peers SET paused_at = now(), paused_by = 'staff:a' WHERE slug = '{}'",
        Kind.PAUSED,
    ),
    Light.BROKEN: ("UPDATE peers SET breaker = 'open', breaker_at = now() WHERE slug = '{}'", Kind.BROKEN),
    Light.UNMANNED: (
        "UPDATE workers SET beat_at = now() - interval '1 minute' WHERE '{}' = ANY(serves)",
        Kind.UNMANNED,
    ),
    Light.IDLE: ("UPDATE peers SET last_ok_at = last_ok_at - interval '1 hour' WHERE slug = '{}'", None),
}


@pytest.mark.parametrize("light", LIGHTS)
async def test_a_light_and_its_need_tell_of_the_one_destination(clean, light):
    sick, well = sorted(clean.regions)
    statement, kind = LIGHTS[light]
    await do(clean.engine, statement.format(sick))
    seen = await overview.look(clean)
    assert (light_of(seen, sick), light_of(seen, well)) == (light, Light.FLOWING)
    assert [(need.kind, need.about) for need in seen.needs] == ([] if kind is None else [(kind, sick)])


WAITS = (
    "INSERT INTO deliveries (id, case_id, case_no, seq, destination, kind, native_kind, state, rendered, due_at)"
    " VALUES (uuidv7(), uuidv7(), 'x', 1, '{}', 'transfer.apply', 'x', '{}', TRUE, {})"
)


async def test_a_route_is_slow_when_its_oldest_message_waits_too_long_and_stuck_while_one_rests(clean):
    one, two = sorted(clean.regions)
    await do(
        clean.engine,
        WAITS.format(one, "ready", "now() - interval '2 minutes'"),
        WAITS.format(two, "refused", "NULL"),
    )
    seen = await overview.look(clean)
    assert (light_of(seen, one), light_of(seen, two)) == (Light.SLOW, Light.STUCK)
    assert [(need.kind, need.count) for need in seen.needs] == [(Kind.SLOW, 0), (Kind.REFUSED, 1)]


async def test_a_pause_that_holds_work_for_an_hour_is_urgent(clean):
    slug = min(clean.regions)
    await peers.pause(clean, slug, "staff:a", "对方升级")
    await do(
        clean.engine, "UPDATE peers SET paused_at = now() - interval '2 hours' WHERE paused_at IS NOT NULL"
    )
    assert [need.kind for need in (await overview.look(clean)).needs] == [Kind.PAUSED]
    await do(clean.engine, WAITS.format(slug, "ready", "now() - interval '2 hours'"))
    seen = await overview.look(clean)
    (need,) = seen.needs
    assert (need.kind, need.urgency, need.about) == (Kind.LONG_PAUSED, Urgency.NOW, slug)
    assert need.seconds == pytest.approx(7200, abs=60)
    assert next(route.reason for route in seen.routes if route.slug == slug) == "对方升级"


async def test_a_worker_that_died_is_told_while_another_serves_its_destination(clean):
    await clean.workers.beat(Beat("dead-one", 60, tuple(clean.regions), "1"))
    await do(clean.engine, "UPDATE workers SET beat_at = now() - interval '1 minute' WHERE name = 'dead-one'")
    (need,) = (await overview.look(clean)).needs
    assert (need.kind, need.about) == (Kind.WORKER_GONE, "dead-one")


async def test_parked_messages_are_told_by_what_they_wait_for(clean):
    message = application(
        parked=True,
        findings=({"code": "1001", "path": "param.aac005", "text": "没有对应的代码", "value": "77"},),
    )
    assert message.kind is MessageKind.TRANSFER_APPLY
    await clean.intake.accept(message)
    (need,) = (await overview.look(clean)).needs
    assert (need.kind, need.count, need.group.cause.value) == (Kind.PARKED, 1, "77")


def test_needs_are_ordered_by_urgency_and_then_by_size():
    kinds = [Kind.RELEASE, Kind.DUE_TODAY, Kind.DEAD, Kind.PARKED, Kind.UNMANNED]
    ordered = overview.in_order([Need(Kind.PARKED, 2), *(Need(kind, 5) for kind in kinds)])
    assert [(need.kind, need.count) for need in ordered] == [
        (Kind.UNMANNED, 5),
        (Kind.DEAD, 5),
        (Kind.PARKED, 5),
        (Kind.PARKED, 2),
        (Kind.DUE_TODAY, 5),
        (Kind.RELEASE, 5),
    ]
    urgencies = [Need(kind).urgency for kind in Kind]
    assert urgencies == sorted(urgencies, key=list(Urgency).index)


# the last one here: a release is never removed
async def test_decisions_of_a_second_person_wait_in_the_list(clean):
    await do(
        clean.engine,
        "INSERT INTO reruns (id, state, created_at, created_by, filter, per_second, total, capped, needs_approval)"
        " VALUES (uuidv7(), 'unapproved', now(), 'staff:a', '{}', 5, 900, FALSE, TRUE),"
        "        (uuidv7(), 'done', now(), 'staff:a', '{}', 5, 1, FALSE, FALSE)",
        f"INSERT INTO table_sets (digest, content, effective_from, note, created_at, created_by, approvals) VALUES"
        f" ('{'a' * 64}', '', '2026-12-01', '', now(), 'x', jsonb_build_object('{min(clean.regions)}', '{{}}'::jsonb))",
    )
    rerun, release = (await overview.look(clean)).needs
    assert (rerun.kind, rerun.count) == (Kind.RERUN, 900)
    assert (release.kind, release.about, release.missing) == (Kind.RELEASE, "a" * 64, (max(clean.regions),))
