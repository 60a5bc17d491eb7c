"""Laws over single values: converters, code lists and bounds, row by row of the maps."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from gateway.conformance.law import Breach
from gateway.conformance.laws.needs import sight_of
from gateway.conformance.laws.rulebook import CannotTell, holds
from gateway.conformance.pointing import bare, declared_at, leaves
from gateway.errors import Level
from gateway.mapping.explain import code_list_of
from gateway.mapping.fieldmap import Fault, Lossy, Sight

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gateway.conformance.laws.rulebook import Tally
    from gateway.conformance.subject import Subject
    from gateway.mapping.converters import Converter
    from gateway.mapping.fieldmap import Row

#: Canonical values at the edges: written and read back they are the same.
_AMOUNTS = tuple(
    map(Decimal, ("0.00", "0.01", "0.10", "0.99", "1.00", "12.30", "1234567.89", "9999999999.99"))
)
_COUNTS = (0, 1, 9, 10, 12, 13, 99, 100, 360, 999)
_DAYS = (
    date(1900, 1, 1),
    date(1999, 12, 31),
    date(2000, 2, 29),
    date(2024, 2, 29),
    date(2026, 1, 1),
    date(2026, 10, 10),
)
#: Words no list has.
_STRANGE = ("Z", "ZZ", "9Z", "99", "98", "997", "9997", "Z999", "无此项", "ZZZZZZ")


@dataclass(frozen=True, slots=True)
class _Cell:
    """A row of a map with its bound converter and values seen at its path."""

    kind: str
    row: Row
    form: Converter
    seen: tuple[Any, ...]


def _cells(subject: Subject) -> Iterator[_Cell]:
    seen: dict[tuple[str, str], dict[Any, None]] = {}
    for kind, tree in _trees(subject):
        for path, value in leaves(tree, subject.region.maps[kind]):
            if isinstance(value, str | int | Decimal):
                seen.setdefault((kind, bare(path)), {})[value] = None
    prefixes = {slug: region.division_prefix for slug, region in subject.regions.items()}
    for kind, one in subject.region.maps.items():
        for row in one.rows:
            form = row.form.bind(subject.tables, subject.slug, prefixes) if row.form.bind else row.form
            values = tuple(seen.get((kind, bare(row.native)), {}))[:40]
            yield _Cell(kind, row, form, values)


def _trees(subject: Subject) -> Iterator[tuple[str, Any]]:
    for example in subject.examples:
        if example.kind in subject.region.maps:
            yield example.kind, subject.region.parse(example.body).tree
    for passage in subject.passages if subject.stand_in else ():
        if passage.sender == subject.slug and passage.tree:
            yield passage.native_kind, passage.tree


@holds(
    "F20",
    "每个转换读出的值，写回后再读还是同一个值",
    "Each converter reads back what it wrote",
    "ADR 0007",
)
def converters_are_inverse(subject: Subject, tally: Tally) -> Iterator[Breach]:
    """Over values of the examples, of generated messages, and at the edges."""
    sight = sight_of(subject)
    for cell in _cells(subject):
        form, told = cell.form, False
        meanings = [m for value in cell.seen if (m := _meaning(form, value, sight)) is not None]
        # times come in the zone of whoever sent them
        meanings += [meant.astimezone(UTC) for meant in meanings[:3] if isinstance(meant, datetime)]
        for meaning in (*meanings, *_edges(meanings)):
            tally()
            # beyond its own bounds a row may refuse what it is told to write
            found = _round(form, meaning, sight, bounded=meaning in meanings)
            if not found or told:
                continue
            told = True
            place = declared_at(subject, cell.row.native)
            yield Breach(
                f"{cell.kind} 的 {cell.row.native}（转换 {form.name}）：规范值 {_shown(meaning)} {found}",
                f"请核对 {place} 用的转换，使 read 与 write 互逆（单位、位数、日期写法一致）",
                path=place,
            )


def _meaning(form: Converter, value: Any, sight: Sight) -> Any:
    """The canonical value of a native one; None when it has none, or only with a loss."""
    if not form.ok(value):
        return None
    try:
        meant = form.read(value, sight)
    except Fault:
        return None
    return None if isinstance(meant, Lossy) else meant


def _edges(meanings: list[Any]) -> tuple[Any, ...]:
    """Values at the edges, of the type a row holds."""
    first = meanings[0] if meanings else None
    if isinstance(first, Decimal):
        return _AMOUNTS
    if isinstance(first, datetime):
        return tuple(datetime(d.year, d.month, d.day, 23, 59, 59, tzinfo=first.tzinfo) for d in _DAYS)
    if isinstance(first, date):
        return _DAYS
    return _COUNTS if isinstance(first, int) and not isinstance(first, bool) else ()


def _round(form: Converter, meaning: Any, sight: Sight, *, bounded: bool) -> str:
    """What goes wrong when a value is written and read, "" for nothing."""
    try:
        written = form.write(meaning, sight)
    except Fault:
        return ""
    if isinstance(written, Lossy):
        return ""
    back, fault = None, ""
    if not form.ok(written):
        fault = "写出的写法自己不认"
    else:
        try:
            back = form.read(written, sight)
        except Fault as refused:
            fault = f"写出后读回得到 {refused.code}"
    if fault:
        return fault if bounded else ""
    back = back.value if isinstance(back, Lossy) else back
    return "" if back == meaning else f"写出“{_shown(written)}”，读回变成 {_shown(back)}"


def _shown(value: Any) -> str:
    """Dates, numbers and codes as they are; texts only by length."""
    return f"{len(value)} 字的文本" if isinstance(value, str) and len(value) > 24 else str(value)


@holds("F21", "不存在的日期不会被收下", "A day that does not exist is not taken", "crossing M7")
def impossible_days_are_found(subject: Subject, tally: Tally) -> Iterator[Breach]:
    """30 February in the row's own spelling."""
    sight = sight_of(subject)
    for cell in _cells(subject):
        for value in cell.seen[:5]:
            meant = _meaning(cell.form, value, sight)
            if not isinstance(meant, date):
                continue
            tally()
            wrong = _impossible(value, meant)
            if wrong is None or _meaning(cell.form, wrong, sight) is None:
                continue
            place = declared_at(subject, cell.row.native)
            yield Breach(
                f"{cell.kind} 的 {cell.row.native} 收下了不存在的日期“{wrong}”",
                f"请核对 {place} 的转换 {cell.form.name}，不存在的日期应报 9042 或 9043",
                path=place,
            )
            break


def _impossible(value: Any, meant: date) -> Any:
    text = str(value)
    for good, bad in ((f"{meant:%m%d}", "0230"), (f"{meant:%m-%d}", "02-30"), (f"{meant:%m/%d}", "02/30")):
        if good in text[4:]:
            wrong = text[:4] + text[4:].replace(good, bad, 1)
            return int(wrong) if isinstance(value, int) else wrong
    return None


@holds(
    "F22",
    "码表的每个代码都符合接口的写法，读成公共码表中的代码",
    "Every word of every list is of the form the interface takes",
    "crossing M1",
)
def words_are_of_the_form(subject: Subject, tally: Tally) -> Iterator[Breach]:
    """A row nobody can send is a mistake in the table."""
    sight = sight_of(subject)
    for name, (cell, words) in _by_list(subject).items():
        hub = subject.tables.hub(name)
        for native, row in words.reads.items():
            tally()
            place = f"{subject.code_file(name)}:{row.line}"
            if not cell.form.ok(native):
                yield Breach(
                    f"码表 {name} 的“{native}”不符合 {cell.kind} {cell.row.native} 的写法，永远收不到",
                    f"请核对 {place} 的 native，或 {declared_at(subject, cell.row.native)} 的写法",
                    path=place,
                )
            elif row.key not in hub or _key(cell.form, native, sight) != row.key:
                yield Breach(
                    f"码表 {name} 的“{native}”读不成“{row.key}”",
                    f"请核对 {place} 的 key（须在 mappings/canonical/{name}.csv 中）",
                    path=place,
                )


def _key(form: Converter, native: str, sight: Sight) -> Any:
    try:
        read = form.read(native, sight)
    except Fault:
        return None
    return read.value if isinstance(read, Lossy) else read


def _by_list(subject: Subject) -> dict[str, tuple[_Cell, Any]]:
    """One row for each list that is looked up by a converter."""
    found: dict[str, tuple[_Cell, Any]] = {}
    for cell in _cells(subject):
        name = code_list_of(cell.row)
        if name and name not in found:
            found[name] = (cell, subject.tables.codes(subject.slug, name))
    return found


@holds(
    "F23",
    "码表没有的代码挂起并指明位置，从不猜测",
    "An unknown code parks with its place; nothing is guessed",
    "ADR 0009",
)
def unknown_codes_park(subject: Subject, tally: Tally) -> Iterator[Breach]:
    """1001, level park."""
    sight, found = sight_of(subject), 0
    for cell in _cells(subject):
        name = code_list_of(cell.row)
        if not name:
            continue
        words = subject.tables.codes(subject.slug, name)
        strange = next((w for w in _STRANGE if cell.form.ok(w) and w not in words.reads), None)
        if strange is None:
            continue
        found += 1
        tally()
        try:
            cell.form.read(strange, sight)
            code, level = "", None
        except Fault as fault:
            code, level = fault.code, fault.level
        if (code, level) != ("1001", Level.PARK):
            place = declared_at(subject, cell.row.native)
            yield Breach(
                f"{cell.kind} 的 {cell.row.native} 遇到码表 {name} 没有的“{strange}”，应挂起（1001），现为{code or '收下了'}",
                f'请在 {place} 用 code("{name}", …) 转换，不要自行给默认值',
                path=place,
            )
    if not found:
        raise CannotTell("对应表没有用到码表")
