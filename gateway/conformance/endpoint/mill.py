"""Makes the messages the gateway would send to a region: what the others say, translated (no I/O)."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any
from uuid import UUID

from gateway.canonical.kinds import Kind
from gateway.canonical.rehearsal import Draw, Turn
from gateway.canonical.tracking import Move, changed
from gateway.canonical.worktime import beijing_day
from gateway.conformance.errands import KINDS, Errands
from gateway.errors import Refusal
from gateway.exchange import casework, translate
from gateway.exchange.crossing import read_follow_up
from gateway.mapping.fieldmap import Sight
from gateway.store.records import CaseRecord

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from datetime import date, datetime
    from random import Random

    from gateway.canonical.rehearsal import Facts, StandIn
    from gateway.exchange.translate import Maps
    from gateway.mapping.fieldmap import Reading
    from gateway.mapping.plan import Plan
    from gateway.mapping.tables import Tables
    from gateway.region import Opened, Region, Tree

#: Drawn anew so often until a draft fits what was asked for.
_PATIENCE = 400
#: Letters beyond GBK, each with a trap of its own in GB 18030: two bytes, four bytes, the second plane, and two
#: that the editions before 2022 kept in the private use area.
RARE = ("䶮", "㛃", "𠮷", "龴", "︐")


@dataclass(frozen=True, slots=True)
class Sides:
    """What translation needs: all regions, their tables and maps, their stand-ins, and whom the probe is for."""

    regions: Mapping[str, Region]
    tables: Tables = field(repr=False)
    maps: Maps = field(repr=False)
    stand_ins: Mapping[str, StandIn] = field(repr=False)
    slug: str

    @property
    def region(self) -> Region:
        """The region whose server is probed."""
        return self.regions[self.slug]

    @property
    def other(self) -> str:
        """Who the messages come from."""
        return next(slug for slug in self.stand_ins if slug != self.slug)


@dataclass(slots=True)
class Held:
    """A case the probe has opened: what the gateway keeps of it, and what its other side remembers."""

    record: CaseRecord = field(repr=False)
    facts: Facts

    @property
    def case_no(self) -> str:
        """The gateway's number."""
        return self.record.case.case_no


@dataclass(frozen=True, slots=True)
class Message:
    """One message as the gateway would send it, not yet sealed; ``body`` are the rendered bytes."""

    kind: Kind
    native_kind: str
    key: str
    case_ref: str
    tree: Tree = field(repr=False)
    body: bytes = field(repr=False)
    case: Held = field(repr=False)

    @property
    def words(self) -> str:
        """How the message is called in a report."""
        return f"{self.kind.label}（{self.native_kind}）"


class CannotSay(Exception):  # noqa: N818 - an outcome, not an error
    """A draft of the other side that the gateway would park or refuse: it never reaches the one probed."""


class Mill:
    """Makes messages under keys and numbers not used before: ``number()`` gives an integer by chance."""

    def __init__(
        self, sides: Sides, *, chance: Random, number: Callable[[], int], clock: Callable[[], datetime]
    ) -> None:
        self.sides, self._chance, self._number, self._clock = sides, chance, number, clock
        prefixes = {slug: sides.regions[slug].division_prefix for slug in (sides.other, sides.slug)}
        speaks = {slug: {each.kind for each in sides.regions[slug].maps.values()} for slug in prefixes}
        self._errands = Errands(sides.tables, prefixes, sides.other, speaks)
        self._stand_in = sides.stand_ins[sides.other]

    def spoken(self, kinds: Iterable[Kind]) -> tuple[Kind, ...]:
        """Those of the kinds that both sides have a message for."""
        return tuple(kind for kind in kinds if self._errands.reached(kind))

    # -- applications ----------------------------------------------------------------

    def application(
        self, kind: Kind, *, fits: Callable[[Facts], bool] = lambda _: True, key: str = ""
    ) -> Message:
        """One that ``fits``. Errors: `CannotSay` when none came up."""
        if not self._errands.reached(kind):
            raise CannotSay(kind.value)
        for _ in range(_PATIENCE):
            errand = self._errands.any(kind, self._chance, self._today(), with_papers=True)
            said = self._stand_in.apply(errand, self._draw())
            if said.facts is None or not fits(said.facts):
                continue
            try:
                message = self.opened(self.sides.other, said.body, said.facts, key=key)
            except CannotSay:
                continue
            if _is_common(message.tree):
                return message
        raise CannotSay(kind.value)

    def items(self) -> Iterator[tuple[str, Message | None]]:
        """One application for every item in force today; None where the other side hands in nothing that crosses."""
        today = self._today()
        for version in self._table_items():
            yield version, self._of_item(version, today)

    def _of_item(self, version: str, today: date) -> Message | None:
        for _ in range(_PATIENCE):
            said = self._stand_in.apply(self._errands.of(version, self._chance, today), self._draw())
            if said.facts is None:
                return None
            try:
                message = self.opened(self.sides.other, said.body, said.facts)
            except CannotSay:
                return None
            if _is_common(message.tree):
                return message
        return None

    def _table_items(self) -> tuple[str, ...]:
        items = self.sides.tables.items.all(self._today())
        return tuple(one.item for one in items if self._errands.reached(KINDS[one.form]))

    def opened(self, sender: str, body: bytes, facts: Facts, *, key: str = "") -> Message:
        """An application of ``sender``, as it reaches the region probed. Errors: `CannotSay`."""
        sides = self.sides
        origin, target = sides.regions[sender], sides.region
        opened, reading = self.read(origin, target, body)
        record = self.record(origin, target, opened, reading)
        case = record.case
        heads = (case.case_no, case.target_case_no, case.target_division)
        return self._written(reading, target, Held(record, facts), heads, key)

    def published(self, examples: Iterable[bytes]) -> Iterator[Message]:
        """The worked applications that the gateway sends to the region, bytes as published."""
        region = self.sides.region
        for body in examples:
            opened = region.parse(body)
            plan = self.sides.maps.reader(region.slug, opened.native_kind)
            if plan and plan.map.kind.opens_case and opened.key.startswith("TB"):
                held = self._as_told(plan, opened)
                known = (plan.map.kind, opened.native_kind, opened.key, opened.case_ref, opened.tree)
                yield Message(*known, body, held)

    def _as_told(self, plan: Plan, opened: Opened) -> Held:
        """A case of which only what its receiver was told is known."""
        slug, other = self.sides.slug, self.sides.other
        like = self.application(plan.map.kind).case
        sight = Sight(self.sides.tables, slug, slug, other, beijing_day(self._clock()), door=False)
        reading = plan.read(opened.tree, sight)
        old = str(reading.value("transfer.from_division") or "")
        case = changed(
            like.record.case,
            case_no=opened.gateway_ref or opened.case_ref,
            target_case_no=opened.case_ref,
            item=reading.value("item") or "",
            scheme=reading.value("scheme") or "",
            old_division=old,
            old_region=slug if old.startswith(self.sides.region.division_prefix) else other if old else "",
            claim_place=reading.value("unemployment.claim_place") or "",
        )
        return Held(CaseRecord(case, casework.person_of(reading)), like.facts)

    def record(self, origin: Region, target: Region, opened: Opened, reading: Reading) -> CaseRecord:
        """The case an application opens, as the gateway would keep it."""
        now, serial = self._clock(), self._number()
        division = str(reading.value("target.division") or f"{target.division_prefix}0000")
        today = beijing_day(now)
        own = casework.origin_division(reading, origin)
        case_no = f"CYTB{own}{today:%Y%m%d}{serial % 10**8:08d}"
        ref = target.mint_case_no(division, today, serial % 99_999 + 1) or case_no
        tracked = casework.new_case(
            reading,
            casework.Numbers(UUID(int=serial), case_no, ref),
            origin=origin,
            target=target,
            origin_case_no=opened.case_ref,
            received_at=now,
            is_parked=False,
        )
        move = casework.open_case(tracked, reading, at=now, calendar=self.sides.tables.calendar)
        return CaseRecord(move.case, casework.person_of(reading))

    def read(self, origin: Region, target: Region, body: bytes) -> tuple[Opened, Reading]:
        """An application read by the gateway's rules. Errors: `CannotSay`."""
        sides = self.sides
        opened = origin.parse(body)
        plan = sides.maps.reader(origin.slug, opened.native_kind)
        if plan is None:
            raise CannotSay(opened.native_kind)
        on = translate.acceptance_day(plan, opened, beijing_day(self._clock()))
        sight = Sight(sides.tables, origin.slug, origin.slug, target.slug, on)
        try:
            reading = translate.read(plan, opened, sight)
        except Refusal as refused:
            raise CannotSay(refused.code) from refused
        if reading.findings:
            raise CannotSay(reading.findings[0].code)
        return opened, reading

    # -- follow-ups --------------------------------------------------------------------

    def follow(self, case: Held, turn: Turn, *, stand_in: StandIn | None = None) -> Message:
        """What the other side says next on a case. Errors: `CannotSay`."""
        said = (stand_in or self._stand_in).follow(case.facts, turn, self._draw())
        sides = self.sides
        sender = sides.regions[(stand_in or self._stand_in).slug]
        opened = sender.parse(said.body)
        plan = sides.maps.reader(sender.slug, opened.native_kind)
        if plan is None:
            raise CannotSay(opened.native_kind)
        today = beijing_day(self._clock())
        sight = Sight(sides.tables, sender.slug, sender.slug, sides.slug, today)
        try:
            reading = read_follow_up(plan, opened, sight, case.record, sides.maps.routes)
        except Refusal as refused:
            raise CannotSay(refused.code) from refused
        if reading.findings:
            raise CannotSay(reading.findings[0].code)
        self._moved(case, reading, sender.slug)
        tracked = case.record.case
        ours_is_origin = tracked.origin == sides.slug
        division = tracked.origin_division if ours_is_origin else tracked.target_division
        ref = tracked.origin_case_no if ours_is_origin else tracked.target_case_no
        return self._written(reading, sides.region, case, (tracked.case_no, ref, division), "")

    def _moved(self, case: Held, reading: Reading, by: str) -> None:
        """The case goes on as far as its life cycle allows; what it forbids is sent all the same."""
        decided = casework.follow_up(
            case.record.case, reading, by=by, at=self._clock(), actor=by, is_parked=False
        )
        if isinstance(decided, Move):
            case.record = replace(case.record, case=decided.case)

    def stranger(self) -> Message:
        """A follow-up of a case nobody has told the region of."""
        unsaid = self.application(Kind.GENERAL_APPLY)
        return self.follow(unsaid.case, Turn(Kind.CASE_WITHDRAW, reason="申请人自愿撤回"))

    # -- bytes -------------------------------------------------------------------------

    def again(self, message: Message, *, key: str = "", tree: Tree | None = None) -> Message:
        """The same message with another tree."""
        changed = message.tree if tree is None else tree
        body = self.sides.region.render(changed, message.native_kind)
        return replace(message, tree=changed, body=body, key=key or message.key)

    def rekeyed(self, message: Message) -> Message:
        """The same message under a key of its own: another message about the same case."""
        key = self.new_key()
        return self.again(message, key=key, tree=with_value(message.tree, message.key, key))

    def anew(self, message: Message, tree: Tree | None = None, *, key: str = "") -> Message:
        """The same application (or ``tree`` made of it) under a key and about a case that nobody has met."""
        held = message.case
        case, serial = held.record.case, self._number()
        case_no = f"{case.case_no[:-8]}{serial % 10**8:08d}"
        minted = self.sides.region.mint_case_no(case.target_division, self._today(), serial % 99_999 + 1)
        ref, key = minted or case_no, key or self.new_key()
        changed_tree = message.tree if tree is None else tree
        for old, new in ((message.key, key), (case.case_no, case_no), (message.case_ref, ref)):
            changed_tree = with_value(changed_tree, old, new)
        fresh = changed(case, case_no=case_no, target_case_no=ref)
        known = replace(held, record=replace(held.record, case=fresh))
        return replace(self.again(message, key=key, tree=changed_tree), case_ref=ref, case=known)

    def of_name(self, message: Message, name: str) -> Message:
        """The same application by somebody of another name."""
        facts, record = message.case.facts, message.case.record
        held = Held(replace(record, person=replace(record.person, name=name)), replace(facts, name=name))
        return replace(self.again(message, tree=with_value(message.tree, facts.name, name)), case=held)

    def renamed(self, message: Message, native_kind: str) -> Message:
        """The same message under another kind."""
        return self.again(message, tree=with_value(message.tree, message.native_kind, native_kind))

    def own_key(self, written: Callable[[datetime, int], str]) -> str:
        """A message key of the region itself, not used before."""
        return written(self._clock(), self._number())

    def now(self) -> datetime:
        """The time, by the clock the mill was given."""
        return self._clock()

    def new_key(self) -> str:
        """A message key of the gateway, not used before."""
        return self.sides.region.message_key(self._number(), self._clock())

    def _written(
        self, reading: Reading, to: Region, case: Held, heads: tuple[str, str, str], key: str
    ) -> Message:
        case_no, ref, division = heads
        key = key or self.new_key()
        plan = self.sides.maps.writer(to.slug, reading.kind)
        written = translate.heads_of(
            key=key, case_no=case_no, case_ref=ref, division=division, now=self._clock()
        )
        try:
            rendered = translate.write(plan, reading, replace(reading.sight, region=to.slug), written)
        except Refusal as refused:
            raise CannotSay(refused.code) from refused
        if reading.findings:
            raise CannotSay(reading.findings[0].code)
        body = to.render(rendered.tree, rendered.native_kind)
        return Message(reading.kind, rendered.native_kind, key, ref, rendered.tree, body, case)

    def _draw(self) -> Draw:
        return Draw(self._chance, self._number() % 10**6, self._clock())

    def _today(self) -> date:
        return beijing_day(self._clock())


def _is_common(tree: Tree) -> bool:
    """Whether every system can write it: letters beyond GBK are tried by a law of their own."""
    try:
        str(tree).encode("gbk")
    except UnicodeEncodeError:
        return False
    return True


def with_value(node: Any, old: str, new: str) -> Any:
    """A tree with one value written for another, wherever it stands."""
    match node:
        case dict():
            return {name: with_value(value, old, new) for name, value in node.items()}
        case list():
            return [with_value(value, old, new) for value in node]
        case _:
            return new if node == old else node
