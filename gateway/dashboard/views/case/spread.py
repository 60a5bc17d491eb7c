"""A message in its three forms side by side, with the threads between their values (pure)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gateway.dashboard.views.case import printed
from gateway.dashboard.views.case.lineage import Crossing, Ends, Forms, Thread, ends, threads
from gateway.errors import Refusal
from gateway.exchange.canonical_side import heard
from gateway.exchange.explain import explained
from gateway.formats.tree import Unreadable
from gateway.store.archive import KeptCase

if TYPE_CHECKING:
    from gateway.dashboard.views.case.printed import Line
    from gateway.dashboard.views.case.veil import Veil
    from gateway.exchange.explain import Reader
    from gateway.region import Region
    from gateway.store.archive import KeptMessage


@dataclass(frozen=True, slots=True)
class Form:
    """One form. ``lines`` is None where there is none; ``raw`` what cannot be read, as far as it is text."""

    lines: tuple[Line, ...] | None
    raw: str = ""

    @property
    def is_unreadable(self) -> bool:
        """Whether there is something that no parser could read: it cannot be shown masked."""
        return self.lines is None and bool(self.raw)


@dataclass(frozen=True, slots=True)
class Spread:
    """The three forms; ``is_current``: explained by the tables in force, its own are no longer kept."""

    native_in: Form
    canonical: Form
    native_out: Form
    threads: tuple[Thread, ...]
    ends: Ends
    digest: str
    is_current: bool


def spread(case: KeptCase, kept: KeptMessage, canonical: bytes, reader: Reader, veil: Veil | None) -> Spread:
    """Everything masked, unless there is no ``veil``."""
    sender = reader.regions.get(kept.region)
    sender = sender and heard(sender, kept.native_kind)
    receiver = heard(reader.regions[kept.destination], kept.out_kind)
    form_in = _native(sender, kept.native_kind, kept.raw, veil)
    form_out = _native(receiver, kept.out_kind, kept.rendered, veil)
    form_canonical = _canonical(canonical, veil)
    (told,) = explained(KeptCase(case.record, (kept,)), reader)["messages"]
    values = [veil.entry(value) for value in told["values"]] if veil else told["values"]
    forms = Forms(form_in.lines or (), form_canonical.lines or ())
    crossing = Crossing(sender, kept.native_kind, receiver, kept.out_kind, reader.line)
    found = threads(values, forms, crossing)
    return Spread(
        form_in, form_canonical, form_out, found, ends(found), kept.tables_digest, not told["tables"]["kept"]
    )


def _native(region: Region | None, kind: str, body: bytes, veil: Veil | None) -> Form:
    if not body or region is None:
        return Form(None)
    map_ = region.maps.get(kind)
    try:
        tree = region.parse(body).tree
    except (Refusal, Unreadable):
        map_ = None
    if map_ is None:
        return Form(None, "…" if veil else _text(body))
    lines = printed.native(tree, map_, is_xml="xml" in region.content_type)
    return Form(printed.veiled(lines, veil.native) if veil else lines)


def _canonical(body: bytes, veil: Veil | None) -> Form:
    if not body:
        return Form(None)
    lines = printed.canonical(json.loads(body))
    return Form(printed.veiled(lines, veil.canonical) if veil else lines)


def _text(body: bytes) -> str:
    """Bytes as far as they are text: both encodings of the wires are tried."""
    for encoding in ("utf-8", "gb18030"):
        try:
            return body.decode(encoding)
        except UnicodeDecodeError:
            continue
    return body.decode("latin-1")
