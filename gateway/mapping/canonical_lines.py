"""What is declared of every canonical leaf, in the same words as of the regions' fields."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from gateway.mapping.canonical_maps import CANONICAL
from gateway.mapping.canonical_names import NAMES
from gateway.mapping.explain import Fate, FieldLine

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.mapping.fieldmap import FieldMap, Row

_KEPT = "存档于办件，对方格式没有这一项"
_OURS = "由网关计算，渠道所写的不转递"


@cache
def canonical_lines() -> Mapping[tuple[str, str], FieldLine]:
    """By (native kind, path); the region is ``""``."""
    return {
        (map_.native_kind, row.native): _line(map_, row) for map_ in CANONICAL.values() for row in map_.rows
    }


def _line(map_: FieldMap, row: Row) -> FieldLine:
    received, why = _received(row)
    return FieldLine(
        region="",
        native_kind=map_.native_kind,
        kind=map_.kind,
        path=row.native,
        name=NAMES[row.native][0] if row.native in NAMES else "",
        need=row.need,
        canonical=(row.to,) if row.to else (),
        converter=row.form.name,
        code_list="",  # a key is looked up in no region's list
        rule=row.rule or row.form.rule,
        by=(),
        received=received,
        received_why=why,
        written=Fate.MAPPED if row.to else Fate.MINTED,
        written_why="",
    )


def _received(row: Row) -> tuple[Fate, str]:
    if row.form.constant is not None:
        return Fate.FIXED, row.form.constant
    if row.to is None or row.to.startswith("_"):
        return Fate.DROPPED, _KEPT if (row.to or "").startswith("_collected") else _OURS
    return Fate.MAPPED, ""
