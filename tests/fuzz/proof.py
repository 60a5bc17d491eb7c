"""What is sent to a region's door: its worked messages with one value replaced, and a right proof.

So the fuzzer is let in, and what it makes up meets every check of every field.
"""

from __future__ import annotations

import json
import os
import re
import zlib
from datetime import UTC, datetime
from functools import cache
from importlib import resources
from pathlib import Path
from xml.sax.saxutils import escape

import schemathesis
from schemathesis.generation import GenerationMode

from gateway.canonical.kinds import Kind
from gateway.canonical.rehearsal import Said
from gateway.conformance.simulator import stand_in_of

DOOR = re.compile(r"/v1/([a-z]+)/messages")
LEAF = re.compile(rb"(?<=>)[^<>\s][^<>]*(?=</)")


@schemathesis.hook
def before_call(_context, case, _kwargs):
    """A body the document allows comes with a right proof; what it forbids comes without any."""
    door = DOOR.fullmatch(case.path)
    if door is None or case.method != "POST" or case.meta is None:
        return
    if case.meta.generation.mode is not GenerationMode.POSITIVE:
        return
    slug = door[1]
    said = Said(Kind.STATUS_REPORT, "", "", "", _message(slug, case.body))
    now = datetime.now(UTC)  # noqa: TID251 - the gateway that is looked at runs by the same clock
    headers, case.body = stand_in_of(slug).request(said, _keys(slug), now, os.urandom(8).hex())
    case.headers.update(headers)


def _message(slug, made_up):
    """Which message, which place in it and what is put there follow from what was made up: the same each time."""
    value = next(iter(made_up.values()), "") if isinstance(made_up, dict) else made_up
    raw = value if isinstance(value, bytes) else json.dumps(value, default=str).encode()
    number = zlib.crc32(raw)
    examples = _examples(slug)
    example = examples[number % len(examples)]
    if not example.startswith(b"{"):
        return _in_xml(example, number, raw)
    tree = json.loads(example)
    places = list(_places(tree))
    holder, name = places[number // len(examples) % len(places)]
    holder[name] = value
    return json.dumps(tree, ensure_ascii=True).encode()


def _in_xml(example, number, raw):
    places = list(LEAF.finditer(example))
    place = places[number // 16 % len(places)]
    written = escape(raw.decode("latin-1")).encode("gb18030")
    return example[: place.start()] + written + example[place.end() :]


def _places(tree):
    """Every holder of a value, and where it holds it."""
    for name, value in tree.items() if isinstance(tree, dict) else enumerate(tree):
        yield tree, name
        if isinstance(value, dict | list):
            yield from _places(value)


@cache
def _examples(slug):
    folder = resources.files(f"adapters.{slug}") / "examples"
    return [file.read_bytes() for file in sorted(folder.iterdir(), key=str) if ".native." in file.name]


@cache
def _keys(slug):
    own = json.loads((Path.cwd() / f"{slug}.json").read_text("utf-8"))
    return stand_in_of(slug).keys(own)
