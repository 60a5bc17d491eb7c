"""Worked messages with members put in, taken out, turned round and repeated, for laws that hold for any message."""

from __future__ import annotations

import copy
from decimal import Decimal

from crossings import MAPS, SIDE, edited
from hypothesis import strategies as st


def walk(tree, path=""):
    """Every member: (steps, native path); lists at their first entry."""
    xml = path.startswith(("BODY", "HEAD"))
    for name, value in tree.items():
        here = f"{path}{'/' if xml else '.'}{name}" if path else name
        xml_here = here.startswith(("BODY", "HEAD"))
        yield (name,), here, value
        inner, mark = value, ""
        if isinstance(value, list) and value:
            inner, mark = value[0], "[1]" if xml_here else "[0]"
        if isinstance(inner, dict):
            for steps, deeper, found in walk(inner, here + mark):
                yield (name, *((0,) if mark else ()), *steps), deeper, found


def holder(tree, steps):
    node = tree
    for step in steps[:-1]:
        node = node[step]
    return node


def as_lists(kind):
    """A worked message whose repeated elements are lists also where there is one."""
    tree = edited(kind)
    plan = MAPS.reader(SIDE[kind], kind)
    _make_lists(tree, plan._root)
    return tree


def _make_lists(tree, node):
    for name, child in node.children.items():
        if child.repeated and isinstance(tree.get(name), dict):
            tree[name] = [tree[name]]
        value = tree.get(name)
        for entry in value if isinstance(value, list) else [value]:
            if isinstance(entry, dict):
                _make_lists(entry, child)


# fmt: off
TEXTS = st.sampled_from([
    "", " ", "x", "01", "1", "110", "王\u3000", "\u3000王", "王\n秀", "王秀\n", "\x85王", "\u00a0王", "\ue000",
    "0", "007", "-1", "1.5", "100.99", "3年0个月", "36", "20260230", "2026-02-30", "2026-13", "20261123", "是",
    "2026-11-23 24:00:00", "2026-11-23 23:59:60", "x" * 33, "字" * 65, "字" * 129, "字" * 501, "A", "CYTB",
    "CQ500103", "500103", "510104", "１２", "0x1", "+5", "1e3", "999", "1000", " 5 ", "\U0001f600",
]) | st.text(max_size=4)
NUMBERS = st.sampled_from([
    0, 1, -1, 12, 13, 999, 1000, 202113, 20260230, 20261123, 99999999, 10**20, Decimal("0.08"), Decimal("12.0"),
    Decimal("0.00001"), Decimal("94.005"), Decimal("9999999999.99"), Decimal("1E+10"),
])
# fmt: on
OTHERS = st.sampled_from([None, True, False, [], {}, [1], {"a": "b"}])


def values(kind):
    if SIDE[kind] == "sichuan":
        return TEXTS | NUMBERS | OTHERS
    return TEXTS | st.sampled_from([[], {}, {"A": "b"}, ["1", "2"]])


@st.composite
def mutants(draw, kinds):
    kind = draw(st.sampled_from(kinds))
    tree = as_lists(kind)
    for _ in range(draw(st.integers(1, 3))):
        members = [steps for steps, path, _ in walk(tree) if path not in {"fwid", "HEAD", "HEAD/JYM"}]
        steps = draw(st.sampled_from(members))
        node, name = holder(tree, steps), steps[-1]
        match draw(st.sampled_from(["put", "put", "put", "drop", "add", "turn", "repeat"])):
            case "put":
                node[name] = copy.deepcopy(draw(values(kind)))
            case "drop":
                del node[name]
            case "add":
                node[draw(st.sampled_from(["X", "YLLX", "SLQD", "aae013", "BZ"]))] = "1"
            case "turn":
                node.update({name: node.pop(name)})
            case "repeat" if SIDE[kind] == "chongqing" or isinstance(node[name], list):
                entries = node[name] if isinstance(node[name], list) else [node[name]]
                node[name] = [
                    copy.deepcopy(entry) for entry in entries for _ in range(draw(st.integers(1, 3)))
                ]
    return kind, tree
