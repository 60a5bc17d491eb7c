"""JSON Schema of the canonical messages, from the maps that read them: what is documented is what is checked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gateway.canonical.kinds import Kind
from gateway.mapping.canonical_maps import CANONICAL, native_kind
from gateway.mapping.canonical_names import NAMES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from gateway.mapping.fieldmap import FieldMap, Group, Row

APPLICATIONS = tuple(kind for kind in Kind if kind.opens_case)
#: what a channel may send of an open case
FOLLOW_UPS = (Kind.MATERIAL_SUPPLEMENT, Kind.CASE_WITHDRAW, Kind.CASE_RATING, Kind.STATUS_REPORT)


def component(kind: Kind) -> str:
    """The name of a kind's schema in the API's document: ``GeneralApply``."""
    return "".join(word.capitalize() for word in kind.value.replace("_", ".").split("."))


def components() -> dict[str, Any]:
    """The schemas of everything a channel may send, by `component`."""
    return {component(kind): schema_of(kind) for kind in (*APPLICATIONS, *FOLLOW_UPS)}


def body_of(kinds: Iterable[Kind]) -> dict[str, Any]:
    """The request body that is one of these kinds, each with its example."""
    named = {kind: f"#/components/schemas/{component(kind)}" for kind in kinds}
    schema = {
        "oneOf": [{"$ref": reference} for reference in named.values()],
        "discriminator": {
            "propertyName": "kind",
            "mapping": {kind.value: reference for kind, reference in named.items()},
        },
    }
    examples = {kind.value: {"summary": kind.label, "value": example_of(kind)} for kind in named}
    return {"required": True, "content": {"application/json": {"schema": schema, "examples": examples}}}


def schema_of(kind: Kind) -> dict[str, Any]:
    """One kind, members in the order of its map."""
    map_ = CANONICAL[native_kind(kind)]
    groups = {group.native.removesuffix("[]"): group for group in map_.groups}
    root = _object("", {})
    for row in map_.rows:
        _place(root, row, _leaf(row.native, row.form.name, kind), groups)
    root["description"] = f"{kind.label}（规范模型）"
    _finish(root)
    del root["example"]  # a whole message is shown with the request
    return root


def _finish(node: dict[str, Any]) -> None:
    """Every part shows what it looks like, and says nothing where it asks for nothing."""
    inner = node.get("items", node)
    for member in inner["properties"].values():
        if "properties" in member or "items" in member:
            _finish(member)
    if not inner["required"]:
        del inner["required"]
    inner["example"] = {name: member["example"] for name, member in inner["properties"].items()}
    if inner is not node:
        node["example"] = [inner["example"]]


def _place(root: dict[str, Any], row: Row, leaf: dict[str, Any], groups: Mapping[str, Group]) -> None:
    *parents, last = row.native.split(".")
    node, so_far = root, ""
    for part in parents:
        name = part.removesuffix("[]")
        so_far = f"{so_far}.{name}" if so_far else name
        group = groups.get(so_far)
        if name not in node["properties"]:
            node["properties"][name] = _listed(so_far, group) if part.endswith("[]") else _object(so_far, {})
            if group is None or group.need:
                node["required"].append(name)
        node = node["properties"][name]
        node = node.get("items", node)
    node["properties"][last] = leaf
    if row.need:
        node["required"].append(last)


def _object(path: str, properties: dict[str, Any]) -> dict[str, Any]:
    name = NAMES[path][0] if path else ""
    return {
        "type": "object",
        "description": name,
        "properties": properties,
        "required": [],
        "additionalProperties": False,
    }


def _listed(path: str, group: Group | None) -> dict[str, Any]:
    at_least, at_most = (group.at_least, group.at_most) if group else (0, 50)
    items = _object(path, {})
    return {
        "type": "array",
        "description": NAMES[path][0],
        "items": items,
        "minItems": at_least,
        "maxItems": at_most,
    }


_DIVISION = {"type": "string", "pattern": "^[0-9]{6}$"}
_BY_FORM: Mapping[str, dict[str, Any]] = {
    "item": {"type": "string", "pattern": "^[a-z0-9_]{1,64}$"},
    "time RFC 3339": {"type": "string", "format": "date-time"},
    "date yyyy-MM-dd": {"type": "string", "format": "date"},
    "division code": _DIVISION,
}


def _leaf(path: str, form: str, kind: Kind) -> dict[str, Any]:
    name, example = NAMES[path]
    if path == "kind":
        return {"type": "string", "enum": [kind.value], "description": name, "example": kind.value}
    return {**_type(form), "description": name, "example": example}


def _type(form: str) -> dict[str, Any]:
    known = _BY_FORM.get(form)
    if known is not None:
        return dict(known)
    word, _, rest = form.partition(" ")
    if word in {"text", "count"}:
        low, _, high = rest.partition("–")
        if word == "count":
            return {"type": "integer", "minimum": int(low), "maximum": int(high)}
        return {"type": "string", "minLength": int(low), "maxLength": int(high)}
    if word == "key":
        return {"type": "string", "pattern": "^[0-9A-Za-z_|]{1,64}$"}
    return {"type": "string", "pattern": f"^(?:{form})$"}  # a converter of a pattern is named by it


# --- examples ---

#: What the worked message of a kind has beside the members every one must have.
_ALSO: Mapping[Kind, tuple[str, ...]] = {
    Kind.TRANSFER_APPLY: ("contact_letter.no", "collected_at.reference"),
    Kind.UNEMPLOYMENT_CLAIM: ("collected_at.reference",),
    Kind.GENERAL_APPLY: ("scheme", "handler.no", "handler.name", "collected_at.reference", "fields[].name", "fields[].value",
                         "materials[].type", "materials[].method"),
}  # fmt: skip
#: What it says otherwise than `NAMES`.
_SAID: Mapping[Kind, Mapping[str, Any]] = {
    Kind.TRANSFER_APPLY: {"item": "pension_transfer", "scheme": "110"},
    Kind.UNEMPLOYMENT_CLAIM: {"item": "unemployment_benefit_claim", "scheme": "210"},
    Kind.CERTIFICATION_NOTICE: {"item": "pension_certification", "scheme": "110"},
}


def example_of(kind: Kind) -> dict[str, Any]:
    """A worked message of this kind: what it must say, and a little of what it may."""
    map_, example = CANONICAL[native_kind(kind)], dict[str, Any]()
    also, said = _ALSO.get(kind, ()), _SAID.get(kind, {})
    for row in map_.rows:
        if row.native in also or (row.need and not _is_optional(map_, row.native)):
            value = kind.value if row.native == "kind" else said.get(row.native, NAMES[row.native][1])
            _put(example, row.native, value)
    return example


def _is_optional(map_: FieldMap, path: str) -> bool:
    return any(not group.need and path.startswith((f"{group.native}.",)) for group in map_.groups)


def _put(example: dict[str, Any], path: str, value: Any) -> None:
    node: Any = example
    *parents, last = path.split(".")
    for part in parents:
        name = part.removesuffix("[]")
        node = node.setdefault(name, [{}] if part.endswith("[]") else {})
        node = node[0] if isinstance(node, list) else node
    node[last] = value
