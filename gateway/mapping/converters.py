"""Frozen read/write pairs between a native spelling and a canonical value.

``ok`` checks the form the interface prescribes (fault: 9042 with ``hint``); ``read`` and ``write``
may raise `Fault` (9043 or a park code) or return `Lossy`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from gateway.canonical.kinds import TraceKind
from gateway.errors import Level
from gateway.mapping.fieldmap import Fault, Lossy, Sight

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.mapping.tables import Tables

#: Beijing time; both interfaces write it without a zone (SC-N §5, CQ-N §5).
CHINA = timezone(timedelta(hours=8), "+08:00")

NO_ROW = "1001"
MAX_MONEY = Decimal("9999999999.99")
MAX_FEN_DIGITS = 12


def _same(value: Any, _: Sight) -> Any:
    return value


@dataclass(frozen=True, slots=True)
class Converter:
    """A two-way spelling rule; ``rule`` is its M-number in crossing §2."""

    name: str
    rule: str
    ok: Callable[[Any], bool]
    hint: str
    read: Callable[[Any, Sight], Any] = _same
    write: Callable[[Any, Sight], Any] = _same
    kind: TraceKind = TraceKind.CONVERTED
    blank_ok: bool = False
    constant: str | None = None
    bind: Callable[[Tables, str], Converter] | None = None


# --- text (M19, M20) ---

# What M20 refuses wherever it stands: C0 but LF, DEL and C1, private use of all planes, lone surrogates.
_FORBIDDEN = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\ud800-\udfff\ue000-\uf8ff\U000f0000-\U000ffffd\U00100000-\U0010fffd]"
)
# The pattern of the SC-N schema, which sees less than M20.
_JSON_TEXT = re.compile(
    "[^\\s\x00-\x1f\ue000-\uf8ff]([^\x00-\x09\x0b-\x1f\ue000-\uf8ff]*[^\\s\x00-\x1f\ue000-\uf8ff])?"
)
# The pattern of the CQ-N schema: XML white space only counts at the ends.
_XML_TEXT = re.compile("[^ \t\r\n]([^\r]*[^ \t\r\n])?")


def _plain(value: str) -> bool:
    """A quick yes for nearly every text: printable, no space at the ends."""
    return value.isprintable() and value[:1] != " " and value[-1:] != " "


def _read_text(value: str, _: Sight) -> str:
    if _plain(value):
        return value
    if _FORBIDDEN.search(value):
        raise Fault("含有控制字符或自定义（私用区）字符，请改为标准汉字后重新提交")
    if value != value.strip():
        raise Fault("首尾不能有空格（包括全角空格），请去掉后重新提交")
    return value


def _text(least: int, most: int, pattern: re.Pattern[str]) -> Converter:
    def ok(value: Any) -> bool:
        if not isinstance(value, str) or not least <= len(value) <= most:
            return False
        return _plain(value) or pattern.fullmatch(value) is not None

    hint = f"应为 {least} 至 {most} 个字的文本，首尾无空格，不含控制字符"
    return Converter(f"text {least}–{most}", "M20", ok, hint, read=_read_text, kind=TraceKind.EXACT)


def json_text(most: int, least: int = 1) -> Converter:
    """Text of SC-N §5, carried verbatim. Errors: 9042 form, 9043 what only M19/M20 refuse."""
    return _text(least, most, _JSON_TEXT)


def xml_text(most: int, least: int = 1) -> Converter:
    """Text of CQ-N §5, carried verbatim. Errors: 9042 form, 9043 what only M19/M20 refuse."""
    return _text(least, most, _XML_TEXT)


def matching(expression: str, hint: str, *, rule: str = "M20", blank_ok: bool = False) -> Converter:
    """Text of a fixed pattern, carried verbatim."""
    pattern = re.compile(expression, re.ASCII)

    def ok(value: Any) -> bool:
        return isinstance(value, str) and pattern.fullmatch(value) is not None

    return Converter(expression, rule, ok, hint, kind=TraceKind.EXACT, blank_ok=blank_ok)


def fixed(value: str) -> Converter:
    """A head that is always this value: checked on reading, written always."""
    return Converter(value, "M22", lambda v: v == value, f"应为 {value}", constant=value)


# --- codes (M1) ---


def code(list_name: str, expression: str, *, rule: str = "M1", kind: TraceKind | None = None) -> Converter:
    """A word of a code list. Shape: native text of ``expression``; canonical: the hub key.

    Errors: no row → park 1001, never a default; a one-way row → lossy. Source: crossing M1.
    """
    pattern = re.compile(expression)

    def ok(value: Any) -> bool:
        return isinstance(value, str) and pattern.fullmatch(value) is not None

    def bind(tables: Tables, region: str) -> Converter:
        words = tables.codes(region, list_name)

        def read(value: str, _: Sight) -> Any:
            row = words.read(value)
            if row is None:
                _read_text(value, _)  # what M20 refuses is refused, not parked
                raise no_row(list_name)
            return Lossy(row.key) if row.one_way else row.key

        def write(key: str, _: Sight) -> Any:
            row = words.write(key)
            if row is None:
                raise no_row(list_name)
            return Lossy(row.native) if row.one_way else row.native

        return replace(unbound, read=read, write=write, bind=None)

    unbound = Converter(
        f"code {list_name}",
        rule,
        ok,
        "代码的写法与接口规定不符",
        kind=kind or TraceKind.CONVERTED,
        bind=bind,
    )
    return unbound


def no_row(list_name: str) -> Fault:
    return Fault(f"码表 {list_name} 没有这个值对应的行，报文已挂起；补充码表后即可放行", NO_ROW, Level.PARK)


# --- dates (M7) ---


def _date(digits: str) -> date:
    try:
        return date(int(digits[:4]), int(digits[4:6]), int(digits[6:8]))
    except ValueError:
        raise Fault("不是真实存在的日期，请核对后重新提交") from None


def _month(digits: str) -> str:
    if not ("01" <= digits[4:6] <= "12") or digits[:4] < "1800":
        raise Fault("不是真实存在的年月，请核对后重新提交")
    return f"{digits[:4]}-{digits[4:6]}"


def _instant(digits: str) -> datetime:
    try:
        return datetime.strptime(digits, "%Y%m%d%H%M%S").replace(tzinfo=CHINA)
    except ValueError:
        raise Fault("不是真实存在的时间，请核对后重新提交") from None


def whole(value: Any) -> int | None:
    """The integer a JSON number stands for (``12`` or ``12.0``), None for anything else."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, Decimal) and len(str(value)) <= 32 and value == value.to_integral_value():
        return int(value)
    return None


def _number_or_digits(length: int, low: int, high: int) -> Callable[[Any], bool]:
    digits = re.compile(f"[0-9]{{{length}}}")

    def ok(value: Any) -> bool:
        if isinstance(value, str):
            return digits.fullmatch(value) is not None
        number = whole(value)
        return number is not None and low <= number <= high

    return ok


def _digits(value: Any) -> str:
    return value if isinstance(value, str) else str(whole(value))


#: SC-N date: integer ``20261123`` (written) or 8 digits ↔ a plain date.
date8 = Converter(
    "date yyyyMMdd",
    "M7",
    _number_or_digits(8, 18000101, 21991231),
    "应为 yyyyMMdd 形式的日期",
    read=lambda v, _: _date(_digits(v)),
    write=lambda d, _: int(d.strftime("%Y%m%d")),
)
#: SC-N month: integer ``202611`` (written) or 6 digits ↔ ``2026-11``.
month6 = Converter(
    "month yyyyMM",
    "M7",
    _number_or_digits(6, 180001, 219912),
    "应为 yyyyMM 形式的年月",
    read=lambda v, _: _month(_digits(v)),
    write=lambda m, _: int(m.replace("-", "")),
)
#: SC-N time: 14 digits, Beijing ↔ aware time.
time14 = Converter(
    "time yyyyMMddHHmmss",
    "M7",
    lambda v: isinstance(v, str) and len(v) == 14 and v.isascii() and v.isdigit(),
    "应为 14 位数字的时间 yyyyMMddHHmmss",
    read=lambda v, _: _instant(v),
    write=lambda t, _: t.astimezone(CHINA).strftime("%Y%m%d%H%M%S"),
)

_ISO_DATE = re.compile("[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])")
_ISO_MONTH = re.compile("[0-9]{4}-(0[1-9]|1[0-2])")
_ISO_TIME = re.compile(_ISO_DATE.pattern + " ([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]")


def _spelt(pattern: re.Pattern[str]) -> Callable[[Any], bool]:
    return lambda v: isinstance(v, str) and pattern.fullmatch(v) is not None


def beijing(moment: datetime) -> str:
    """A time as CQ-N writes it: ``2026-11-23 15:42:10``."""
    return moment.astimezone(CHINA).strftime("%Y-%m-%d %H:%M:%S")


#: CQ-N date ``2026-11-23`` ↔ a plain date.
iso_date = Converter(
    "date yyyy-MM-dd",
    "M7",
    _spelt(_ISO_DATE),
    "应为 yyyy-MM-dd 形式的日期",
    read=lambda v, _: _date(v.replace("-", "")),
    write=lambda d, _: d.isoformat(),
)
#: CQ-N month ``2026-11`` ↔ the same.
iso_month = Converter(
    "month yyyy-MM",
    "M7",
    _spelt(_ISO_MONTH),
    "应为 yyyy-MM 形式的年月",
    read=lambda v, _: _month(v.replace("-", "")),
)
#: CQ-N time ``2026-11-23 15:42:10``, Beijing ↔ aware time.
iso_time = Converter(
    "time yyyy-MM-dd HH:mm:ss",
    "M7",
    _spelt(_ISO_TIME),
    "应为 yyyy-MM-dd HH:mm:ss 形式的时间",
    read=lambda v, _: _instant(v.replace("-", "").replace(":", "").replace(" ", "")),
    write=lambda t, _: beijing(t),
)

# --- numbers (M3, M4, M5) ---


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
    return Decimal(value).quantize(Decimal("0.01"))


#: SC-N money: a number in 元, at most two decimals ↔ Decimal 元.
yuan = Converter(
    "money 元",
    "M3",
    lambda v: _decimal(v, 2, MAX_MONEY),
    "应为不超过两位小数、不小于 0 的金额（元）",
    read=_yuan,
)
#: CQ-N money: an integer of 分 without sign or leading zero ↔ Decimal 元.
fen = Converter(
    "money 分",
    "M3",
    _spelt(re.compile("0|[1-9][0-9]{0,11}")),
    "应为不带符号、无前导零的整数（分），至多 12 位",
    read=lambda v, _: Decimal(v).scaleb(-2),
    write=lambda m, _: in_fen(m),
)


def in_fen(money: Decimal) -> str:
    """Decimal 元 as 分. Errors: `Fault` 9043 above 12 digits (crossing §7 M6)."""
    written = str(int(money.scaleb(2)))
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


#: SC-N rate ``0.08`` ↔ Decimal 0.08.
rate = Converter(
    "rate 0–1",
    "M4",
    lambda v: _decimal(v, 4, Decimal(1)),
    "应为 0 至 1 之间、不超过四位小数的比例",
    read=lambda v, _: Decimal(_spell(Decimal(v))),
)
#: CQ-N percent ``8`` ↔ Decimal 0.08.
percent = Converter(
    "percent",
    "M4",
    _spelt(re.compile(r"(0|[1-9][0-9]?|100)(\.[0-9]{1,2})?")),
    "应为 0 至 100 之间、不超过两位小数的百分数",
    read=_percent,
    write=lambda r, _: _spell(r.scaleb(2)),
)


def integer(low: int, high: int, *, rule: str = "M20") -> Converter:
    """A JSON integer within bounds, carried as it is."""

    def ok(value: Any) -> bool:
        number = whole(value)
        return number is not None and low <= number <= high

    hint = f"应为 {low} 至 {high} 的整数"
    return Converter(
        f"integer {low}–{high}", rule, ok, hint, read=lambda v, _: whole(v), kind=TraceKind.EXACT
    )


def digits(low: int, high: int, *, rule: str = "M20") -> Converter:
    """An integer written in XML within bounds, carried as it is."""
    spelt = re.compile("0|[1-9][0-9]{0,3}")

    def ok(value: Any) -> bool:
        return isinstance(value, str) and spelt.fullmatch(value) is not None and low <= int(value) <= high

    hint = f"应为 {low} 至 {high} 的整数"
    return Converter(
        f"integer {low}–{high}",
        rule,
        ok,
        hint,
        read=lambda v, _: int(v),
        write=lambda v, _: str(v),
        kind=TraceKind.EXACT,
    )


_MONTHS = re.compile(
    "(?P<plain>[0-9]{1,3})|(?P<y>0|[1-9][0-9]?)年((?P<m>[0-9]|1[01])个月)?|(?P<only>0|[1-9][0-9]{0,2})个月"
)


def _month_count(value: str, _: Sight) -> int:
    match = _MONTHS.fullmatch(value)
    if match is None:  # pragma: no cover - the form was checked
        raise Fault("月数写法不符")
    if match["y"] is None:
        return int(match["plain"] or match["only"])
    months = int(match["y"]) * 12 + int(match["m"] or 0)
    if months > 999:
        raise Fault("月数不能超过 999，请核对后重新提交")
    return months


#: CQ-N month count ``3年0个月`` (written), ``36``, ``3年``, ``36个月`` ↔ whole months.
month_count = Converter(
    "month count",
    "M5",
    _spelt(_MONTHS),
    "应为“3年0个月”形式的月数，月数 0 至 11",
    read=_month_count,
    write=lambda n, _: f"{n // 12}年{n % 12}个月",
)

# --- places (M8) ---

_NO_PLACE = {
    "1003": "区划不在区划表中，或在受理日尚未生效、已撤销且没有承接区划；报文已挂起，请核对区划",
    "1004": "区划已撤销且有多个承接区划，无法确定；报文已挂起，请改用现行区划",
}


def _resolved(found: Any) -> Any:
    if isinstance(found, str):
        raise Fault(_NO_PLACE[found], found, Level.PARK)
    return found


def place_code(prefix: str = "") -> Converter:
    """A six-digit division ↔ the same, resolved to the one in force on the day. Errors: park 1003/1004."""
    pattern = re.compile(f"{prefix}[0-9]{{{6 - len(prefix)}}}")

    def read(value: str, sight: Sight) -> Any:
        place = _resolved(sight.tables.divisions.by_code(value, sight.on))
        return Lossy(place.code) if place.succeeded else place.code

    return Converter("division code", "M8", _spelt(pattern), f"应为 {prefix} 开头的六位区划代码", read=read)


def place_name(prefix: str = "", *, most: int = 128) -> Converter:
    """The full name of a division ↔ its code. Errors: 9043 wrong side of the border, park 1003/1004."""
    form = xml_text(most)

    def read(value: str, sight: Sight) -> Any:
        _read_text(value, sight)
        place = _resolved(sight.tables.divisions.by_name(value, sight.on))
        if not place.code.startswith(prefix):
            raise Fault("区划不在接口规定的一侧，请核对后重新提交")
        return Lossy(place.code) if place.succeeded else place.code

    def write(value: str, sight: Sight) -> Any:
        place = _resolved(sight.tables.divisions.by_code(value, sight.on))
        return Lossy(place.full_name) if place.succeeded else place.full_name

    return Converter("division name", "M8", form.ok, form.hint, read=read, write=write)
