"""What a region declares so that a live server of it can be probed: its clauses, its proof, its receipts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class Form:
    """A receipt as its bytes tell it, whatever the status.

    ``faults`` are (path, Chinese sentence) against the published form; ``number`` is the receipt's own,
    ``same`` what the original receipt, given again, has to repeat; ``paths`` those of its findings.
    """

    faults: tuple[tuple[str, str], ...] = ()
    number: str = ""
    code: str = ""
    case_ref: str = ""
    same: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Probes:
    """How a region's server is probed, beyond what its `Region` and `StandIn` say.

    * ``clauses``: topic → clause of the published specification; topics are `TOPICS`.
    * ``proof``: header of the proof, in lower case → codes that answer a change of its value.
    * ``altered``: codes that answer a body of which one byte was changed after signing.
    * ``impostor(credentials)``: the same names with a key nobody knows.
    * ``unreadable(body)``: (what was done, in Chinese; the bytes) for bodies that are no message at all;
      each is signed rightly before it is sent.
    * ``attacks(body)``: the same for bodies made to do harm: bombs, depth, declarations.
    * ``variants(body)``: the same for other spellings of the same message, which have to be read.
    * ``receipt(body)``: the receipt's `Form`.
    * ``own_key(now, number)``: a message key as the region's own systems write it, which a server refuses
      when it comes from the gateway; None where keys do not tell who wrote them.
    """

    slug: str
    clauses: Mapping[str, str]
    proof: Mapping[str, frozenset[str]]
    altered: frozenset[str]
    impostor: Callable[[Any], Any]
    unreadable: Callable[[bytes], Sequence[tuple[str, bytes]]]
    attacks: Callable[[bytes], Sequence[tuple[str, bytes]]]
    variants: Callable[[bytes], Sequence[tuple[str, bytes]]]
    receipt: Callable[[bytes], Form]
    own_key: Callable[[datetime, int], str] | None = None


#: What ``clauses`` has to name.
TOPICS = ("transport", "proof", "key", "receipt", "types", "kinds")
