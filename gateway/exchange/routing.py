"""Who receives a message: the region the receiving division lies in, or the other party of its case (pure)."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from gateway.errors import Level

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from gateway.canonical.kinds import Kind
    from gateway.mapping.fieldmap import Reading
    from gateway.region import Opened, Region

DIVISION = "target.division"
#: What the gateway's own case numbers begin with; the origin's division follows.
OURS = "CYTB"
NO_KIND = (
    "办理地区的接口没有这一种报文，报文已原样挂起；请与来源地区联系改用其他方式办理，或待该地区支持后放行"
)
NOWHERE = "无法由接收机构的区划确定办理地区，请改为已接入地区的现行区划后重新提交"


@dataclass(frozen=True, slots=True)
class Routes:
    """The regions in force as addresses. Source: docs/decisions/0025.

    ``sole``: slug → the only other region, ``""`` where there are several; ``prefixes``: slug → first two
    digits of its divisions; ``kinds``: what each region has a message for.
    """

    regions: Mapping[str, Region] = field(repr=False)
    sole: Mapping[str, str]
    prefixes: Mapping[str, str]
    kinds: frozenset[tuple[str, Kind]] = field(repr=False)

    def of_division(self, code: str) -> str:
        """The region a division's code lies in, ``""`` when it is none in force."""
        return next((slug for slug, prefix in self.prefixes.items() if code.startswith(prefix)), "")

    def is_ours(self, number: str) -> bool:
        """Whether a number has the form of the gateway's own and names a region in force."""
        return number.startswith(OURS) and bool(self.of_division(number[len(OURS) :]))

    def readable(self, opened: Opened) -> Opened:
        """The message without case numbers that name no region in force: they are never looked up."""
        ref, ours = opened.case_ref, opened.gateway_ref
        lost_ref, lost_ours = ref.startswith(OURS) and not self.is_ours(ref), ours and not self.is_ours(ours)
        if not lost_ref and not lost_ours:
            return opened
        return replace(opened, case_ref="" if lost_ref else ref, gateway_ref="" if lost_ours else ours)

    def settle(self, reading: Reading) -> None:
        """Put the receiver into the reading's sight, where it is not known yet, and see that it has the kind.

        Findings: 9043 when an application's receiving division tells no region (with several others, nothing
        is guessed); park 1001 when the receiver has no message of this kind.
        """
        sight = reading.sight
        if not sight.receiver and reading.kind.opens_case:
            receiver = self._meant(reading)
            if not receiver:
                _refuse(reading)
                return
            sight = reading.sight = replace(sight, receiver=receiver)
        if sight.receiver and (sight.receiver, reading.kind) not in self.kinds:
            reading.park(self.regions[sight.sender].kind_path, "1001", NO_KIND)

    def _meant(self, reading: Reading) -> str:
        """By the division as understood; else as written: a code or name of no division in force tells as much."""
        sender, code = reading.sight.sender, reading.value(DIVISION)
        written = reading.spelt(DIVISION) or ""
        if code is not None:
            found = {self.of_division(code)}
        elif written.isascii() and written.isdigit():
            found = {self.of_division(written)}
        else:
            named = reading.sight.tables.divisions.codes_named(written)
            found = {self.of_division(each) for each in named} or {
                slug for slug, region in self.regions.items() if written.startswith(region.name)
            }
        return found.pop() if len(found) == 1 and sender not in found else ""


def _refuse(reading: Reading) -> None:
    path = reading.path(DIVISION)
    if not any(found.path == path and found.level is Level.REFUSE for found in reading.findings):
        reading.refuse(path, NOWHERE)


def routes_between(regions: Mapping[str, Region], kinds: Iterable[tuple[str, Kind]]) -> Routes:
    """The addresses of these regions."""
    others = {slug: [other for other in regions if other != slug] for slug in regions}
    return Routes(
        regions,
        {slug: found[0] if len(found) == 1 else "" for slug, found in others.items()},
        {slug: region.division_prefix for slug, region in regions.items()},
        frozenset(kinds),
    )
