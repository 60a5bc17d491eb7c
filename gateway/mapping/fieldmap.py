"""The two-way field map: one declaration per message kind, run in both directions.

A `Row` ties one native path to one canonical path through a converter. What no row can say is a
named function of the region (``after_read``, ``before_write``) over the rows it *holds*.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from gateway.canonical.kinds import Kind, TraceKind
from gateway.errors import Finding, Level

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import date

    from gateway.mapping.codelist import CodeRow
    from gateway.mapping.converters import Converter
    from gateway.mapping.tables import Tables

SCHEMA, VALUE, ITEM = "9042", "9043", "9045"


class TraceEntry(NamedTuple):
    """How one value crossed. Source: crossing §1; paths and values in the native spelling."""

    path_in: str | None
    path_out: str | None
    rule: str
    kind: TraceKind
    before: str | None
    after: str | None

    def as_json(self) -> dict[str, str | None]:
        return self._asdict()


class Leaf(NamedTuple):
    """One canonical value and where it came from; ``path`` is None for a derived one."""

    value: Any
    path: str | None
    before: str | None
    rule: str
    kind: TraceKind


class Held(NamedTuple):
    """A native value kept for an irregular function, with its native spelling."""

    value: Any
    before: str


class Lossy(NamedTuple):
    """What a converter returns when the value is carried in a poorer form."""

    value: Any


class Fault(Exception):  # noqa: N818 - a word of the field, not a programming error
    """A converter cannot carry this value; the engine turns it into a finding with the path."""

    def __init__(self, text: str, code: str = VALUE, level: Level = Level.REFUSE) -> None:
        super().__init__(code)
        self.text, self.code, self.level = text, code, level


@dataclass(frozen=True, slots=True)
class CaseContext:
    """What a follow-up takes from its case. ``numbers``: region slug → the number that side uses."""

    case_no: str
    item: str
    accepted_on: date
    origin: str
    target: str
    numbers: Mapping[str, str]
    form: str = ""
    origin_division: str = ""
    target_division: str = ""
    old_place: str = ""
    claim_place: str = ""
    scheme: str = ""
    applicant: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Sight:
    """What a map may look at: the tables, the day they are read on, the case, who talks to whom."""

    tables: Tables
    region: str
    sender: str
    receiver: str
    on: date
    case: CaseContext | None = None
    #: applied at the door, not in a dry run: rules on keys and senders
    door: bool = True


@dataclass(frozen=True, slots=True)
class Row:
    """One native leaf.

    ``to`` is the canonical path; ``{own}``/``{peer}`` stand for origin or target seen from this
    region; a path that begins with ``_`` crosses nowhere and is traced as dropped; None *holds* the
    value for an irregular function. ``write_from`` differs from ``to`` where the way back starts
    elsewhere.
    """

    native: str
    to: str | None
    form: Converter
    need: bool = False
    rule: str = ""
    write_from: str | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """An object or, with ``[]``, a list of objects; ``at_most`` counts entries."""

    native: str
    to: str = ""
    need: bool = False
    at_least: int = 1
    at_most: int = 1


@dataclass(frozen=True, slots=True)
class Spelling:
    """How a region writes paths, and whether the order of members counts."""

    separator: str = "."
    first_index: int = 0
    ordered: bool = False
    blank_is_absent: bool = True


@dataclass(frozen=True, slots=True)
class FieldMap:
    """One message kind of one region."""

    native_kind: str
    kind: Kind
    spelling: Spelling
    rows: tuple[Row, ...]
    groups: tuple[Group, ...] = ()
    #: first four letters of the form family an item must have (crossing M21), "" for follow-ups
    form: str = ""
    after_read: tuple[Callable[[Reading], None], ...] = ()
    before_write: tuple[Callable[[Writing], None], ...] = ()
    #: the day whose tables apply, from the raw tree of an application; None if unreadable
    accepted_on: Callable[[Mapping[str, Any]], date | None] | None = None


class Reading:
    """A native message as canonical leaves, with every finding and loss on the way."""

    __slots__ = ("counts", "covered", "findings", "held", "kind", "leaves", "notes", "sight", "where")

    def __init__(self, kind: Kind, sight: Sight, where: Mapping[str, str]) -> None:
        self.kind, self.sight = kind, sight
        #: canonical path → the native path this region would write it at
        self.where = where
        self.leaves: dict[str, Leaf] = {}
        self.held: dict[str, Held] = {}
        #: leaves another leaf speaks for: not traced on their own
        self.covered: set[str] = set()
        self.counts: dict[str, int] = {}
        self.findings: list[Finding] = []
        self.notes: list[TraceEntry] = []

    def refuse(self, path: str, text: str, code: str = VALUE) -> None:
        self.findings.append(Finding(path, code, text))

    def park(self, path: str, code: str, text: str) -> None:
        self.findings.append(Finding(path, code, text, Level.PARK))

    def fault(self, path: str, fault: Fault) -> None:
        self.findings.append(Finding(path, fault.code, fault.text, fault.level))

    def value(self, canonical: str) -> Any:
        """The canonical value at a path, None when absent."""
        leaf = self.leaves.get(canonical)
        return None if leaf is None else leaf.value

    def path(self, canonical: str, fallback: str = "") -> str:
        """The native path a canonical value came from."""
        leaf = self.leaves.get(canonical)
        return (leaf.path if leaf else None) or self.where.get(canonical) or fallback or canonical

    def spelt(self, canonical: str) -> str | None:
        """The native spelling of a value, also of one that parks; None when absent or refused."""
        leaf = self.leaves.get(canonical)
        if leaf is not None:
            return leaf.before
        held = self.held.get(self.where.get(canonical, ""))
        return None if held is None else held.before

    def is_absent(self, canonical: str) -> bool:
        """Nothing was written; a value that could not be read is not absent."""
        where = self.where.get(canonical)
        return canonical not in self.leaves and not any(f.path == where for f in self.findings)

    def taken(self, native: str) -> Any:
        """The value of a held native path, None when absent or faulty."""
        held = self.held.get(native)
        return None if held is None else held.value

    def put(
        self, canonical: str, value: Any, native: str, rule: str, kind: TraceKind = TraceKind.CONVERTED
    ) -> None:
        """Put what a held native path means."""
        held = self.held.get(native)
        self.leaves[canonical] = Leaf(value, native, held.before if held else None, rule, kind)

    def derive(self, canonical: str, value: Any, rule: str, *, source: str = "") -> None:
        """Put a value the sender did not write; ``source`` is the canonical path it follows from."""
        origin = self.leaves.get(source)
        path, before = (origin.path, origin.before) if origin else (None, None)
        self.leaves[canonical] = Leaf(value, path, before, rule, TraceKind.DERIVED)

    def drop(self, path: str, rule: str, *, lossy: bool = False) -> None:
        """Trace a held native value that is not carried."""
        held = self.held.get(path)
        if held is None:
            return
        kind = TraceKind.LOSSY if lossy else TraceKind.DROPPED
        self.notes.append(TraceEntry(path, None, rule, kind, held.before, None))

    def warn(self, canonical: str, rule: str, after: str | None = None) -> None:
        """Carried, but staff should look (trace kind ``warning``)."""
        leaf = self.leaves[canonical]
        self.notes.append(TraceEntry(leaf.path, None, rule, TraceKind.WARNING, leaf.before, after))

    def mark_lossy(self, canonical: str) -> None:
        self.leaves[canonical] = self.leaves[canonical]._replace(kind=TraceKind.LOSSY)

    @property
    def refused(self) -> bool:
        return any(f.level is Level.REFUSE for f in self.findings)


class Given(NamedTuple):
    """A native value an irregular function decided; ``leaf`` None writes it without a trace.

    ``shown``: what the trace says was written, where one entry speaks for a composite.
    """

    value: Any
    leaf: Leaf | None = None
    rule: str = ""
    kind: TraceKind = TraceKind.EXACT
    shown: str = ""


class Writing:
    """Canonical leaves on their way into a native message."""

    __slots__ = ("counts", "findings", "given", "heads", "leaves", "sight", "trace", "used")

    def __init__(self, leaves: dict[str, Leaf], counts: dict[str, int], sight: Sight, heads: Heads) -> None:
        self.leaves, self.counts, self.sight, self.heads = leaves, counts, sight, heads
        self.given: dict[str, Given] = {}
        self.used: set[str] = set()
        self.trace: list[TraceEntry] = []
        self.findings: list[Finding] = []

    def value(self, canonical: str) -> Any:
        leaf = self.leaves.get(canonical)
        return None if leaf is None else leaf.value

    def give(self, native: str, value: Any) -> None:
        """Write a minted or fixed head: no trace (crossing §7 "trace")."""
        self.given[native] = Given(value)

    def say(
        self, native: str, value: Any, canonical: str, rule: str, kind: TraceKind = TraceKind.CONVERTED
    ) -> None:
        """Write a value that follows from a canonical leaf, with its trace."""
        self.given[native] = Given(value, self.leaves.get(canonical), rule, kind)
        self.used.add(canonical)

    def compose(self, natives: tuple[str, ...], row: CodeRow, canonical: str, rule: str) -> None:
        """Write a composite word of a code list, its first part with the trace of the whole (crossing §7)."""
        first, *others = zip(natives, row.native.split("|"), strict=True)
        kind = TraceKind.LOSSY if row.one_way else TraceKind.CONVERTED
        leaf, shown = self.leaves.get(canonical), row.native.rstrip("|")
        self.given[first[0]] = Given(first[1], leaf, rule, kind, shown)
        self.given.update({native: Given(part) for native, part in others if part})
        self.used.add(canonical)

    def also(self, native: str, value: Any, canonical: str) -> None:
        """Write the second half of a pair or composite; the first half carries the trace."""
        self.given[native] = Given(value)
        self.used.add(canonical)

    def derive(self, native: str, value: Any, rule: str, canonical: str = "") -> None:
        """Write a value no canonical leaf holds; ``canonical`` names the leaf it was derived from."""
        source = self.leaves.get(canonical)
        path, before = (source.path, source.before) if source else (None, None)
        leaf = Leaf(value, path, before, rule, TraceKind.DERIVED)
        self.given[native] = Given(value, leaf, rule, TraceKind.DERIVED)


@dataclass(frozen=True, slots=True)
class Heads:
    """The minted parts of an outgoing message (crossing M22)."""

    key: str
    case_no: str
    #: the number by which the receiving region knows the case
    case_ref: str
    #: division of the receiving agency of the case
    division: str
    #: Beijing time written into the message
    written_at: str
