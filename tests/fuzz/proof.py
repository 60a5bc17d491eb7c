"""Proves what is sent to a region's door, so that the fuzzer is let in and its bytes are looked at."""

from __future__ import annotations

import json
import os
import re
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import schemathesis
from schemathesis.generation import GenerationMode

from gateway.canonical.kinds import Kind
from gateway.canonical.rehearsal import Said
from gateway.conformance.simulator import stand_in_of

DOOR = re.compile(r"/v1/([a-z]+)/messages")


@schemathesis.hook
def before_call(_context, case, _kwargs):
    """A body the document allows comes with a right proof; what it forbids comes without any."""
    door = DOOR.fullmatch(case.path)
    if door is None or case.method != "POST" or case.meta is None:
        return
    if case.meta.generation.mode is not GenerationMode.POSITIVE:
        return
    slug = door[1]
    raw = case.body if isinstance(case.body, bytes) else json.dumps(case.body, default=str).encode()
    said = Said(Kind.STATUS_REPORT, "", "", "", raw)
    now = datetime.now(UTC)  # noqa: TID251 - the gateway that is looked at runs by the same clock
    headers, case.body = stand_in_of(slug).request(said, _keys(slug), now, os.urandom(8).hex())
    case.headers.update(headers)


@cache
def _keys(slug):
    own = json.loads((Path.cwd() / f"{slug}.json").read_text("utf-8"))
    return stand_in_of(slug).keys(own)
