"""Finding cases again: by number, by person, in pages; serials, tokens, audit."""

import asyncio
from datetime import date, timedelta

import pytest
from sqlalchemy import text
from store_builders import CANARY, NOW, application, follow_up, new_case, new_id

from gateway.canonical.kinds import State
from gateway.errors import CannotStart, Refusal
from gateway.store import engine as engines
from gateway.store.audit import Audit
from gateway.store.cases import CaseFilter
from gateway.store.records import Person
from gateway.store.serials import Serials
from gateway.store.tokens import Tokens
from gateway.store.vault import NOTE, UnreadableError, Vault

DAY = date(2026, 11, 23)


async def test_each_side_finds_the_case_by_its_own_number(intake, cases):
    case = new_case()
    await intake.accept(application(case=case))
    by_origin = await cases.find("north", case.origin_case_no)
    assert (by_origin.case, by_origin.person) == (case, CANARY)
    assert (await cases.find("south", case.target_case_no)).case == case
    assert await cases.find("south", case.origin_case_no) is None
    assert await cases.find("north", case.target_case_no) is None
    assert await cases.find("south", "") is None
    assert await cases.by_no("no such case") is None


async def test_a_person_is_found_by_number_whatever_the_case_of_its_x(intake, cases):
    person = Person("李四", "id_card", "11010519491231003X")
    wanted = [new_case() for _ in range(3)]
    for case in wanted:
        await intake.accept(application(case=case, person=person))
    found = await cases.by_citizen("11010519491231003x")
    assert {record.case.id for record in found} == {case.id for case in wanted}
    assert {record.person for record in found} == {person}
    assert await cases.by_citizen("110105194912310048") == []


async def test_a_case_without_a_known_person_has_empty_words(intake, cases):
    case = new_case()
    await intake.accept(application(case=case, person=None))
    assert (await cases.by_no(case.case_no)).person == Person("", "", "")


async def test_the_history_has_every_line_and_trace_in_order(intake, cases):
    case = new_case()
    await intake.accept(application(case=case))
    for _ in range(2):
        await intake.accept(follow_up(case))
    history = await cases.history(case.case_no)
    assert [event.note for event in history.events] == ["已收到"] * 3
    assert [entry["before"] for entry in history.trace] == [CANARY.name] * 3
    assert CANARY.name not in repr(history)
    assert await cases.history("unknown") is None


async def pages(cases, wanted, limit, between=None):
    seen, after = [], None
    while True:
        page, after = await cases.page(wanted, limit, after)
        seen.append([case.case_no for case in page])
        if after is None:
            return seen
        if between:
            await between()


async def test_pages_do_not_shift_while_cases_arrive(intake, cases):
    wanted = CaseFilter(item="paging")
    stored = [new_case(item="paging") for _ in range(7)]
    stored += [new_case(item="paging", received_at=stored[0].received_at) for _ in range(3)]
    for case in stored:
        await intake.accept(application(case=case))

    async def another():
        await intake.accept(application(case=new_case(item="paging")))

    seen = await pages(cases, wanted, 3, between=another)
    newest_first = sorted(stored, key=lambda case: (case.received_at, case.case_no), reverse=True)
    assert [no for page in seen for no in page] == [case.case_no for case in newest_first]
    assert [len(page) for page in seen] == [3, 3, 3, 1]


async def test_a_full_last_page_has_no_next(intake, cases):
    for _ in range(4):
        await intake.accept(application(case=new_case(item="even")))
    assert [len(page) for page in await pages(cases, CaseFilter(item="even"), 2)] == [2, 2]


@pytest.mark.parametrize(
    "cursor", ["", "x", "!!!", "ZmFr", "MXwyfDM", "LTF8YQ", "OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTl8YQ", "é"]
)
async def test_a_cursor_that_is_not_ours_is_a_value_error(cases, cursor):
    with pytest.raises(ValueError):
        await cases.page(CaseFilter(), 10, cursor)


async def test_filters_narrow_and_combine(intake, cases):
    base = {"item": "filters", "received_at": NOW}
    one = new_case(**base, origin_division="510105", state=State.CONCLUDED)
    two = new_case(**{**base, "received_at": NOW + timedelta(days=1)}, origin="south", target="north")
    for case in (one, two):
        await intake.accept(application(case=case, region=case.origin, destination=case.target))

    async def found(**fields):
        page, _ = await cases.page(CaseFilter(item="filters", **fields), 10)
        return page

    assert await found() == [two, one]
    assert await found(region="south") == [two]
    assert await found(division="510105") == [one]
    assert await found(state=State.CONCLUDED) == await found(state="40") == [one]
    assert await found(origin_case_no=two.origin_case_no) == [two]
    assert await found(received_from=NOW + timedelta(hours=1)) == [two]
    assert await found(received_to=NOW) == [one]
    assert await found(region="south", division="510105") == []


async def test_two_allocators_never_give_the_same_number(engine):
    allocators = [Serials(engine) for _ in range(2)]
    taken = await asyncio.gather(*(allocators[n % 2].take("case:510104", DAY) for n in range(600)))
    assert len(set(taken)) == 600
    assert min(taken) == 1
    # a block is no larger than what its process took before
    assert max(taken) < 2 * 600


async def test_a_quiet_scope_counts_without_gaps_and_each_day_from_one(engine):
    serials = Serials(engine)
    assert [await serials.take("case:500103", DAY) for _ in range(5)] == [1, 2, 3, 4, 5]
    assert await serials.take("case:500103", DAY + timedelta(days=1)) == 1
    assert await serials.take("case:500103", DAY) == 6
    assert await serials.take("case:500104", DAY) == 1


async def test_no_serial_without_a_store():
    nowhere = engines.create("postgresql://nobody@127.0.0.1:1/nothing")
    with pytest.raises(Refusal) as refused:
        await Serials(nowhere).take("case:510104", DAY)
    assert refused.value.code == "9060"


async def test_a_token_is_found_by_hash_until_it_is_revoked(engine):
    tokens = Tokens(engine)
    assert await tokens.create("desk", "ab" * 32, {"cases", "items"}, NOW)
    assert not await tokens.create("desk", "cd" * 32, {"cases"}, NOW)
    kept = await tokens.find("ab" * 32)
    assert (kept.name, kept.scopes, kept.revoked_at) == ("desk", frozenset({"cases", "items"}), None)
    assert await tokens.revoke("desk", NOW)
    assert not await tokens.revoke("desk", NOW)
    assert await tokens.find("ab" * 32) is None
    assert await tokens.create("desk", "ef" * 32, {"cases"}, NOW + timedelta(seconds=1))
    assert [one.revoked_at for one in await tokens.list()] == [NOW, None]
    assert "ef" * 32 not in repr(await tokens.list())


async def test_an_audit_line_keeps_its_reason_encrypted(engine, vault):
    await Audit(engine, vault).append(
        "staff:wang", "cancel", "case-1", "当事人测试金丝雀来电", after={"state": "23"}
    )
    async with engine.connect() as connection:
        row = (await connection.execute(text("SELECT * FROM audit WHERE target = 'case-1'"))).one()
    assert (row.actor, row.verb) == ("staff:wang", "cancel")
    assert "金丝雀".encode() not in row.reason
    assert vault.open_text(row.id, "audit.reason", row.reason) == "当事人测试金丝雀来电"


async def test_another_process_reads_what_this_one_wrote(engine, vault):
    row = new_id()
    other = Vault(bytes(range(32)), engine)
    await other.open()
    await vault.prepare([row])
    blob = vault.seal_text(row, "c", "秘密")
    await other.learn([blob])
    assert other.open_text(row, "c", blob) == "秘密"
    assert other.blind_index("1") == vault.blind_index("1")


async def test_both_ciphers_are_read_whatever_is_set(engine, vault):
    row = new_id()
    national = Vault(bytes(range(32)), engine, algorithm="sm4-gcm")
    await national.open()
    await national.prepare([row])
    blob = national.seal_text(row, "c", "国密")
    assert blob[1] == 2
    await vault.learn([blob])
    assert vault.open_text(row, "c", blob) == "国密"


async def test_a_ciphertext_opens_only_where_it_was_written(vault):
    row, other = new_id(), new_id()
    await vault.prepare([row])
    blob = vault.encrypt(NOTE, row, "column", b"plain")
    assert vault.decrypt(NOTE, row, "column", blob) == b"plain"
    changed = blob[:-1] + bytes([blob[-1] ^ 1])
    for purpose, row_id, column, written in (
        (NOTE, other, "column", blob),
        (NOTE, row, "another", blob),
        ("body", row, "column", blob),
        (NOTE, row, "column", changed),
        (NOTE, row, "column", b""),
    ):
        with pytest.raises(UnreadableError):
            vault.decrypt(purpose, row_id, column, written)


async def test_another_master_key_does_not_start(engine, vault):
    with pytest.raises(CannotStart):
        await Vault(bytes(32), engine).open()
    with pytest.raises(CannotStart):
        Vault(b"short", engine)
