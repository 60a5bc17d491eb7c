"""Which value became which: threads from the stored trace through the three printed forms (pure)."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from gateway.mapping.explain import NOWHERE, Fate, FieldLine
from gateway.mapping.rule_texts import text_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from gateway.dashboard.views.case.printed import Line
    from gateway.region import Region

_INDEX = re.compile(r"\[(\d+)\]")

#: Canonical heads that stand for the message and the case, not for a value of it.
_HEADS = frozenset({"kind", "case_no", "origin_case_no"})
#: Fates of a received field whose value goes no further, as kinds of a thread.
_ENDS = {Fate.CHECKED: "checked", Fate.MINTED: "checked", Fate.FIXED: "checked", Fate.DROPPED: "dropped"}


@dataclass(frozen=True, slots=True)
class Thread:
    """One value on its way, numbered within its message.

    ``kind`` is the trace's (``exact``, ``converted``, …) or what leaves no trace (``minted``, ``with_other``,
    ``checked``). ``rows`` are the lines of the tables behind it. Paths that are "" have no such end.
    """

    number: int
    kind: str
    path_in: str = ""
    name_in: str = ""
    canonical: tuple[str, ...] = ()
    path_out: str = ""
    name_out: str = ""
    before: str | None = field(default=None, repr=False)
    after: str | None = field(default=None, repr=False)
    rule: str = ""
    rule_text: str = ""
    converters: tuple[str, ...] = ()
    rows: tuple[Mapping[str, Any], ...] = ()

    @property
    def basis(self) -> str:
        """The legal basis of the rows behind it, "" for none."""
        return "；".join(dict.fromkeys(str(row["basis"]) for row in self.rows if row.get("basis")))


@dataclass(frozen=True, slots=True)
class Ends:
    """Which threads touch a value, by its path, in each of the three forms."""

    native_in: Mapping[str, tuple[int, ...]]
    canonical: Mapping[str, tuple[int, ...]]
    native_out: Mapping[str, tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class Forms:
    """A message as it came in and what it means, printed."""

    printed_in: Sequence[Line]
    printed_canonical: Sequence[Line]


#: What is declared of a field: (region, native kind, path) → line.
Lines = Callable[[str, str, str | None], FieldLine | None]


@dataclass(frozen=True, slots=True)
class Crossing:
    """Whose message became whose: both ends and what is declared of their fields.

    ``sender`` is None where the gateway itself speaks, ``out_kind`` "" where nothing was written.
    """

    sender: Region | None
    native_kind: str
    receiver: Region
    out_kind: str
    declared: Lines

    def line_in(self, path: str) -> FieldLine | None:
        """What is declared of a field of the message that came in."""
        return self.declared(self.sender.slug, self.native_kind, path) if self.sender and path else None

    def line_out(self, path: str) -> FieldLine | None:
        """What is declared of a field of the message that went out."""
        return self.declared(self.receiver.slug, self.out_kind, path) if path else None

    @property
    def first_in(self) -> int:
        """From where the sender counts what repeats."""
        return _first(self.sender, self.native_kind)

    @property
    def first_out(self) -> int:
        """From where the receiver counts what repeats."""
        return _first(self.receiver, self.out_kind)


def _first(region: Region | None, kind: str) -> int:
    return region.maps[kind].spelling.first_index if region and kind in region.maps else 0


def threads(told: Iterable[Mapping[str, Any]], forms: Forms, crossing: Crossing) -> tuple[Thread, ...]:
    """Every told value, then what came in and went no further without a trace. ``told``: of `explained`."""
    canonical = frozenset(line.path for line in forms.printed_canonical if line.is_value)
    sources = _written_from(crossing)
    found: list[Thread] = []
    for value in told:
        found.append(_thread(len(found) + 1, value, canonical, sources, crossing))
    known = {thread.path_in for thread in found}
    for line in forms.printed_in:
        if line.is_value and line.path not in known:
            found.append(_ended(len(found) + 1, line, canonical, crossing))
    told_of = {path for thread in found for path in thread.canonical} | _HEADS
    for line in forms.printed_canonical:
        if line.is_value and line.path not in told_of:
            # concluded by the rules, and the other side's form has no place for it
            found.append(Thread(len(found) + 1, "derived", canonical=(line.path,), after=line.text))
    return tuple(found)


def ends(found: Sequence[Thread]) -> Ends:
    """The threads by the paths they touch."""
    return Ends(
        _touching((thread.path_in, thread.number) for thread in found),
        _touching((path, thread.number) for thread in found for path in thread.canonical),
        _touching((thread.path_out, thread.number) for thread in found),
    )


def _touching(pairs: Iterable[tuple[str, int]]) -> dict[str, tuple[int, ...]]:
    by_path: defaultdict[str, list[int]] = defaultdict(list)
    for path, number in pairs:
        if path:
            by_path[path].append(number)
    return {path: tuple(numbers) for path, numbers in by_path.items()}


def _thread(
    number: int,
    value: Mapping[str, Any],
    canonical: frozenset[str],
    sources: Mapping[str, tuple[str, ...]],
    crossing: Crossing,
) -> Thread:
    path_in, path_out = value["path_in"] or "", value["path_out"] or ""
    line_in, line_out = crossing.line_in(path_in), crossing.line_out(path_out)
    read = _there(line_in.canonical if line_in else (), path_in, canonical, crossing.first_in)
    written = _there(sources.get(_plain(path_out), ()), path_out, canonical, crossing.first_out)
    return Thread(
        number=number,
        kind=value["kind"],
        path_in=path_in,
        name_in=value["name_in"] or "",
        canonical=_meeting(read, written),
        path_out=path_out,
        name_out=value["name_out"] or "",
        before=value["before"],
        after=value["after"],
        rule=value["rule"],
        rule_text=value["rule_text"],
        converters=tuple(dict.fromkeys(line.converter for line in (line_in, line_out) if line)),
        rows=tuple(value["rows"]),
    )


def _meeting(read: tuple[str, ...], written: tuple[str, ...]) -> tuple[str, ...]:
    """Where both ends name the same canonical value, that one; else whatever they name."""
    both = tuple(path for path in read if path in written)
    return both or tuple(dict.fromkeys((*read, *written)))


def _ended(number: int, line: Line, canonical: frozenset[str], crossing: Crossing) -> Thread:
    """A value the trace does not tell of: compared, or one the gateway writes anew for the other side."""
    known = crossing.line_in(line.path)
    rule = known.rule if known else ""
    return Thread(
        number=number,
        kind=_ENDS.get(known.received, "checked") if known else "checked",
        path_in=line.path,
        name_in=known.name if known else "",
        canonical=_there(known.canonical if known else (), line.path, canonical, crossing.first_in),
        before=line.text,
        rule=rule,
        rule_text=(known.received_why if known else "") or text_of(rule),
        converters=(known.converter,) if known else (),
    )


def _written_from(crossing: Crossing) -> dict[str, tuple[str, ...]]:
    """Native path of the receiver → canonical paths it is written from, by its rows and the notes on them."""
    map_, found = crossing.receiver.maps.get(crossing.out_kind), {}
    for row in map_.rows if map_ else ():
        source = row.write_from or row.to or ""
        named = [source.format(own="target", peer="origin")] if source and source != NOWHERE else []
        line = crossing.line_out(row.native)
        noted = line.canonical if line else ()
        found[row.native] = tuple(dict.fromkeys((*named, *(_turned(path) for path in noted))))
    return found


def _turned(path: str) -> str:
    """A path said from the sender's side, from the receiver's."""
    for one, other in (("origin.", "target."), ("target.", "origin.")):
        if path.startswith(one):
            return other + path.removeprefix(one)
    return path


def _there(declared: Iterable[str], native: str, canonical: frozenset[str], first: int) -> tuple[str, ...]:
    """The declared canonical paths that the message really has, lists at the same place."""
    return tuple(dict.fromkeys(path for each in declared for path in _placed(each, native, canonical, first)))


def _placed(declared: str, native: str, canonical: frozenset[str], first: int) -> Iterator[str]:
    place = _INDEX.search(native)
    if "[]" not in declared or place is None:
        if declared in canonical:
            yield declared
        return
    # canonical lists count from 0; a side that counts from 1 says so in its spelling
    path = declared.replace("[]", f"[{int(place[1]) - first}]", 1)
    if path in canonical:
        yield path


def _plain(path: str) -> str:
    return _INDEX.sub("[]", path)
