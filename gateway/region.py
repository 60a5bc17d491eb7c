"""The seam: what a region is to the gateway. Everything else is a pipeline."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import date, datetime

    from pydantic import BaseModel

    from gateway.canonical.kinds import State
    from gateway.errors import Finding
    from gateway.mapping.fieldmap import FieldMap

#: A decoded native message: nested ``dict``, ``list``, ``str``, ``int``, ``Decimal``, ``bool``, ``None``.
#: XML is the same with ``str`` leaves, a ``list`` where an element is repeated, order kept.
Tree = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Inbound:
    """A request as received: lower-case header names, exact body bytes."""

    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Opened:
    """A readable message of a region before any rule was applied.

    ``key`` is the message key, ``digest`` the hex SM3 content digest of the region's own rule,
    ``sent_at`` aware or None when it cannot be read, ``case_ref``/``gateway_ref`` the case numbers as
    written, ``sender`` the address a receipt is written to. Missing members are ``""``.
    ``faults`` are structural findings (9042) only the parser could see.
    """

    native_kind: str
    key: str
    digest: str
    sent_at: datetime | None
    nonce: str | None
    tree: Tree
    case_ref: str = ""
    gateway_ref: str = ""
    sender: str = ""
    faults: tuple[Finding, ...] = ()


class Outcome(StrEnum):
    """What became of a message at the door; the label of ``tongban_messages_total``."""

    ACCEPTED = "accepted"
    PARKED = "parked"
    IGNORED = "ignored"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the sender is told, before it is put into the sender's own format. ``state``: of the case, after it."""

    outcome: Outcome
    status: int
    code: str = ""
    text: str = ""
    findings: tuple[Finding, ...] = ()
    case_ref: str = ""
    case_no: str = ""
    sender: str = ""
    retry_after: int | None = None
    state: State | None = None


@dataclass(frozen=True, slots=True)
class SignedRequest:
    """One attempt, ready to send: path below ``base_url``, headers, body."""

    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Blank:
    """A message of a known kind with nothing in it, to be sealed and sent as a connection test.

    It has neither message key nor case number: whoever checks the proof and then the form has to refuse it,
    and whoever checks nothing has nothing to act on. Shape: ``body`` are the bytes `Region.seal` takes.
    """

    native_kind: str
    body: bytes


class Taken(StrEnum):
    """How a peer answered (spec/gateway.md §5)."""

    DELIVERED = "delivered"
    REFUSED = "refused"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class Reply:
    """A peer's answer: its verdict, its own code and words; the case it names, where it names one."""

    taken: Taken
    code: str = ""
    text: str = ""
    case_ref: str = ""


@dataclass(frozen=True, slots=True)
class Region:
    """A region is a value, not a class to inherit from.

    All callables are pure: clock, keys and serial numbers are handed in.

    * ``verify(inbound, credentials, now)``: steps 2 to 4 of crossing §1; raises `Refusal` 415/401/403.
    * ``open(inbound)``: step 6; raises `Refusal` 422 9041.
    * ``parse(body)``: the same without proof or headers, for the dry run.
    * ``seal(rendered, native_kind, credentials, now, nonce)``: one attempt (fresh time and proof).
    * ``receipt(receipt, key, now)``: body bytes of a receipt in the region's format.
    * ``read_reply(status, body)``: the peer's answer to us.
    * ``message_key(serial, now)``: a new message key for this region.
    * ``mint_case_no(division, day, serial)``: the number by which this region knows a foreign case,
      or None when it uses the gateway's own.
    """

    slug: str
    name: str
    division_prefix: str
    spec: str
    content_type: str
    credentials: type[BaseModel]
    maps: Mapping[str, FieldMap]
    verify: Callable[[Inbound, Any, datetime], None]
    open: Callable[[Inbound], Opened]
    parse: Callable[[bytes], Opened]
    render: Callable[[Tree, str], bytes]
    seal: Callable[[bytes, str, Any, datetime, str], SignedRequest]
    receipt: Callable[[Receipt, str, datetime], bytes]
    read_reply: Callable[[int, bytes], Reply]
    message_key: Callable[[int, datetime], str]
    mint_case_no: Callable[[str, date, int], str | None]
    #: where a message says its kind and its case number, for findings
    kind_path: str
    case_path: str
    #: what a connection test sends
    blank: Blank
    #: answers to the test that tell of the proof: code of the region's receipts → what to do, in Chinese
    proof_faults: Mapping[str, str]
    #: member of the dry run's ``context`` that holds this region's case number (gateway §4)
    context_name: str
    #: seconds either side of the receiver's clock in which a proof is valid
    window_s: int = 300
    #: admitted gaps against the conformance laws, each with its reason
    exempt: Mapping[str, str] = field(default_factory=dict)
