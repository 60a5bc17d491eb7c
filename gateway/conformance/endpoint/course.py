"""A case the server itself has opened, as the other side hears of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.canonical.rehearsal import Unheard
from gateway.canonical.worktime import beijing_day
from gateway.errors import Refusal
from gateway.exchange import translate
from gateway.mapping.fieldmap import Sight

if TYPE_CHECKING:
    from gateway.canonical.rehearsal import Facts
    from gateway.conformance.endpoint.bench import Bench
    from gateway.conformance.endpoint.mill import Held


def heard_by_the_other(bench: Bench, case: Held, body: bytes) -> Facts | None:
    """What the other side remembers of the case; None when it could not be told."""
    sides, mill = bench.sides, bench.mill
    kept = case.record.case
    other, stand_in = sides.regions[kept.target], sides.stand_ins[kept.target]
    opened = sides.region.parse(body)
    plan = sides.maps.reader(sides.slug, opened.native_kind)
    if plan is None:
        return None
    on = translate.acceptance_day(plan, opened, beijing_day(mill.now()))
    sight = Sight(sides.tables, sides.slug, sides.slug, other.slug, on)
    heads = translate.heads_of(
        key=other.message_key(1, mill.now()),
        case_no=kept.case_no,
        case_ref=kept.target_case_no,
        division=kept.target_division,
        now=mill.now(),
    )
    section, own = stand_in.pair(bench.nonce)
    credentials = other.credentials.model_validate({"base_url": "http://other.invalid", **section})
    try:
        reading = translate.read(plan, opened, sight)
        writer = sides.maps.writer(other.slug, reading.kind)
        rendered = translate.write(
            writer, reading, Sight(sides.tables, other.slug, sides.slug, other.slug, on), heads
        )
        written = other.render(rendered.tree, rendered.native_kind)
        sealed = other.seal(written, rendered.native_kind, credentials, mill.now(), bench.nonce())
        headers = {name.lower(): value for name, value in sealed.headers.items()}
        heard = stand_in.hear(rendered.native_kind, headers, sealed.body, stand_in.keys(own), mill.now())
    except (Refusal, Unheard):
        return None
    return heard.facts
