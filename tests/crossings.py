"""Worked messages and how they cross: edit one, send it over, look at what came out (pure, no server)."""

from __future__ import annotations

import base64
import copy
import json
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import pytest

from adapters import chongqing, sichuan
from gateway.errors import Refusal
from gateway.exchange import translate
from gateway.exchange.dry_run import DryRun, Parked, dry_run
from gateway.exchange.translate import compile_maps
from gateway.mapping.fieldmap import Sight
from gateway.mapping.load import PACKAGED, load_tables

ADAPTERS = Path(__file__).parents[1] / "adapters"
TABLES = load_tables(PACKAGED, 2026)
REGIONS = {"sichuan": sichuan.region, "chongqing": chongqing.region}
MAPS = compile_maps(REGIONS, TABLES)
NOW = datetime(2026, 11, 23, 16, 0, tzinfo=timezone(timedelta(hours=8)))
DAY = date(2026, 11, 23)

#: every worked message: native kind → side that speaks it
SIDE = {native: slug for slug, native in MAPS.plans}
#: native kind → the other side's
PAIR = {
    native: MAPS.writer("sichuan" if slug == "chongqing" else "chongqing", plan.map.kind).map.native_kind
    for (slug, native), plan in MAPS.plans.items()
}
APPLICATIONS = frozenset(native for (_, native), plan in MAPS.plans.items() if plan.map.kind.opens_case)

#: what the worked follow-ups know of their case (gateway §4), as it lies beside them
CONTEXT = {
    kind: json.loads((ADAPTERS / slug / "examples" / f"{kind}.context.json").read_bytes())
    for kind, slug in SIDE.items()
    if kind not in APPLICATIONS
}


#: worked applications that the gateway sends, turned into what the side itself would send
OWN = {
    "tbsy0001": {
        "aaz002": "SC202611230000102",
        "affairCode": "510104-20261123-000051",
        "cytbh": None,
        "aae011": "510104023",
        "aae414": "李敏",
    },
    "YLZY_SQ": {
        "BODY/BJXX/SBLSH": "CQ50010320261123000017",
        "BODY/BJXX/SLD": "重庆市渝中区",
    },
    "ZGRZ_TZ": {
        "BODY/BJXX/SBLSH": "CQ50010320261123000203",
        "BODY/BJXX/SLD": "重庆市渝中区",
        "BODY/YWXX/DYFFDMC": "四川省凉山彝族自治州西昌市",
    },
    "TY_SQ": {
        "BODY/BJXX/SBLSH": "CQ50015320261123000031",
        "BODY/BJXX/SLD": "重庆市荣昌区",
        "BODY/YWXX/YSDMC": "四川省内江市威远县",
    },
}
#: the heads of Chongqing's own messages
for _kind, _slug in SIDE.items():
    if _slug == "chongqing":
        OWN.setdefault(_kind, {}).update(
            {"HEAD/FSF": "CQ500103", "HEAD/JSF": "CYTB", "HEAD/LSH": "CQ20261123154217000017"}
        )
    elif _kind != "tbsy0001":
        OWN[_kind] = {"aaz002": "SC202611230000998"}


@dataclass(frozen=True)
class Crossed:
    """What became of a message: ``verdict`` taken, refused or parked; ``findings`` as (code, path)."""

    verdict: str
    findings: tuple[tuple[str, str], ...] = ()
    canonical: dict = field(default_factory=dict)
    tree: dict = field(default_factory=dict)
    trace: tuple[dict, ...] = ()
    case_no: str = ""
    code: str = ""

    def entries(self, **wanted):
        """The trace entries with these members."""
        return [e for e in self.trace if all(e[name] == value for name, value in wanted.items())]

    def entry(self, **wanted):
        """The one trace entry with these members."""
        (found,) = self.entries(**wanted)
        return found

    def at(self, path):
        """The value of the written message at a native path; None when absent."""
        return value_at(self.tree, path)


def example(kind):
    """The bytes of a worked message."""
    suffix = "json" if SIDE[kind] == "sichuan" else "xml"
    return (ADAPTERS / SIDE[kind] / "examples" / f"{kind}.native.{suffix}").read_bytes()


def worked(kind):
    """A worked message as a tree of its own."""
    return copy.deepcopy(REGIONS[SIDE[kind]].parse(example(kind)).tree)


def edited(kind, edits=None):
    """A worked message, as its own side would send it, with values put in (None takes a member out)."""
    tree = worked(kind)
    for path, value in ((OWN.get(kind) or {}) | (edits or {})).items():
        put(tree, path, value)
    if SIDE[kind] == "chongqing":
        tree = _ordered(tree, MAPS.reader("chongqing", kind)._root)
    return tree


def put(tree, path, value):
    node, parts = tree, _parts(path)
    for part, following in pairwise(parts):
        if isinstance(node, dict) and part not in node:
            node[part] = [] if isinstance(following, int) else {}
        if isinstance(node.get(part) if isinstance(node, dict) else None, dict) and isinstance(
            following, int
        ):
            node[part] = [node[part]]  # a single element is a list of one
        node = node[part]
    last = parts[-1]
    if value is None:
        if isinstance(node, list):
            del node[last]
        else:
            node.pop(last, None)
    elif isinstance(node, list) and last == len(node):
        node.append(value)
    else:
        node[last] = value


def value_at(tree, path):
    node = tree
    for part in _parts(path):
        if isinstance(node, dict) and isinstance(part, int):
            node = [node]
        try:
            node = node[part]
        except (KeyError, IndexError):
            return None
    return node


def _parts(path):
    """``param.ic91[0].aae180`` and ``BODY/YWXX/NMX[1]/ND`` as steps; XML counts from 1."""
    xml = path.startswith(("BODY", "HEAD"))
    steps = []
    for part in path.split("/" if xml else "."):
        name, _, index = part.partition("[")
        steps.append(name)
        if index:
            steps.append(int(index.removesuffix("]")) - xml)
    return steps


def _ordered(tree, node):
    """Members in the order of the interface, unknown ones last."""
    if not isinstance(tree, dict):
        return tree
    known = node.children
    names = sorted(tree, key=lambda name: known[name].position if name in known else len(known))
    return {name: _entries(tree[name], known.get(name)) for name in names}


def _entries(value, node):
    if node is None:
        return value
    if isinstance(value, list):
        return [_ordered(entry, node) for entry in value]
    return _ordered(value, node)


def cross(kind, edits=None, *, context=..., tree=None, now=NOW, target_division=""):
    """A worked message, edited, through the dry run. Follow-ups know their worked case unless told otherwise."""
    region = REGIONS[SIDE[kind]]
    body = region.render(edited(kind, edits) if tree is None else tree, kind)
    return cross_bytes(
        SIDE[kind], body, CONTEXT.get(kind) if context is ... else context, now, target_division
    )


def cross_bytes(sender, body, context=None, now=NOW, target_division=""):
    run = DryRun(REGIONS, TABLES, MAPS, sender, now, context, target_division=target_division)
    try:
        result = dry_run(run, body)
    except Refusal as refused:
        return Crossed("refused", _pairs(refused.findings), code=refused.code)
    except Parked as parked:
        return Crossed("parked", _pairs(parked.findings))
    receiver = REGIONS[result["native"]["region"]]
    opened = receiver.parse(base64.b64decode(result["native"]["body"]))
    assert opened.faults == ()
    return Crossed(
        "taken",
        canonical=result["canonical"],
        tree=opened.tree,
        trace=tuple(result["trace"]),
        case_no=result["case_no"],
    )


def named(rows):
    """Cases of a table for pytest, each named by its kind, code and path."""
    return [pytest.param(*row, id=f"{row[0]}-{row[2]}-{row[3]}") for row in rows]


def _pairs(findings):
    return tuple((finding.code, finding.path) for finding in findings)


def at_the_door(kind, edits=None, *, case=None):
    """Steps 9 and 10 with the rules on keys and senders, which a dry run leaves out."""
    sender = SIDE[kind]
    receiver = next(slug for slug in REGIONS if slug != sender)
    opened = REGIONS[sender].parse(REGIONS[sender].render(edited(kind, edits), kind))
    sight = Sight(TABLES, sender, sender, receiver, DAY, case=case)
    try:
        reading = translate.read(MAPS.reader(sender, kind), opened, sight)
    except Refusal as refused:
        return Crossed("refused", _pairs(refused.findings), code=refused.code)
    return Crossed("parked" if reading.findings else "taken", _pairs(reading.findings))


def plain(tree):
    """A tree whose numbers compare by value: 4800 and 4800.0 are the same."""
    match tree:
        case dict():
            return {name: plain(value) for name, value in tree.items()}
        case list():
            return [plain(value) for value in tree]
        case bool():
            return tree
        case int() | Decimal():
            return Decimal(tree).normalize()
        case _:
            return tree
