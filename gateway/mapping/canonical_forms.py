"""Converters of the canonical JSON itself: what a channel writes, and what is told to it (gateway §4)."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from gateway.canonical.kinds import TraceKind
from gateway.errors import Level
from gateway.mapping.amounts import whole
from gateway.mapping.converters import Converter, spelt
from gateway.mapping.fieldmap import Fault, Lossy
from gateway.mapping.times import CHINA

if TYPE_CHECKING:
    from gateway.mapping.fieldmap import Sight
    from gateway.mapping.tables import Tables

_KEY = re.compile(r"[0-9A-Za-z_|]{1,64}")


def key(list_name: str) -> Converter:
    """A key of a hub list. Errors: 9043 for one the hub has not.

    A region's word without a row parks, because the row may be ours to add. A key is a word of our own published
    vocabulary: who sends another has misspelt it, and is told so at once (ADR 0028).
    """

    def bind(tables: Tables, *_: Any) -> Converter:
        hub = tables.hub(list_name)

        def read(value: str, _: Sight) -> str:
            if value not in hub:
                raise Fault(f"规范码表 {list_name} 没有这个键，请改为码表中的键")
            return value

        return replace(unbound, read=read, bind=None)

    unbound = Converter(
        f"key {list_name}",
        "M1",
        spelt(_KEY),
        f"应为规范码表 {list_name} 的键",
        kind=TraceKind.EXACT,
        bind=bind,
    )
    return unbound


def _item(value: str, sight: Sight) -> str:
    if not sight.tables.items.versions(value):
        raise Fault("事项目录中没有这个事项，报文已挂起；请核对事项代号或补充目录", "1005", Level.PARK)
    return value


#: An item of the catalogue by our own name for it.
item = Converter(
    "item", "M21", spelt(re.compile(r"[a-z0-9_]{1,64}")), "应为事项代号", read=_item, kind=TraceKind.EXACT
)

_MOMENT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?([Zz]|[+-][0-9]{2}:[0-9]{2})"
)


def _read_moment(value: str, _: Sight) -> Any:
    fraction = value[19:].rstrip("Zz").split("+")[0].split("-")[0]
    try:
        moment = datetime.fromisoformat(value[:19].upper() + value[19 + len(fraction) :].upper())
        local = moment.astimezone(CHINA)
    except (ValueError, OverflowError):
        raise Fault("不是真实存在的时间，请核对后重新提交") from None
    if not 1800 <= local.year <= 2199:
        raise Fault("年份应在 1800 至 2199 之间，请核对后重新提交")
    return Lossy(local) if fraction.strip(".0") else local


#: RFC 3339 with an offset ↔ aware time, whole seconds; written in Beijing time.
moment = Converter(
    "time RFC 3339",
    "M7",
    spelt(_MOMENT),
    "应为带时区的时间，例如 2026-11-23T15:42:10+08:00",
    read=_read_moment,
    write=lambda t, _: t.astimezone(CHINA).isoformat(timespec="seconds"),
)

#: 元 as a decimal string ↔ Decimal.
money = Converter(
    "money string",
    "M3",
    spelt(re.compile(r"(0|[1-9][0-9]{0,11})(\.[0-9]{1,2})?")),
    "应为写成文本的金额（元），至多两位小数，例如 17792.46",
    read=lambda v, _: Decimal(v).quantize(Decimal("0.01")),
    write=lambda m, _: format(m, "f"),
)

#: A share of 1 as a decimal string ↔ Decimal.
rate = Converter(
    "rate string",
    "M4",
    spelt(re.compile(r"0(\.[0-9]{1,4})?|1(\.0{1,4})?")),
    "应为写成文本的比例，例如 0.08",
    read=lambda v, _: Decimal(v),
    write=lambda r, _: format(r, "f"),
)


def count(low: int, high: int, *, rule: str = "M5") -> Converter:
    """A JSON integer within bounds, both counted."""

    def ok(value: Any) -> bool:
        number = whole(value)
        return number is not None and low <= number <= high

    return Converter(
        f"count {low}–{high}",
        rule,
        ok,
        f"应为 {low} 至 {high} 的整数",
        read=lambda v, _: whole(v),
        kind=TraceKind.EXACT,
    )
