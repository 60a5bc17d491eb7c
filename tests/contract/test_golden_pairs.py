"""Every worked message becomes its worked counterpart, by way of the canonical form written beside it."""

from __future__ import annotations

import json

import pytest
from crossings import ADAPTERS, APPLICATIONS, CONTEXT, PAIR, SIDE, cross, plain, value_at, worked

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
#: a new case gets numbers; these are the worked ones
NUMBERS = {
    "tbzy0001": {"case_no": "CYTB5101042026112300000017"},
    "SYJ_SQ": {"case_no": "CYTB5001032026112300000051", "affair_code": "510104-20261123-900051"},
    "tbrz0001": {"case_no": "CYTB5134012026112300000203"},
    "tbty0001": {"case_no": "CYTB5110242026112300000031"},
}
#: minted for each message: key, times; and what a system adds to its own messages but not the gateway
MINTED = {"aaz002", "HEAD/LSH", "HEAD/FSSJ", "HEAD/JSF"}
OPERATOR = {"aae011", "aae414", "yab003"}


def sent(kind):
    return cross(kind, context=NUMBERS.get(kind) or CONTEXT[kind])


def beside(kind, what):
    return json.loads((ADAPTERS / SIDE[kind] / "examples" / f"{kind}.{what}.json").read_bytes())


def without(tree, paths):
    """The tree without these members."""
    for path in paths:
        node, *names = tree, *path.split("/")
        for name in names[:-1]:
            node = node.get(name, {})
        node.pop(names[-1], None)
    return tree


@pytest.mark.parametrize("kind", SENT)
def test_a_worked_message_has_the_canonical_form_beside_it(kind):
    assert sent(kind).canonical == beside(kind, "canonical")


@pytest.mark.parametrize("kind", SENT)
def test_a_worked_message_becomes_its_worked_counterpart(kind):
    received = PAIR[kind]
    heads = [path for path in MINTED if value_at(worked(received), path) is not None]
    written = without(plain(sent(kind).tree), heads)
    assert written == without(plain(worked(received)), heads)


@pytest.mark.parametrize("kind", SENT)
def test_a_worked_message_leaves_the_trace_beside_it(kind):
    entries = [list(entry.values()) for entry in sent(kind).trace if entry["kind"] != "exact"]
    assert entries == beside(kind, "trace")


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


@pytest.mark.parametrize("kind", SENT)
def test_two_translations_of_the_same_bytes_are_identical(kind):
    assert sent(kind) == sent(kind)
