"""The door's side of the store: admit, accept in groups, release what was parked."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from gateway.store import parked, releases, shapes, statements
from gateway.store.batch import Batch, Told, answer_as_leader, known_receipts
from gateway.store.direct import may_have_happened
from gateway.store.engine import is_away, single
from gateway.store.gather import Gather, busy
from gateway.store.records import Acceptance, Admission, Intent, ParkedMessage, Stored
from gateway.store.together import append_together, open_together

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from uuid import UUID

    from sqlalchemy.ext.asyncio import AsyncEngine

    from gateway.store.records import Decide, Part
    from gateway.store.vault import Vault

_Asking = tuple[str, str, str | None, datetime]
_PRUNE_EVERY = timedelta(minutes=1)


class Intake:
    """Stores messages in groups, each in the order of arrival.

    ``window_s``: seconds a nonce stays used, both sides of the clock window. ``waiting``: callers that
    may wait before the door answers 503.
    """

    def __init__(
        self, engine: AsyncEngine, vault: Vault, *, window_s: float = 600.0, waiting: int = 2048
    ) -> None:
        self._engine, self._vault = engine, vault
        self._window = timedelta(seconds=window_s)
        self._pruned_at: datetime | None = None
        self._admissions: Gather[_Asking, Admission] = Gather(self._admit_all, waiting=waiting)
        self._acceptances: Gather[Intent, Acceptance] = Gather(self._accept_all, waiting=waiting)

    async def admit(self, region: str, key: str, nonce: str | None, now: datetime) -> Admission:
        """Steps 7 and 8 of crossing §1: uses up the nonce, finds the receipt once given for the key.

        Errors: `Refusal` 503 9060 when the store is away or too many wait.
        """
        return await self._admissions.ask((region, key, nonce, now))

    async def accept(self, intent: Intent) -> Acceptance:
        """Store a message; returns after the commit it shared with whoever came at the same time.

        Errors: `Refusal` 503 9060 when the store is away or too many wait (nothing is known to be
        stored: the sender repeats with the same key); whatever ``decide`` or ``receipt`` raised.
        """
        return await self._acceptances.ask(intent)

    async def release(
        self,
        message_id: UUID,
        *,
        decide: Decide,
        tables_digest: str,
        bodies: Mapping[Part, bytes],
        target: Mapping[str, Any],
        out_kind: str,
    ) -> Acceptance:
        """Treat a parked message as accepted now; ``target`` are the fields of its case now known.

        ``STORED`` with the move (or `Ignored`: nothing is sent, followers go on); ``CONFLICT`` leaves
        everything as it was; ``KNOWN`` when it is no longer parked. The life cycle sees the case with
        ``target`` filled in.
        """
        new = releases.NewBytes(message_id, tables_digest, bodies, out_kind)
        change = releases.Change(new, decide, target)
        await self._vault.prepare([message_id])
        return await releases.release(self._engine, self._vault, change)

    async def set_rendered(
        self, message_id: UUID, out_kind: str, bodies: Mapping[Part, bytes], tables_digest: str
    ) -> bool:
        """New bytes for a delivery: a follower of a parked application, or one mended by staff.

        A follower may then be sent when its turn comes; a dead or refused delivery waits for
        `Deliveries.retry`. False when it is being sent, is parked, or is gone.
        """
        await self._vault.prepare([message_id])
        new = releases.NewBytes(message_id, tables_digest, bodies, out_kind)
        return await releases.set_rendered(self._engine, self._vault, new)

    async def unrendered(self, case_id: UUID) -> list[ParkedMessage]:
        """Followers of a case that have no bytes for the other side yet, in order, with ``raw``."""
        return await releases.unrendered(self._engine, self._vault, case_id)

    async def still_parked(self, message_id: UUID, findings: Sequence[Mapping[str, str]]) -> None:
        """A release found other things missing: what is kept says why it waits now."""
        await parked.still_parked(self._engine, message_id, findings)

    async def stranded(self) -> list[tuple[UUID, str]]:
        """Cases (id, number) released while a follower was on its way in: it still has no bytes."""
        return await releases.stranded(self._engine)

    async def close(self) -> None:
        """Take no more; answer all who wait."""
        await self._admissions.close()
        await self._acceptances.close()

    async def _admit_all(self, asking: list[_Asking]) -> Sequence[Admission | BaseException]:
        try:
            async with single(self._engine) as connection:
                nonces = {(region, nonce): now for region, _, nonce, now in reversed(asking) if nonce}
                rows = [
                    {"region": region, "nonce": nonce, "seen_at": now}
                    for (region, nonce), now in sorted(nonces.items())
                ]
                fresh: set[tuple[str, str]] = set()
                if rows:
                    found = await connection.execute(
                        statements.TAKE_NONCES,
                        {**shapes.arrays("n", shapes.NONCE, rows), "window": self._window},
                    )
                    fresh = {(row.region, row.nonce) for row in found}
                known = await known_receipts(connection, [(region, key) for region, key, _, _ in asking])
            await self._prune(max(now for *_, now in asking))
        except Exception as error:  # noqa: BLE001 (told to the callers, who raise it)
            if is_away(error):
                return [busy() for _ in asking]
            if len(asking) == 1:
                return [error]
            return [told for one in asking for told in await self._admit_all([one])]
        answers = []
        for region, key, nonce, _ in asking:
            used = nonce is not None and nonce != "" and (region, nonce) not in fresh
            fresh.discard((region, nonce or ""))  # a twin in the same round is a second use
            answers.append(Admission(nonce_used=used, known=known.get((region, key))))
        return answers

    async def _prune(self, now: datetime) -> None:
        if self._pruned_at is not None and now - self._pruned_at < _PRUNE_EVERY:
            return
        self._pruned_at = now
        async with single(self._engine) as connection:
            await connection.execute(statements.PRUNE_NONCES, {"before": now - self._window})

    async def _accept_all(self, intents: list[Intent]) -> list[Told]:
        """One round: twins (same key) follow the first of them."""
        first: dict[tuple[str, str], int] = {}
        for place, intent in enumerate(intents):
            first.setdefault((intent.region, intent.key), place)
        leaders = sorted(first.values())
        told: dict[int, Told] = dict(
            zip(leaders, await self._store([intents[place] for place in leaders]), strict=True)
        )
        again: list[int] = []
        for place, intent in enumerate(intents):
            if place in told:
                continue
            leader = told[first[intent.region, intent.key]]
            answer = answer_as_leader(leader, intent) if isinstance(leader, Acceptance) else None
            if answer is None:
                again.append(place)
            else:
                told[place] = answer
        if again:
            rest = await self._accept_all([intents[place] for place in again])
            told.update(zip(again, rest, strict=True))
        return [told[place] for place in range(len(intents))]

    async def _store(self, intents: list[Intent]) -> list[Told]:
        """A round without twins: applications go together, whatever that cannot settle goes carefully."""
        opening = [intent for intent in intents if intent.new_case is not None]
        rest = [intent for intent in intents if intent.new_case is None]
        told = {
            id(intent): end
            for part, answers in ((opening, await self._open(opening)), (rest, await self._append(rest)))
            for intent, end in zip(part, answers, strict=True)
        }
        return [told[id(intent)] for intent in intents]

    async def _open(self, intents: list[Intent]) -> list[Told]:
        if not intents:
            return []
        try:
            await self._prepare(intents)
            told = await open_together(self._engine, Batch.of(self._vault, intents), self._window)
            await self._prune(max(intent.received_at for intent in intents))
        except Exception as error:  # noqa: BLE001 - the other way tells each its end
            return await self._carefully(intents, again=may_have_happened(error))
        return told

    async def _append(self, intents: list[Intent]) -> list[Told]:
        """The first follow-up to each case together; what comes after it, or may not be, carefully."""
        first = {intent.case_id: intent for intent in reversed(intents) if intent.seen is not None}
        told: dict[int, Told | None] = {}
        again = False
        if first:
            try:
                await self._prepare(list(first.values()))
                batch = Batch.of(self._vault, list(first.values()))
                ends = await append_together(self._engine, batch, self._window)
                told = {id(intent): end for intent, end in zip(first.values(), ends, strict=True)}
            except Exception as error:  # noqa: BLE001 - the other way tells each its end
                again = may_have_happened(error)
        left = [intent for intent in intents if told.get(id(intent)) is None]
        told |= dict(zip(map(id, left), await self._carefully(left, again=again), strict=True))
        return [told[id(intent)] or LookupError("undecided") for intent in intents]

    async def _carefully(self, intents: list[Intent], *, again: bool = False) -> list[Told]:
        """Nonces and keys first, then a transaction that tells each intent its own end.

        ``again``: the connection broke over these intents, so a nonce that is used may be theirs.
        """
        if not intents:
            return []
        admissions = await self._admit_all([(i.region, i.key, i.nonce, i.received_at) for i in intents])
        told = [
            _not_admitted(admission, i, again=again) for admission, i in zip(admissions, intents, strict=True)
        ]
        wanted = [intent for intent, end in zip(intents, told, strict=True) if end is None]
        stored = iter(await self._transact(wanted))
        return [next(stored) if end is None else end for end in told]

    async def _transact(self, intents: list[Intent], *, again: bool = False) -> list[Told]:
        """One transaction; a failure halves the batch until the culprit is alone.

        After a broken connection it is tried once more: what was committed after all answers as known.
        """
        if not intents:
            return []
        try:
            return await self._transaction(intents)
        except Exception as error:  # noqa: BLE001 (told to the callers, who raise it)
            if is_away(error):
                return [busy() for _ in intents] if again else await self._transact(intents, again=True)
            if len(intents) == 1:
                return [error]
        half = len(intents) // 2
        return [*await self._transact(intents[:half]), *await self._transact(intents[half:])]

    async def _transaction(self, intents: list[Intent]) -> list[Told]:
        await self._prepare(intents)
        async with self._engine.begin() as connection:
            return await Batch.of(self._vault, intents).run(connection)

    async def _prepare(self, intents: list[Intent]) -> None:
        await self._vault.prepare(
            [row_id for intent in intents for row_id in (intent.message_id, intent.case_id)]
        )


def _not_admitted(admission: Admission | BaseException, intent: Intent, *, again: bool) -> Told | None:
    """Why an intent goes no further; None when it does."""
    if isinstance(admission, BaseException):
        return admission
    if admission.nonce_used and not again:
        return Acceptance(Stored.NONCE_USED)
    if admission.known is None:
        return None
    if admission.known.digest != intent.digest:
        return Acceptance(Stored.KEY_REUSED)
    return Acceptance(Stored.KNOWN, receipt=admission.known)
