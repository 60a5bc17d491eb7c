"""Messages a Chongqing system would write by hand: no field map is used, so that the two can disagree."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from adapters.chongqing.drafts.applications import APPLICATIONS
from adapters.chongqing.drafts.follow_ups import FOLLOW_UPS, state_of
from adapters.chongqing.drafts.heads import CHINA, JYM, packet, written

if TYPE_CHECKING:
    from gateway.canonical.rehearsal import Draw, Errand, Facts, Turn

__all__ = ["CHINA", "JYM", "application", "follow_up", "packet", "state_of", "written"]


def application(errand: Errand, draw: Draw) -> tuple[dict[str, Any], Facts]:
    """BODY of an application with an invented person, and what to remember of it."""
    return APPLICATIONS[errand.kind](errand, draw)


def follow_up(facts: Facts, turn: Turn, draw: Draw) -> dict[str, Any]:
    """BODY of a follow-up by the number Chongqing uses."""
    return FOLLOW_UPS[turn.kind](facts, turn, draw)
