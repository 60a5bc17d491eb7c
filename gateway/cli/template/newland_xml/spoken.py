"""Bytes as the stand-in writes and reads them, apart from ``codec.py``: XML by lxml."""

from __future__ import annotations

import io
from typing import Any

from lxml import etree

CONTENT_TYPE = "application/xml; charset=GB18030"
#: Elements that are a list even when they come once.
_LISTS = frozenset({"papers", "extras", "problems"})


def write(tree: Any) -> bytes:
    root = etree.Element("PACKET")
    _grow(root, tree)
    out = io.BytesIO()
    etree.ElementTree(root).write(out, encoding="GB18030", xml_declaration=True)
    return out.getvalue()


def read(body: bytes) -> Any:
    """Errors: `ValueError`."""
    try:
        return _tree(etree.fromstring(body, etree.XMLParser(resolve_entities=False, no_network=True)))
    except etree.XMLSyntaxError:
        raise ValueError("no XML") from None


def _grow(element: Any, tree: Any) -> None:
    for name, value in tree.items():
        for one in value if isinstance(value, list) else [value]:
            child = etree.SubElement(element, name)
            if isinstance(one, dict):
                _grow(child, one)
            else:
                child.text = one


def _tree(element: Any) -> Any:
    if not len(element):
        return element.text or ""
    tree: dict[str, Any] = {}
    for child in element:
        if child.tag in _LISTS:
            tree.setdefault(child.tag, []).append(_tree(child))
        else:
            tree[child.tag] = _tree(child)
    return tree
