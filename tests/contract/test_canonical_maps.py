"""The canonical maps: what a channel writes is understood, and told on, as what a region's own system sends."""

from __future__ import annotations

import base64
import json

import pytest
from crossings import CONTEXT, MAPS, NOW, REGIONS, SIDE, TABLES, cross, plain

from gateway.exchange.canonical_side import standing_in
from gateway.exchange.dry_run import DryRun, dry_run

COLLECTED = {"outlet": {"code": "0440200123", "name": "示例银行成都锦江支行"}}
KINDS = sorted(SIDE)


def as_a_channel(kind):
    """What a region's worked message means, written as canonical JSON and taken from a channel of that region."""
    sender = SIDE[kind]
    meant = cross(kind).canonical
    body = json.dumps(meant | ({"collected_at": COLLECTED} if "item" in meant else {}), ensure_ascii=False)
    regions = REGIONS | {sender: standing_in(REGIONS[sender])}
    run = DryRun(regions, TABLES, MAPS, sender, NOW, CONTEXT.get(kind))
    return dry_run(run, body.encode())


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_message_means_is_told_on_as_the_message_is(kind):
    """Written in canonical JSON, each worked message becomes the very bytes the region's own becomes."""
    native, channel = cross(kind), as_a_channel(kind)
    receiver = REGIONS[channel["native"]["region"]]
    assert plain(receiver.parse(base64.b64decode(channel["native"]["body"])).tree) == plain(native.tree)
    assert _unnumbered(channel["canonical"]) == _unnumbered(native.canonical)


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_a_channel_writes_is_lost_without_a_trace(kind):
    """Every leaf is carried, or its trace says that it is not."""
    written = cross(kind).canonical | {"collected_at": COLLECTED}
    traced = {entry["path_in"] for entry in as_a_channel(kind)["trace"]}
    heads = {"kind", "case_no", "origin_case_no"}
    #: one entry serves a pair written from one value (crossing §7)
    pairs = {"accepted_at", "transfer.from_division", "transfer.to_division"}
    if "item" not in written:
        del written["collected_at"]
    lost = {path for path in _leaves(written) if path not in traced and not path.endswith("].base_total")}
    assert lost <= heads | pairs


def _unnumbered(canonical):
    """Without the one number a channel does not give."""
    return {name: value for name, value in canonical.items() if name != "origin_case_no"}


def _leaves(node, path=""):
    match node:
        case dict():
            for name, member in node.items():
                yield from _leaves(member, f"{path}.{name}" if path else name)
        case list():
            for number, member in enumerate(node):
                yield from _leaves(member, f"{path}[{number}]")
        case _:
            yield path
