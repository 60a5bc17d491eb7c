"""One acceptance transaction: keys, new cases, locks, decisions in order of arrival, one write."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, cast

import orjson

from gateway.canonical.tracking import CaseEvent, Conflict, EventKind, Ignored, Move, TrackedCase, actor_of
from gateway.store import rows, shapes, statements, tallies
from gateway.store.gather import busy
from gateway.store.records import Acceptance, Intent, Part, Stored, StoredReceipt
from gateway.store.vault import BODY

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy.ext.asyncio import AsyncConnection

    from gateway.store.records import Seen
    from gateway.store.vault import Vault

Told = Acceptance | BaseException


@dataclass(slots=True)
class Standing:
    """A locked case while the batch goes through it."""

    case: TrackedCase
    last_seq: int
    last_event: int

    def row(self) -> dict[str, Any]:
        return {**rows.columns(self.case), "last_seq": self.last_seq, "last_event": self.last_event}


@dataclass(slots=True)
class _Entry:
    """One intent on its way through the transaction; ``told`` once its end is known."""

    intent: Intent
    told: Told | None = None
    result: Move | Ignored | None = None
    receipt: StoredReceipt | None = None
    seq: int = 0
    #: state of its delivery, None without one
    delivery: str | None = None

    @property
    def key(self) -> tuple[str, str]:
        return self.intent.region, self.intent.key


@dataclass(slots=True)
class Batch:
    """The state of one transaction; `run` drives it on a connection inside a transaction."""

    vault: Vault
    entries: list[_Entry]
    standing: dict[UUID, Standing] = field(default_factory=dict)
    events: list[dict[str, Any]] = field(default_factory=list)
    #: (case, destination) of the deliveries this batch makes
    lanes: set[tuple[UUID, str]] = field(default_factory=set)

    @classmethod
    def of(cls, vault: Vault, intents: Sequence[Intent]) -> Batch:
        """A batch in order of arrival; no two intents may share a key."""
        return cls(vault, [_Entry(intent) for intent in intents])

    async def run(self, connection: AsyncConnection) -> list[Told]:
        """Store what may be stored; the end of each intent, in order."""
        await self._take_keys(connection)
        await self._open_cases(connection)
        await self._follow_up(connection)
        await self._write(connection)
        return [entry.told or LookupError("undecided") for entry in self.entries]

    def _open(self, *, new: bool) -> list[_Entry]:
        return [
            entry
            for entry in self.entries
            if entry.told is None and (entry.intent.new_case is not None) is new
        ]

    async def _take_keys(self, connection: AsyncConnection) -> None:
        wanted = sorted(self.entries, key=lambda entry: entry.key)
        found = await connection.execute(
            statements.TAKE_KEYS, shapes.arrays("r", shapes.KEY, map(_key_row, wanted))
        )
        fresh = set(found.scalars())
        stale = [entry for entry in self.entries if entry.intent.message_id not in fresh]
        if stale:
            known = await known_receipts(connection, [entry.key for entry in stale])
            for entry in stale:
                entry.told = _as_known(entry.intent, known.get(entry.key))

    async def _open_cases(self, connection: AsyncConnection) -> None:
        decided = [
            (entry, self._new_row(entry, standing))
            for entry, standing in self._decide_new()
            if not entry.told
        ]
        decided.sort(key=lambda pair: (pair[0].intent.region, pair[1]["origin_case_no"]))
        if not decided:
            return
        found = await connection.execute(
            statements.NEW_CASES,
            shapes.arrays("c", shapes.NEW_CASE, (row for _, row in decided)),
        )
        opened = set(found.scalars())
        for entry, row in decided:
            if row["id"] not in opened:
                entry.told = Acceptance(Stored.CASE_USED)
                self.events = [event for event in self.events if event["case_id"] != row["id"]]

    def applications(self) -> list[tuple[_Entry, dict[str, Any]]]:
        """Every application that may be stored, with one row of all it makes, sorted by key.

        The others have been told their end.
        """
        made = [
            (entry, self._whole_row(entry, standing))
            for entry, standing in self._decide_new()
            if not entry.told
        ]
        return sorted(made, key=lambda pair: pair[0].key)

    def follow_ups(self) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """The follow-ups that their cases, as seen, allow: their rows, and those of the cases after them.

        The others have been told their end.
        """
        messages: list[dict[str, Any]] = []
        cases: list[dict[str, Any]] = []
        for entry in self._open(new=False):
            seen = entry.intent.seen
            if seen is None:
                entry.told = Acceptance(Stored.CONFLICT)
                continue
            standing = Standing(seen.case, seen.last_seq, seen.last_event)
            mark = len(self.events)
            self._decide(entry, standing)
            if entry.told is not None:
                del self.events[mark:]
                continue
            messages.append({**self._message_row(entry), "case_no": seen.case.case_no})
            cases.append({**standing.row(), "seen_seq": seen.last_seq, "seen_event": seen.last_event})
        return sorted(messages, key=lambda row: (row["region"], row["idempotency_key"])), cases

    def told_of(self) -> dict[str, list[Any]]:
        """The parameters of the timelines and counters of what has not been told its end yet."""
        stored = [entry for entry in self.entries if entry.told is None]
        return {
            **shapes.arrays("e", shapes.EVENT, self.events),
            **shapes.arrays("t", shapes.TALLY, tallies.accepted(map(self._counted, stored))),
        }

    def _decide_new(self) -> Iterator[tuple[_Entry, Standing]]:
        for entry in self._open(new=True):
            case = entry.intent.new_case
            if case is None:  # pragma: no cover (for the type checker; `_open` has chosen)
                continue
            standing = Standing(case, last_seq=0, last_event=0)
            mark = len(self.events)
            self._decide(entry, standing)
            if entry.told is not None:
                del self.events[mark:]
            yield entry, standing

    def _new_row(self, entry: _Entry, standing: Standing) -> dict[str, Any]:
        person, index = self.vault.seal_person(standing.case.id, entry.intent.person)
        return {**standing.row(), "person": person, "citizen_index": index}

    def _whole_row(self, entry: _Entry, standing: Standing) -> dict[str, Any]:
        opened_at = standing.case.received_at
        return {**self._new_row(entry, standing), **self._message_row(entry), "opened_at": opened_at}

    def _message_row(self, entry: _Entry) -> dict[str, Any]:
        nonce = entry.intent.nonce
        return {**self._body_row(entry), **_message_row(entry), "nonce": nonce, "delivery": entry.delivery}

    async def _follow_up(self, connection: AsyncConnection) -> None:
        entries = self._open(new=False)
        ids = sorted({entry.intent.case_id for entry in entries})
        if not ids:
            return
        found = await connection.execute(statements.LOCK_CASES, {"ids": ids})
        self.standing = {row["id"]: standing_of(row) for row in found.mappings()}
        for entry in entries:
            standing = self.standing.get(entry.intent.case_id)
            if standing is None:
                entry.told = LookupError("the case of a follow-up is gone")
            else:
                self._decide(entry, standing)

    def _decide(self, entry: _Entry, standing: Standing) -> None:
        """Ask the life cycle and note what follows; a bug in it ends this intent only."""
        intent = entry.intent
        try:
            result = intent.decide(standing.case)
            if isinstance(result, Conflict):
                entry.told = Acceptance(Stored.CONFLICT, conflict=result)
                return
            case = result.case if isinstance(result, Move) else standing.case
            entry.receipt = intent.receipt(result)
        except Exception as error:  # noqa: BLE001 (raised to the caller of this intent)
            entry.told = error
            return
        entry.result, entry.delivery = result, self._delivery_state(intent, result)
        if entry.delivery:
            self.lanes.add((intent.case_id, intent.destination))
        standing.last_seq += 1
        entry.seq = standing.last_seq
        if isinstance(result, Move):
            events = result.events
        else:
            actor = actor_of(case, intent.region)
            events = (ignored_event(result, case, at=intent.received_at, actor=actor),)
        self.events.extend(event_rows(self.vault, case.id, events, after=standing.last_event))
        standing.last_event += len(events)
        standing.case = case

    def _delivery_state(self, intent: Intent, result: Move | Ignored) -> str | None:
        if intent.parked:
            return "parked"
        if isinstance(result, Ignored) or not result.forward:
            return None
        lane = (intent.case_id, intent.destination)
        return "behind" if lane in self.lanes or Part.RENDERED not in intent.bodies else "ready"

    async def _write(self, connection: AsyncConnection) -> None:
        """Forget the keys of what was not taken; write what was."""
        lost = [entry for entry in self.entries if entry.told is not None and not _is_known(entry.told)]
        if lost:
            await connection.execute(
                statements.FORGET_KEYS,
                {"regions": [entry.key[0] for entry in lost], "keys": [entry.key[1] for entry in lost]},
            )
        stored = [entry for entry in self.entries if entry.told is None]
        if not stored:
            return
        moved = (standing.row() for standing in self.standing.values())
        await connection.execute(
            statements.WRITE,
            {
                **shapes.arrays("m", shapes.MESSAGE, map(_message_row, stored)),
                **shapes.arrays("b", shapes.BODY, (self._body_row(entry) for entry in stored)),
                **shapes.arrays("e", shapes.EVENT, self.events),
                **shapes.arrays(
                    "d",
                    shapes.DELIVERY,
                    (self._delivery_row(entry) for entry in stored if entry.delivery),
                ),
                **shapes.arrays("c", shapes.CASE, moved),
                **shapes.arrays("t", shapes.TALLY, tallies.accepted(map(self._counted, stored))),
            },
        )
        for entry in stored:
            ring = entry.intent.destination if entry.delivery == "ready" else ""
            entry.told = Acceptance(Stored.STORED, receipt=entry.receipt, ring=ring, result=entry.result)

    def _body_row(self, entry: _Entry) -> dict[str, Any]:
        return sealed_bodies(self.vault, entry.intent.message_id, entry.intent.bodies)

    def _case(self, intent: Intent) -> TrackedCase:
        if intent.new_case is not None:
            return intent.new_case
        standing = self.standing.get(intent.case_id)
        return standing.case if standing else cast("Seen", intent.seen).case

    def _counted(self, entry: _Entry) -> tallies.Taken:
        return entry.intent, entry.result, self._case(entry.intent).item

    def _delivery_row(self, entry: _Entry) -> dict[str, Any]:
        intent = entry.intent
        case = self._case(intent)
        return {
            "id": intent.message_id,
            "case_id": intent.case_id,
            "case_no": case.case_no,
            "seq": entry.seq,
            "destination": intent.destination,
            "kind": intent.kind.value,
            "native_kind": intent.out_kind,
            "state": entry.delivery,
            "rendered": Part.RENDERED in intent.bodies,
        }


async def known_receipts(
    connection: AsyncConnection, keys: Sequence[tuple[str, str]]
) -> dict[tuple[str, str], StoredReceipt]:
    """The receipts once given for these (region, key) pairs."""
    found = await connection.execute(
        statements.KNOWN_KEYS, {"regions": [key[0] for key in keys], "keys": [key[1] for key in keys]}
    )
    return {
        (row.region, row.idempotency_key): StoredReceipt(row.receipt_status, row.receipt, row.digest)
        for row in found
    }


def standing_of(row: Any) -> Standing:
    """A locked row of ``cases``."""
    return Standing(rows.case_of(row), last_seq=row["last_seq"], last_event=row["last_event"])


def event_rows(
    vault: Vault, case_id: UUID, events: Sequence[CaseEvent], *, after: int
) -> list[dict[str, Any]]:
    """Rows of ``events``, numbered on; a note may hold a peer's words and is encrypted."""
    return [
        {
            "case_id": case_id,
            "n": n,
            "at": event.at,
            "kind": event.kind.value,
            "from_state": event.from_state and event.from_state.value,
            "to_state": event.to_state.value,
            "actor": event.actor,
            "note": vault.seal_text(case_id, f"events.note.{n}", event.note),
        }
        for n, event in enumerate(events, start=after + 1)
    ]


def sealed_bodies(vault: Vault, message_id: UUID, bodies: Any) -> dict[str, Any]:
    """The row of ``bodies``: every given part encrypted on its own."""
    sealed = {
        part.value: vault.encrypt(BODY, message_id, f"bodies.{part.value}", plain)
        for part, plain in bodies.items()
    }
    return {"message_id": message_id, **sealed}


def answer_as_leader(leader: Acceptance, intent: Intent) -> Acceptance | None:
    """The end of a twin that came in the same round; None when it has to be tried on its own."""
    if leader.stored not in (Stored.STORED, Stored.KNOWN) or leader.receipt is None:
        return None
    if leader.receipt.digest != intent.digest:
        return Acceptance(Stored.KEY_REUSED)
    return replace(leader, stored=Stored.KNOWN, ring="", result=None)


def _key_row(entry: _Entry) -> dict[str, Any]:
    intent = entry.intent
    return {
        "region": intent.region,
        "idempotency_key": intent.key,
        "digest": intent.digest,
        "message_id": intent.message_id,
        "received_at": intent.received_at,
    }


def _message_row(entry: _Entry) -> dict[str, Any]:
    intent, receipt = entry.intent, entry.receipt
    outcome = "ignored" if isinstance(entry.result, Ignored) else "accepted"
    return {
        **_key_row(entry),
        "id": intent.message_id,
        "case_id": intent.case_id,
        "seq": entry.seq,
        "destination": intent.destination,
        "kind": intent.kind.value,
        "native_kind": intent.native_kind,
        "out_kind": intent.out_kind,
        "outcome": "parked" if intent.parked else outcome,
        "findings": orjson.dumps([dict(found) for found in intent.findings]).decode(),
        "tables_digest": intent.tables_digest,
        "receipt_status": receipt.status if receipt else 0,
        "receipt": receipt.body if receipt else b"",
    }


def _as_known(intent: Intent, known: StoredReceipt | None) -> Told:
    if known is None:  # pruned between two statements: the sender simply repeats
        return busy()
    if known.digest != intent.digest:
        return Acceptance(Stored.KEY_REUSED)
    return Acceptance(Stored.KNOWN, receipt=known)


def _is_known(told: Told) -> bool:
    return isinstance(told, Acceptance) and told.stored in (Stored.KNOWN, Stored.KEY_REUSED)


def ignored_event(result: Ignored, case: TrackedCase, *, at: datetime, actor: str) -> CaseEvent:
    """The timeline line of a message that is kept without effect."""
    note = f"{result.code} {result.text}"
    return CaseEvent(at, EventKind.IGNORED, case.state, case.state, actor, note)
