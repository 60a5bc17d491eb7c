"""Mutual recognition: what one side issued, the other accepts as what, for which items, since when."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING

from gateway.mapping.sheet import Line, Sheet, in_force

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

ANY_ITEM = "*"


@dataclass(frozen=True, slots=True)
class Rule:
    """One directed, dated rule; ``items`` empty = every item."""

    rule_id: str
    issued_by: str
    accepted_by: str
    subject_kind: str
    subject: str
    accepted_as: str
    items: frozenset[str]
    basis: str
    effective_from: date
    effective_to: date | None
    note: str = ""

    def applies(self, item: str, on: date) -> bool:
        return (not self.items or item in self.items) and in_force(on, self.effective_from, self.effective_to)


@dataclass(frozen=True, slots=True)
class Rules:
    """Rules by (issued_by, accepted_by, subject), each group in the order of choice of crossing §3.3."""

    groups: Mapping[tuple[str, str, str], tuple[Rule, ...]] = field(repr=False)

    def find(
        self,
        subject_kinds: frozenset[str],
        subject: str,
        *,
        issued_by: str,
        accepted_by: str,
        item: str,
        on: date,
    ) -> Rule | None:
        """The rule to use; None = none in force (park 1002).

        Order: a rule naming the item before ``*``, then the later start, then the lower id.
        """
        for rule in self.groups.get((issued_by, accepted_by, subject), ()):
            if rule.subject_kind in subject_kinds and rule.applies(item, on):
                return rule
        return None

    def __iter__(self) -> Iterator[Rule]:
        for group in self.groups.values():
            yield from group


def rules(sheets: Iterable[Sheet]) -> Rules:
    """Build from linted lines of all topics."""
    groups: defaultdict[tuple[str, str, str], list[Rule]] = defaultdict(list)
    for sheet in sheets:
        for line in sheet:
            rule = _rule(line)
            groups[(rule.issued_by, rule.accepted_by, rule.subject)].append(rule)
    return Rules({key: tuple(sorted(group, key=_choice)) for key, group in groups.items()})


def _choice(rule: Rule) -> tuple[bool, int, str]:
    return (not rule.items, -rule.effective_from.toordinal(), rule.rule_id)


def _rule(line: Line) -> Rule:
    return Rule(
        rule_id=line["rule_id"],
        issued_by=line["issued_by"],
        accepted_by=line["accepted_by"],
        subject_kind=line["subject_kind"],
        subject=line["subject"],
        accepted_as=line["accepted_as"],
        items=frozenset() if line["items"] == ANY_ITEM else frozenset(line.listed("items")),
        basis=line["basis"],
        effective_from=date.fromisoformat(line["effective_from"]),
        effective_to=line.day("effective_to"),
        note=line["note"],
    )
