"""Bytes of QQ-N and trees: XML in GB 18030. The proof, the maps and the receipts know nothing of it."""

from __future__ import annotations

from gateway.formats import xml_bytes

CONTENT_TYPE = "application/xml; charset=GB18030"
#: Media type and charsets a message may name.
MEDIA, CHARSETS = "application/xml", frozenset({"gb18030"})

#: Body → tree and what only a parser can see. Errors: `Unreadable`.
read = xml_bytes.read
#: Tree → body.
write = xml_bytes.write
