"""Strict UTF-8 JSON: exact decimals, no repeated names, bounded nesting."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from json.encoder import encode_basestring
from typing import Any, NoReturn, cast

from gateway.errors import Finding
from gateway.formats.tree import MAX_DEPTH, Unreadable

#: The longest number, written out in full (crossing §7, M20).
MAX_NUMBER = 32

_BOM = b"\xef\xbb\xbf"
_EXPONENT = re.compile(r"[eE]([+-]?[0-9]+)\Z")


class Overlong(str):
    """A number too long to be one; kept as text so that its place can be reported."""

    __slots__ = ()


def read(body: bytes) -> dict[str, Any]:
    """One JSON object.

    Errors: `Unreadable` for what `parse` refuses and for numbers that are too long.
    """
    tree, faults = parse(body)
    if faults:
        raise Unreadable(f"{faults[0].path}：{faults[0].text}")
    return tree


def parse(body: bytes) -> tuple[dict[str, Any], tuple[Finding, ...]]:
    """One JSON object and the faults only a parser can see (9042: numbers too long).

    Shape: ``dict``, ``list``, ``str``, ``int``, ``Decimal``, ``bool``, ``None``; an overlong number is a
    `str`. Errors: `Unreadable` for BOM, broken UTF-8 or JSON, repeated names, NaN, Infinity, another
    top level than an object, more than `MAX_DEPTH` levels. Source: SC-N §1, crossing §1 step 6 and §7.
    """
    if body.startswith(_BOM):
        raise Unreadable("报文开头有 BOM，请去掉后按 UTF-8（无 BOM）发送")
    try:
        tree = _DECODER.decode(body.decode("utf-8"))
    except UnicodeDecodeError:
        raise Unreadable("报文不是合法的 UTF-8，请按 UTF-8 编码后重发") from None
    except json.JSONDecodeError as error:
        raise Unreadable(
            f"报文不是合法的 JSON（第 {error.lineno} 行第 {error.colno} 列附近），请检查后重发"
        ) from None
    except RecursionError:
        raise Unreadable(_TOO_DEEP) from None
    if not isinstance(tree, dict):
        raise Unreadable("报文顶层应为一个 JSON 对象，请检查后重发")
    faults: list[Finding] = []
    _survey(tree, "", 1, faults)
    return tree, tuple(faults)


def write(tree: Any) -> bytes:
    """Compact UTF-8 JSON; a `Decimal` is written digit by digit, other letters than ASCII as they are.

    A lone surrogate (possible only in names and texts quoted back to a sender) is written as an escape.
    """
    parts: list[str] = []
    _write(tree, parts)
    return "".join(parts).encode("utf-8", "backslashreplace")


_TOO_DEEP = f"报文嵌套超过 {MAX_DEPTH} 层，请按接口规范组织报文"


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise Unreadable("报文中同一对象有重复的成员名，请删除重复项后重发")
    return members


def _constant(_: str) -> NoReturn:
    raise Unreadable("报文中有 NaN 或 Infinity，请改为数字")


def _integer(written: str) -> int | Overlong:
    return int(written) if len(written) <= MAX_NUMBER else Overlong(written[:MAX_NUMBER])


def _fraction(written: str) -> Decimal | Overlong:
    # An exponent is weighed as if written out: 1e999999999 is short here and a gigabyte elsewhere.
    exponent = _EXPONENT.search(written)
    if len(written) > MAX_NUMBER or (exponent and _is_huge(written[: exponent.start()], exponent[1])):
        return Overlong(written[:MAX_NUMBER])
    return Decimal(written)


def _is_huge(mantissa: str, exponent: str) -> bool:
    return len(mantissa) + abs(int(exponent)) > MAX_NUMBER


_DECODER = json.JSONDecoder(
    object_pairs_hook=_object, parse_float=_fraction, parse_int=_integer, parse_constant=_constant
)


def _survey(node: Any, path: str, depth: int, faults: list[Finding]) -> None:
    """Bounds the nesting and finds the overlong numbers with their paths."""
    if depth > MAX_DEPTH:
        raise Unreadable(_TOO_DEEP)
    if isinstance(node, dict):
        prefix = f"{path}." if path else ""
        for name, value in node.items():
            if isinstance(value, (dict, list)):
                _survey(value, prefix + name, depth + 1, faults)
            elif isinstance(value, Overlong):
                faults.append(_overlong(prefix + name))
        return
    for index, value in enumerate(cast("list[Any]", node)):
        if isinstance(value, (dict, list)):
            _survey(value, f"{path}[{index}]", depth + 1, faults)
        elif isinstance(value, Overlong):
            faults.append(_overlong(f"{path}[{index}]"))


def _overlong(path: str) -> Finding:
    return Finding(path, "9042", f"数字超过 {MAX_NUMBER} 个字符，请改为规范允许的长度")


def _write(node: Any, parts: list[str]) -> None:
    match node:
        case str():
            parts.append(encode_basestring(node))
        case bool() | None:
            parts.append({True: "true", False: "false", None: "null"}[node])
        case int():
            parts.append(str(node))
        case Decimal():
            parts.append(format(node, "f"))
        case dict():
            _write_object(node, parts)
        case list() | tuple():
            _write_list(node, parts)
        case _:
            # a float or a date here is a mistake of ours, never of a message
            raise TypeError(f"no JSON form for {type(node).__name__}")


def _write_object(node: dict[str, Any], parts: list[str]) -> None:
    before = "{"
    for name, value in node.items():
        parts.append(f"{before}{encode_basestring(name)}:")
        _write(value, parts)
        before = ","
    parts.append("}" if node else "{}")


def _write_list(node: list[Any] | tuple[Any, ...], parts: list[str]) -> None:
    before = "["
    for value in node:
        parts.append(before)
        _write(value, parts)
        before = ","
    parts.append("]" if node else "[]")
