"""What a desk keeps: messages taken in, messages sent, cases, and where it works (plain records)."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from gateway.conformance import script
from gateway.conformance.hooks import Hooks

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable
    from datetime import datetime

    from gateway.canonical.kinds import Kind, State
    from gateway.canonical.rehearsal import Facts, StandIn
    from gateway.conformance.errands import Errands
    from gateway.conformance.script import Step


@dataclass(slots=True)
class Effect:
    """A message taken in once, however often it came."""

    key: str
    kind: str
    meaning: Kind
    case_ref: str
    order: int
    case_order: int
    answer: bytes
    state: State | None = None
    count: int = 1

    def as_json(self) -> dict[str, Any]:
        return {
            "key": self.key,
            "kind": self.kind,
            "case_ref": self.case_ref,
            "order": self.order,
            "case_order": self.case_order,
            "state": self.state,
            "count": self.count,
        }


@dataclass(slots=True)
class Sent:
    """A message of this side: its attempts and what the gateway said to it."""

    key: str
    kind: str
    case_ref: str
    state: State | None = None
    attempts: int = 0
    status: int | None = None
    outcome: str = "waiting"
    code: str = ""
    case_no: str = ""
    text: str = ""

    def as_json(self) -> dict[str, Any]:
        return {
            "key": self.key,
            "kind": self.kind,
            "case_ref": self.case_ref,
            "state": self.state,
            "attempts": self.attempts,
            "status": self.status,
            "outcome": self.outcome,
            "code": self.code,
            "case_no": self.case_no,
            "text": self.text,
        }


@dataclass(slots=True)
class Case:
    """A case as this side sees it."""

    facts: Facts
    state: State | None = None
    case_no: str = ""
    worked: bool = False
    steps: deque[Step] = field(default_factory=deque)
    work: asyncio.Task[None] | None = None
    heard: Counter[Kind] = field(default_factory=Counter)

    def as_json(self) -> dict[str, Any]:
        return {
            "case_ref": self.facts.case_ref,
            "case_no": self.case_no,
            "kind": self.facts.kind,
            "role": "origin" if self.facts.origin else "target",
            "state": self.state,
            "name": self.state.label if self.state else "",
            "item": self.facts.item,
            "final": self.final,
        }

    @property
    def final(self) -> bool:
        return self.state in script.FINAL


@dataclass(frozen=True, slots=True)
class Place:
    """Where and as whom a desk works; ``worked`` are the region's worked messages by kind."""

    stand_in: StandIn
    keys: Any
    errands: Errands
    gateway_url: str
    clock: Callable[[], datetime]
    nonce: Callable[[], str]
    worked: dict[Kind, bytes] = field(default_factory=dict)
    worked_people: frozenset[tuple[Kind, str]] = frozenset()
    hooks: Hooks = field(default_factory=Hooks)
