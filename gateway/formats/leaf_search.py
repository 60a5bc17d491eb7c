"""Which leaf texts a message holds, read off its bytes without parsing: for looking at very many messages."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from gateway.formats import gb18030

if TYPE_CHECKING:
    from collections.abc import Callable

_JSON_TEXT = re.compile(rb'"([^"]*)"')
_XML_TEXT = re.compile(rb">([^<>]+)<")


def json_texts(body: bytes) -> frozenset[bytes] | None:
    """Every text of a JSON document, names of members among them; None when escapes could hide one."""
    return None if b"\\" in body else frozenset(_JSON_TEXT.findall(body))


def xml_texts(body: bytes) -> frozenset[bytes] | None:
    """Every text of an XML document; None when entities, comments or sections could hide one."""
    if b"&" in body or b"<!" in body or body.count(b"<?") > 1:
        return None
    return frozenset(_XML_TEXT.findall(body))


def form_of(
    content_type: str,
) -> tuple[Callable[[bytes], frozenset[bytes] | None], Callable[[str], bytes]] | None:
    """How to read the texts of a content type, and how a text is written in it; None for an unknown one."""
    kind = content_type.partition(";")[0].strip().lower()
    if kind == "application/json":
        return json_texts, str.encode
    if kind == "application/xml" and "gb18030" in content_type.lower():
        # no byte of a longer GB 18030 character is one of < > &
        return xml_texts, gb18030.encode
    return None
