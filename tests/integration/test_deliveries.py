"""Sending: claims, leases, fences, and the order inside a case."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import text
from store_builders import NOW, application, bodies, follow_up, new_case, taken

from gateway.canonical.kinds import State
from gateway.canonical.tracking import Move
from gateway.store.deliveries import Deliveries
from gateway.store.intake import Intake
from gateway.store.records import Ending, Part, Settlement


@pytest.fixture
async def intake(engine, vault):
    async with engine.begin() as connection:
        await connection.execute(text("DELETE FROM deliveries"))
    made = Intake(engine, vault)
    yield made
    await made.close()


@pytest.fixture
def deliveries(engine, vault):
    return Deliveries(engine, vault, clock=lambda: NOW)


def unmoved(case, _settlement):
    return Move(case, ())


def ended(delivery, ending, **fields):
    return Settlement(delivery, ending, began_at=NOW, took_s=0.2, **fields)


async def settle(deliveries, *settlements, on_end=unmoved):
    return await deliveries.settle(settlements, on_end=on_end)


async def claim(deliveries, destination="south", places=10, lease_s=30.0):
    return await deliveries.claim(destination, places, lease_s)


async def a_case_with(intake, followers, **fields):
    """A case whose application and followers are all on their way; their message ids in order."""
    case = new_case()
    intents = [application(case=case, **fields), *(follow_up(case) for _ in range(followers))]
    for one in intents:
        await intake.accept(one)
    return case, [one.message_id for one in intents]


async def test_a_claim_brings_the_bytes_and_counts_the_attempt(intake, deliveries):
    case, (first, second) = await a_case_with(intake, 1)
    (delivery,) = await claim(deliveries)
    assert (delivery.message_id, delivery.case_id, delivery.case_no) == (first, case.id, case.case_no)
    assert (delivery.kind, delivery.native_kind) == (case.kind, "out")
    assert delivery.rendered == bodies()[Part.RENDERED]
    assert (delivery.attempt, delivery.fence, delivery.first_attempt_at) == (1, 1, NOW)
    assert await claim(deliveries) == []
    assert await claim(deliveries, destination="north") == []
    assert second != first


async def test_two_claimers_never_get_the_same_delivery(intake, deliveries):
    await asyncio.gather(*(intake.accept(application()) for _ in range(200)))
    taken_ids = []

    async def claimer():
        while got := await claim(deliveries, places=7):
            taken_ids.extend(delivery.id for delivery in got)

    await asyncio.gather(*(claimer() for _ in range(6)))
    assert len(taken_ids) == 200
    assert len(set(taken_ids)) == 200


async def test_the_next_of_a_case_goes_when_the_former_is_delivered(intake, deliveries):
    _, ids = await a_case_with(intake, 3)
    for message_id in ids:
        (delivery,) = await claim(deliveries)
        assert delivery.message_id == message_id
        settled = await settle(deliveries, ended(delivery, Ending.DELIVERED, http_status=200))
        assert (len(settled.counted), settled.late) == (1, ())
    assert await claim(deliveries) == []
    assert await deliveries.open() == ([], None)


async def test_a_refused_one_lets_the_next_pass_and_stays_visible(intake, deliveries):
    _, (first, second) = await a_case_with(intake, 1)
    (delivery,) = await claim(deliveries)
    await settle(deliveries, ended(delivery, Ending.REFUSED, http_status=422, code="0012", text="张三不符"))
    (following,) = await claim(deliveries)
    assert following.message_id == second
    (shown,), _ = await deliveries.open("refused")
    assert (shown.message_id, shown.last_error, shown.attempt) == (first, "0012 张三不符", 1)


async def test_a_dead_one_keeps_the_next_waiting_until_it_is_cancelled(intake, deliveries):
    _, (first, second) = await a_case_with(intake, 1)
    (delivery,) = await claim(deliveries)
    await settle(deliveries, ended(delivery, Ending.DEAD, text="三天未送达"))
    assert await claim(deliveries) == []
    assert await deliveries.cancel(first) == "south"
    (following,) = await claim(deliveries)
    assert following.message_id == second


async def test_a_parked_one_keeps_the_next_waiting_until_it_is_cancelled(intake, deliveries):
    _, (first, second) = await a_case_with(intake, 1, parked=True, bodies={Part.RAW: b"raw"})
    assert await claim(deliveries) == []
    await deliveries.cancel(first)
    (following,) = await claim(deliveries)
    assert following.message_id == second


async def test_cases_and_sides_do_not_wait_for_each_other(intake, deliveries):
    case, _ = await a_case_with(intake, 0, parked=True, bodies={Part.RAW: b"raw"})
    await a_case_with(intake, 0)
    answer = follow_up(case, region="south", destination="north")
    assert (await intake.accept(answer)).ring == "north"
    assert len(await claim(deliveries)) == 1
    assert [delivery.message_id for delivery in await claim(deliveries, "north")] == [answer.message_id]


async def test_a_retry_waits_its_time_and_keeps_its_followers(intake, deliveries):
    await a_case_with(intake, 1)
    (delivery,) = await claim(deliveries)
    await settle(deliveries, ended(delivery, Ending.RETRY, code="timeout", due_in_s=60))
    assert await claim(deliveries) == []
    assert 55 < await deliveries.next_due_in("south") <= 60
    assert await deliveries.due() == {}


async def test_a_retry_due_at_once_is_the_second_attempt_of_the_same_message(intake, deliveries):
    await a_case_with(intake, 0)
    (first,) = await claim(deliveries)
    await settle(deliveries, ended(first, Ending.RETRY))
    (second,) = await claim(deliveries)
    assert (second.message_id, second.attempt, second.fence) == (first.message_id, 2, 2)


async def test_the_first_attempt_is_dated_once(intake, engine, vault):
    times = iter((NOW, NOW + timedelta(hours=1)))
    deliveries = Deliveries(engine, vault, clock=lambda: next(times))
    await a_case_with(intake, 0)
    (first,) = await claim(deliveries)
    await settle(deliveries, ended(first, Ending.RETRY))
    (second,) = await claim(deliveries)
    assert first.first_attempt_at == second.first_attempt_at == NOW


async def test_an_expired_lease_is_claimed_by_another_and_the_late_verdict_touches_nothing(
    engine, intake, deliveries, cases
):
    case, (first, _) = await a_case_with(intake, 1)
    (slow,) = await claim(deliveries, lease_s=0.05)
    await asyncio.sleep(0.1)
    (quick,) = await claim(deliveries)
    assert (quick.id, quick.fence, quick.attempt) == (slow.id, 2, 2)

    late = ended(slow, Ending.DELIVERED)
    settled = await settle(deliveries, late, on_end=lambda held, _: taken(held, state=State.CLOSED))
    assert (settled.counted, settled.late) == ((), (late,))
    assert (await cases.by_no(case.case_no)).case.state is case.state
    async with engine.connect() as connection:
        counted = await connection.execute(
            text(
                "SELECT (SELECT count(*) FROM attempts WHERE message_id = :id), state, fence"
                " FROM deliveries WHERE id = :id"
            ),
            {"id": first},
        )
        assert counted.one() == (0, "sending", 2)

    settled = await settle(deliveries, ended(quick, Ending.DELIVERED))
    assert len(settled.counted) == 1
    assert (await settle(deliveries, ended(quick, Ending.DELIVERED))).counted == ()


async def test_an_expired_lease_nobody_took_over_still_counts(intake, deliveries):
    await a_case_with(intake, 0)
    (slow,) = await claim(deliveries, lease_s=0.01)
    await asyncio.sleep(0.05)
    assert len((await settle(deliveries, ended(slow, Ending.DELIVERED))).counted) == 1


async def test_settling_moves_the_case_and_writes_its_line(intake, deliveries, cases):
    case, _ = await a_case_with(intake, 0)
    (delivery,) = await claim(deliveries)

    def forwarded(held, settlement):
        assert settlement.delivery.id == delivery.id
        return taken(held, state=State.FORWARDED)

    await settle(deliveries, ended(delivery, Ending.DELIVERED), on_end=forwarded)
    history = await cases.history(case.case_no)
    assert history.record.case.state is State.FORWARDED
    assert [(event.to_state, event.note) for event in history.events] == [("20", "已收到"), ("22", "已收到")]


async def test_both_sides_of_one_case_may_end_in_one_settlement(intake, deliveries, cases):
    case, _ = await a_case_with(intake, 0)
    await intake.accept(follow_up(case, region="south", destination="north"))
    both = [*await claim(deliveries), *await claim(deliveries, "north")]

    def longer(held, _settlement):
        return taken(held, scheme=held.scheme + "x")

    settled = await settle(deliveries, *(ended(one, Ending.DELIVERED) for one in both), on_end=longer)
    assert len(settled.counted) == 2
    assert (await cases.by_no(case.case_no)).case.scheme == "xx"


async def test_a_follower_accepted_while_the_former_settles_is_never_stranded(intake, deliveries):
    case, _ = await a_case_with(intake, 0)
    done = 0
    for _ in range(15):
        got = await claim(deliveries)
        await asyncio.gather(
            intake.accept(follow_up(case)),
            settle(deliveries, *(ended(delivery, Ending.DELIVERED) for delivery in got)),
        )
        done += len(got)
    while got := await claim(deliveries):
        await settle(deliveries, *(ended(delivery, Ending.DELIVERED) for delivery in got))
        done += len(got)
    assert done == 16
    assert await deliveries.promote_stranded() == 0


async def test_the_sweep_frees_what_waits_behind_nothing(engine, intake, deliveries):
    _, (first, second) = await a_case_with(intake, 1)
    async with engine.begin() as connection:
        await connection.execute(text("DELETE FROM deliveries WHERE id = :id"), {"id": first})
    assert await claim(deliveries) == []
    assert await deliveries.promote_stranded() == 1
    assert [delivery.message_id for delivery in await claim(deliveries)] == [second]


@pytest.mark.parametrize("ending", [Ending.DEAD, Ending.REFUSED])
async def test_staff_may_send_a_dead_or_refused_one_again_at_its_place(intake, deliveries, ending):
    _, (first, second, third) = await a_case_with(intake, 2)
    (delivery,) = await claim(deliveries)
    await settle(deliveries, ended(delivery, ending))
    assert await deliveries.retry(first) == "south"
    sent = []
    while got := await claim(deliveries):
        assert len(got) == 1
        sent.append((got[0].message_id, got[0].attempt))
        await settle(deliveries, ended(got[0], Ending.DELIVERED))
    assert sent == [(first, 1), (second, 1), (third, 1)]


async def test_a_retry_fences_off_the_verdict_of_before(intake, deliveries):
    await a_case_with(intake, 0)
    (delivery,) = await claim(deliveries)
    await settle(deliveries, ended(delivery, Ending.DEAD))
    await deliveries.retry(delivery.id)
    (again,) = await claim(deliveries)
    assert again.fence > delivery.fence
    assert (await settle(deliveries, ended(delivery, Ending.DELIVERED))).counted == ()


async def test_what_is_being_sent_cannot_be_retried_or_cancelled(intake, deliveries):
    await a_case_with(intake, 0)
    (delivery,) = await claim(deliveries)
    for verb in (deliveries.retry, deliveries.cancel):
        with pytest.raises(LookupError):
            await verb(delivery.id)


async def test_a_mended_message_is_sent_with_its_new_bytes(intake, deliveries):
    await a_case_with(intake, 0)
    (delivery,) = await claim(deliveries)
    await settle(deliveries, ended(delivery, Ending.REFUSED))
    assert await intake.set_rendered(delivery.id, "other", {Part.RENDERED: b"mended"}, "new")
    await deliveries.retry(delivery.id)
    (again,) = await claim(deliveries)
    assert (again.rendered, again.native_kind) == (b"mended", "other")


async def test_a_follower_without_bytes_is_never_claimed(intake, deliveries):
    case, (first,) = await a_case_with(intake, 0)
    bare = follow_up(case, bodies={Part.RAW: b"raw"})
    last = follow_up(case)
    await intake.accept(bare)
    await intake.accept(last)
    (delivery,) = await claim(deliveries)
    await settle(deliveries, ended(delivery, Ending.DELIVERED))
    assert delivery.id == first
    assert await deliveries.promote_stranded() == 0
    assert await claim(deliveries) == []
    assert await intake.set_rendered(bare.message_id, "out", bodies(), "t")
    assert [one.message_id for one in await claim(deliveries)] == [bare.message_id]


async def test_one_that_cannot_be_read_is_dead_and_keeps_nobody(engine, intake, deliveries):
    _, (spoilt,) = await a_case_with(intake, 0)
    _, (sound,) = await a_case_with(intake, 0)
    async with engine.begin() as connection:
        await connection.execute(
            text("UPDATE bodies SET rendered = 'spoilt' WHERE message_id = :id"), {"id": spoilt}
        )
    assert [delivery.id for delivery in await claim(deliveries)] == [sound]
    assert [shown.message_id for shown in (await deliveries.open("dead"))[0]] == [spoilt]


async def test_giving_a_case_up_takes_out_all_that_waits_for_a_side(intake, deliveries):
    case, _ = await a_case_with(intake, 3)
    await intake.accept(follow_up(case, region="south", destination="north"))
    assert await deliveries.cancel_case(case.id, "south") == 4
    assert await claim(deliveries) == []
    assert len(await claim(deliveries, "north")) == 1


async def test_due_names_each_destination_and_how_late_it_is(intake, deliveries):
    await a_case_with(intake, 0)
    await a_case_with(intake, 0, destination="east")
    await a_case_with(intake, 0, destination="west")
    await asyncio.sleep(0.05)
    await claim(deliveries, "east")
    due = await deliveries.due()
    assert set(due) == {"south", "west"}
    assert all(0.04 < seconds < 30 for seconds in due.values())
    assert await deliveries.next_due_in("nowhere") is None


async def test_operators_page_through_open_deliveries(intake, deliveries):
    for _ in range(5):
        await a_case_with(intake, 0)
    seen, after = [], None
    while True:
        page, after = await deliveries.open("ready", limit=2, after=after)
        seen += [one.message_id for one in page]
        if after is None:
            break
    assert seen == sorted(seen)
    assert len(seen) == 5
    with pytest.raises(ValueError):
        await deliveries.open(after="nonsense")


async def test_a_peers_words_are_not_readable_at_rest(engine, intake, deliveries):
    await a_case_with(intake, 0)
    (delivery,) = await claim(deliveries)
    await settle(deliveries, ended(delivery, Ending.REFUSED, text="测试金丝雀不符"))
    async with engine.connect() as connection:
        for table in ("deliveries", "attempts", "events"):
            rows = (await connection.execute(text(f"SELECT * FROM {table}"))).all()
            cells = [cell for row in rows for cell in row]
            assert not any(isinstance(cell, str) and "金丝雀" in cell for cell in cells)
            assert not any(isinstance(cell, bytes) and "金丝雀".encode() in cell for cell in cells)


async def test_workers_and_doors_at_once_keep_the_order_and_lose_nothing(intake, deliveries):
    cases_ = [new_case() for _ in range(20)]
    for case in cases_:
        await intake.accept(application(case=case))
    expected = {case.id: [] for case in cases_}
    sent = {case.id: [] for case in cases_}
    fed = asyncio.Event()

    async def feed():
        for _ in range(6):
            intents = [follow_up(case) for case in cases_]
            await asyncio.gather(*(intake.accept(one) for one in intents))
            for one in intents:
                expected[one.case_id].append(one.message_id)
        fed.set()

    async def work(turn):
        while not fed.is_set() or await deliveries.next_due_in("south") is not None:
            got = await claim(deliveries, places=9)
            endings = [Ending.RETRY if (turn + n) % 4 == 0 else Ending.DELIVERED for n in range(len(got))]
            settled = (
                await settle(
                    deliveries, *(ended(one, ending) for one, ending in zip(got, endings, strict=True))
                )
                if got
                else None
            )
            for one in settled.counted if settled else ():
                if one.ending is Ending.DELIVERED:
                    sent[one.delivery.case_id].append(one.delivery.message_id)
            turn += 1

    await asyncio.wait_for(asyncio.gather(feed(), *(work(turn) for turn in range(3))), 60)
    assert {case: ids[1:] for case, ids in sent.items()} == expected
