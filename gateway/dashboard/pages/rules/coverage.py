"""``/ops/rules/coverage``: what becomes of every field of both published formats, with the reason."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query
from starlette.responses import Response

from gateway.dashboard.desk import Desk, needs
from gateway.dashboard.texts import N_
from gateway.dashboard.views.rulebook import covered, fields
from gateway.mapping.explain import Fate
from gateway.mapping.rule_texts import text_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from gateway.mapping.explain import FieldLine

router = APIRouter(prefix="/rules")

_PAGE = 50
#: How a fate is marked: tone, icon, word.
FATES: Mapping[Fate, tuple[str, str, str]] = {
    Fate.MAPPED: ("good", "check", N_("对应")),
    Fate.HELD: ("good", "tool", N_("对应（专用处理）")),
    Fate.DERIVED: ("work", "route", N_("派生")),
    Fate.FIXED: ("calm", "lock", N_("固定")),
    Fate.MINTED: ("work", "plus", N_("编制")),
    Fate.CHECKED: ("calm", "shield-check", N_("核对")),
    Fate.DROPPED: ("wait", "minus", N_("不转")),
    Fate.UNWRITTEN: ("wait", "eye-off", N_("不写")),
    Fate.UNEXPLAINED: ("bad", "alert-triangle", N_("未说明")),
}


@router.get("/coverage")
async def coverage(
    desk: Annotated[Desk, needs("look")],
    region: Annotated[str, Query(max_length=32)] = "",
    kind: Annotated[str, Query(max_length=32)] = "",
    fate: Annotated[str, Query(max_length=16)] = "",
    q: Annotated[str, Query(max_length=60)] = "",
    after: Annotated[int, Query(ge=0)] = 0,
) -> Response:
    """Each field of each message kind: towards the other side, and from it."""
    q, sides = q.strip(), tuple(desk.rt.regions)
    lines = fields(*sides)
    chosen = [line for line in lines if _fits(line, region, kind, fate) and _holds(line, q)]
    known = {"region": region, "kind": kind, "fate": fate, "q": q}
    return desk.page(
        "rules/coverage.html",
        found=covered(*sides),
        fates=FATES,
        counts=_counts(lines, region, kind),
        rows=chosen[after : after + _PAGE],
        total=len(chosen),
        kinds=list(dict.fromkeys(line.native_kind for line in lines if region in {"", line.region})),
        sides=sides,
        text_of=text_of,
        address="/ops/rules/coverage?" + urlencode({name: value for name, value in known.items() if value}),
        region=region,
        kind=kind,
        fate=fate,
        q=q,
        next=after + _PAGE if after + _PAGE < len(chosen) else None,
        previous=max(0, after - _PAGE) if after else None,
    )


def _fits(line: FieldLine, region: str, kind: str, fate: str) -> bool:
    return (
        region in {"", line.region}
        and kind in {"", line.native_kind}
        and fate in {"", line.received.value, line.written.value}
    )


def _holds(line: FieldLine, q: str) -> bool:
    said = (line.path, line.name, line.rule, line.code_list, *line.canonical)
    return not q or any(q.casefold() in each.casefold() for each in said)


def _counts(every: Iterable[FieldLine], region: str, kind: str) -> dict[Fate, tuple[int, int]]:
    """Fate → fields received so, written so."""
    lines = [line for line in every if region in {"", line.region} and kind in {"", line.native_kind}]
    return {
        fate: (sum(line.received is fate for line in lines), sum(line.written is fate for line in lines))
        for fate in Fate
    }
