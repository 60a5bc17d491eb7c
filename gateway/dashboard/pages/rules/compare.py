"""``/ops/rules/diff``: two sets of tables side by side, row by row and cell by cell."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from gateway.dashboard.desk import Desk, Refused, needs
from gateway.dashboard.views.rulebook import COLUMNS, SHOWN, registry, volume
from gateway.mapping.diff import differences

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.mapping.diff import Change

router = APIRouter(prefix="/rules")

_PAGE = 200


@router.get("/diff")
async def diff(
    desk: Annotated[Desk, needs("look")],
    old: Annotated[str, Query(max_length=64)] = "active",
    new: Annotated[str, Query(max_length=64)] = "",
    table: Annotated[str, Query(max_length=80)] = "",
    change: Annotated[str, Query(max_length=10)] = "",
    after: Annotated[int, Query(ge=0)] = 0,
) -> Response:
    """What differs; without a second set the newest proposed one."""
    heads = await registry(desk).sets.heads(SHOWN)
    new = new or (heads[0].digest if heads else "active")
    before, then = await volume(desk, old), await volume(desk, new)
    if before is None or then is None:
        raise Refused(404, desk.say("没有这个版本，请从版本列表进入"))
    found = differences(before.tables, then.tables)
    counts: dict[str, Counter[str]] = {}
    for each in found:
        counts.setdefault(each.path, Counter())[each.change] += 1
    chosen = [each for each in found if table in {"", each.path} and change in {"", each.change}]
    return desk.page(
        "rules/diff.html",
        columns=COLUMNS,
        heads=heads,
        old=before.digest,
        new=then.digest,
        is_active=desk.rt.tables.digest,
        counts=counts,
        totals=Counter(each.change for each in found),
        groups=_grouped(chosen[after : after + _PAGE]),
        shown=len(chosen),
        table=table,
        change=change,
        after=after,
        next=after + _PAGE if after + _PAGE < len(chosen) else None,
        previous=max(0, after - _PAGE) if after else None,
    )


def _grouped(changes: Sequence[Change]) -> dict[str, list[Change]]:
    groups: dict[str, list[Change]] = {}
    for each in changes:
        groups.setdefault(each.path, []).append(each)
    return groups
