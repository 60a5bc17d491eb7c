"""Every worked message becomes its worked counterpart; canonical form and trace are laws (R-B16, R-B17)."""

from __future__ import annotations

import json

import pytest
from crossings import ADAPTERS, APPLICATIONS, PAIR, SIDE, cross, plain, value_at, worked

#: the worked pairs, by the message that is sent (spec examples, pairs)
SENT = [
    "tbzy0001",
    "YLZY_XXB",
    "SYJ_SQ",
    "tbsy0002",
    "tbrz0001",
    "tbty0001",
    "ZT_TZ",
    "tbbz0001",
    "CH_SQ",
    "tbpj0001",
]
#: minted for each message: key, times; and what a system adds to its own messages but not the gateway
MINTED = {"aaz002", "HEAD/LSH", "HEAD/FSSJ", "HEAD/JSF"}
OPERATOR = {"aae011", "aae414", "yab003"}


def sent(kind):
    """Crossed in the context that lies beside it: of an application, the worked numbers."""
    beside = ADAPTERS / SIDE[kind] / "examples" / f"{kind}.context.json"
    return cross(kind, context=json.loads(beside.read_bytes()))


def without(tree, paths):
    """The tree without these members."""
    for path in paths:
        node, *names = tree, *path.split("/")
        for name in names[:-1]:
            node = node.get(name, {})
        node.pop(names[-1], None)
    return tree


@pytest.mark.parametrize("kind", SENT)
def test_a_worked_message_becomes_its_worked_counterpart(kind):
    received = PAIR[kind]
    heads = [path for path in MINTED if value_at(worked(received), path) is not None]
    written = without(plain(sent(kind).tree), heads)
    assert written == without(plain(worked(received)), heads)


def test_the_trace_of_the_specification_is_among_them():
    assert sent("tbzy0001").entry(path_in="param.aac070") == {
        "path_in": "param.aac070",
        "path_out": "BODY/YWXX/ZYFX",
        "rule": "M15",
        "kind": "converted",
        "before": "2",
        "after": "转出",
    }


def test_every_kind_is_among_the_worked_pairs():
    assert {*SENT, *(PAIR[kind] for kind in SENT)} == set(SIDE)


@pytest.mark.parametrize("kind", [kind for kind in SIDE if kind not in APPLICATIONS])
def test_a_follow_up_crosses_the_other_way_too(kind):
    """Follow-ups look the same whoever sends them, but for the operator a system names and QSLX."""
    crossed = cross(kind)
    written, expected = plain(crossed.tree), plain(worked(PAIR[kind]))
    if SIDE[kind] == "chongqing":
        assert without(written, ["aaz002"]) == without(expected, ["aaz002", *OPERATOR])
    else:
        assert without(written, ["HEAD"]) == without(expected, ["HEAD", "BODY/YWXX/QSLX"])
