"""The English of what becomes of a field; why it does is in each region's ``texts.en.po``."""

from __future__ import annotations

from types import MappingProxyType

from gateway.mapping.explain import Fate

FATES = MappingProxyType(
    {
        Fate.MAPPED: ("carried", "stands for a value of the other side, converted by the rule"),
        Fate.HELD: ("carried by code", "the same, put together or taken apart by the functions named"),
        Fate.DERIVED: ("derived", "the other side has no such field: it follows from other values or rules"),
        Fate.FIXED: ("fixed", "always this value"),
        Fate.MINTED: ("made", "a number, a time or a name the gateway makes"),
        Fate.CHECKED: ("checked", "compared with something else, not carried"),
        Fate.DROPPED: ("not carried", "does not go to the other side"),
        Fate.UNWRITTEN: ("not written", "the gateway never writes it"),
        Fate.UNEXPLAINED: ("unexplained", "nobody has said"),
    }
)
