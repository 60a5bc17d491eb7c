"""Keys of chongqing 2, and XML in GB18030 as chongqing 1 and crossing 1 read it."""

import json
import re
from xml.sax.saxutils import escape

from endpoint.common import sm3
from lxml import etree
from tongsuopy.crypto import serialization

DECLARATION = '<?xml version="1.0" encoding="GB18030"?>'
STAMP = "%Y-%m-%d %H:%M:%S"
# Python's codec is of 2005: the positions below are private use in it and standard characters since 2022
PRIVATE = [*range(0xE78D, 0xE797), 0xE81E, 0xE826, 0xE82B, 0xE82C, 0xE832, 0xE843, 0xE854, 0xE864]
STANDARD = [0xFE10, 0xFE12, 0xFE11, *range(0xFE13, 0xFE1A), *range(0x9FB4, 0x9FBC)]
EDITION_2022 = dict(zip(PRIVATE + STANDARD, STANDARD + PRIVATE, strict=True))


class UnreadableError(ValueError):
    """The bytes are no CQ-N document (crossing 1, step 6)."""


def decode(raw, fault=""):
    """Text of GB18030 bytes in the mapping of 2022; UnicodeDecodeError when they are none."""
    if fault == "gbk-decoder":
        return raw.decode("gbk")
    text = raw.decode("gb18030", "replace" if fault == "bad-bytes-replaced" else "strict")
    return text if fault == "codec-2005" else text.translate(EDITION_2022)


def encode(text):
    return text.translate(EDITION_2022).encode("gb18030")


def read_xml(raw, fault=""):
    """The decoded text and the root element; UnreadableError when it is no such document."""
    head = re.match(rb'<\?xml version="1\.0" encoding="([A-Za-z0-9-]+)"\?>', raw)
    if not head:
        raise UnreadableError("没有 XML 声明")
    name = head[1].decode().lower()
    if name != "gb18030" and fault != "any-encoding":
        raise UnreadableError(f"编码声明为 {name}，应为 GB18030")
    try:
        text = decode(raw, fault) if name == "gb18030" else raw.decode(name)
    except (UnicodeDecodeError, LookupError) as error:
        raise UnreadableError("字节不是 GB18030") from error
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, remove_comments=fault != "comments-refused", remove_pis=True
    )
    try:
        root = etree.fromstring(text[len(head[0]) :].strip(), parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise UnreadableError("不是格式良好的 XML") from error
    if root.getroottree().docinfo.doctype and fault != "doctype-accepted":
        raise UnreadableError("不得使用 DOCTYPE")
    return text, root


def content_digest(text, kind):
    """SM3 of the text from the first <BODY> to the last </BODY>, followed by JYM (chongqing 3)."""
    start, end = text.find("<BODY>"), text.rfind("</BODY>")
    part = text[start : end + len("</BODY>")] if 0 <= start < end else text
    return sm3((part + kind).encode())


def elements(values):
    """XML of a mapping: a list repeats its element, a mapping nests, None is left out."""
    return "".join(
        f"<{name}>{elements(one) if isinstance(one, dict) else escape(str(one))}</{name}>"
        for name, value in values.items()
        for one in (value if isinstance(value, list) else [value])
        if one is not None
    )


def load_keys(path):
    """Client ids and SM2 keys; a PEM may stand in the file or beside it (`…_file`)."""
    keys = json.loads(path.read_text("utf-8"))

    def pem(name):
        return keys[name].encode() if name in keys else (path.parent / keys[name + "_file"]).read_bytes()

    return {
        "client_id": keys["client_id"],
        "peer_client_id": keys["peer_client_id"],
        "private": serialization.load_pem_private_key(pem("private_key"), None),
        "peer": serialization.load_pem_public_key(pem("peer_public_key")),
    }
