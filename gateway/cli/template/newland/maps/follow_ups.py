"""What follows an application: materials handed in later, withdrawal, rating."""

from __future__ import annotations

from gateway.canonical.kinds import Kind
from gateway.mapping.converters import code
from gateway.mapping.fieldmap import FieldMap, Row

from .. import irregular as odd  # noqa: TID252 - works under a package of any name
from ..converters import moment, text  # noqa: TID252
from .blocks import BODY, PAPERS, REMARK, SPELLING, heads, papers

READ_NEXT = (odd.read_key, odd.read_case_number)

SUPPLEMENT = FieldMap(
    "supplement",
    Kind.MATERIAL_SUPPLEMENT,
    SPELLING,
    rows=(*heads("supplement"), Row("body.at", "supplement.at", moment, need=True), *PAPERS, REMARK),
    groups=(BODY, papers(need=True)),
    after_read=READ_NEXT,
    before_write=(odd.write_heads,),
)

WITHDRAW = FieldMap(
    "withdraw",
    Kind.CASE_WITHDRAW,
    SPELLING,
    rows=(
        *heads("withdraw"),
        Row("body.at", "withdrawal.at", moment, need=True),
        Row("body.reason", "withdrawal.reason", text(500), need=True),
    ),
    groups=(BODY,),
    after_read=READ_NEXT,
    before_write=(odd.write_heads,),
)

RATING = FieldMap(
    "rating",
    Kind.CASE_RATING,
    SPELLING,
    rows=(
        *heads("rating"),
        Row("body.stars", "rating.score", code("rating", "[1-5]"), need=True),
        Row("body.words", "rating.text", text(500)),
        Row("body.channel", "rating.channel", code("rating_channel", "[0-9]"), need=True),
        Row("body.at", "rating.at", moment, need=True),
    ),
    groups=(BODY,),
    after_read=READ_NEXT,
    before_write=(odd.write_heads,),
)
