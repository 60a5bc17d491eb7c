"""The laws of a live server: what each says stands in ``laws.csv``, how it is tried in the modules beside it."""

from __future__ import annotations

import csv
import io
from importlib import resources

from gateway.conformance.endpoint import always, back, basic, form, full, hostile
from gateway.conformance.endpoint.tally import Demand
from gateway.conformance.law import Level

_LEVELS = {"B": Level.BASIC, "F": Level.FULL, "H": Level.HOSTILE}
#: In the order they are tried; those over every answer come last.
_CHECKS = {
    **basic.CHECKS,
    **full.CHECKS,
    **form.CHECKS,
    **hostile.CHECKS,
    **back.CHECKS,
    **always.CHECKS,
}
#: Judged over what the others have seen: never in vain.
OVERALL = frozenset(always.CHECKS)


def _demands() -> tuple[Demand, ...]:
    text = resources.files("gateway.conformance.endpoint").joinpath("laws.csv").read_text("utf-8")
    rows = {row["id"]: row for row in csv.DictReader(io.StringIO(text))}
    return tuple(
        Demand(
            id=id_,
            title=rows[id_]["title"],
            title_en=rows[id_]["title_en"],
            level=_LEVELS[id_[2]],
            topic=rows[id_]["topic"],
            also=rows[id_]["also"],
            check=check,
            needs=frozenset(rows[id_]["needs"].split()),
        )
        for id_, check in _CHECKS.items()
    )


LAWS = _demands()
