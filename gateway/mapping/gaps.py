"""What a parked message waits for, as the row that is missing, and the rows that would end its waiting (pure)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gateway.mapping.amend import Addition
from gateway.mapping.recognition import ANY_ITEM

if TYPE_CHECKING:
    from datetime import date

    from gateway.mapping.recognition import Rule
    from gateway.mapping.tables import Tables

MATERIAL, CERTIFICATION = "material", "certification"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A shared meaning one may choose. ``own``: the sender's word for it; ``peer``: what the other side would get."""

    key: str
    meaning: str
    own: str = ""
    peer: str = ""


@dataclass(frozen=True, slots=True)
class WordGap:
    """A word of a code list that cannot cross from ``region`` to ``peer``.

    ``key``: its meaning when the sender's list has it already, then only the other side lacks a word;
    ``closed``: these tables lack nothing.
    """

    list_name: str
    region: str
    peer: str
    native: str
    key: str = ""
    closed: bool = False
    candidates: tuple[Candidate, ...] = field(default=(), repr=False)

    def candidate(self, key: str) -> Candidate | None:
        """The candidate of this key."""
        return next((each for each in self.candidates if each.key == key), None)


@dataclass(frozen=True, slots=True)
class RuleGap:
    """Something issued by ``region`` that ``peer`` recognises by no rule in force on the day of a case."""

    region: str
    peer: str
    subject_kind: str
    subject: str
    meaning: str
    rule_id: str
    candidates: tuple[Candidate, ...] = field(default=(), repr=False)
    #: rules about the same thing that are not in force for what waits
    others: tuple[Rule, ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """What a person filled in: a word's meaning, or what is recognised. Empty = left open."""

    native: str = ""
    key: str = ""
    #: of a shared meaning that is new
    meaning: str = ""
    peer_native: str = ""
    accepted_as: str = ""
    items: str = ANY_ITEM
    since: date | None = None
    basis: str = ""


def word_gap(tables: Tables, list_name: str, region: str, peer: str, native: str) -> WordGap:
    """What these tables lack for a word. Errors: `KeyError` for a list nobody knows."""
    own, other, hub = tables.codes(region, list_name), tables.codes(peer, list_name), tables.hub(list_name)
    known = own.read(native) if native else None
    candidates = tuple(
        Candidate(key, meaning, _native(own.write(key)), _native(other.write(key)))
        for key, meaning in hub.meanings.items()
    )
    return WordGap(
        list_name,
        region,
        peer,
        native,
        key=known.key if known else "",
        closed=known is not None and other.write(known.key) is not None,
        # who has no word of the sender yet is the likeliest
        candidates=tuple(sorted(candidates, key=lambda each: bool(each.own))),
    )


def rule_gap(tables: Tables, region: str, peer: str, native: str | None) -> RuleGap | WordGap:
    """What lacks for a material, given as the sender's word; None = a certification (crossing §3.3)."""
    kinds = frozenset({"material", "result"})
    if native is None:
        kind, subject, meaning = "result", CERTIFICATION, tables.hub("result").meaning(CERTIFICATION) or ""
        candidates: tuple[Candidate, ...] = (Candidate(CERTIFICATION, meaning),)
    else:
        row = tables.codes(region, MATERIAL).read(native)
        if row is None:
            return word_gap(tables, MATERIAL, region, peer, native)
        kind, subject, meaning = MATERIAL, row.key, tables.hub(MATERIAL).meaning(row.key) or ""
        candidates = tuple(
            sorted(
                (each for each in word_gap(tables, MATERIAL, region, peer, native).candidates if each.peer),
                key=lambda each: each.key != subject,
            )
        )
    others = tables.rules.groups.get((region, peer, subject), ())
    return RuleGap(
        region,
        peer,
        kind,
        subject,
        meaning,
        _next_rule_id(tables),
        candidates,
        tuple(rule for rule in others if rule.subject_kind in kinds),
    )


def _native(row: object) -> str:
    return getattr(row, "native", "")


def _next_rule_id(tables: Tables) -> str:
    used = [int(rule.rule_id[1:]) for rule in tables.rules if rule.rule_id[1:].isdigit()]
    return f"R{max(used, default=0) + 1:03d}"


# --- the rows -------------------------------------------------------------------------------------


def word_rows(tables: Tables, gap: WordGap, answer: Answer) -> tuple[list[Addition], frozenset[str]]:
    """The rows that close the gap, and the fields of the answer that are still to be filled in."""
    native, key = gap.native or answer.native, gap.key or answer.key
    chosen = gap.candidate(key)
    needed = {
        "native": not native,
        "key": not key,
        "basis": not answer.basis,
        "meaning": bool(key) and chosen is None and not answer.meaning,
        "peer_native": bool(key) and not (chosen and chosen.peer) and not answer.peer_native,
    }
    left_open = frozenset(name for name, is_open in needed.items() if is_open)
    if left_open:
        return [], left_open
    meaning = chosen.meaning if chosen else answer.meaning
    rows = []
    if chosen is None:
        rows.append(
            Addition(f"canonical/{gap.list_name}.csv", {"key": key, "meaning": meaning, "note": answer.basis})
        )
    if not gap.key:
        way = "read" if chosen and chosen.own else "both"
        rows.append(_word(gap.region, gap.list_name, (native, key, meaning, way), answer.basis))
    if not (chosen and chosen.peer):
        taken = tables.codes(gap.peer, gap.list_name).read(answer.peer_native) is not None
        way = "write" if taken else "both"
        rows.append(_word(gap.peer, gap.list_name, (answer.peer_native, key, meaning, way), answer.basis))
    return rows, frozenset()


def _word(region: str, list_name: str, cells: tuple[str, str, str, str], basis: str) -> Addition:
    names = ("native", "key", "name", "direction")
    return Addition(
        f"codes/{region}/{list_name}.csv", {**dict(zip(names, cells, strict=True)), "note": basis}
    )


def rule_rows(gap: RuleGap, answer: Answer) -> tuple[list[Addition], frozenset[str]]:
    """The same for a recognition rule."""
    needed = {
        "accepted_as": not any(each.key == answer.accepted_as for each in gap.candidates),
        "since": answer.since is None,
        "basis": not answer.basis,
    }
    left_open = frozenset(name for name, is_open in needed.items() if is_open)
    if left_open or answer.since is None:
        return [], left_open
    cells = {
        "rule_id": gap.rule_id,
        "issued_by": gap.region,
        "accepted_by": gap.peer,
        "subject_kind": gap.subject_kind,
        "subject": gap.subject,
        "accepted_as": answer.accepted_as,
        "items": answer.items or ANY_ITEM,
        "basis": answer.basis,
        "effective_from": answer.since.isoformat(),
        "effective_to": _until(gap, answer.items or ANY_ITEM, answer.since),
    }
    topic = "results" if gap.subject_kind == "result" else "materials"
    return [Addition(f"recognition/{topic}.csv", cells)], frozenset()


def _until(gap: RuleGap, items: str, since: date) -> str:
    """The day a later rule for the same items begins, which is agreed already; empty when there is none."""
    named = set(items.split("|"))
    later = [
        rule.effective_from
        for rule in gap.others
        if rule.effective_from > since and (named & rule.items if rule.items else ANY_ITEM in named)
    ]
    return min(later).isoformat() if later else ""
