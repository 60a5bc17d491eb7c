"""Laws over what may get lost or turned about unnoticed: a value between bytes and tree, a person's sex."""

from __future__ import annotations

import json
from collections import Counter
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from lxml import etree

from gateway.canonical.kinds import TraceKind
from gateway.conformance.law import Breach
from gateway.conformance.laws.needs import file_of, sight_of, stand_in_of
from gateway.conformance.laws.rulebook import CannotTell, holds
from gateway.conformance.pointing import bare, declared_at, leaves, line_of, value_at, with_value
from gateway.errors import Refusal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gateway.conformance.laws.rulebook import Tally
    from gateway.conformance.subject import Example, Subject

#: Attributes for whoever validates: no content of the message.
_ABOUT_SCHEMA = "http://www.w3.org/2001/XMLSchema-instance"
#: What formats stumble over: their own marks, a line's end, a letter beyond the first plane.
_WORDS = ("甲<乙>&\"'丙\n丁𠮷", "甲<乙>&\"'丙丁𠮷")


@holds(
    "B23",
    "样例字节里的每个值都读了进来",
    "Every value in the bytes of the examples is read in",
    "ADR 0009",
)
def examples_are_read_whole(subject: Subject, tally: Tally) -> Iterator[Breach]:
    """What is dropped between bytes and tree no map can miss. Other names and places are the codec's affair."""
    shown = [(example, list(_written(example.body))) for example in subject.examples]
    if not any(found for _, found in shown):
        raise CannotTell("样例不是 JSON 或 XML，看不出字节里有哪些值")
    for example, found in shown:
        tally(len(found))
        try:
            left = Counter(_leaves(subject.region.parse(example.body).tree))
        except Refusal:
            continue  # B12 tells why
        for path, value in found:
            if left[value]:
                left[value] -= 1
                continue
            yield Breach(
                f"{example.kind} 的 {path} 写有内容，读进来的报文里没有它",
                f"请核对 {subject.where} 的 parse（或 codec.py 的 read）：从字节到树，一个元素、一项列表都不能丢",
                path=path,
                example=file_of(subject, example),
            )


def _written(body: bytes) -> Iterator[tuple[str, str]]:
    """Path and text of each value in JSON or XML; nothing for bytes that are neither."""
    try:
        if body.lstrip()[:1] in (b"{", b"["):
            yield from _of_json(json.loads(body, parse_float=Decimal), "")
        else:
            parser = etree.XMLParser(resolve_entities=False, no_network=True)
            root = etree.fromstring(body, parser)
            yield from _of_xml(root, "")
    except (ValueError, etree.LxmlError):
        return


def _of_json(node: Any, base: str) -> Iterator[tuple[str, str]]:
    if isinstance(node, dict):
        for name, value in node.items():
            yield from _of_json(value, f"{base}.{name}" if base else name)
    elif isinstance(node, list):
        for number, value in enumerate(node):
            yield from _of_json(value, f"{base}[{number}]")
    elif said := _said(node):
        yield base, said


def _of_xml(element: Any, base: str) -> Iterator[tuple[str, str]]:
    for name, value in element.attrib.items():
        if value.strip() and etree.QName(name).namespace != _ABOUT_SCHEMA:
            yield f"{base}/@{etree.QName(name).localname}".removeprefix("/"), value.strip()
    if element.text and element.text.strip():
        yield base, element.text.strip()
    counts: Counter[str] = Counter()
    for child in element.iterchildren(tag=etree.Element):
        name = etree.QName(child).localname
        counts[name] += 1
        number = f"[{counts[name]}]" if counts[name] > 1 else ""
        yield from _of_xml(child, f"{base}/{name}{number}".removeprefix("/"))


def _leaves(node: Any) -> Iterator[str]:
    if isinstance(node, dict | list):
        for value in node.values() if isinstance(node, dict) else node:
            yield from _leaves(value)
    else:
        yield _said(node)


def _said(value: Any) -> str:
    """A value as it is compared: numbers by what they are worth, texts without the space around them."""
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        return f"{Decimal(value).normalize():f}"
    return "" if value is None else str(value).strip()


@holds(
    "F31",
    "读出的性别和生日与证件号码相符",
    "Sex and birthday as read agree with the citizen's number",
    "crossing M17",
)
def persons_agree_with_their_numbers(subject: Subject, tally: Tally) -> Iterator[Breach]:
    """The stand-in's persons are as their numbers say: a warning means that something was read turned about."""
    stand_in_of(subject)
    told: set[tuple[str, str]] = set()
    for passage in subject.passages:
        if not passage.taken or passage.sender != subject.slug or passage.reading is None:
            continue
        tally()
        for note in passage.reading.notes:
            path = note.path_in or ""
            if (note.kind, note.rule) != (TraceKind.WARNING, "M17") or (passage.native_kind, path) in told:
                continue
            told.add((passage.native_kind, path))
            row = line_of(subject, passage.native_kind, path)
            place = declared_at(subject, path)
            listed = f"和 {subject.code_file(row.code_list)}" if row and row.code_list else ""
            yield Breach(
                f"{passage.native_kind} 的 {path}{f'（{row.name}）' if row and row.name else ''}读出来与证件号码所说的不符",
                f"请核对 {place} 的路径与转换{listed}；若是模拟对端写错，请更正 {subject.where}/simulated.py",
                path=place,
                example=passage.about,
            )


@holds(
    "H10",
    "任何文字的报文写出后都读得回来，一字不差",
    "A message with any words is written and read back to the letter",
    "crossing §7",
)
def any_words_come_back(subject: Subject, tally: Tally) -> Iterator[Breach]:
    """Marks of the format, line ends and rare letters in every text the maps take; each field is told once."""
    told: set[tuple[str, str]] = set()
    for example in subject.examples:
        one = subject.region.maps.get(example.kind)
        if one is None:
            continue
        tree = subject.region.parse(example.body).tree
        for path, value in leaves(tree, one):
            words = _taken(subject, example, tree, path) if isinstance(value, str) else None
            if words is None or (example.kind, bare(path)) in told:
                continue
            tally()
            first = one.spelling.first_index
            body = subject.region.render(with_value(tree, path, words, first), example.kind)
            try:
                found = value_at(subject.region.parse(body).tree, path, first)
            except Refusal:
                found = None
            if found != words:
                told.add((example.kind, bare(path)))
                yield Breach(
                    f"{example.kind} 的 {path} 写出后{'读不回来' if found is None else '再读，文字变了'}",
                    f"请在 {subject.where} 的 render（或 codec.py 的 write）中转义格式自己的符号；"
                    "XML 属性中的换行和制表符也要转义",
                    path=path,
                    example=example.name,
                )


def _taken(subject: Subject, example: Example, tree: Any, path: str) -> str | None:
    """The first of the words that the maps take at a place; None where only other forms may stand."""
    plan, first = subject.maps.reader(subject.slug, example.kind), subject.region.maps[example.kind].spelling
    for words in _WORDS if plan is not None else ():
        try:
            altered = with_value(tree, path, words, first.first_index)
        except LookupError:
            return None
        if plan and all(found.path != path for found in plan.read(altered, sight_of(subject)).findings):
            return words
    return None
