"""Good messages spoilt in one place, judged by the region's own map before they are sent (no I/O)."""

from __future__ import annotations

import copy
import re
from typing import TYPE_CHECKING, Any

from gateway.canonical.identifiers import citizen_id_fault
from gateway.canonical.worktime import beijing_day
from gateway.conformance.endpoint.mill import with_value
from gateway.formats import media_type

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gateway.conformance.endpoint.mill import Message, Sides
    from gateway.conformance.yardstick import Yardstick
    from gateway.errors import Finding
    from gateway.region import Tree

#: A day, with the time of day or without.
_DATE = re.compile(
    r"(?P<year>(?:19|20)\d\d)(?P<dash>-?)\d\d(?P=dash)\d\d(?P<rest>(?:\D?\d\d(?::?\d\d){2})?)", re.ASCII
)
#: Spoilt messages of one kind that are sent.
_MOST = 6


def wrong_types(content_type: str) -> tuple[str, ...]:
    """Content types that are not the region's: another type, another charset."""
    kind, _ = media_type.split(content_type)
    return ("text/plain; charset=utf-8", "application/octet-stream", f"{kind}; charset=iso-8859-1")


def same_types(content_type: str) -> tuple[str, ...]:
    """The region's content type, written otherwise."""
    kind, charset = media_type.split(content_type)
    return (f"{kind.upper()}; charset={charset.upper()}", f"{kind};charset={charset}")


def without_members(yardstick: Yardstick, message: Message) -> Iterator[tuple[str, Tree]]:
    """(path, tree) with one mandatory leaf left out, spread over the message; never its key or kind."""
    found = []
    heads = {yardstick.sides.region.kind_path, *_key_paths(yardstick, message)}
    for steps in _leaves(message.tree):
        tree = _without(message.tree, steps)
        faults = _faults(yardstick, message, tree)
        if len(faults) == 1 and faults[0].code == "9042" and faults[0].path not in heads:
            found.append((faults[0].path, tree))
    yield from _spread(found)


def wrong_values(yardstick: Yardstick, message: Message) -> Iterator[tuple[str, str, Tree]]:
    """(path, what was done, tree) with one value that breaks a rule of the region."""
    heads = {message.key, message.case_ref, message.case.case_no, message.native_kind}
    found = []
    for steps in _leaves(message.tree):
        if _at(message.tree, steps) in heads:
            continue  # what a receipt answers to
        for what, other in _others(_at(message.tree, steps)):
            tree = copy.deepcopy(message.tree)
            _put(tree, steps, other)
            faults = _faults(yardstick, message, tree)
            if faults:
                # a form that a schema tells, and a rule that it does not, are two things to keep
                found.append(((what, faults[0].code), (faults[0].path, what, tree)))
    found += [((each[1], ""), each) for each in _swapped(yardstick, message)]
    for sort in dict.fromkeys(sort for sort, _ in found):
        yield from _spread([each for kept, each in found if kept == sort], _MOST // 2)


def wrong_digit(yardstick: Yardstick, message: Message) -> tuple[str, Tree] | None:
    """(path, tree) with another check digit in the number of the person, wherever it stands; None without one."""
    for steps in _leaves(message.tree):
        value = _at(message.tree, steps)
        if isinstance(value, str) and _is_citizens(value):
            other = value[:-1] + ("1" if value[-1] == "0" else "0")
            tree = with_value(message.tree, value, other)
            faults = _faults(yardstick, message, tree)
            return (faults[0].path, tree) if faults else None
    return None


def _swapped(yardstick: Yardstick, message: Message) -> list[tuple[str, str, Tree]]:
    """Two neighbours of one group in the wrong order, where the region's format has an order."""
    found = []
    for steps in _leaves(message.tree):
        group = _at(message.tree, steps[:-1])
        names = list(group) if isinstance(group, dict) else []
        place = names.index(steps[-1]) if steps[-1] in names else -1
        if not 0 <= place < len(names) - 1:
            continue
        names[place], names[place + 1] = names[place + 1], names[place]
        tree = _with_group(message.tree, steps[:-1], {name: group[name] for name in names})
        faults = _faults(yardstick, message, tree)
        if faults:
            found.append((faults[0].path, "与下一项的次序颠倒", tree))
    return found


def _with_group(tree: Any, steps: tuple[Any, ...], group: Any) -> Any:
    if not steps:
        return group
    changed = copy.deepcopy(tree)
    _put(changed, steps, group)
    return changed


def _is_citizens(value: str) -> bool:
    return citizen_id_fault(value) is None


def _others(value: Any) -> Iterator[tuple[str, Any]]:
    if dated := _DATE.fullmatch(str(value)):
        year, dash, rest = dated["year"], dated["dash"], dated["rest"]
        yield "改成没有的日期（2 月 30 日）", type(value)(f"{year}{dash}02{dash}30{rest}")
    if isinstance(value, str) and value:
        if _is_citizens(value):
            yield (
                "的最后一位改过，与同一个号码的另一处不再相同",
                value[:-1] + ("1" if value[-1] == "0" else "0"),
            )
        yield "改成空的", ""
        yield "后面加了一个空格", f"{value} "
        yield "里有一个控制字符（U+007F）", f"{value[:1]}\x7f{value[1:]}"


def _faults(yardstick: Yardstick, message: Message, tree: Tree) -> list[Finding]:
    try:
        body = yardstick.sides.region.render(tree, message.native_kind)
    except Exception:  # noqa: BLE001 - what cannot be written is another law's
        return []
    return faults_in(yardstick, message, body)


def faults_in(yardstick: Yardstick, message: Message, body: bytes) -> list[Finding]:
    """What the region's own map says of it, as the receiver sees it; none of what cannot be read."""
    case = message.case.record.case
    try:
        opened = yardstick.sides.region.parse(body)
    except Exception:  # noqa: BLE001 - another law's
        return []
    return yardstick.faults(opened, case.accepted_on or beijing_day(case.received_at))


def _key_paths(yardstick: Yardstick, message: Message) -> set[str]:
    """Where the key and the case number stand: a message without them is another law's."""
    return {
        _written(yardstick.sides, steps)
        for steps in _leaves(message.tree)
        if _at(message.tree, steps) in {message.key, message.case_ref, message.native_kind}
    }


def _written(sides: Sides, steps: tuple[Any, ...]) -> str:
    separator = "/" if "/" in sides.region.kind_path else "."
    return separator.join(str(step) for step in steps)


def _spread(found: list[Any], most: int = _MOST) -> list[Any]:
    step = max(1, len(found) // most)
    return found[::step][:most]


def _leaves(node: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    match node:
        case dict():
            for name, value in node.items():
                yield from _leaves(value, (*at, name))
        case list():
            for index, value in enumerate(node):
                yield from _leaves(value, (*at, index))
        case _:
            yield at


def _at(tree: Any, steps: tuple[Any, ...]) -> Any:
    for step in steps:
        tree = tree[step]
    return tree


def _put(tree: Any, steps: tuple[Any, ...], value: Any) -> None:
    _at(tree, steps[:-1])[steps[-1]] = value


def _without(tree: Tree, steps: tuple[Any, ...]) -> Tree:
    changed = copy.deepcopy(tree)
    del _at(changed, steps[:-1])[steps[-1]]
    return changed
