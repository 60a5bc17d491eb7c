"""Two sets of tables behind one face: answers by one of them and remembers where the two disagree.

A translation depends on the tables only through the questions it asks them. So one run tells whether the
other set could change anything: when no answer differed, nothing else can.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from gateway.mapping.codelist import CodeList, CodeRow
from gateway.mapping.items import ItemVersion
from gateway.mapping.recognition import Rule

if TYPE_CHECKING:
    from datetime import date

    from gateway.mapping.guides import Guides
    from gateway.mapping.items import Items
    from gateway.mapping.legs import Legs
    from gateway.mapping.places import Agencies, Divisions
    from gateway.mapping.recognition import Rules
    from gateway.mapping.tables import Tables

#: Texts people write (names of places) are questions too: what is remembered of them is bounded.
_MOST_REMEMBERED = 65_536

Question = tuple[Hashable, ...]


class Cause(NamedTuple):
    """A row, or rows of one meaning, on which the two sets disagree: its table and what it is about."""

    table: str
    subject: str


class _Answers(NamedTuple):
    now: Any
    then: Any
    cause: Cause | None  # None: they agree


class _Unknown(NamedTuple):
    """An answer that is an error, kept to be raised again."""

    error: KeyError


@dataclass(slots=True)
class Choice:
    """Whose answers are given. ``adopted``: the causes for which it is the second set; None = all of them."""

    adopted: frozenset[Cause] | None = frozenset()
    #: causes met since it was last cleared
    met: set[Cause] = field(default_factory=set)

    def takes_second(self, cause: Cause) -> bool:
        """Remember the cause; True when the second set's answer is wanted."""
        self.met.add(cause)
        return self.adopted is None or cause in self.adopted


class _Method:
    """One question form of one table, answered from memory after the first time."""

    __slots__ = ("_choice", "_known", "_now", "_subject", "_table", "_then")

    def __init__(
        self,
        choice: Choice,
        table: str,
        both: tuple[Callable[..., Any], Callable[..., Any]],
        subject: Callable[..., str],
    ) -> None:
        self._choice, self._table, self._subject = choice, table, subject
        self._now, self._then = both
        self._known: dict[Question, _Answers] = {}

    def __call__(self, *asked: Hashable) -> Any:
        known = self._known.get(asked)
        if known is None:
            known = self._ask(asked)
        answer = known.now
        if known.cause is not None and self._choice.takes_second(known.cause):
            answer = known.then
        if type(answer) is _Unknown:
            raise answer.error
        return answer

    def _ask(self, asked: Question) -> _Answers:
        now, then = _tried(self._now, asked), _tried(self._then, asked)
        cause = None
        if bare(now) != bare(then):
            cause = Cause(self._table, self._subject(*asked, now=now, then=then))
        if len(self._known) >= _MOST_REMEMBERED:
            self._known.clear()
        known = self._known[asked] = _Answers(now, then, cause)
        return known


def _tried(ask: Callable[..., Any], asked: Question) -> Any:
    try:
        return ask(*asked)
    except KeyError as error:
        return _Unknown(error)


def bare(answer: Any) -> Any:
    """What a translation can see of an answer: not the line it stands in, nor its basis and notes."""
    if isinstance(answer, CodeRow):
        return replace(answer, line=0)
    if isinstance(answer, Rule):
        return (answer.rule_id, answer.accepted_as)
    if isinstance(answer, ItemVersion):
        return (answer.form, answer.schemes, answer.applicants, answer.promised, answer.legal)
    if isinstance(answer, tuple) and answer and isinstance(answer[0], ItemVersion):
        return tuple(bare(version) for version in answer)
    return "unknown" if isinstance(answer, _Unknown) else answer


def twin(now: Tables, then: Tables) -> tuple[Tables, Choice]:
    """Tables that answer like ``now`` until the choice says otherwise."""
    choice = Choice()
    names = {name for _, name in (*now.lists, *then.lists)} | now.hubs.keys() | then.hubs.keys()
    regions = {*now.regions, *then.regions}
    lists = {
        (region, name): cast("CodeList", _List(choice, _list(now, region, name), _list(then, region, name)))
        for region in regions
        for name in names
    }
    both = replace(
        now,
        lists=lists,
        divisions=cast("Divisions", _Divisions(choice, now.divisions, then.divisions)),
        agencies=cast("Agencies", _Agencies(choice, now.agencies, then.agencies)),
        items=cast("Items", _Items(choice, now.items, then.items)),
        rules=cast("Rules", _Rules(choice, now.rules, then.rules)),
        guides=cast("Guides", _Guides(choice, now.guides, then.guides)),
        legs=cast("Legs", _Legs(choice, now.legs, then.legs)),
    )
    return both, choice


def _list(tables: Tables, region: str, name: str) -> CodeList:
    return tables.lists.get((region, name)) or CodeList(region, name)


def _first(*asked: Hashable, **_: Any) -> str:
    return str(asked[0])


class _List:
    """Answers like a `CodeList`."""

    def __init__(self, choice: Choice, now: CodeList, then: CodeList) -> None:
        table = f"codes/{now.region}/{now.name}.csv"
        self.read = _Method(choice, table, (now.read, then.read), _word)
        self.write = _Method(choice, table, (now.write, then.write), _word)
        self._words = _Method(choice, table, (now.words, then.words), lambda *_, **__: "")
        #: what may be read without asking: the words on which the sets agree
        self.reads = {
            native: row for native, row in now.reads.items() if bare(row) == bare(then.reads.get(native))
        }

    def words(self, position: int = 0) -> Any:
        return self._words(position)


def _word(asked: str, *, now: CodeRow | None, then: CodeRow | None) -> str:
    row = then or now
    return f"{row.native} ↔ {row.key}" if row else asked


class _Divisions:
    """Answers like `Divisions`."""

    def __init__(self, choice: Choice, now: Divisions, then: Divisions) -> None:
        table = "places/divisions.csv"
        self.by_code = _Method(choice, table, (now.by_code, then.by_code), _first)
        self.by_name = _Method(choice, table, (now.by_name, then.by_name), _first)
        self.codes_named = _Method(choice, table, (now.codes_named, then.codes_named), _first)


class _Agencies:
    """Answers like `Agencies`."""

    def __init__(self, choice: Choice, now: Agencies, then: Agencies) -> None:
        self.of = _Method(choice, "places/agencies.csv", (now.of, then.of), _first)


class _Items:
    """Answers like `Items`, as far as a translation asks."""

    def __init__(self, choice: Choice, now: Items, then: Items) -> None:
        table = "items/catalogue.csv"
        self.version = _Method(choice, table, (now.version, then.version), _first)
        self.versions = _Method(choice, table, (now.versions, then.versions), _first)
        self.by_code = _Method(choice, "items", (now.by_code, then.by_code), _region_first)
        self.code_of = _Method(choice, "items", (now.code_of, then.code_of), _region_last)
        self.name_of = _Method(choice, "items", (now.name_of, then.name_of), _region_last)


def _region_first(region: str, code: str, **_: Any) -> str:
    return f"{region} {code}"


def _region_last(item: str, region: str, **_: Any) -> str:
    return f"{region} {item}"


class _Guides:
    """Answers like `Guides`, as far as a translation asks."""

    def __init__(self, choice: Choice, now: Guides, then: Guides) -> None:
        self.is_open = _Method(choice, "guides", (now.is_open, then.is_open), _first)


class _Legs:
    """Answers like `Legs`."""

    def __init__(self, choice: Choice, now: Legs, then: Legs) -> None:
        self.of = _Method(choice, "items/legs.csv", (now.of, then.of), _first)


class _Rules:
    """Answers like `Rules`, as far as a translation asks."""

    def __init__(self, choice: Choice, now: Rules, then: Rules) -> None:
        self._find = _Method(choice, "recognition", (_by_place(now), _by_place(then)), _rule_ids)

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
        found: Rule | None = self._find(subject_kinds, subject, issued_by, accepted_by, item, on)
        return found


def _by_place(rules: Rules) -> Callable[..., Rule | None]:
    def find(kinds: frozenset[str], subject: str, issued_by: str, *rest: Any) -> Rule | None:
        accepted_by, item, on = rest
        return rules.find(kinds, subject, issued_by=issued_by, accepted_by=accepted_by, item=item, on=on)

    return find


def _rule_ids(*asked: Any, now: Rule | None, then: Rule | None) -> str:
    """``R014 → R050``; a dash where no rule is in force."""
    was, will = (rule.rule_id if rule else "—" for rule in (now, then))
    ids = was if was == will else f"{was} → {will}"
    return f"{ids} {asked[2]} {asked[1]}"
