"""The JSON API and the doors for messages: every operation of the OpenAPI document, with examples."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from docs.site.reference.api_words import INTRODUCTION
from docs.site.reference.api_words import english as in_english
from docs.site.reference.writing import code, head, table
from gateway import regions
from gateway.web.app import create

if TYPE_CHECKING:
    from collections.abc import Iterator

_SAYS = (
    "网关的全部接口：参数、应答、示例和错误。运行中的网关在 `/docs` 可以当场试用，`/openapi.json` 是机器可读的同一份文件。",
    (
        "Every operation of the gateway with parameters, answers, examples and errors. A running gateway shows the same at `/docs`, "
        "and for machines at `/openapi.json`; both are in Chinese, as the gateway answers."
    ),
)

#: how far an example goes into shapes within shapes
_DEEP = 4


def page(english: bool) -> str:  # noqa: FBT001
    """The page."""
    return "\n".join(_Writer(create().state.describe(regions.discover()), english).lines())


class _Writer:
    def __init__(self, document: dict[str, Any], english: bool) -> None:  # noqa: FBT001
        self.document, self.english = document, english
        self.schemas = document["components"]["schemas"]

    def say(self, zh: str, en: str) -> str:
        return en if self.english else zh

    def told(self, sentence: str) -> str:
        return in_english(sentence) if self.english else sentence

    def lines(self) -> Iterator[str]:
        yield head(self.english, ("接口", "API"), _SAYS, "gateway/web")
        yield INTRODUCTION if self.english else self.document["info"]["description"]
        for tag in self.document["tags"]:
            yield f"\n## {self.told(tag['name'])}\n\n{self.told(tag.get('description', ''))}\n"
            for path, operations in self.document["paths"].items():
                for method, operation in operations.items():
                    if tag["name"] in operation["tags"]:
                        yield from self._operation(method.upper(), path, operation)
        yield "\n## " + self.say("数据结构", "Shapes") + "\n"
        for name, schema in self.schemas.items():
            yield from self._shape(name, schema)

    def _operation(self, method: str, path: str, operation: dict[str, Any]) -> Iterator[str]:
        does = self.told(operation.get("description", ""))
        yield f"### {method} {path}\n\n**{self.told(operation['summary'])}**\n\n{does}\n"
        if not operation.get("security") and path.startswith("/v1") and method != "POST":
            yield self.say("不需要令牌。", "No token needed.") + "\n"
        heads = [
            self.say(*pair)
            for pair in (
                ("参数", "parameter"),
                ("位置", "in"),
                ("类型", "type"),
                ("必填", "required"),
                ("缺省", "default"),
                ("说明", "meaning"),
                ("例", "example"),
            )
        ]
        rows = [
            (
                code(each["name"]),
                each["in"],
                self.type(each["schema"]),
                self.say("是", "yes") if each.get("required") else "",
                code(each["schema"].get("default", "")),
                self.told(each.get("description", each["schema"].get("description", ""))),
                code(each["schema"].get("example", "")),
            )
            for each in operation.get("parameters", ())
        ]
        if rows:
            yield table(heads, rows)
        yield from self._body(operation)
        yield from self._answers(operation)

    def _body(self, operation: dict[str, Any]) -> Iterator[str]:
        for kind, content in operation.get("requestBody", {}).get("content", {}).items():
            yield f"{self.say('请求体', 'Body')}: `{kind}` {self.type(content.get('schema', {}))}\n"
            if kind == "application/json":
                yield self._json(self.example(content["schema"]))

    def _answers(self, operation: dict[str, Any]) -> Iterator[str]:
        rows = []
        for status, answer in operation["responses"].items():
            content: dict[str, Any] = next(iter(answer.get("content", {}).values()), {})
            codes = "、".join(code(name) for name in content.get("examples", {}))
            rows.append(
                (status, self.told(answer["description"]), self.type(content.get("schema", {})), codes)
            )
        words = [
            self.say(*p)
            for p in (("应答", "status"), ("说明", "meaning"), ("内容", "shape"), ("错误", "codes"))
        ]
        yield table(words, rows)
        good = operation["responses"].get("200", {}).get("content", {}).get("application/json", {})
        if "schema" in good:
            yield self._json(good.get("example") or self.example(good["schema"]))

    def _shape(self, name: str, schema: dict[str, Any]) -> Iterator[str]:
        yield f"### {name}\n\n{self.told(schema.get('description', ''))}\n"
        if "enum" in schema:
            yield self.say("取值：", "Values: ") + "、".join(code(value) for value in schema["enum"]) + "\n"
        needed = set(schema.get("required", ()))
        words = [
            self.say(*p)
            for p in (
                ("成员", "member"),
                ("类型", "type"),
                ("必有", "always"),
                ("说明", "meaning"),
                ("例", "example"),
            )
        ]
        rows = [
            (
                code(member),
                self.type(each),
                self.say("是", "yes") if member in needed else "",
                self.told(each.get("description", "")),
                code(json.dumps(each["example"], ensure_ascii=False)) if "example" in each else "",
            )
            for member, each in schema.get("properties", {}).items()
        ]
        if rows:
            yield table(words, rows)

    def type(self, schema: dict[str, Any]) -> str:
        """A type in a word or a link to its shape."""
        if "$ref" in schema:
            name = schema["$ref"].rsplit("/", 1)[-1]
            anchor = re.sub(r"[^\w\- ]", "", name.lower())
            return f"[{name}](#{anchor})" if name in self.schemas else code(name)
        for key in ("allOf", "anyOf", "oneOf"):
            if key in schema:
                return " / ".join(dict.fromkeys(self.type(each) for each in schema[key]))
        if schema.get("type") == "array":
            return self.say(
                f"{self.type(schema.get('items', {}))} 的列表",
                f"list of {self.type(schema.get('items', {}))}",
            )
        extra = schema.get("additionalProperties")
        if schema.get("type") == "object" and isinstance(extra, dict):
            return self.say(f"名称 → {self.type(extra)}", f"name → {self.type(extra)}")
        return " ".join(filter(None, (schema.get("type", ""), schema.get("format", ""))))

    def example(self, schema: dict[str, Any], depth: int = 0) -> Any:
        """A value such as the schema allows, from the examples it carries."""
        if "$ref" in schema:
            schema = self.schemas.get(schema["$ref"].rsplit("/", 1)[-1], {})
        chosen = schema.get("allOf", schema.get("anyOf"))
        if "example" not in schema and chosen:
            return self.example(chosen[0], depth)
        for key in ("example", "default"):
            if key in schema:
                return schema[key]
        return schema["enum"][0] if "enum" in schema else self._made(schema, depth)

    def _made(self, schema: dict[str, Any], depth: int) -> Any:
        members = schema.get("properties", {}) if depth <= _DEEP else {}
        match schema.get("type"):
            case "object":
                return {name: self.example(each, depth + 1) for name, each in members.items()}
            case "array":
                return [self.example(schema.get("items", {}), depth + 1)] if depth <= _DEEP else []
        plain: dict[str | None, Any] = {"integer": 0, "number": 0, "boolean": False}
        return plain.get(schema.get("type"), None if schema.get("nullable") else "…")

    def _json(self, value: Any) -> str:
        text = json.dumps(value, ensure_ascii=False, indent=2)
        title = self.say("示例", "Example")
        inner = "\n".join(f"    {line}" for line in f"```json\n{text}\n```".splitlines())
        return f'??? example "{title}"\n\n{inner}\n'
