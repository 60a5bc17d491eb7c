"""Chongqing (重庆): CQ-N v1, GB18030 XML under SM2."""

from __future__ import annotations

from adapters.chongqing import maps, wire
from gateway.region import Region

region = Region(
    slug="chongqing",
    name="重庆市",
    division_prefix="50",
    spec="CQ-N v1",
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
    kind_path="HEAD/JYM",
    case_path="BODY/BJXX/SBLSH",
    blank=wire.BLANK,
    proof_faults=wire.PROOF_FAULTS,
    context_name="sblsh",
)
