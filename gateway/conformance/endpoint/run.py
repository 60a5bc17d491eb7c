"""Tries every law of a level on one server, in an order that makes each meaningful."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from gateway.conformance.endpoint.catalogue import LAWS, OVERALL
from gateway.conformance.endpoint.mill import CannotSay
from gateway.conformance.endpoint.tally import Tally
from gateway.conformance.law import Result

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from gateway.conformance.endpoint.bench import Bench
    from gateway.conformance.endpoint.tally import Demand
    from gateway.conformance.law import Law, Level

_NOT_REACHED = "连不上服务器（见 E-B01），未试"
_NOTHING_TAKEN = "没有一条正确的报文被受理（见 E-B02），先改好它再看这一条"
_NO_PROBES = "地区没有声明怎样检查在线系统（adapters/{slug}/probes.py），未试"
NO_DOOR = (
    "没有发来报文：未打开接收端。加上 --listen 主机:端口，并把你的系统里网关的地址改成它，"
    "再让系统发出一份申请或办件状态"
)


#: Whether the server is there, and takes anything.
_FIRST = ("E-B01", "E-B02")


def laws_of(level: Level) -> Iterator[Demand]:
    """The laws tried at a level."""
    return (demand for demand in LAWS if level.includes(demand.level))


async def run(
    bench: Bench,
    level: Level,
    told: Callable[[Law], None] = lambda _: None,
    *,
    only: Collection[str] = (),
) -> tuple[Result, ...]:
    """One result per law, by id. ``told`` hears each as it is known. Errors: none but bugs.

    ``only``: the ids of the laws wanted; those every other one stands on are tried with them.
    """
    results = []
    for demand in laws_of(level):
        if only and demand.id not in {*only, *_FIRST}:
            continue
        result = await _tried(bench, demand)
        results.append(result)
        told(result.law)
    return tuple(sorted(results, key=_place))


def _place(result: Result) -> tuple[int, str]:
    return ("BFH".index(result.law.id[2]), result.law.id)


async def _tried(bench: Bench, demand: Demand) -> Result:
    law = demand.law(bench.probes.clauses if bench.probes else {})
    why = _skipped(bench, demand)
    if why:
        return Result(law, skipped=why)
    tally, began = Tally(law.source), time.monotonic()
    try:
        await demand.check(bench, tally)
    except CannotSay as said:
        tally.skip(f"从规则表和对方的样例里造不出这样的报文（{said}）")
    except OSError as error:
        tally.broken(f"连接服务器出错（{type(error).__name__}）", "确认服务仍在运行，再看服务器日志")
    took_s = time.monotonic() - began
    if not tally.tried and not tally.skipped and not tally.breaches:
        tally.skip("前面的条件不满足，没有试成一例")
    skipped = "" if tally.tried and not tally.skipped else tally.skipped
    return Result(law, tuple(tally.breaches), tally.tried, took_s, skipped)


def _skipped(bench: Bench, demand: Demand) -> str:
    answered = any(not answer.failure for answer in bench.ledger)
    if bench.ledger and not answered and demand.id != "E-B02" and demand.id not in OVERALL:
        return _NOT_REACHED
    if "door" in demand.needs and bench.door is None:
        return NO_DOOR
    if "probes" in demand.needs and bench.probes is None:
        return _NO_PROBES.format(slug=bench.sides.slug)
    if "good" in demand.needs and not any(answer.taken for answer in bench.ledger):
        return _NOTHING_TAKEN
    return ""
