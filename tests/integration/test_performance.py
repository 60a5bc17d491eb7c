"""The indicators are what timelines say, however often, in whatever order and however rudely they are folded."""

import asyncio
import random
from collections import Counter
from datetime import date, timedelta
from uuid import UUID

import pytest
from histories import CALENDAR, day, lived, opening, rating, report
from sqlalchemy import text
from yards import one, rows

from gateway.canonical.facts import COUNTED
from gateway.canonical.kinds import State
from gateway.canonical.tracking import EventKind
from gateway.store.audit import Audit, Line
from gateway.store.performance import RECTIFIED, Folder
from gateway.store.performance_cases import cases
from gateway.store.performance_reads import Wanted

AT_ONCE = timedelta()


@pytest.fixture
def folder(yard):
    return Folder(yard.engine, yard.vault, CALENDAR)


async def fold(folder):
    while (await folder.fold(settled_after=AT_ONCE)).more:
        continue


async def facts(yard, case):
    return (await rows(yard.engine, "SELECT * FROM case_facts WHERE case_id = :id", id=case.id))[0]


async def counted(engine, width="day"):
    """All counts that are not zero."""
    found = await rows(engine, "SELECT * FROM performance WHERE width = :width", width=width)
    return Counter(
        {
            (row.side, row.bucket, row.division, row.item, name): getattr(row, name)
            for row in found
            for name in COUNTED
            if getattr(row, name)
        }
    )


async def recounted(yard):
    """The same from scratch: every count thrown away, every case walked anew."""
    async with yard.engine.begin() as connection:
        await connection.execute(text("TRUNCATE case_facts, performance"))
        first = "UPDATE performance_marks SET after = :first WHERE name = 'cases'"
        await connection.execute(text(first), {"first": UUID(int=0)})
    walker = Folder(yard.engine, yard.vault, CALENDAR)
    while (await walker.walk(7)).more:
        continue
    return await counted(yard.engine)


async def test_a_case_of_every_kind_of_trouble_is_told_by_its_facts(yard, folder):
    case, opened = opening(day(2))
    await lived(
        yard,
        opened,
        report(case, day(3), State.CORRECTION),
        report(case, day(4), State.RECEIVED, EventKind.SUPPLEMENT),
        report(case, day(5), State.ACCEPTED),
        report(case, day(6), State.SUSPENDED_CORRECTION),
        report(case, day(11), State.IN_REVIEW, EventKind.SUPPLEMENT),
        report(case, day(17), State.CONCLUDED),
        rating(case, day(18), 5),
    )
    await fold(folder)
    found = await facts(yard, case)
    assert found.received_on == date(2026, 11, 2)
    assert (found.decided_on, found.first_time) == (date(2026, 11, 5), False)
    assert (found.ended_on, found.ending) == (date(2026, 11, 17), "40")
    # Friday 6 counts, the clock stands from the 7th to the 11th, then 12, 13, 16, 17
    assert (found.workdays, found.due_on) == (5, date(2026, 11, 17))
    assert (found.supplements, found.grade, found.rated_on) == (2, 5, date(2026, 11, 18))
    target = {k[1:2] + k[4:]: n for k, n in (await counted(yard.engine)).items() if k[0] == "target"}
    assert target[date(2026, 11, 17), "on_time"] == 1
    assert target[date(2026, 11, 18), "bad"] == 1
    assert (date(2026, 11, 5), "first_time") not in target


async def test_folding_again_and_again_changes_nothing(yard, folder):
    case, opened = opening(day(2))
    await lived(yard, opened, report(case, day(3), State.ACCEPTED), report(case, day(20), State.CONCLUDED))
    await fold(folder)
    before = await counted(yard.engine)
    assert before["target", date(2026, 11, 20), "500103", "pension_transfer", "concluded"] == 1
    async with yard.engine.begin() as connection:  # as if nothing of it had been folded yet
        await connection.execute(
            text("UPDATE performance_marks SET after = uuidv7(interval '-1 h'), laps = 0")
        )
    await fold(folder)
    await folder.walk()
    assert await counted(yard.engine) == before
    month = await counted(yard.engine, "month")
    assert {(k[1], k[4]): n for k, n in month.items() if k[0] == "target"}[date(2026, 11, 1), "received"] == 1


async def test_a_fold_that_is_killed_in_the_middle_has_not_happened(yard, folder, monkeypatch):
    case, opened = opening(day(2))
    await lived(yard, opened, report(case, day(3), State.ACCEPTED))
    before = await one(yard.engine, "SELECT after FROM performance_marks WHERE name = 'events'")
    await _killed_while(yard, folder, "UPDATE performance_marks")
    assert await one(yard.engine, "SELECT count(*) FROM case_facts") == 0
    assert await counted(yard.engine) == {}
    assert await one(yard.engine, "SELECT after FROM performance_marks WHERE name = 'events'") == before
    await fold(folder)
    assert await counted(yard.engine) == await recounted(yard) != {}


async def _killed_while(yard, folder, statement):
    """The server ends the folder's connection when it has written everything but its mark."""
    async with yard.engine.begin() as holder:
        await holder.execute(text("SELECT 1 FROM performance_marks WHERE name = 'events' FOR UPDATE"))
        folding = asyncio.create_task(folder.fold(settled_after=AT_ONCE))
        waiting = "SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE :like"
        while (pid := await one(yard.engine, waiting, like=f"{statement}%")) is None:
            assert not folding.done()
            await asyncio.sleep(0.01)
        await one(yard.engine, "SELECT pg_terminate_backend(:pid)", pid=pid)
        with pytest.raises(Exception, match=r"terminat|closed"):
            await folding


async def test_what_commits_late_is_not_missed(yard, folder):
    early, opened = opening(day(2))
    await lived(yard, opened)
    async with yard.engine.begin() as slow:  # has made its id, and takes its time to commit
        await slow.execute(
            text(
                "INSERT INTO events (case_id, n, at, kind, from_state, to_state, actor)"
                " VALUES (:case_id, 2, :at, 'status', '10', '11', 'south')"
            ),
            {"case_id": early.id, "at": day(3)},
        )
        await slow.execute(
            text("UPDATE cases SET last_event = 2, state = '11' WHERE id = :id"), {"id": early.id}
        )
        late, opened = opening(day(2))
        await lived(yard, opened)
        await fold(folder)
        assert await one(yard.engine, "SELECT max(supplements) FROM case_facts") in (None, 0)
    await asyncio.sleep(1.1)
    await fold(folder)
    assert (await facts(yard, early)).supplements == 1
    assert (await facts(yard, late)).supplements == 0
    assert await counted(yard.engine) == await recounted(yard)


async def test_a_case_opened_again_leaves_the_day_it_had_ended(yard, folder):
    case, opened = opening(day(2))
    await lived(yard, opened, report(case, day(3), State.ACCEPTED), report(case, day(4), State.RETURNED))
    await fold(folder)
    assert (await facts(yard, case)).ended_on == date(2026, 11, 4)
    await lived(yard, report(case, day(5), State.IN_REVIEW))
    await fold(folder)
    assert (await facts(yard, case)).ended_on is None
    assert not any(key[4] == "concluded" for key in await counted(yard.engine))
    await lived(yard, report(case, day(9), State.CONCLUDED))
    await fold(folder)
    concluded = [key for key in await counted(yard.engine) if key[4] == "concluded"]
    assert {key[1] for key in concluded} == {date(2026, 11, 9)}


async def test_a_rating_long_after_the_end_counts_on_its_own_day(yard, folder):
    case, opened = opening(day(2))
    await lived(yard, opened, report(case, day(3), State.ACCEPTED), report(case, day(4), State.CONCLUDED))
    await fold(folder)
    await lived(yard, rating(case, day(27), 4))
    await fold(folder)
    counts = await counted(yard.engine)
    at = ("target", date(2026, 11, 27), "500103", "pension_transfer")
    assert [counts[(*at, name)] for name in ("rated", "stars", "bad", "closed")] == [1, 2, 1, 0]
    line = Line("staff:chen", RECTIFIED, case.case_no, "已回访", after={"on": "2026-11-30"})
    async with yard.engine.begin() as connection:
        await Audit(yard.engine, yard.vault).write(connection, line)
    await fold(folder)
    counts = await counted(yard.engine)
    assert [counts[(*at, name)] for name in ("bad", "closed", "closed_days")] == [1, 1, 3]


async def test_what_a_dropped_month_told_is_not_forgotten(yard, folder):
    case, opened = opening(day(2))
    await lived(
        yard,
        opened,
        report(case, day(3), State.CORRECTION),
        report(case, day(4), State.ACCEPTED),
        report(case, day(5), State.CONCLUDED),
    )
    await fold(folder)
    before = await counted(yard.engine)
    async with yard.engine.begin() as connection:
        await connection.execute(text("DELETE FROM events"))
    await folder.walk()
    assert await counted(yard.engine) == before
    await lived(yard, rating(case, day(28), 2))
    await fold(folder)
    found = await facts(yard, case)
    assert (found.supplements, found.ended_on, found.grade) == (1, date(2026, 11, 5), 2)


async def test_any_history_folded_in_any_steps_equals_a_count_from_scratch(yard, folder):
    chance = random.Random(20261126)
    opened = []
    states = [s for s in State if s not in (State.FORWARDED, State.UNDELIVERED)]
    for _ in range(12):
        if len(opened) < 8:
            case, first = opening(day(chance.randrange(2, 10)), item=chance.choice(("a", "b")))
            opened.append(case)
            await lived(yard, first)
        for case in chance.sample(opened, min(3, len(opened))):
            at = day(chance.randrange(2, 29), chance.randrange(1, 23))
            chosen = chance.choice(states)
            await lived(
                yard,
                rating(case, at, chance.randrange(1, 6))
                if chosen is State.RATED
                else report(case, at, chosen),
            )
        await folder.fold(most=chance.choice((1, 3, 50)), settled_after=AT_ONCE)
        if chance.random() < 0.3:
            await folder.walk(3)
    await fold(folder)
    assert await counted(yard.engine) == await recounted(yard) != {}


async def test_two_folders_at_once_count_once(yard, folder):
    for _ in range(5):
        _, opened = opening(day(2))
        await lived(yard, opened)
    await asyncio.gather(*(folder.fold(2, AT_ONCE) for _ in range(4)), *(folder.walk(2) for _ in range(4)))
    await fold(folder)
    while (await folder.walk()).more:
        continue
    assert await counted(yard.engine) == await recounted(yard) != {}


async def test_a_list_over_many_agencies_loses_none_between_its_pages(yard, folder):
    chance = random.Random(11)
    for _ in range(40):
        division = f"5001{chance.randrange(1, 20):02d}"
        _, opened = opening(day(chance.randrange(2, 6)), target_division=division)
        await lived(yard, opened)
    await fold(folder)
    wanted = Wanted("target", date(2026, 11, 1), date(2026, 11, 30))
    forth, place = [], None
    while True:
        page = await cases(yard.engine, "received", wanted, None, 3, after=place)
        forth.append([each.case_id for each in page.cases])
        if page.next is None:
            break
        place = page.next
    assert len({each for some in forth for each in some}) == sum(map(len, forth)) == 40
    back = [forth[-1]]
    while page.previous is not None:
        page = await cases(yard.engine, "received", wanted, None, 3, before=page.previous)
        back.insert(0, [each.case_id for each in page.cases])
    assert back == forth
