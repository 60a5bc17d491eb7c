"""Which report is taken in which state: the table of crossing §5.3, and the sets of states around it."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from gateway.canonical.kinds import State

if TYPE_CHECKING:
    from collections.abc import Mapping


class Take(StrEnum):
    """A taken and forwarded, I ignored, N (I* in the spec) taken as a note if the words are new, C conflict."""

    TAKEN = "A"
    IGNORED = "I"
    NOTE = "N"
    CONFLICT = "C"


_REPORTED = ("10", "11", "20", "21", "23", "30", "31", "32", "33", "40", "41", "50")
_HELD = {
    "10": "I  A  A  A  A  A  A  A  A  A  A  C",
    "22": "I  A  A  A  A  A  A  A  A  A  A  C",
    "28": "I  A  A  A  A  A  A  A  A  A  A  C",
    "11": "A  I  A  A  A  A  A  A  A  A  A  C",
    "20": "I  I  I  C  A  A  A  A  A  A  A  C",
    "30": "I  I  I  C  A  N  A  A  A  A  A  C",
    "31": "I  I  I  C  A  A  I  A  A  A  A  C",
    "32": "I  I  I  C  A  A  A  N  A  A  A  C",
    "33": "I  I  I  C  A  A  A  A  I  A  A  C",
    "40": "C  C  C  C  C  C  C  C  C  I  C  A",
    "41": "C  C  C  C  C  C  C  C  C  C  I  A",
    "50": "C  C  C  C  C  C  C  C  C  C  C  I",
    "21": "C  C  C  I  C  C  C  C  C  C  C  C",
    "23": "C  C  C  C  I  C  C  C  C  C  C  C",
    "60": "C  C  C  C  C  C  C  C  C  C  C  C",
    "90": "C  C  C  C  C  C  C  C  C  C  C  C",
}

#: (held, reported) → what happens; a pair that is not there is a conflict.
MATRIX: Mapping[tuple[State, State], Take] = {
    (State(held), State(reported)): Take(take)
    for held, row in _HELD.items()
    for reported, take in zip(_REPORTED, row.split(), strict=True)
}

#: States either side may report; every other one belongs to the owner of the phase (§5.2).
ANYONES = frozenset({State.RECEIVED, State.WITHDRAWN, State.SERVED})

#: The clock stops here.
FINAL = frozenset(
    {
        State.DECLINED,
        State.WITHDRAWN,
        State.CONCLUDED,
        State.RETURNED,
        State.SERVED,
        State.RATED,
        State.CLOSED,
    }
)

UNDER_WAY = frozenset({State.IN_REVIEW, State.SUSPENDED_CORRECTION, State.SUSPENDED_PROCEDURE, State.INQUIRY})
#: Reported states that lie behind the acceptance, and behind the start of the review.
BEYOND_ACCEPTED = UNDER_WAY | {State.CONCLUDED, State.RETURNED}
BEYOND_REVIEW = BEYOND_ACCEPTED - {State.IN_REVIEW}

#: Where an information sheet or an answer may come (§4.2, §4.4).
UNDECIDED = frozenset({State.RECEIVED, State.ACCEPTED, State.FORWARDED}) | UNDER_WAY
#: Where supplement, withdrawal and rating may come (§4.8–4.10).
SUPPLEMENTED: Mapping[State, State] = {
    State.CORRECTION: State.RECEIVED,
    State.SUSPENDED_CORRECTION: State.IN_REVIEW,
}
WITHDRAWABLE = UNDECIDED | {State.CORRECTION, State.UNDELIVERED}
RATEABLE = frozenset({State.CONCLUDED, State.RETURNED, State.SERVED})
