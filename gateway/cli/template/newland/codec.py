"""Bytes of QQ-N and trees: UTF-8 JSON. The proof, the maps and the receipts know nothing of it."""

from __future__ import annotations

from gateway.formats import json_bytes

CONTENT_TYPE = "application/json; charset=utf-8"
#: Media type and charsets a message may name.
MEDIA, CHARSETS = "application/json", frozenset({"", "utf-8"})

#: Body → tree and what only a parser can see. Errors: `Unreadable`.
read = json_bytes.parse
#: Tree → body.
write = json_bytes.write
