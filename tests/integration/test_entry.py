"""Signing in: who is let in, who is not, what is on record of it, and when a session ends."""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import replace
from datetime import timedelta

import pyotp
import pytest
from argon2 import PasswordHasher
from sqlalchemy import text

from gateway.exchange import accounts, entry, passwords
from gateway.runtime import SystemClock
from gateway.store.engine import single
from gateway.store.saved_views import MOST, SavedView

WORDS = "cold river, warm light"
OTHER = "a second set of words"
NAMES = iter(f"anna{n}" for n in range(100))


@pytest.fixture(autouse=True)
def cheap_and_quick(monkeypatch):
    """Hashes of 1 MiB and refusals without a wait: how long they take is looked at where it matters."""
    monkeypatch.setattr(passwords, "_ARGON", PasswordHasher(1, 1024, 1))
    monkeypatch.setattr(entry, "REFUSED_AFTER_S", 0.0)


@pytest.fixture
def rt(rt):
    """A gateway that asks everybody for a code."""
    return with_second_factor(rt, "required")


def with_second_factor(rt, wanted):
    rules = rt.settings.dashboard.model_copy(update={"second_factor": wanted})
    return replace(rt, settings=rt.settings.model_copy(update={"dashboard": rules}))


@pytest.fixture
def later(rt):
    """The same gateway after a while."""

    def move(**by):
        return replace(rt, clock=SystemClock(rt.clock.offset + timedelta(**by)))

    return move


async def account(rt, *roles):
    """A new account: its name and the secret of its codes."""
    name = next(NAMES)
    secret = await accounts.add(
        rt, name, "安娜", roles or ("operator",), WORDS, second_factor=True, actor="staff:root"
    )
    return name, secret


def code(rt, secret):
    return pyotp.TOTP(secret).at(int(rt.clock.now().timestamp()))


async def enter(rt, name, secret):
    found = await entry.sign_in(rt, name, WORDS, code(rt, secret))
    assert isinstance(found, entry.Session), found
    return found


async def lines(rt, target):
    query = text("SELECT actor, verb, after FROM audit WHERE target = :target ORDER BY id")
    async with single(rt.engine) as connection:
        return [tuple(row) for row in await connection.execute(query, {"target": target})]


async def test_password_and_code_open_a_session_that_is_known_by_its_token_alone(rt):
    name, secret = await account(rt, "viewer", "approver")
    opened = await entry.sign_in(
        rt, f" {name.upper()} ", WORDS, code(rt, secret), language="en", address="::1"
    )
    found = await entry.session(rt, opened.token)
    assert found == opened.staff
    assert (found.name, found.display, found.actor, found.language) == (name, "安娜", f"staff:{name}", "en")
    assert [found.may(what) for what in ("look", "approve", "act", "reveal", "audit")] == [
        True,
        True,
        False,
        False,
        False,
    ]
    assert await entry.session(rt, opened.token + "x") is None
    async with single(rt.engine) as connection:
        kept = (await connection.execute(text("SELECT row_to_json(s) FROM staff_sessions s"))).scalars().all()
        people = (await connection.execute(text("SELECT row_to_json(s) FROM staff s"))).scalars().all()
    whole = json.dumps([kept, people])
    assert opened.token not in whole
    assert opened.staff.csrf not in whole
    assert secret not in whole
    assert WORDS not in whole
    assert opened.token not in repr(opened)
    assert (
        "staff:root",
        "staff.add",
        {"roles": ["approver", "viewer"], "second_factor": True},
    ) in await lines(rt, f"staff:{name}")
    assert (f"staff:{name}", "sign-in", {"from": "::1"}) in await lines(rt, f"staff:{name}")


async def test_every_refusal_says_the_same_and_the_audit_says_why(rt):
    name, secret = await account(rt)
    good = code(rt, secret)
    wrong = f"{(int(good) + 1) % 1_000_000:06d}"
    off, its = await account(rt)
    await accounts.disable(rt, off, actor="staff:root", reason="调离")
    said = {
        await entry.sign_in(rt, *given)
        for given in (
            (name, OTHER, good),
            (name, WORDS, wrong),
            (name, WORDS, ""),
            (off, WORDS, code(rt, its)),
            ("nobody-here", WORDS, good),
            (WORDS, name, good),
            ("", "", ""),
            ("anna\x00", "\x00", "\x00"),
        )
    }
    assert said == {entry.Refusal(entry.NOT_ADMITTED)}
    causes = [
        after["cause"] for _, verb, after in await lines(rt, f"staff:{name}") if verb == "sign-in.refused"
    ]
    assert causes == ["password", "code", "code"]
    assert (await lines(rt, f"staff:{off}"))[-1] == (
        entry.VISITOR,
        "sign-in.refused",
        {"cause": "disabled", "from": ""},
    )
    assert [line[2]["cause"] for line in await lines(rt, "unknown")] == ["unknown"] * 4
    async with single(rt.engine) as connection:
        everything = (await connection.execute(text("SELECT json_agg(a)::text FROM audit a"))).scalar_one()
    assert WORDS not in everything
    assert "nobody-here" not in everything


async def test_a_refusal_is_heard_at_the_same_time_whether_the_name_exists_or_not(rt, monkeypatch):
    monkeypatch.setattr(entry, "REFUSED_AFTER_S", 0.8)
    name, _ = await account(rt)
    took = []
    for who in (name, "nobody-here"):
        began = time.monotonic()
        await entry.sign_in(rt, who, OTHER, "000000")
        took.append(time.monotonic() - began)
    assert all(each >= 0.8 for each in took)
    assert abs(took[0] - took[1]) < 0.1


async def test_a_code_opens_one_session_and_no_second(rt, later):
    name, secret = await account(rt)
    used = code(rt, secret)
    both = await asyncio.gather(*(entry.sign_in(rt, name, WORDS, used) for _ in range(2)))
    assert sorted(type(each).__name__ for each in both) == ["Refusal", "Session"]
    assert isinstance(await entry.sign_in(rt, name, WORDS, used), entry.Refusal)
    assert (await lines(rt, f"staff:{name}"))[-1][2]["cause"] == "replayed"
    await enter(later(seconds=30), name, secret)


async def test_five_failures_lock_the_account_and_time_unlocks_it(rt, later):
    name, secret = await account(rt)
    for _ in range(5):
        await entry.sign_in(rt, name, OTHER, code(rt, secret))
    assert isinstance(await entry.sign_in(rt, name, WORDS, code(rt, secret)), entry.Refusal)
    verbs = [(verb, after.get("cause")) for _, verb, after in await lines(rt, f"staff:{name}")][1:]
    assert verbs == [
        *[("sign-in.refused", "password")] * 5,
        ("sign-in.locked", None),
        ("sign-in.refused", "locked"),
    ]
    assert isinstance(await entry.sign_in(later(minutes=14), name, WORDS, "000000"), entry.Refusal)
    after = later(minutes=15, seconds=1)
    await enter(after, name, secret)
    assert (await rt.staff.find(name)).failures == 0


async def test_the_desk_unlocks_an_account_at_once(rt):
    name, secret = await account(rt)
    for _ in range(5):
        await entry.sign_in(rt, name, OTHER, "")
    await accounts.unlock(rt, name, actor="staff:root", reason="本人电话")
    await enter(rt, name, secret)


async def test_of_many_guesses_at_once_five_are_judged(rt, monkeypatch):
    name, _ = await account(rt)
    judged = []
    real = passwords.matches

    async def matches(kept, password):
        judged.append(kept)
        return await real(kept, password)

    monkeypatch.setattr(passwords, "matches", matches)
    await asyncio.gather(*(entry.sign_in(rt, name, OTHER, "") for _ in range(12)))
    assert len([kept for kept in judged if kept is not None]) == 5
    assert len(judged) == 12


async def test_attempts_on_nobody_do_not_fill_the_audit(rt):
    before = len(await lines(rt, "unknown"))
    await asyncio.gather(*(entry.sign_in(rt, f"nobody{n}", OTHER, "") for n in range(4)))
    for n in range(12):
        await entry.sign_in(rt, f"nobody{n}", OTHER, "")
    assert len(await lines(rt, "unknown")) <= max(before, 10) + 4


async def test_without_a_second_factor_nobody_gets_in_where_it_is_required(rt):
    relaxed = with_second_factor(rt, "optional")
    name = next(NAMES)
    with pytest.raises(accounts.NotPossible, match="required"):
        await accounts.add(rt, name, "", ["viewer"], WORDS, second_factor=False, actor="staff:root")
    secret = await accounts.add(relaxed, name, "", ["viewer"], WORDS, second_factor=False, actor="staff:root")
    assert secret == ""
    assert isinstance(await entry.sign_in(relaxed, name, WORDS, ""), entry.Session)
    assert isinstance(await entry.sign_in(rt, name, WORDS, ""), entry.Refusal)
    assert (await lines(rt, f"staff:{name}"))[-1][2]["cause"] == "no-second-factor"


async def test_a_session_ends_when_nobody_works_in_it(rt, later):
    name, secret = await account(rt)
    token = (await enter(rt, name, secret)).token
    assert await entry.session(later(minutes=29), token)
    assert await entry.session(later(minutes=58), token)
    assert await entry.session(later(minutes=89), token) is None


async def test_an_open_page_is_no_sign_of_a_person(rt, later):
    name, secret = await account(rt, "viewer")
    opened = await enter(rt, name, secret)
    for minutes in (10, 20, 29):
        assert await entry.session(later(minutes=minutes), opened.token, touch=False)
    assert await entry.session(later(minutes=30), opened.token, touch=False) is None
    assert opened.staff.may_stay
    assert not replace(opened.staff, roles=frozenset({"viewer", "operator"})).may_stay


async def test_a_session_ends_after_its_hours_however_much_is_done(rt, later):
    name, secret = await account(rt)
    token = (await enter(rt, name, secret)).token
    for minutes in range(20, 12 * 60, 20):
        assert await entry.session(later(minutes=minutes), token), minutes
    assert await entry.session(later(hours=12), token) is None


async def test_a_wall_stays_signed_in_for_its_days_while_it_streams_and_others_do_not_clear_it_away(
    rt, later
):
    name, secret = await account(rt, "viewer")
    token = (await enter(rt, name, secret)).token
    for minutes in range(25, 14 * 60, 25):
        assert await entry.session(later(minutes=minutes), token), minutes
    other, others_secret = await account(rt)
    await enter(later(hours=14), other, others_secret)
    assert await entry.session(later(minutes=14 * 60 + 5), token)
    async with rt.engine.begin() as connection:
        await connection.execute(text("UPDATE staff_sessions SET seen_at = seen_at + interval '30 days'"))
    assert await entry.session(later(days=29, hours=23), token, touch=False)
    assert await entry.session(later(days=30), token, touch=False) is None


async def test_being_seen_is_written_twice_a_minute_at_most(rt, later):
    name, secret = await account(rt)
    opened = await enter(rt, name, secret)
    seen = []
    for seconds in (0, 20, 40, 60, 80):
        await entry.session(later(seconds=seconds), opened.token)
        seen.append((await rt.staff.sessions(name))[0].seen_at)
    assert len(set(seen)) == 3


async def test_signing_out_ends_the_session_and_is_on_record(rt):
    name, secret = await account(rt)
    token = (await enter(rt, name, secret)).token
    await entry.sign_out(rt, token)
    await entry.sign_out(rt, token)
    assert await entry.session(rt, token) is None
    assert [line[1] for line in await lines(rt, f"staff:{name}")].count("sign-out") == 1


@pytest.mark.parametrize("what", ["roles", "password", "second_factor", "disable", "sessions"])
async def test_a_session_does_not_outlive_what_it_stands_on(rt, what):
    name, secret = await account(rt)
    token = (await enter(rt, name, secret)).token
    by = {"actor": "staff:root", "reason": "测试"}
    match what:
        case "roles":
            await accounts.set_roles(rt, name, ["viewer"], **by)
        case "password":
            await accounts.set_password(rt, name, OTHER, **by)
        case "second_factor":
            await accounts.new_second_factor(rt, name, **by)
        case "disable":
            await accounts.disable(rt, name, **by)
        case "sessions":
            assert await accounts.end_sessions(rt, name, **by) == 1
    assert await entry.session(rt, token) is None
    assert await accounts.open_sessions(rt, name) == []
    assert (await lines(rt, f"staff:{name}"))[-1][0] == "staff:root"


async def test_a_person_changes_the_password_and_stays(rt, later):
    name, secret = await account(rt)
    here, there = await enter(rt, name, secret), await enter(later(seconds=30), name, secret)
    with pytest.raises(accounts.NotPossible, match="现在的密码"):
        await accounts.change_own_password(rt, name, "x", OTHER, keep=here.staff.session)
    with pytest.raises(accounts.NotPossible, match="至少"):
        await accounts.change_own_password(rt, name, WORDS, "short", keep=here.staff.session)
    await accounts.change_own_password(rt, name, WORDS, OTHER, keep=here.staff.session)
    assert await entry.session(rt, here.token)
    assert await entry.session(rt, there.token) is None
    assert isinstance(await entry.sign_in(rt, name, WORDS, code(rt, secret)), entry.Refusal)


async def test_whoever_finds_a_desk_open_cannot_guess_the_password_there(rt):
    name, _ = await account(rt)
    for _ in range(5):
        with pytest.raises(accounts.NotPossible, match="不正确"):
            await accounts.change_own_password(rt, name, OTHER, OTHER, keep="")
    with pytest.raises(accounts.NotPossible, match="锁定"):
        await accounts.change_own_password(rt, name, WORDS, OTHER, keep="")


async def test_a_new_second_factor_counts_once_a_code_of_it_was_given(rt, later):
    name, secret = await account(rt)
    opened = await enter(rt, name, secret)
    fresh = await accounts.offer_second_factor(rt, name, WORDS)
    assert await accounts.pending_secret(rt, name) == fresh != secret
    with pytest.raises(accounts.NotPossible):
        await accounts.confirm_second_factor(rt, name, "000000", keep="")
    await enter(later(seconds=30), name, secret)
    await accounts.confirm_second_factor(rt, name, code(rt, fresh), keep=opened.staff.session)
    assert await entry.session(rt, opened.token)
    assert await accounts.pending_secret(rt, name) == ""
    assert isinstance(await entry.sign_in(rt, name, WORDS, code(rt, fresh)), entry.Refusal), "replayed"
    await enter(later(seconds=60), name, fresh)
    assert isinstance(
        await entry.sign_in(later(seconds=90), name, WORDS, code(later(seconds=90), secret)), entry.Refusal
    )


async def test_a_password_hashed_by_older_numbers_is_hashed_anew(rt, monkeypatch):
    name, secret = await account(rt)
    old = (await rt.staff.find(name)).password_hash
    monkeypatch.setattr(passwords, "_ARGON", PasswordHasher(1, 2048, 1))
    await enter(rt, name, secret)
    new = (await rt.staff.find(name)).password_hash
    assert "m=1024" in old
    assert "m=2048" in new


@pytest.mark.parametrize("name", ["Anna", "a", "9lives", "unknown", "an na", "安娜", "a" * 33])
async def test_an_account_has_a_plain_name(rt, name):
    with pytest.raises(accounts.NotPossible, match="账户名"):
        await accounts.add(rt, name, "", ["viewer"], WORDS, second_factor=True, actor="staff:root")


@pytest.mark.parametrize("roles", [[], ["boss"], ["viewer", "boss"]])
async def test_an_account_has_roles_that_exist(rt, roles):
    with pytest.raises(accounts.NotPossible, match="角色"):
        await accounts.add(rt, next(NAMES), "", roles, WORDS, second_factor=True, actor="staff:root")


async def test_a_name_is_given_once(rt):
    name, _ = await account(rt)
    with pytest.raises(accounts.NotPossible, match="已有"):
        await accounts.add(rt, name, "", ["viewer"], WORDS, second_factor=True, actor="staff:root")


async def test_a_person_keeps_views_under_titles_and_sees_only_their_own(rt):
    (one, _), (two, _) = await account(rt), await account(rt)

    def view(title, query="state=20"):
        return SavedView(rt.new_id(), "cases", title, query, rt.clock.now())

    assert await rt.staff.views.keep(one, view("挂起"))
    assert await rt.staff.views.keep(one, view("挂起", "state=30"))
    (kept,) = await rt.staff.views.of(one, "cases")
    assert (kept.title, kept.query) == ("挂起", "state=30")
    assert await rt.staff.views.of(two, "cases") == []
    assert not await rt.staff.views.drop(two, kept.id)
    for n in range(MOST - 1):
        assert await rt.staff.views.keep(one, view(f"t{n}"))
    assert not await rt.staff.views.keep(one, view("too many"))
    assert await rt.staff.views.keep(one, view("挂起"))
    assert await rt.staff.views.drop(one, kept.id)
