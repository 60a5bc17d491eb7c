"""What several laws cannot do without."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.conformance.laws.rulebook import CannotTell
from gateway.conformance.pointing import bare
from gateway.mapping.explain import code_list_of
from gateway.mapping.fieldmap import Sight

if TYPE_CHECKING:
    from gateway.canonical.rehearsal import StandIn
    from gateway.conformance.subject import Example, Subject


def stand_in_of(subject: Subject) -> StandIn:
    """The region's stand-in. Errors: `CannotTell` without one."""
    if subject.stand_in is None:
        raise CannotTell("没有模拟对端（见 R-B03）")
    return subject.stand_in


def sight_of(subject: Subject) -> Sight:
    """How the region's own messages are looked at, on the day of the check."""
    peer = subject.others[0].slug if subject.others else subject.slug
    return Sight(subject.tables, subject.slug, subject.slug, peer, subject.today, door=False)


def file_of(subject: Subject, example: Example, what: str = "") -> str:
    """The file of a worked message, or of what lies beside it, for messages."""
    name = f"{example.kind}.{what}.json" if what else example.name
    return f"{subject.where}/examples/{name}"


def at_a_border(subject: Subject, kind: str, path: str) -> bool:
    """Whether a field names other regions' divisions: which are right no published schema can know."""
    found = bare(path)
    return any(
        found.endswith(bare(row.native))
        for row in subject.region.maps[kind].rows
        if row.form.bind is not None and not code_list_of(row)
    )
