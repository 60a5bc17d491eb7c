"""Every law over a region, in the order in which they are checked and shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.conformance.law import Law, Level
from gateway.conformance.laws import (
    agreement,
    answers,
    carried,
    days,
    decided,
    declared,
    delivered,
    golden,
    hostile,
    kept,
    lists,
    numbers,
    proof,
    ruled,
    values,
    worked,
)
from gateway.conformance.laws.rulebook import Rule

if TYPE_CHECKING:
    from types import ModuleType

#: Checked before there is anything to look at: see `gateway.conformance.loading`.
LOADS = Law("R-B00", "适配器可以加载", "The adapter can be loaded", Level.BASIC, "ADR 0002")
TABLES_LOAD = Law("R-B07", "规则表没有错误", "The tables have no faults", Level.BASIC, "gateway §7")


def _rules(*modules: ModuleType) -> tuple[Rule, ...]:
    found = [value for module in modules for value in vars(module).values() if isinstance(value, Rule)]
    return tuple(sorted(found, key=lambda rule: (list(Level).index(rule.law.level), rule.law.id)))


RULES = _rules(
    *(
        declared,
        decided,
        ruled,
        worked,
        golden,
        proof,
        delivered,
        answers,
        carried,
        days,
        numbers,
        values,
        lists,
        agreement,
        hostile,
        kept,
    )
)
#: Every law by id: what `docs/reference/laws.md` lists.
LAWS = tuple(
    sorted(
        (LOADS, TABLES_LOAD, *(rule.law for rule in RULES)),
        key=lambda law: (list(Level).index(law.level), law.id),
    )
)
