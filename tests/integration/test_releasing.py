"""Releases by people without keys, and trials of them: who may, what counts, what it would change."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from staff_builders import Side
from waiting import eventually

from gateway import shelf
from gateway.canonical.worktime import beijing_day
from gateway.exchange import releasing, trial
from gateway.exchange.releasing import By, Faulty, NotAllowed, Registry
from gateway.mapping.amend import Addition, with_rows
from gateway.mapping.gaps import Answer, word_gap, word_rows
from gateway.mapping.load import PACKAGED, files_of
from gateway.mapping.release import Consent
from gateway.mapping.sets import table_set
from gateway.runtime import Runtime, consent
from gateway.settings import Rules
from gateway.store.parked import Cause
from gateway.store.sets import TableSets
from gateway.store.trials import Trial, Trials
from gateway.store.waiting import waiting

WANG, LI = By("staff:wang", "民族代码 77"), By("staff:li", "核对过会商记录")
NATION = Cause("1001", "param.aac005", "77")
FILES = files_of(PACKAGED)


@pytest.fixture(autouse=True)
async def alone(engine, monkeypatch):
    monkeypatch.setattr(shelf, "LOOK_EVERY_S", 0.05)
    yield
    async with engine.begin() as connection:
        await connection.execute(text("ALTER TABLE table_sets DISABLE TRIGGER USER"))
        await connection.execute(text("DELETE FROM table_sets"))
        await connection.execute(text("DELETE FROM deliveries"))
        await connection.execute(text("ALTER TABLE table_sets ENABLE TRIGGER USER"))


def desk(rt, how=None):
    how = how or consent(rt.settings)
    return Registry(TableSets(rt.engine, how), rt.audit, rt.regions, {}, how, None, rt.clock.now)


def amended(rt, native="77", key="01"):
    gap = word_gap(rt.tables, "ethnic_group", "sichuan", "chongqing", native)
    rows, _ = word_rows(rt.tables, gap, Answer(key=key, basis="会商记录"))
    return table_set("next", with_rows(FILES, rows))


async def proposed(rt, **changes):
    day = beijing_day(rt.clock.now())
    return await releasing.propose(desk(rt), amended(rt, **changes), WANG, effective_from=day, note="民族")


async def audited(rt, digest):
    async with rt.engine.connect() as connection:
        found = await connection.execute(
            text("SELECT actor, verb FROM audit WHERE target = :target ORDER BY id"), {"target": digest}
        )
        return [tuple(row) for row in found]


async def test_who_proposed_a_release_cannot_confirm_it_and_another_person_can(rt):
    made = await proposed(rt)
    with pytest.raises(NotAllowed, match="另一人确认"):
        await releasing.activate(desk(rt), made, WANG)
    assert (await TableSets(rt.engine).one(made.digest)).activated_at is None
    assert await releasing.activate(desk(rt), made, LI)
    await eventually(lambda: rt.tables.digest == made.digest)
    assert await audited(rt, made.digest) == [
        ("staff:wang", "mappings-release"),
        ("staff:li", "mappings-activate"),
    ]


async def test_what_one_person_confirmed_counts_only_where_that_is_allowed(rt, settings):
    made = await proposed(rt)
    assert await releasing.activate(desk(rt, Consent.ALONE), made, WANG)
    for how, used in (("two-people", False), ("never", False), ("alone", True)):
        asked = settings.model_copy(update={"rules": Rules(without_keys=how)})
        async with Runtime.open(asked, role="cli", environ={}) as opened:
            assert (opened.tables.digest == made.digest) is used, how


async def test_a_confirmation_cannot_be_added_or_changed_afterwards(rt):
    made = await proposed(rt)
    for when in ("before", "after"):
        if when == "after":
            await releasing.activate(desk(rt), made, LI)
        with pytest.raises(DBAPIError, match="never altered"):
            async with rt.engine.begin() as connection:
                await connection.execute(text("UPDATE table_sets SET confirmed_by = 'staff:chen'"))


async def test_where_keys_are_configured_a_person_is_no_signature(rt):
    made = await proposed(rt)
    with_keys = replace(desk(rt, Consent.SIGNED), approvers={"sichuan": object()})
    with pytest.raises(NotAllowed, match="尚未批准"):
        await releasing.activate(with_keys, made, LI)


async def test_faulty_rows_are_not_kept_and_every_fault_is_named(rt):
    row = Addition("codes/sichuan/sex.csv", {"native": "1", "key": "7", "direction": "both"})
    broken = table_set("next", with_rows(FILES, [row]))
    day = beijing_day(rt.clock.now())
    with pytest.raises(Faulty) as caught:
        await releasing.propose(desk(rt), broken, WANG, effective_from=day, note="x")
    assert {fault.path for fault in caught.value.faults} == {"codes/sichuan/sex.csv"}
    assert len(caught.value.faults) > 1
    assert await TableSets(rt.engine).heads(10) == []


async def test_the_same_tables_are_proposed_once(rt):
    await proposed(rt)
    with pytest.raises(NotAllowed, match="已经入库"):
        await proposed(rt)


async def test_the_only_release_in_force_is_not_retired(rt):
    made = await proposed(rt)
    await releasing.activate(desk(rt), made, LI)
    kept = await TableSets(rt.engine).one(made.digest)
    with pytest.raises(NotAllowed, match="没有可恢复"):
        await releasing.retire(desk(rt), kept, LI)
    later = await proposed(rt, native="78")
    await releasing.activate(desk(rt), later, LI)
    await releasing.retire(desk(rt), await TableSets(rt.engine).one(later.digest), LI)
    assert (await desk(rt).sets.standing(desk(rt).today)).digest == made.digest


async def test_what_waits_for_a_row_is_told_with_its_first_day_and_samples(rt):
    side = Side(rt)
    for number in (901, 902):
        await side.hand_in("tbzy0001", number, aac005="77")
    await side.hand_in("tbzy0001", 903, aac005="78")
    found = await waiting(rt.engine, NATION)
    assert (found.region, found.messages, found.more) == ("sichuan", 2, False)
    assert (found.native_kinds, found.items) == (("tbzy0001",), ("pension_transfer",))
    assert found.first_seen_at <= found.last_seen_at
    assert len(found.samples) == 2
    assert await waiting(rt.engine, NATION, "chongqing") is None
    assert await waiting(rt.engine, Cause("1001", "param.aac009")) is None


@pytest.fixture
def asked(rt):
    async def ask(made):
        now = rt.clock.now()
        begun = Trial(
            rt.new_id(), made.digest, rt.tables.digest, "running", now, "staff:li", None, 0, 0, None
        )
        assert await Trials(rt.engine).begin(begun)
        return trial.Order(
            trial_id=str(begun.id),
            digest=made.digest,
            against=rt.tables.digest,
            last=1000,
            folder="",
            calendar_until=None,
            database_url=rt.settings.database_url,
            master_key=rt.settings.keys.master_key,
        )

    return ask


async def test_a_trial_in_its_own_process_tells_how_many_cases_would_change(rt, asked):
    await Side(rt).hand_in("tbzy0001", 911, aac005="77")
    made = await proposed(rt)
    process = await asyncio.to_thread(trial.start, await asked(made))
    assert await asyncio.to_thread(process.wait, 30) == 0
    found = await Trials(rt.engine).newest(made.digest)
    assert (found.state, found.done, found.total) == ("done", found.report["cases"], found.report["cases"])
    assert found.report["changed_cases"] >= 1
    assert any(rule["table"] == "codes/sichuan/ethnic_group.csv" for rule in found.report["rules"])


async def test_a_cancelled_trial_stops_and_one_without_a_word_counts_as_failed(rt, asked):
    made = await proposed(rt, native="79")
    order = await asked(made)
    trials = Trials(rt.engine)
    assert not await trials.begin(replace(await trials.newest(made.digest), id=rt.new_id()))
    (running,) = [await trials.newest(made.digest)]
    assert await trials.end(running.id, "cancelled")
    await trial.work(order)
    assert (await trials.newest(made.digest)).state == "cancelled"
    again = replace(running, id=rt.new_id(), started_at=running.started_at + timedelta(seconds=1))
    assert await trials.begin(again)
    async with rt.engine.begin() as connection:
        await connection.execute(text("UPDATE rule_trials SET beat_at = now() - interval '1 minute'"))
    assert (await trials.newest(made.digest)).state == "failed"
