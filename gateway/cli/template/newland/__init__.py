"""Newland (新省): QQ-N v1, UTF-8 JSON under HMAC-SM3, as `tongban new-region` begins it.

Read the files in this order: ``README.md`` (what is odd here), ``wire.py`` (proof, receipts, numbers; bytes in ``codec.py``), ``maps/``
(what each field means), ``irregular.py`` (what no row can say), ``simulated.py`` (the province's own side).
Imports are relative, so that the folder works under `adapters` and as an installed package of any name.
"""

from __future__ import annotations

from gateway.region import Region

from . import codec, maps, wire

# The one thing the gateway looks for. A region is a value: every callable is a plain function of this package.
region = Region(
    slug="newland",  # the folder's name, the entry point's name, and `[regions.newland]`
    name="新省",  # division names of the tables begin so
    division_prefix="98",  # first two digits of its divisions: by these a message finds its way here
    spec="QQ-N v1",
    content_type=codec.CONTENT_TYPE,
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
    kind_path="type",
    case_path="case",
    blank=wire.BLANK,
    proof_faults=wire.PROOF_FAULTS,
    context_name="newland_case",
)
