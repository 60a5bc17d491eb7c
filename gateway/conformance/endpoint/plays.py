"""How the door treats what comes: as it deserves, or difficult on purpose; and whose number a case has."""

from __future__ import annotations

import re
from datetime import date
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gateway.region import Region

#: Seconds a sender that is told to come later has to wait at least.
LATER_S = 1
#: Digits of a minted serial, at most: more are refused as used up.
_SERIAL = 5


def is_minted(region: Region, case_ref: str) -> bool:
    """Whether a gateway mints such numbers for this region: its own, or the region's kind for foreign cases."""
    if case_ref.startswith("CYTB"):
        return True
    found = re.fullmatch(r"\D*(\d{6})\D*(\d{8})\D*(\d+)", case_ref)
    if found is None:
        return False
    try:
        day = date.fromisoformat(found[2])
    except ValueError:
        return False
    tails = {int(found[3][start:]) for start in range(len(found[3])) if len(found[3]) - start <= _SERIAL}
    return any(region.mint_case_no(found[1], day, tail) == case_ref for tail in tails)


class Play(StrEnum):
    """How the door treats the first attempt of a message, apart from what it deserves."""

    TAKE = "take"
    AWAY = "away"  # 503 with Retry-After, nothing stored
    LOST = "lost"  # taken, but the receipt does not arrive
    BUSY = "busy"  # 429 with Retry-After
    PARKED = "parked"  # taken, waits for a table row
    IGNORED = "ignored"  # taken without effect

    @property
    def label(self) -> str:
        """What the sender got, in Chinese."""
        return {
            "take": "如实答复",
            "away": f"答复 HTTP 503、Retry-After: {LATER_S}",
            "lost": "收下后答复 HTTP 502、没有回执",
            "busy": f"答复 HTTP 429、Retry-After: {LATER_S}",
            "parked": "答复 HTTP 202、PARKED（已挂起）",
            "ignored": "答复 HTTP 202、IGNORED（已忽略）",
        }[self.value]


#: Each new message in turn; then the door is honest. A first one tells whether anything is right at all.
PLAYS = (Play.TAKE, Play.AWAY, Play.LOST, Play.BUSY, Play.PARKED, Play.IGNORED)
