"""The rows that cross the border of the store, as values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from gateway.canonical.tracking import CaseEvent, Conflict, Ignored, Move, TrackedCase

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from gateway.canonical.kinds import Kind


@dataclass(frozen=True, slots=True)
class StoredReceipt:
    """The receipt once given; a repeated key gets exactly this again."""

    status: int
    body: bytes
    digest: str


@dataclass(frozen=True, slots=True)
class Admission:
    """Steps 7 and 8 of crossing §1: is the nonce fresh, is the key known."""

    nonce_used: bool
    known: StoredReceipt | None


@dataclass(frozen=True, slots=True)
class Person:
    """Who the case is about; encrypted at rest, found again by a blind index of ``id_no``."""

    name: str = field(repr=False)
    id_type: str
    id_no: str = field(repr=False)


class Part(StrEnum):
    """The kept forms of a message; each is encrypted on its own."""

    RAW = "raw"
    CANONICAL = "canonical"
    TRACE = "trace"
    RENDERED = "rendered"


@dataclass(frozen=True, slots=True)
class Seen:
    """A case as it stood at some moment: whoever has changed it since has counted one of the two up."""

    case: TrackedCase
    last_seq: int
    last_event: int


#: Decides on the locked case row what an arriving message does.
Decide = Callable[[TrackedCase], Move | Ignored | Conflict]


@dataclass(frozen=True, slots=True)
class Intent:
    """A translated (or parked) message that wants to be stored.

    ``new_case`` for applications, else the case ``case_id`` is locked and handed to ``decide``.
    ``parked``: kept, not forwarded (its ``bodies`` have no ``rendered``). ``receipt`` turns the
    decision into the receipt bytes that are stored with it. ``nonce`` is used up with it.
    ``seen``: the case of a follow-up as it was looked up. ``findings`` are the reasons of parking
    ({path, code, text}), never with values.
    """

    message_id: UUID
    region: str
    destination: str
    key: str
    digest: str
    kind: Kind
    native_kind: str
    out_kind: str
    received_at: datetime
    case_id: UUID
    tables_digest: str
    bodies: Mapping[Part, bytes] = field(repr=False)
    decide: Decide
    receipt: Callable[[Move | Ignored], StoredReceipt]
    new_case: TrackedCase | None = None
    person: Person | None = None
    nonce: str | None = None
    seen: Seen | None = None
    parked: bool = False
    findings: tuple[Mapping[str, str], ...] = ()


class Stored(StrEnum):
    """How an intent ended."""

    STORED = "stored"
    KNOWN = "known"  # the key is there with the same digest: the first receipt is answered
    KEY_REUSED = "key_reused"  # 9020
    NONCE_USED = "nonce_used"  # 9003
    CASE_USED = "case_used"  # 9021
    CONFLICT = "conflict"  # 9022, 9023, 9024


@dataclass(frozen=True, slots=True)
class Acceptance:
    """The end of one intent; ``ring`` names the destination that has new work."""

    stored: Stored
    receipt: StoredReceipt | None = None
    conflict: Conflict | None = None
    ring: str = ""
    result: Move | Ignored | None = None


@dataclass(frozen=True, slots=True)
class Delivery:
    """A claimed delivery: bytes to seal and send, under a fence; ``seen`` its case when it was claimed."""

    id: UUID
    message_id: UUID
    case_id: UUID
    destination: str
    kind: Kind
    native_kind: str
    attempt: int
    fence: int
    rendered: bytes = field(repr=False)
    first_attempt_at: datetime
    case_no: str = ""
    seen: Seen | None = field(default=None, repr=False, compare=False)


class Ending(StrEnum):
    """What an attempt led to."""

    DELIVERED = "delivered"
    RETRY = "retry"
    REFUSED = "refused"
    DEAD = "dead"


@dataclass(frozen=True, slots=True)
class Settlement:
    """The verdict on one claimed delivery; touches nothing when ``fence`` is old.

    ``due_in_s`` seconds until the next attempt (RETRY only); ``code``/``text`` the peer's own words
    or our reason.
    """

    delivery: Delivery
    ending: Ending
    began_at: datetime
    took_s: float
    http_status: int | None = None
    code: str = ""
    text: str = field(default="", repr=False)
    due_in_s: float = 0.0


@dataclass(frozen=True, slots=True)
class OpenDelivery:
    """A delivery as operators see it (``behind``, ``ready``, ``sending``, ``parked``, ``dead``, ``refused``)."""

    message_id: UUID
    case_no: str
    destination: str
    native_kind: str
    state: str
    attempt: int
    due_at: datetime | None
    last_error: str


@dataclass(frozen=True, slots=True)
class ParkedMessage:
    """A message waiting for a table row; ``raw`` are the exact bytes it came in."""

    id: UUID
    region: str
    key: str
    kind: Kind
    native_kind: str
    case_id: UUID
    case_no: str
    findings: tuple[Mapping[str, str], ...]
    received_at: datetime
    raw: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class CaseRecord:
    """A case with what only its owner may read."""

    case: TrackedCase
    person: Person = field(repr=False)
    last_seq: int = 0
    last_event: int = 0

    @property
    def seen(self) -> Seen:
        """The case as it stood when it was read."""
        return Seen(self.case, self.last_seq, self.last_event)


@dataclass(frozen=True, slots=True)
class ToldMessage:
    """What the side that asks itself is told: the rendered canonical JSON of one message of its case."""

    seq: int
    kind: Kind
    received_at: datetime
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class CaseHistory:
    """Everything the case view shows: the case, its timeline, every trace entry in order of arrival."""

    record: CaseRecord
    events: tuple[CaseEvent, ...]
    trace: tuple[Mapping[str, Any], ...] = field(repr=False)
