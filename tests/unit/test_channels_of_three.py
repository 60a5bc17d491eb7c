"""Channels among three regions: the receiving division decides, and any region may have an acceptance point."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from crossings import NOW

from gateway import regions
from gateway.canonical.kinds import Kind
from gateway.exchange.canonical_side import standing_in
from gateway.exchange.dry_run import DryRun, dry_run
from gateway.exchange.translate import compile_maps
from gateway.mapping.load import PACKAGED, tables_of
from gateway.web.canonical_schemas import example_of

THIRD = Path(__file__).parents[1] / "third_region"
NEW, PLACE = "yunling", "590102"
THREE = regions.discover(regions.in_folders([THIRD]))
TABLES_3 = tables_of(regions.table_files(PACKAGED, THREE), 2026, where="three")
MAPS_3 = compile_maps(THREE, TABLES_3)


def collected(side, origin, target):
    """The worked general application, collected for one division and meant for another."""
    body = example_of(Kind.GENERAL_APPLY) | {"origin": {"division": origin}, "target": {"division": target}}
    sides = dict(THREE) | {side: standing_in(THREE[side])}
    return dry_run(DryRun(sides, TABLES_3, MAPS_3, side, NOW), json.dumps(body).encode())


@pytest.mark.parametrize(
    ("side", "origin", "target", "receiver"),
    [
        ("sichuan", "510104", PLACE, NEW),
        ("sichuan", "510104", "500103", "chongqing"),
        (NEW, PLACE, "500103", "chongqing"),
        (NEW, PLACE, "510104", "sichuan"),
    ],
)
def test_a_collected_case_goes_where_its_receiving_division_lies(side, origin, target, receiver):
    told = collected(side, origin, target)
    assert told["native"]["region"] == receiver
    assert told["canonical"]["origin"] == {"division": origin}
