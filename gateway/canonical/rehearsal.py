"""What a region's stand-in says and hears when a crossing is rehearsed, in neither side's words."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime
    from random import Random

    from gateway.canonical.kinds import Kind, State


@dataclass(frozen=True, slots=True)
class Draw:
    """What a new message is made of: chance, a number not used before, the time (aware)."""

    chance: Random
    serial: int
    now: datetime


@dataclass(frozen=True, slots=True)
class Office:
    """An agency as the tables know it; ``place`` is the full name of its division."""

    division: str
    place: str
    name: str
    uscc: str
    level: str


@dataclass(frozen=True, slots=True)
class Paper:
    """A material in a side's own words."""

    code: str
    name: str


@dataclass(frozen=True, slots=True)
class Errand:
    """What an applicant comes for, drawn from the tables, in the own words of the side that takes it.

    ``item`` is the shared name, ``code`` the base code, ``scheme`` empty when the item names none,
    ``limit`` the promised value and its unit (工作日, 日, 月). ``papers`` are recognised on the other side.
    """

    kind: Kind
    item: str
    code: str
    name: str
    here: Office
    there: Office
    scheme: str = ""
    by_employer: bool = False
    papers: tuple[Paper, ...] = ()
    limit: tuple[int, str] = (0, "")


@dataclass(frozen=True, slots=True)
class Facts:
    """What a stand-in remembers of a case to go on with it.

    ``case_ref`` is the number this side uses, ``division`` its own agency, ``scheme`` the native code,
    ``item`` the base code, ``papers`` those of the application.
    ``old_place``: this side keeps the record that moves; ``origin_concludes``: the origin is the one that
    ends the case, as new place of a transfer or as household place of a claim (crossing §5.2).
    """

    kind: Kind
    case_ref: str
    division: str
    origin: bool
    scheme: str = ""
    old_place: bool = False
    origin_concludes: bool = False
    item: str = ""
    papers: tuple[Paper, ...] = ()
    name: str = field(default="", repr=False)
    id_no: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Turn:
    """One thing a side does with a case.

    ``special`` is a key of ``special_procedure``; ``late_s`` dates a report back by so many seconds.
    """

    kind: Kind
    state: State | None = None
    special: str = ""
    reason: str = ""
    late_s: int = 0


@dataclass(frozen=True, slots=True)
class Said:
    """A message a stand-in sends: native bytes, to be proven anew on each attempt."""

    kind: Kind
    native_kind: str
    key: str
    case_ref: str
    body: bytes = field(repr=False)
    state: State | None = None
    facts: Facts | None = None


@dataclass(frozen=True, slots=True)
class Heard:
    """A message a stand-in received; ``facts`` come with applications, ``state`` with status reports."""

    kind: Kind
    native_kind: str
    key: str
    case_ref: str
    state: State | None = None
    facts: Facts | None = None


class Unheard(Exception):  # noqa: N818 - a word of the field, not a programming error
    """A stand-in refuses a message: ``status`` and ``code`` of crossing §1, the path, a Chinese text."""

    def __init__(self, status: int, code: str, path: str, text: str) -> None:
        super().__init__(f"{status} {code} {path}")
        self.status, self.code, self.path, self.text = status, code, path, text


@dataclass(frozen=True, slots=True)
class Told:
    """The gateway's receipt as its sender reads it; ``taken`` is None when it cannot be read.

    ``case_no`` is None where the interface's receipts have no place for case numbers at all.
    """

    taken: bool | None
    code: str = ""
    text: str = ""
    case_no: str | None = ""


@dataclass(frozen=True, slots=True)
class StandIn:
    """A region's stand-in as functions: pure, with chance, time and keys handed in.

    * ``pair(secret)``: fresh keys, as ``(section of the gateway's settings, keys of the stand-in)``.
    * ``keys(texts)``: the stand-in's keys, parsed.
    * ``apply(errand, draw)``: an application with an invented person.
    * ``follow(facts, turn, draw)``: a follow-up of a case.
    * ``adopt(body)``: one of the region's worked messages, as published.
    * ``address(body, facts, now)``: a worked follow-up, addressed to a case and dated.
    * ``request(said, keys, now, nonce)``: headers and bytes of one attempt.
    * ``hear(kind_in_path, headers, body, keys, now)``: a delivery of the gateway, proof checked;
      raises `Unheard`.
    * ``answer(heard, refusal, draw)``: the receipt's bytes.
    * ``read(status, body)``: the gateway's receipt.

    ``inbox`` is the path deliveries come to, each kind one step below it; or itself, for an interface
    with one address for all kinds, and then ``kind_in_path`` is ``""``. ``outbox`` is the gateway's;
    ``content_type`` that of receipts.
    """

    slug: str
    inbox: str
    outbox: str
    content_type: str
    pair: Callable[[Callable[[], str]], tuple[dict[str, str], dict[str, str]]]
    keys: Callable[[Mapping[str, str]], Any]
    apply: Callable[[Errand, Draw], Said]
    follow: Callable[[Facts, Turn, Draw], Said]
    adopt: Callable[[bytes], Said]
    address: Callable[[bytes, Facts, datetime], Said]
    request: Callable[[Said, Any, datetime, str], tuple[Mapping[str, str], bytes]]
    hear: Callable[[str, Mapping[str, str], bytes, Any, datetime], Heard]
    answer: Callable[[Heard | None, Unheard | None, Draw], bytes]
    read: Callable[[int, bytes], Told]
