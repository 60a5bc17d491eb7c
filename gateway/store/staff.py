"""Accounts and sessions of people at the operators' desk; of a session's token only the hash is kept."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import text

from gateway.store.engine import Also, nothing_else, single
from gateway.store.saved_views import SavedViews

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime, timedelta

    from sqlalchemy import Row
    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine


@dataclass(frozen=True, slots=True)
class Account:
    """One person. Shapes: ``password_hash`` an argon2 text; ``totp`` a sealed secret; ``last_step`` in 30 s."""

    name: str
    display: str
    roles: frozenset[str]
    password_hash: str = field(repr=False)
    created_at: datetime
    password_changed_at: datetime
    totp: bytes | None = field(default=None, repr=False)
    totp_pending: bytes | None = field(default=None, repr=False)
    last_step: int | None = None
    failures: int = 0
    locked_until: datetime | None = None
    disabled_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Seat:
    """One session: ``sha256`` of its token in hex, whose it is, from where and in which language."""

    sha256: str = field(repr=False)
    name: str
    created_at: datetime
    seen_at: datetime
    language: str
    address: str


@dataclass(frozen=True, slots=True)
class Passed:
    """What a sign-in has shown: the account as it was judged, the step of its code, a hash by newer parameters."""

    account: Account
    step: int | None = None
    rehashed: str | None = field(default=None, repr=False)


_COLUMNS = (
    "name, display, roles, password_hash, created_at, password_changed_at,"
    " totp, totp_pending, last_step, failures, locked_until, disabled_at"
)

# An attempt is counted before it is judged: of a hundred guesses made at once five are judged.
_BEGIN = text(
    f"""
    WITH counted AS (
      SELECT name, CASE WHEN locked_until IS NULL THEN failures + 1 ELSE 1 END AS n FROM staff
      WHERE name = :name AND disabled_at IS NULL AND (locked_until IS NULL OR locked_until <= :now) FOR UPDATE)
    UPDATE staff SET failures = n, locked_until = CASE WHEN n >= :most THEN CAST(:until AS timestamptz) END
    FROM counted WHERE staff.name = counted.name
    RETURNING {", ".join(f"staff.{each}" for each in _COLUMNS.split(", "))}
    """  # noqa: S608 - our own words
)
_ADMIT = text(
    """
    UPDATE staff SET failures = 0, locked_until = NULL, last_step = COALESCE(:step, last_step),
      password_hash = COALESCE(:rehashed, password_hash)
    WHERE name = :name AND disabled_at IS NULL AND password_hash = :hash
      AND (CAST(:step AS bigint) IS NULL OR last_step IS NULL OR last_step < :step)
    """
)
_SIT = text(
    "INSERT INTO staff_sessions (sha256, name, created_at, seen_at, language, address)"
    " VALUES (:sha256, :name, :created_at, :seen_at, :language, :address)"
)
_CLEAR = text("DELETE FROM staff_sessions WHERE created_at <= :oldest")
_SEAT = "SELECT sha256, name, created_at, seen_at, language, address FROM staff_sessions"
_SEATED = text(
    f"""
    SELECT s.sha256, s.created_at AS sat_at, s.seen_at, s.language, s.address, {
        ", ".join(f"staff.{each}" for each in _COLUMNS.split(", "))
    }
    FROM staff_sessions s JOIN staff ON staff.name = s.name
    WHERE s.sha256 = :sha256 AND staff.disabled_at IS NULL
    """  # noqa: S608 - our own words
)
_CREATE = text(
    "INSERT INTO staff (name, display, roles, password_hash, totp, created_at, password_changed_at)"
    " VALUES (:name, :display, CAST(:roles AS text[]), :hash, :totp, :at, :at) ON CONFLICT DO NOTHING"
)
#: change → what is written, with the parameters of the change
_CHANGES = {
    "roles": "roles = CAST(:roles AS text[])",
    "password": "password_hash = :hash, password_changed_at = :at, failures = 0, locked_until = NULL",
    "second-factor": "totp = :totp, totp_pending = NULL, last_step = :step",
    "pending": "totp_pending = :totp",
    "unlock": "failures = 0, locked_until = NULL",
    "disable": "disabled_at = COALESCE(disabled_at, :at)",
    "enable": "disabled_at = NULL, failures = 0, locked_until = NULL",
}
#: after these nobody goes on working by what held before
_ENDS_SESSIONS = frozenset({"roles", "password", "second-factor", "disable"})


class Staff:
    """The rows of ``staff`` and ``staff_sessions``; ``views``: what each person has kept."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine, self.views = engine, SavedViews(engine)

    async def find(self, name: str) -> Account | None:
        """The account of this name, whatever its state."""
        found = await self._select("WHERE name = :name", name=name)
        return found[0] if found else None

    async def list(self) -> Sequence[Account]:
        """Every account, by name."""
        return await self._select("ORDER BY name")

    async def create(self, account: Account, also: Also = nothing_else) -> bool:
        """A new account; False when the name is taken."""
        values = {
            "name": account.name,
            "display": account.display,
            "roles": sorted(account.roles),
            "hash": account.password_hash,
            "totp": account.totp,
            "at": account.created_at,
        }
        async with self._engine.begin() as connection:
            made = bool((await connection.execute(_CREATE, values)).rowcount)
            if made:
                await also(connection)
        return made

    async def begin(self, name: str, now: datetime, most: int, until: datetime) -> Account | None:
        """Count an attempt and give the account to judge it by; the ``most``-th in a row locks ``until``.

        None: no such account, or it takes no attempt now (locked, disabled).
        """
        values = {"name": name, "now": now, "most": most, "until": until}
        async with self._engine.begin() as connection:
            found = (await connection.execute(_BEGIN, values)).one_or_none()
        return None if found is None else _account(found)

    async def admit(self, passed: Passed, seat: Seat, longest: timedelta, also: Also = nothing_else) -> bool:
        """Open the session of an attempt that was judged good, and clear away those open ``longest``.

        False when the code has been used or the account changed meanwhile: nothing is opened.
        """
        account = passed.account
        values = {
            "name": account.name,
            "hash": account.password_hash,
            "step": passed.step,
            "rehashed": passed.rehashed,
        }
        async with self._engine.begin() as connection:
            if not (await connection.execute(_ADMIT, values)).rowcount:
                return False
            await connection.execute(_CLEAR, {"oldest": seat.created_at - longest})
            await connection.execute(_SIT, {name: getattr(seat, name) for name in Seat.__slots__})
            await also(connection)
        return True

    async def seated(self, sha256: str) -> tuple[Seat, Account] | None:
        """The session of this hash with its account as it is now; None when ended or disabled."""
        async with single(self._engine) as connection:
            row = (await connection.execute(_SEATED, {"sha256": sha256})).one_or_none()
        if row is None:
            return None
        return Seat(row.sha256, row.name, row.sat_at, row.seen_at, row.language, row.address), _account(row)

    async def touch(self, sha256: str, at: datetime) -> None:
        """Somebody worked in this session."""
        await self._execute(
            "UPDATE staff_sessions SET seen_at = :at WHERE sha256 = :sha256", sha256=sha256, at=at
        )

    async def speak(self, sha256: str, language: str) -> None:
        """The language of a session from now on."""
        await self._execute(
            "UPDATE staff_sessions SET language = :language WHERE sha256 = :sha256",
            sha256=sha256,
            language=language,
        )

    async def end(self, sha256: str, also: Also = nothing_else) -> bool:
        """End one session; False when it has ended already."""
        async with self._engine.begin() as connection:
            ended = await connection.execute(
                text("DELETE FROM staff_sessions WHERE sha256 = :sha256"), {"sha256": sha256}
            )
            if ended.rowcount:
                await also(connection)
            return bool(ended.rowcount)

    async def end_all(self, name: str, also: Also = nothing_else, *, keep: str = "") -> int:
        """End a person's sessions but ``keep`` (sha256); how many ended."""
        async with self._engine.begin() as connection:
            ended = await _end_all(connection, name, keep)
            await also(connection)
            return ended

    async def sessions(self, name: str) -> Sequence[Seat]:
        """A person's sessions, the one seen last first; some may be past their time."""
        async with single(self._engine) as connection:
            found = await connection.execute(
                text(f"{_SEAT} WHERE name = :name ORDER BY seen_at DESC, sha256"), {"name": name}
            )
            return [Seat(*row) for row in found]

    async def change(
        self, name: str, what: str, also: Also = nothing_else, *, keep: str = "", **values: Any
    ) -> bool:
        """One change of `_CHANGES`; ends the sessions it must end, but ``keep``. False: no such account."""
        query = text(f"UPDATE staff SET {_CHANGES[what]} WHERE name = :name")  # noqa: S608 (our own words)
        async with self._engine.begin() as connection:
            if not (await connection.execute(query, {"name": name, **values})).rowcount:
                return False
            if what in _ENDS_SESSIONS:
                await _end_all(connection, name, keep)
            await also(connection)
        return True

    async def _select(self, which: str, **values: str) -> Sequence[Account]:
        query = text(f"SELECT {_COLUMNS} FROM staff {which}")  # noqa: S608 (our own words)
        async with single(self._engine) as connection:
            return [_account(row) for row in await connection.execute(query, values)]

    async def _execute(self, statement: str, **values: Any) -> None:
        async with single(self._engine) as connection:
            await connection.execute(text(statement), values)


async def _end_all(connection: AsyncConnection, name: str, keep: str) -> int:
    ended = await connection.execute(
        text("DELETE FROM staff_sessions WHERE name = :name AND sha256 <> :keep"),
        {"name": name, "keep": keep},
    )
    return int(ended.rowcount)


def _account(row: Row[Any]) -> Account:
    values: dict[str, Any] = {column: getattr(row, column) for column in Account.__slots__}
    return Account(**{**values, "roles": frozenset(row.roles)})
