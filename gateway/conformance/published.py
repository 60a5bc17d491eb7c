"""A region's published schema as a judge of messages: JSON Schema or XSD."""

from __future__ import annotations

import json
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from lxml import etree

from gateway.conformance.laws.rulebook import CannotTell
from gateway.conformance.subject import BadFile

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from gateway.conformance.subject import Subject


@dataclass(frozen=True, slots=True)
class Schema:
    """``faults(kind, body)``: path and words of each fault of a message, as the schema has it."""

    name: str
    faults: Callable[[str, bytes], Iterator[tuple[str, str]]]

    @classmethod
    def of(cls, subject: Subject) -> Schema:
        """The judge for a region.

        Errors: `CannotTell` without a schema or a library that reads it, `BadFile` for one that is no schema.
        """
        if subject.schema is None:
            raise CannotTell(f"{subject.where} 中没有 schema.*")
        name, content = subject.schema
        try:
            return cls(name, _json(subject, content) if name.endswith(".json") else _xsd(content))
        except (etree.LxmlError, KeyError, ValueError) as error:
            raise BadFile(name, error) from error


def _json(subject: Subject, content: bytes) -> Callable[[str, bytes], Iterator[tuple[str, str]]]:
    try:
        from jsonschema import Draft202012Validator, SchemaError  # noqa: PLC0415 - only where it is installed
        from jsonschema.validators import extend  # noqa: PLC0415 - only where it is installed
    except ImportError:
        raise CannotTell("没有安装 jsonschema（可选组件 tongban[kit]），未按 JSON Schema 核对") from None
    schema = json.loads(content, parse_float=Decimal)
    try:
        Draft202012Validator.check_schema(json.loads(content))
    except SchemaError as error:
        raise ValueError(f"{'/'.join(map(str, error.absolute_path))}: {error.message[:200]}") from error
    types = Draft202012Validator.TYPE_CHECKER.redefine("integer", _is_integer)
    validator: Any = extend(Draft202012Validator, type_checker=types)  # type: ignore[no-untyped-call]
    judges = {kind: validator({**schema, "oneOf": [{"$ref": f"#/$defs/{kind}"}]}) for kind in schema["$defs"]}

    def faults(kind: str, body: bytes) -> Iterator[tuple[str, str]]:
        if kind not in judges:
            yield kind, "schema 中没有这种报文"
            return
        for error in judges[kind].iter_errors(subject.region.parse(body).tree):
            for each in error.context or (error,):
                path = ".".join(map(str, (*each.absolute_path, *_strangers(each)))) or kind
                yield path, _words(each)

    return faults


def _strangers(error: Any) -> tuple[str, ...]:
    """The first member too many: its place, rather than that of what holds it."""
    if error.validator != "additionalProperties":
        return ()
    return tuple(name for name in error.instance if name not in error.schema.get("properties", {}))[:1]


def _words(error: Any) -> str:
    """What a fault is, without the value."""
    instance, rule = error.instance, error.validator_value
    match error.validator:
        case "required":
            return "缺少 " + "、".join(name for name in rule if name not in instance)
        case "additionalProperties":
            return "多出 " + "、".join(
                name for name in instance if name not in error.schema.get("properties", {})
            )
        case "pattern":
            return f"写法应为 {_short(rule)}"
        case _:
            return f"{error.validator} {_short(rule)}"


def _is_integer(_: Any, value: Any) -> bool:
    """3.0 is a whole number, True is not."""
    if isinstance(value, bool):
        return False
    return isinstance(value, int) or (isinstance(value, Decimal) and value == value.to_integral_value())


def _xsd(content: bytes) -> Callable[[str, bytes], Iterator[tuple[str, str]]]:
    parser = etree.XMLParser(resolve_entities=False, no_network=True)
    schema = etree.XMLSchema(etree.fromstring(content, parser))

    def faults(kind: str, body: bytes) -> Iterator[tuple[str, str]]:
        try:
            root = etree.fromstring(body, etree.XMLParser(resolve_entities=False, no_network=True))
        except etree.XMLSyntaxError:
            yield kind, "不是格式良好的 XML：写出时 < & 和引号须转义"
            return
        root.tag = f"{root.tag}.{kind}"
        if schema.validate(root):
            return
        for error in schema.error_log:  # type: ignore[attr-defined]
            words = next((said for mark, said in _XSD.items() if mark in error.type_name), error.type_name)
            yield (error.path or kind).removeprefix(f"/{root.tag}/").removeprefix("/"), words

    return faults


#: What libxml2 calls a fault, in Chinese.
_XSD = {
    "PATTERN": "写法不符（pattern）",
    "ELEMENT_CONTENT": "元素多出、缺少或次序不对",
    "LENGTH": "长度不符",
    "ENUMERATION": "不在允许的取值中",
    "DATATYPE": "类型不符",
    "ATTRIBUTE": "属性多出或缺少",
    "ELT_1": "XSD 中没有这个元素：每种报文要有“根元素名.种类”，命名空间也要一致",
}


def _short(words: Any) -> str:
    return str(words)[:80]
