"""The fields a published schema declares: JSON Schema by kind in ``$defs``, XSD by element ``<root>.<kind>``.

Attributes are fields by their name, the text of an element that has attributes is ``content``.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from lxml import etree

if TYPE_CHECKING:
    from collections.abc import Iterator

_XS = "{http://www.w3.org/2001/XMLSchema}"
_EXTENSION = f"{_XS}simpleContent/{_XS}extension"


def fields_of(name: str, content: bytes) -> dict[str, frozenset[str]]:
    """Message kind → paths of its leaves, lists marked ``[]``; ``name`` is the file's, by which it is read.

    Receipts and other definitions come along; the caller knows which kinds it asks for.
    """
    if name.endswith(".json"):
        kinds = json.loads(content)["$defs"]
        return {kind: frozenset(_json_leaves(schema, "")) for kind, schema in kinds.items()}
    parser = etree.XMLParser(resolve_entities=False, no_network=True)
    root = etree.fromstring(content, parser)
    return {
        str(element.get("name")).rpartition(".")[2]: frozenset(_xml_leaves(element, ""))
        for element in root.iterchildren(f"{_XS}element")
    }


def _json_leaves(schema: dict[str, Any], base: str) -> Iterator[str]:
    for name, member in schema.get("properties", {}).items():
        path = f"{base}.{name}" if base else name
        listed = _array(member)
        if listed is not None and "properties" in listed["items"]:
            yield from _json_leaves(listed["items"], f"{path}[]")
        elif "properties" in member:
            yield from _json_leaves(member, path)
        else:
            yield path


def _array(member: dict[str, Any]) -> dict[str, Any] | None:
    """The array form of a member, also where another form (an empty text) may stand in its place."""
    forms = (member, *member.get("anyOf", ()), *member.get("oneOf", ()))
    return next((form for form in forms if form.get("type") == "array"), None)


def _xml_leaves(element: Any, base: str) -> Iterator[str]:
    attributes = [
        *element.iterfind(f"{_XS}complexType/{_XS}attribute"),
        *element.iterfind(f"{_XS}complexType/{_EXTENSION}/{_XS}attribute"),
    ]
    content = ["content"] if element.find(f"{_XS}complexType/{_EXTENSION}") is not None else []
    for name in (*(one.get("name") for one in attributes), *content):
        yield f"{base}/{name}" if base else name
    for child in element.iterfind(f"{_XS}complexType/{_XS}sequence/{_XS}element"):
        repeated = child.get("maxOccurs", "1") != "1"
        name = child.get("name") + ("[]" if repeated else "")
        path = f"{base}/{name}" if base else name
        if child.find(f"{_XS}complexType") is None:
            yield path
        else:
            yield from _xml_leaves(child, path)
