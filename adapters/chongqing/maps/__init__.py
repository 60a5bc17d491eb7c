"""The field maps of CQ-N v1: one file per business, both directions each."""

from __future__ import annotations

from adapters.chongqing.maps import certification, follow_ups, general, transfer, unemployment

ALL = {
    each.native_kind: each
    for each in (
        transfer.YLZY_SQ,
        transfer.YLZY_XXB,
        unemployment.SYJ_SQ,
        unemployment.SYJ_HF,
        certification.ZGRZ_TZ,
        general.TY_SQ,
        follow_ups.ZT_TZ,
        follow_ups.BZ_CL,
        follow_ups.CH_SQ,
        follow_ups.PJ_TS,
    )
}
