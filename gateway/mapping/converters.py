"""Frozen read/write pairs between a native spelling and a canonical value.

``ok`` checks the form the interface prescribes (fault: 9042 with ``hint``); ``read`` and ``write``
may raise `Fault` (9043 or a park code) or return `Lossy`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from gateway.canonical.kinds import TraceKind
from gateway.errors import Level
from gateway.mapping.fieldmap import Fault, Lossy, Sight

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gateway.mapping.tables import Tables

NO_ROW = "1001"


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
    #: made for a table set, a region and the division prefixes of all regions in force
    bind: Callable[[Tables, str, Mapping[str, str]], Converter] | None = None
    #: the canonical value of the usual spelling at once, None for "take the long way": ``ok``, then ``read``
    quick: Callable[[Any], Any] | None = None


def remembered(form: Converter) -> Converter:
    """The same converter with a memory of usual spellings: for values of which there are few, and of no person.

    Shape: text and numbers are remembered; whatever has a fault takes the long way each time.
    """

    @lru_cache(maxsize=2048)
    def known(value: Any) -> Any:
        try:
            return form.read(value, _NOWHERE) if form.ok(value) else None
        except Fault:
            return None

    return replace(form, quick=lambda v: known(v) if type(v) in _REMEMBERED else None)


#: only what has no look-up in tables is remembered, so nothing is there to look at
_NOWHERE: Any = None
_REMEMBERED = frozenset({str, int, Decimal})

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


def read_text(value: str, _: Sight) -> str:
    """Text as it is. Errors: `Fault` 9043 for what M19 and M20 refuse wherever it stands."""
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

    def quick(value: Any) -> str | None:
        return value if type(value) is str and least <= len(value) <= most and _plain(value) else None

    hint = f"应为 {least} 至 {most} 个字的文本，首尾无空格，不含控制字符"
    return Converter(
        f"text {least}–{most}", "M20", ok, hint, read=read_text, kind=TraceKind.EXACT, quick=quick
    )


def json_text(most: int, least: int = 1) -> Converter:
    """Text of SC-N §5, carried verbatim. Errors: 9042 form, 9043 what only M19/M20 refuse."""
    return _text(least, most, _JSON_TEXT)


def xml_text(most: int, least: int = 1) -> Converter:
    """Text of CQ-N §5, carried verbatim. Errors: 9042 form, 9043 what only M19/M20 refuse."""
    return _text(least, most, _XML_TEXT)


def spelt(pattern: re.Pattern[str]) -> Callable[[Any], bool]:
    """Whether a value is text of this pattern, from end to end."""
    return lambda v: isinstance(v, str) and pattern.fullmatch(v) is not None


def matching(expression: str, hint: str, *, rule: str = "M20", blank_ok: bool = False) -> Converter:
    """Text of a fixed pattern, carried verbatim."""
    pattern = re.compile(expression, re.ASCII)

    def quick(value: Any) -> str | None:
        return value if type(value) is str and value and pattern.fullmatch(value) else None

    ok = spelt(pattern)
    return Converter(expression, rule, ok, hint, kind=TraceKind.EXACT, blank_ok=blank_ok, quick=quick)


def fixed(value: str) -> Converter:
    """A head that is always this value: checked on reading, written always."""
    return Converter(value, "M22", lambda v: v == value, f"应为 {value}", constant=value)


# --- codes (M1) ---


def code(list_name: str, expression: str, *, rule: str = "M1", kind: TraceKind | None = None) -> Converter:
    """A word of a code list. Shape: native text of ``expression``; canonical: the hub key.

    Errors: no row → park 1001, never a default; a one-way row → lossy. Source: crossing M1.
    """
    return _code(list_name, spelt(re.compile(expression)), rule, kind or TraceKind.CONVERTED)


def word(list_name: str, most: int, *, rule: str = "M1") -> Converter:
    """A word of a code list where the interface takes any text of CQ-N §5; else as `code`."""
    return _code(list_name, xml_text(most).ok, rule, TraceKind.CONVERTED)


def _code(list_name: str, ok: Callable[[Any], bool], rule: str, kind: TraceKind) -> Converter:
    def bind(tables: Tables, region: str, _: Mapping[str, str]) -> Converter:
        words = tables.codes(region, list_name)

        def read(value: str, sight: Sight) -> Any:
            row = words.read(value)
            if row is None:
                read_text(value, sight)  # what M20 refuses is refused, not parked
                raise no_row(list_name)
            return Lossy(row.key) if row.one_way else row.key

        def write(key: str, _: Sight) -> Any:
            row = words.write(key)
            if row is None:
                raise no_row(list_name)
            return Lossy(row.native) if row.one_way else row.native

        usual = {native: row.key for native, row in words.reads.items() if not row.one_way and ok(native)}

        def quick(value: Any) -> str | None:
            return usual.get(value) if type(value) is str else None

        return replace(unbound, read=read, write=write, bind=None, quick=quick)

    unbound = Converter(
        f"code {list_name}",
        rule,
        ok,
        "代码的写法与接口规定不符",
        kind=kind,
        bind=bind,
    )
    return unbound


def no_row(list_name: str) -> Fault:
    """The park finding of a word without a row (crossing M1)."""
    return Fault(f"码表 {list_name} 没有这个值对应的行，报文已挂起；补充码表后即可放行", NO_ROW, Level.PARK)


# --- places (M8) ---

_NO_PLACE = {
    "1003": "区划不在区划表中，或在受理日尚未生效、已撤销且没有承接区划；报文已挂起，请核对区划",
    "1004": "区划已撤销且有多个承接区划，无法确定；报文已挂起，请改用现行区划",
}


def _resolved(found: Any) -> Any:
    if isinstance(found, str):
        raise Fault(_NO_PLACE[found], found, Level.PARK)
    return found


def place_code(*prefixes: str) -> Converter:
    """A six-digit division ↔ the same, resolved to the one in force on the day. Errors: park 1003/1004.

    ``prefixes``: the first two digits that may stand there; none: any.
    """
    pattern = re.compile(f"(?:{'|'.join(prefixes)})[0-9]{{4}}" if prefixes else "[0-9]{6}")

    def read(value: str, sight: Sight) -> Any:
        place = _resolved(sight.tables.divisions.by_code(value, sight.on))
        return Lossy(place.code) if place.succeeded else place.code

    hint = f"应为 {'、'.join(prefixes)} 开头的六位区划代码"
    return Converter("division code", "M8", spelt(pattern), hint, read=read)


def place_name(*prefixes: str, most: int = 128) -> Converter:
    """The full name of a division ↔ its code. Errors: 9043 wrong side of the border, park 1003/1004.

    ``prefixes``: the first two digits its code may have; none: any.
    """
    form = xml_text(most)

    def read(value: str, sight: Sight) -> Any:
        read_text(value, sight)
        divisions = sight.tables.divisions
        # the side is known even of a division that has ended: refuse before park
        if prefixes and not all(code.startswith(prefixes) for code in divisions.codes_named(value)):
            raise Fault("区划不在接口规定的一侧，请核对后重新提交")
        place = _resolved(divisions.by_name(value, sight.on))
        return Lossy(place.code) if place.succeeded else place.code

    def write(value: str, sight: Sight) -> Any:
        place = _resolved(sight.tables.divisions.by_code(value, sight.on))
        return Lossy(place.full_name) if place.succeeded else place.full_name

    return Converter("division name", "M8", form.ok, form.hint, read=read, write=write)
