"""Sichuan (四川): SC-N v1, UTF-8 JSON under HMAC-SM3."""

from __future__ import annotations

from adapters.sichuan import maps, wire
from gateway.region import Region

region = Region(
    slug="sichuan",
    name="四川省",
    division_prefix="51",
    spec="SC-N v1",
    content_type=wire.CONTENT_TYPE,
    credentials=wire.Credentials,
    maps=maps.ALL,
    verify=wire.verify,
    open=wire.open_message,
    parse=wire.parse,
    render=wire.render,
    seal=wire.seal,
    receipt=wire.receipt,
    read_reply=wire.read_reply,
    message_key=wire.message_key,
    mint_case_no=wire.mint_case_no,
    kind_path="fwid",
    case_path="affairCode",
    blank=wire.BLANK,
    proof_faults=wire.PROOF_FAULTS,
    context_name="affair_code",
)
