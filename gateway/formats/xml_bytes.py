"""XML in GB 18030 bytes without DOCTYPE, attributes or namespaces, as a tree of texts."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any
from xml.parsers import expat
from xml.sax.saxutils import escape

from gateway.errors import Finding
from gateway.formats import gb18030
from gateway.formats.tree import MAX_DEPTH, Unreadable

DECLARATION = '<?xml version="1.0" encoding="GB18030"?>'

_DECLARED = re.compile(
    r"<\?xml[ \t\r\n]+version[ \t\r\n]*=[ \t\r\n]*(?:\"1\.0\"|'1\.0')"
    r"[ \t\r\n]+encoding[ \t\r\n]*=[ \t\r\n]*(?:\"gb18030\"|'gb18030')"
    r"(?:[ \t\r\n]+standalone[ \t\r\n]*=[ \t\r\n]*(?:\"(?:yes|no)\"|'(?:yes|no)'))?[ \t\r\n]*\?>",
    re.IGNORECASE,
)
#: White space, comments and instructions before the first element.
_PROLOG = re.compile(r"(?:[ \t\r\n]+|<!--.*?-->|<\?.*?\?>)*+", re.DOTALL)
_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_SPECIAL = re.compile("[<>&\r" + _ILLEGAL.pattern[1:])
_BLANK = " \t\r\n"
_TOO_DEEP = f"报文嵌套超过 {MAX_DEPTH} 层，请按接口规范组织报文"


def read(body: bytes, root: str = "PACKET") -> tuple[dict[str, Any], tuple[Finding, ...]]:
    """The children of the root element, and the faults only a parser can see (9042).

    Shape: leaves are ``str``, an element repeated is a ``list``, document order kept; an element with
    neither children nor text is ``""``. Paths are relative to the root and count from 1.
    Errors: `Unreadable` as `decode`, and for anything that is not well-formed or too deep.
    Source: CQ-N §1, crossing §1 step 6 and §7.
    """
    return parse(decode(body), root)


def decode(body: bytes) -> str:
    """The document's text after its declaration.

    Errors: `Unreadable` for bytes that are no GB 18030, another declaration, a DOCTYPE.
    """
    try:
        text = gb18030.decode(body)
    except UnicodeDecodeError:
        raise Unreadable("报文不是合法的 GB18030 编码，请按 GB18030 编码后重发") from None
    declared = _DECLARED.match(text)
    if not declared:
        raise Unreadable(f"报文必须以 {DECLARATION} 开头，请更正声明与编码后重发")
    start = _PROLOG.match(text, declared.end())
    if text.startswith("<!DOCTYPE", start.end() if start else 0):
        raise Unreadable("报文中不得有 DOCTYPE，请删除后重发")
    return text[declared.end() :]


def parse(text: str, root: str = "PACKET") -> tuple[dict[str, Any], tuple[Finding, ...]]:
    """As `read`, from text that went through `decode` (which keeps any DOCTYPE away from the parser)."""
    builder = _Builder()
    parser = expat.ParserCreate("utf-8")
    parser.buffer_text = True
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.characters
    try:
        parser.Parse(text.encode("utf-8"), True)  # noqa: FBT003 - the standard library's own face
    except expat.ExpatError as error:
        raise Unreadable(f"报文不是格式良好的 XML（第 {error.lineno} 行附近），请检查后重发") from None
    except UnicodeEncodeError:
        raise Unreadable("报文中有 XML 不允许的字符，请检查后重发") from None
    return builder.document(root)


def write(tree: dict[str, Any], root: str = "PACKET") -> bytes:
    """The document with its declaration, in GB 18030.

    A ``list`` repeats its element; None is left out; every leaf must be text. Characters that XML
    cannot hold (possible only in texts quoted back to a sender) become U+FFFD.
    """
    parts = [DECLARATION, f"<{root}>"]
    _write_children(tree, parts)
    parts.append(f"</{root}>")
    return gb18030.encode("".join(parts))


class _Open:
    """An element whose end has not come yet."""

    __slots__ = ("children", "tag", "text")

    def __init__(self, tag: str) -> None:
        self.tag = tag
        self.children: dict[str, Any] = {}
        self.text = ""


class _Builder:
    """Takes a parser's events, builds the tree and notes what the tree cannot show."""

    def __init__(self) -> None:
        self._top = _Open("")
        self._path = [self._top]
        self._faults: list[tuple[tuple[_Step, ...], str]] = []

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        if len(self._path) > MAX_DEPTH:
            raise Unreadable(_TOO_DEEP)
        self._path.append(_Open(tag))
        if attributes:
            self._note("元素不得带属性和命名空间，请去掉")
        elif ":" in tag:
            self._note("元素名不得带命名空间前缀，请去掉")

    def characters(self, text: str) -> None:
        self._path[-1].text += text

    def end(self, tag: str) -> None:
        element = self._path[-1]
        if element.children and element.text.strip(_BLANK):
            self._note("元素之间有多余文字，请去掉")
        siblings = self._path[-2].children
        value = element.children or element.text
        if tag not in siblings:
            siblings[tag] = value
        else:
            self._repeat(siblings, tag, value)
        self._path.pop()

    def document(self, root: str) -> tuple[dict[str, Any], tuple[Finding, ...]]:
        tag, tree = next(iter(self._top.children.items()))
        faults = [_fault(_written(steps) or root, text) for steps, text in self._faults]
        if tag != root:
            faults.append(_fault(root, f"根元素应为 {root}，请更正"))
        if isinstance(tree, dict):
            return tree, tuple(faults)
        return {}, (*faults, _fault(root, "报文没有内容，请按接口规范填写"))

    def _repeat(self, siblings: dict[str, Any], tag: str, value: Any) -> None:
        if next(reversed(siblings)) != tag:
            self._note("重复的元素必须连续排列，请调整顺序")
        held = siblings[tag]
        if isinstance(held, list):
            held.append(value)
        else:
            siblings[tag] = [held, value]

    def _note(self, text: str) -> None:
        steps = [
            (above.children, element.tag, _count(above.children.get(element.tag)) + 1)
            for above, element in pairwise(self._path)
        ]
        # the first step is the root element, which paths leave out
        self._faults.append((tuple(steps[1:]), text))


#: The siblings of an element (complete only at the end of the document), its tag and its number.
_Step = tuple[dict[str, Any], str, int]


def _count(held: Any) -> int:
    if held is None:
        return 0
    return len(held) if isinstance(held, list) else 1


def _written(steps: tuple[_Step, ...]) -> str:
    """``BODY/YWXX/NMX[2]/ND``: only what is repeated carries its number."""
    return "/".join(f"{tag}[{n}]" if isinstance(above[tag], list) else tag for above, tag, n in steps)


def _fault(path: str, text: str) -> Finding:
    return Finding(path, "9042", text)


def _write_children(tree: dict[str, Any], parts: list[str]) -> None:
    for tag, value in tree.items():
        for one in value if isinstance(value, list) else (value,):
            _write_element(tag, one, parts)


def _write_element(tag: str, value: Any, parts: list[str]) -> None:
    match value:
        case str():
            parts.append(f"<{tag}>{_escaped(value)}</{tag}>")
        case dict():
            parts.append(f"<{tag}>")
            _write_children(value, parts)
            parts.append(f"</{tag}>")
        case None:
            return
        case _:
            raise TypeError(f"no XML form for {type(value).__name__} at {tag}")


def _escaped(text: str) -> str:
    if not _SPECIAL.search(text):
        return text
    # CR is written as a reference: a parser would read the bare character as LF.
    return escape(_ILLEGAL.sub("\ufffd", text), {"\r": "&#13;"})
