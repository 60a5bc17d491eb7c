"""What rests until somebody acts, on the real store: counted to a bound, by cause, and paged both ways."""

from __future__ import annotations

from datetime import timedelta
from itertools import count

import pytest
from sqlalchemy import text
from staff_builders import Side, mended
from store_builders import NOW, application, new_case

from gateway.canonical.tracking import Move
from gateway.exchange import rerun
from gateway.exchange.foresight import foresee
from gateway.exchange.replay import Verdict
from gateway.store import routes, tallies
from gateway.store.engine import single
from gateway.store.records import Ending, Settlement
from gateway.store.reruns import Wanted
from gateway.store.stuck import Cause, Stuck

_serial = count(1)


@pytest.fixture(autouse=True)
async def nothing_open(rt):
    async with single(rt.engine) as connection:
        await connection.execute(text("DELETE FROM deliveries"))


@pytest.fixture
def stuck(rt):
    return Stuck(rt.engine, rt.vault)


async def stored(rt, many, **fields):
    made = []
    for _ in range(many):
        case = new_case(case_no=f"CYTB51010420261121{next(_serial):08d}", **fields)
        made.append(application(case=case))
        await rt.intake.accept(made[-1])
    return [one.message_id for one in made]


async def end(rt, ending, code="", text="", *, places=100, at=NOW, took_s=0.1, due_in_s=0.0):
    claimed = await rt.deliveries.claim("south", places, 30)
    ended = [Settlement(each, ending, at, took_s, 503, code, text, due_in_s) for each in claimed]
    await rt.deliveries.settle(ended, on_end=lambda case, _: Move(case, ()))
    return [each.message_id for each in claimed]


async def test_dead_messages_with_the_same_code_are_one_group_with_its_first_and_last(rt, stuck):
    ids = await stored(rt, 5)
    await end(rt, Ending.DEAD, "timeout", places=2)
    await end(rt, Ending.DEAD, "timeout", places=1, at=NOW + timedelta(hours=1))
    await end(rt, Ending.DEAD, "status", places=1)
    await end(rt, Ending.REFUSED, "9043", places=1)
    dead = await stuck.groups("dead")
    assert [(each.cause.code, each.messages) for each in dead] == [("timeout", 3), ("status", 1)]
    assert dead[0].cause == Cause("dead", "south", "timeout")
    assert (dead[0].first_seen_at, dead[0].last_seen_at) == (NOW, NOW + timedelta(hours=1))
    assert dead[0].sample == ids[2]
    assert [each.cause.code for each in await stuck.groups("refused")] == ["9043"]
    assert await stuck.counts(100) == {"parked": 0, "dead": 4, "refused": 1}
    assert await stuck.counts(2) == {"parked": 0, "dead": 2, "refused": 1}


async def test_a_message_that_died_without_an_attempt_is_a_group_of_its_own(rt, stuck):
    ids = await stored(rt, 1)
    async with single(rt.engine) as connection:
        await connection.execute(text("UPDATE deliveries SET state = 'dead', due_at = NULL"))
    (group,) = await stuck.groups("dead")
    assert (group.cause.code, group.messages, group.sample) == ("", 1, ids[0])
    (one,) = (await stuck.page(group.cause, 10)).messages
    assert (one.id, one.ended_at, one.said) == (ids[0], None, "")
    assert [each.message_id for each in (await rt.reruns.choose(Wanted("dead", cause=""), 9))[0]] == ids


async def test_a_group_is_paged_forth_and_back_and_no_message_is_lost_or_twice(rt, stuck):
    ids = await stored(rt, 7)
    await end(rt, Ending.DEAD, "timeout")
    cause = Cause("dead", "south", "timeout")
    first = await stuck.page(cause, 3)
    second = await stuck.page(cause, 3, after=first.next)
    last = await stuck.page(cause, 3, after=second.next)
    read = [each.id for page in (first, second, last) for each in page.messages]
    assert read == ids
    assert (first.previous, last.next) == (None, None)
    back = await stuck.page(cause, 3, before=last.previous)
    assert back.messages == second.messages
    start = await stuck.page(cause, 3, before=back.previous)
    assert start.messages == first.messages
    assert start.previous is None
    assert (await stuck.page(Cause("dead", "north", "timeout"), 3)).messages == ()
    assert (await stuck.page(Cause("refused", "south", "timeout"), 3)).messages == ()


async def test_a_message_at_rest_tells_what_the_other_side_answered(rt, stuck):
    (only,) = await stored(rt, 1, item="pension_transfer")
    await end(rt, Ending.REFUSED, "9043", "材料编码不在目录中")
    one = await stuck.one(only)
    assert (one.code, one.http_status, one.item, one.attempt) == ("9043", 503, "pension_transfer", 1)
    assert "材料编码不在目录中" in one.said
    assert "材料编码" not in repr(one)
    assert (one.division, one.region) == ("510104", "north")
    await rt.deliveries.retry(only)
    assert await stuck.one(only) is None


async def test_one_cause_of_the_parked_is_listed_and_rerun_without_the_others(rt, stuck):
    side = Side(rt)
    for number, word in ((901, "77"), (902, "77"), (903, "78")):
        await side.hand_in("tbzy0001", number, aac005=word)
    (group, other), _ = await rt.cases.parked_groups(10, None)
    assert (group.cause.value, group.messages, other.cause.value) == ("77", 2, "78")
    cause = Cause("parked", "chongqing", group.cause.code, group.cause.path, "77")
    page = await stuck.page(cause, 10)
    assert [each.findings[0]["value"] for each in page.messages] == ["77", "77"]
    wanted = Wanted("parked", cause="1001", path=group.cause.path, value="77")
    found = await rerun.preview(rt, wanted, 10, 100)
    assert [each.message_id for each in found.sample] == [each.id for each in page.messages]
    assert (await rerun.preview(rt, Wanted("parked", cause="1001"), 10, 100)).messages == 3
    assert wanted.as_json() == {"state": "parked", "cause": "1001", "path": group.cause.path, "value": "77"}


async def test_a_route_tells_what_is_due_and_what_waits_for_a_later_attempt(rt):
    await stored(rt, 3)
    await stored(rt, 2, item="unemployment_benefit_claim")
    await end(rt, Ending.RETRY, "timeout", places=1, due_in_s=60)
    waits = await routes.waiting(rt.engine, "south")
    assert (waits.due, waits.later) == (4, 1)
    assert 0 <= waits.oldest_s < 30
    assert 50 < waits.next_s <= 60
    due = await routes.due_items(rt.engine, "south")
    assert {item: each.due for item, each in due.items()} == {
        "pension_transfer": 2,
        "unemployment_benefit_claim": 2,
    }
    assert await routes.waiting(rt.engine, "north") == routes.Waiting(0, None, 0, None)
    assert await routes.due_items(rt.engine, "north") == {}


async def test_a_route_counts_by_minute_before_and_after_folding_and_times_its_answers(rt):
    await stored(rt, 4, item="social_card_application")
    since = NOW.replace(minute=0)
    await end(rt, Ending.DELIVERED, "0000", places=3, took_s=0.2)
    await end(rt, Ending.REFUSED, "9043", took_s=2.0)

    async def counted():
        found = await routes.lately(rt.engine, since, told_from=NOW, paced_from=NOW + timedelta(minutes=1))
        return {
            (each.measure, each.told, each.paced)
            for each in found
            if each.item == "social_card_application" and each.destination == "south"
        }

    async def by_minute():
        found = await routes.minutes(rt.engine, NOW)
        return {each.measure: each.n for each in found if (each.destination, each.at) == ("south", NOW)}

    before = await by_minute()
    assert await counted() == {("delivered", 3, 0), ("refused", 1, 0)}
    assert (before["delivered"], before["refused"]) >= (3, 1)
    await tallies.fold(rt.engine)
    assert await counted() == {("delivered", 3, 0), ("refused", 1, 0)}
    assert await by_minute() == before
    answered = (await routes.answers(rt.engine, timedelta(minutes=15)))["south", "social_card_application"]
    assert (answered.calls, answered.p50_s) == (4, pytest.approx(0.2))
    assert 0.2 < answered.p95_s <= 2.0


async def test_the_line_of_a_connection_test_is_found_by_its_id_and_no_other_line_is(rt):
    line = await rt.audit.append("staff:a", "probe", "south", "例行检查")
    asked = await routes.asked(rt.engine, line)
    assert (asked.actor, asked.slug) == ("staff:a", "south")
    assert 0 <= asked.ago_s < 30
    other = await rt.audit.append("staff:a", "pause", "south", "检修")
    assert await routes.asked(rt.engine, other) is None


async def test_what_a_release_would_come_to_is_told_without_writing_anything(rt, stuck, tmp_path):
    side = Side(rt)
    await side.hand_in("tbzy0001", 911, aac005="77")
    await side.hand_in("tbzy0001", 912, aac005="78")
    first, second = [each.message_id for each in (await rt.reruns.choose(Wanted("parked"), 9))[0]]
    foreseen = await foresee(rt, [first, second])
    assert {each.verdict for each in foreseen.values()} == {Verdict.PARKED}
    foreseen = await foresee(mended(rt, tmp_path), [first, second, rt.new_id()])
    assert [foreseen[each].verdict for each in (first, second)] == [Verdict.ACCEPTED, Verdict.PARKED]
    assert [each.code for each in foreseen[second].findings] == ["1001"]
    assert len(foreseen) == 2
    assert (await stuck.counts(9))["parked"] == 2
