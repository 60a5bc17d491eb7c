"""Money, rates and counts in either spelling (crossing M3, M4, M5)."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from gateway.canonical.kinds import TraceKind
from gateway.mapping.converters import Converter, read_text, remembered, spelt
from gateway.mapping.fieldmap import Fault

if TYPE_CHECKING:
    from gateway.mapping.fieldmap import Sight

MAX_MONEY = Decimal("9999999999.99")
_CENT = Decimal("0.01")
MAX_FEN_DIGITS = 12
MAX_MONTHS = 999


def whole(value: Any) -> int | None:
    """The integer a JSON number stands for (``12`` or ``12.0``), None for anything else."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, Decimal) and len(str(value)) <= 32 and value == value.to_integral_value():
        return int(value)
    return None


def _decimal(value: Any, places: int, most: Decimal) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return False
    if isinstance(value, int):
        return 0 <= value <= most
    # the form is judged by the number, not its spelling: 94.000 has no more than two decimals
    if len(str(value)) > 32 or not value.is_finite() or not 0 <= value <= most:
        return False
    return value == value.quantize(Decimal(1).scaleb(-places))


def _yuan(value: Any, _: Sight) -> Decimal:
    return Decimal(value).quantize(_CENT)


def _usual_yuan(value: Any) -> Decimal | None:
    """A decimal of at most two places, as SC-N nearly always writes money."""
    if type(value) is not Decimal or not 0 <= value <= MAX_MONEY:
        return None
    money = value.quantize(_CENT)
    return money if money == value else None


def _usual_fen(value: Any) -> Decimal | None:
    if type(value) is not str or not 0 < len(value) <= MAX_FEN_DIGITS:
        return None
    if not (value.isascii() and value.isdigit()) or (value[0] == "0" and value != "0"):
        return None
    return Decimal(value).scaleb(-2)


#: SC-N money: a number in 元, at most two decimals ↔ Decimal 元.
yuan = Converter(
    "money 元",
    "M3",
    lambda v: _decimal(v, 2, MAX_MONEY),
    "应为不超过两位小数、不小于 0 的金额（元）",
    read=_yuan,
    quick=_usual_yuan,
)
#: CQ-N money: an integer of 分 without sign or leading zero ↔ Decimal 元.
fen = Converter(
    "money 分",
    "M3",
    spelt(re.compile("0|[1-9][0-9]{0,11}")),
    "应为不带符号、无前导零的整数（分），至多 12 位",
    read=lambda v, _: Decimal(v).scaleb(-2),
    write=lambda m, _: in_fen(m),
    quick=_usual_fen,
)


def in_fen(money: Decimal) -> str:
    """Decimal 元 as 分. Errors: `Fault` 9043 above 12 digits (crossing §7 M6)."""
    written = str(int(money * 100))
    if len(written) > MAX_FEN_DIGITS:
        raise Fault("金额超过 12 位（分），请核对后重新提交")
    return written


def _spell(number: Decimal) -> str:
    """A decimal without exponent and trailing zeros: ``8``, ``5.5``, ``0.08``."""
    return format(number.normalize(), "f")


def _percent(value: str, _: Sight) -> Decimal:
    rate_read = Decimal(value).scaleb(-2)
    if rate_read > 1:
        raise Fault("比例不能超过 100，请核对后重新提交")
    return Decimal(_spell(rate_read))


def _share(value: Any, _: Sight) -> Decimal:
    share = Decimal(_spell(Decimal(value)))
    if share > 1:
        raise Fault("比例不能超过 1，请核对后重新提交")
    return share


#: SC-N rate ``0.08`` ↔ Decimal 0.08. Above 1 is a value fault (crossing §7 "rate").
rate = remembered(
    Converter(
        "rate 0–1",
        "M4",
        lambda v: _decimal(v, 4, MAX_MONEY),
        "应为 0 至 1 之间、不超过四位小数的比例",
        read=_share,
    )
)
#: CQ-N percent ``8`` ↔ Decimal 0.08.
percent = remembered(
    Converter(
        "percent",
        "M4",
        spelt(re.compile(r"(0|[1-9][0-9]?|100)(\.[0-9]{1,2})?")),
        "应为 0 至 100 之间、不超过两位小数的百分数",
        read=_percent,
        write=lambda r, _: _spell(r.scaleb(2)),
    )
)


def integer(low: int, high: int, *, rule: str = "M20") -> Converter:
    """A JSON integer within bounds, carried as it is."""

    def ok(value: Any) -> bool:
        number = whole(value)
        return number is not None and low <= number <= high

    hint = f"应为 {low} 至 {high} 的整数"
    return remembered(
        Converter(f"integer {low}–{high}", rule, ok, hint, read=lambda v, _: whole(v), kind=TraceKind.EXACT)
    )


def digits(low: int, high: int, *, rule: str = "M20") -> Converter:
    """An integer written in XML within bounds, carried as it is.

    The form takes white space around it, as XSD integers do; that is a value fault (crossing §7 "M19").
    """
    spelt = re.compile("[ \t\r\n]*(0|[1-9][0-9]{0,3})[ \t\r\n]*")

    def ok(value: Any) -> bool:
        return isinstance(value, str) and spelt.fullmatch(value) is not None and low <= int(value) <= high

    def read(value: str, sight: Sight) -> int:
        return int(read_text(value, sight))

    hint = f"应为 {low} 至 {high} 的整数"
    return remembered(
        Converter(
            f"integer {low}–{high}",
            rule,
            ok,
            hint,
            read=read,
            write=lambda v, _: str(v),
            kind=TraceKind.EXACT,
        )
    )


# One digit more than the schema takes: above 999 months is a value fault (crossing §7 "month counts").
_MONTHS = re.compile(
    "(?P<plain>[0-9]{1,3}|[1-9][0-9]{3,8})"
    "|(?P<y>0|[1-9][0-9]{0,8})年((?P<m>[0-9]|1[01])个月)?"
    "|(?P<only>0|[1-9][0-9]{0,8})个月"
)


def _month_count(value: str, _: Sight) -> int:
    match = _MONTHS.fullmatch(value)
    if match is None:  # pragma: no cover - the form was checked
        raise Fault("月数写法不符")
    if match["y"] is None:
        return _counted(int(match["plain"] or match["only"]))
    return _counted(int(match["y"]) * 12 + int(match["m"] or 0))


def _counted(months: int) -> int:
    if months > MAX_MONTHS:
        raise Fault(f"月数不能超过 {MAX_MONTHS}，请核对后重新提交")
    return months


def _whole_months(value: Any) -> bool:
    number = whole(value)
    return number is not None and number >= 0


#: SC-N month count, an integer ↔ whole months.
month_number = remembered(
    Converter(
        "month number",
        "M5",
        _whole_months,
        f"应为 0 至 {MAX_MONTHS} 的整数",
        read=lambda v, _: _counted(whole(v) or 0),
        kind=TraceKind.EXACT,
    )
)


#: CQ-N month count ``3年0个月`` (written), ``36``, ``3年``, ``36个月`` ↔ whole months.
month_count = remembered(
    Converter(
        "month count",
        "M5",
        spelt(_MONTHS),
        "应为“3年0个月”形式的月数，月数 0 至 11",
        read=_month_count,
        write=lambda n, _: f"{n // 12}年{n % 12}个月",
    )
)
