"""Messages a Sichuan system would write by hand: no field map is used, so that the two can disagree."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from adapters.sichuan.drafts.applications import APPLICATIONS
from adapters.sichuan.drafts.follow_ups import FOLLOW_UPS, WORDS
from adapters.sichuan.drafts.heads import FWID, log_number, stamp

if TYPE_CHECKING:
    from gateway.canonical.rehearsal import Draw, Errand, Facts, Turn

__all__ = ["FWID", "WORDS", "application", "follow_up", "log_number", "stamp"]


def application(errand: Errand, draw: Draw) -> tuple[dict[str, Any], Facts]:
    """An application with an invented person, and what to remember of it."""
    return APPLICATIONS[errand.kind](errand, draw)


def follow_up(facts: Facts, turn: Turn, draw: Draw) -> dict[str, Any]:
    """A follow-up of a case by the number Sichuan uses."""
    head = {"fwid": FWID[turn.kind], "aaz002": log_number(draw), "affairCode": facts.case_ref}
    return {**head, **FOLLOW_UPS[turn.kind](facts, turn, draw)}
