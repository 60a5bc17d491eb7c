"""The field maps of SC-N v1: one file per business, both directions each."""

from __future__ import annotations

from adapters.sichuan.maps import certification, follow_ups, general, transfer, unemployment

ALL = {
    each.native_kind: each
    for each in (
        transfer.TBZY0001,
        transfer.TBZY0002,
        unemployment.TBSY0001,
        unemployment.TBSY0002,
        certification.TBRZ0001,
        general.TBTY0001,
        follow_ups.TBZT0001,
        follow_ups.TBBZ0001,
        follow_ups.TBCH0001,
        follow_ups.TBPJ0001,
    )
}
