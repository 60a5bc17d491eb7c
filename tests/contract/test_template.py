"""The template of a new region and the third region stay two prints of one plate: what differs is named here."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path

import pytest
from afternoon import NEW, forget, tongban

import adapters
from gateway import regions
from gateway.cli.scaffold import Names, Scaffold
from gateway.mapping.load import PACKAGED, load_tables

THIRD = Path(__file__).parents[1] / "third_region" / "adapters" / "yunling"
#: Made for the third region's own names, so that nothing has to be put in the place of anything.
MADE = Scaffold(
    Names("yunling", "云岭省", "59", "YL"),
    load_tables(PACKAGED, None),
    {each.slug: each.division_prefix for each in regions.discover().values()},
).adapter()
#: What differs, by file: the other proof, JSON's own ``true``, bytes without a codec, another specification.
#: The stand-ins differ nearly everywhere: each is written apart, and in the words of its own lists.
OWN = {
    "__init__.py": {"region"},
    "converters.py": {"text"},
    "irregular.py": set(),
    "wire.py": {
        *("(OUTBOX, INBOX)", "_HEADERS", "Credentials", "PROOF_FAULTS", "verify", "signature", "seal"),
        *("BLANK", "_parsed", "open_message", "render", "receipt", "read_reply"),
    },
}


def parts(text):
    """Every function, class and value of a module by name, as what it does: without its words for people."""
    found = {}
    for node in ast.parse(text).body:
        match node:
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                node.body = node.body[1:] if ast.get_docstring(node) else node.body
            case ast.Assign(targets=[target]) | ast.AnnAssign(target=target):
                name = ast.unparse(target)
            case _:
                continue
        found[name] = ast.dump(node)
    return found


@pytest.mark.parametrize("file", OWN)
def test_what_both_have_is_the_same(file):
    made, third = parts(MADE[file].decode()), parts((THIRD / file).read_text(encoding="utf-8"))
    assert {name for name in made if made[name] != third.get(name)} == OWN[file]


def shape(one):
    """What a map says but for the spelling of single values."""
    rows = [(row.native, row.to, row.need, row.rule, row.write_from) for row in one.rows]
    functions = [each.__name__ for each in (*one.after_read, *one.before_write)]
    return one.kind, rows, one.groups, functions


def bones(node):
    """What a schema demands but for the words of the region: members, which must be there, which may be empty."""
    if "properties" in node:
        members = {name: bones(one) for name, one in node["properties"].items()}
        return members, sorted(node.get("required", ())), node["additionalProperties"]
    if "items" in node:
        return [bones(node["items"]), node.get("minItems"), node.get("maxItems")]
    return node.get("type"), bool(re.fullmatch(node.get("pattern", ".*"), "")), node.get("maxLength")


def test_their_schemas_demand_the_same():
    made = json.loads(MADE["schema.json"])["$defs"]
    third = json.loads((THIRD / "schema.json").read_bytes())["$defs"]
    assert {kind: bones(one) for kind, one in made.items()} == {kind: bones(third[kind]) for kind in made}


@pytest.fixture
def both(tmp_path, monkeypatch):
    """A region just begun, and the third."""
    done = tongban("new-region", NEW, "--into", tmp_path)
    assert done.exit_code == 0, done.output
    monkeypatch.setattr(adapters, "__path__", [*adapters.__path__])
    regions.look_in([tmp_path, THIRD.parents[1]])
    forget()
    yield regions.discover([NEW, "yunling"])
    forget()


def test_their_maps_have_the_same_rows_in_the_same_order(both):
    begun, third = both[NEW].maps, both["yunling"].maps
    assert set(begun) == set(third) - {"notice"}
    for kind, one in begun.items():
        assert shape(one) == shape(third[kind])
