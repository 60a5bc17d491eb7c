"""The OpenAPI document: what FastAPI knows, the intake it does not, and errors on every operation."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fastapi.openapi.utils import get_openapi

from gateway.formats import media_type
from gateway.web.canonical_schemas import components
from gateway.web.problem import CODES, MEDIA_TYPE, Code, Problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from fastapi import FastAPI

    from gateway.region import Region

_DESCRIPTION = """跨省通办网关：各地经办系统按各自的格式提交办件，网关转换后送达对方，并跟踪办件状态。

* 报文接收：各地使用本地格式、本地凭证，回执也是本地格式；202 表示已可靠保存，不表示已送达。
* 收件渠道（银行网点、乡镇窗口）：以规范模型的 JSON 提交，`POST /v1/cases`，凭证在配置 `[[channels]]` 中登记。
* 其余接口：`Authorization: Bearer <令牌>`，UTF-8 JSON，时间为 RFC 3339（+08:00），未知的查询参数一律为 400。
* 错误：`application/problem+json`（RFC 9457），`code` 为稳定的错误代码。
"""

_TAGS = [
    {"name": "报文", "description": "各地经办系统提交报文"},
    {"name": "办件", "description": "查询办件、挂起的报文"},
    {"name": "事项", "description": "事项目录及其版本"},
    {"name": "统计", "description": "收件与投递的数量和用时"},
    {"name": "试译", "description": "不保存、不发送的转换"},
    {"name": "运维", "description": "投递的重试与取消，去向的暂停、节奏与连接测试，批量重办"},
    {"name": "运行", "description": "存活、就绪、指标"},
]

#: As ``enum`` of a schema: the slugs of the installed regions.
REGIONS = ["{regions}"]

_RECEIPTS = {
    "202": "已可靠保存（含 PARKED 挂起、IGNORED 不产生效果，以及重复提交时的原回执）",
    "401": "凭证缺失、错误或过期",
    "403": "调用方未获准",
    "409": "流水号重复使用、办件号已用、状态冲突",
    "413": "报文超过 1 MiB",
    "415": "内容类型不符",
    "422": "报文无法读取、不合格式或规则，列出全部问题",
    "429": "过于频繁，见 Retry-After",
    "503": "暂不能保存，见 Retry-After",
}


def describe(app: FastAPI, regions: Mapping[str, Region]) -> dict[str, Any]:
    """The document as OpenAPI 3.0, the newest the bundled page can show."""
    document = get_openapi(
        title=app.title,
        version=app.version,
        openapi_version="3.0.3",
        description=_DESCRIPTION,
        routes=app.routes,
        tags=_TAGS,
    )
    for operation in _operations(document):
        _add_errors(operation)
        _say_what_empty_means(operation)
    for region in regions.values():
        document["paths"][f"/v1/{region.slug}/messages"] = {"post": _intake(region)}
    schemas = document["components"]["schemas"]
    schemas |= components()
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    plain: dict[str, Any] = _plain(document, _Words(_example_slugs(regions), list(regions)))
    return plain


@dataclass(frozen=True, slots=True)
class _Words:
    """What stands for the installed regions in descriptions written without knowing any."""

    examples: Mapping[str, str]
    slugs: list[str]


def _example_slugs(regions: Mapping[str, Region]) -> dict[str, str]:
    """The examples' divisions begin with 51; the slugs beside them are of the regions they belong to."""
    ordered = sorted(regions.values(), key=lambda region: region.division_prefix != "51")
    return dict(zip(("{origin}", "{target}"), (region.slug for region in ordered), strict=False))


def _operations(document: Mapping[str, Any]) -> Iterable[dict[str, Any]]:
    return (operation for path in document["paths"].values() for operation in path.values())


def _add_errors(operation: dict[str, Any]) -> None:
    responses = operation["responses"]
    taken = responses.pop("422", None)
    if taken is not None and "HTTPValidationError" not in str(taken):
        responses["422"] = taken
    codes: list[Code] = ["internal"]
    if operation.get("security"):
        codes += ["bad-request", "unauthorized", "forbidden", "not-ready"]
    for code in codes:
        status, title = CODES[code]
        responses.setdefault(str(status), {"description": title})
    for status, response in responses.items():
        if response["description"] == "Successful Response":
            response["description"] = "成功"
        if int(status) >= 400:
            response["content"] = {MEDIA_TYPE: _problem(int(status))}
    operation["responses"] = dict(sorted(responses.items()))


def _say_what_empty_means(operation: dict[str, Any]) -> None:
    """``?item=`` is as if it were not there; a query has no other null."""
    for parameter in operation.get("parameters", ()):
        if parameter["in"] == "query" and not parameter["required"] and "default" not in parameter["schema"]:
            parameter["allowEmptyValue"] = True
            choices = [
                choice for choice in parameter["schema"].pop("anyOf", ()) if choice != {"type": "null"}
            ]
            only = choices[0] if choices else {}
            parameter["schema"] |= {"allOf": [only]} if "$ref" in only else only


def _problem(status: int) -> dict[str, Any]:
    found = [code for code, (known, _) in CODES.items() if known == status]
    examples = {code: {"value": Problem(code, CODES[code][1]).body()} for code in found}
    return {"schema": {"$ref": "#/components/schemas/Problem"}, "examples": examples}


def _intake(region: Region) -> dict[str, Any]:
    body = {region.content_type: {"schema": _native(region)}}
    receipts = {
        status: {"description": f"{text}；回执为{region.name}格式", "content": deepcopy(body)}
        for status, text in _RECEIPTS.items()
    }
    kinds = "、".join(f"`{kind}`" for kind in region.maps)
    return {
        "tags": ["报文"],
        "summary": f"{region.name}提交报文",
        "description": f"格式与凭证见 {region.spec}。报文类别：{kinds}。",
        "operationId": f"take_message_{region.slug}",
        "requestBody": {"required": True, "content": deepcopy(body)},
        "responses": {
            **receipts,
            "500": {"description": CODES["internal"][1], "content": {MEDIA_TYPE: _problem(500)}},
        },
    }


def _native(region: Region) -> dict[str, Any]:
    """A native message as far as OpenAPI can tell: an object, or bytes; its own schema says the rest."""
    if media_type.split(region.content_type)[0] == "application/json":
        return {"type": "object"}
    return {"type": "string", "format": "binary"}


def _plain(node: Any, words: _Words) -> Any:
    """JSON Schema 2020-12 as pydantic writes it, in the words of OpenAPI 3.0; slugs filled in."""
    match node:
        case str():
            return words.examples.get(node, node)
        case list():
            return [_plain(member, words) for member in node]
        case dict():
            filled = {
                key: words.slugs if member == REGIONS else _plain(member, words)
                for key, member in node.items()
            }
            return _plain_schema(filled)
    return node


def _plain_schema(schema: dict[str, Any]) -> dict[str, Any]:
    if isinstance(schema.get("examples"), list):
        schema["example"] = schema.pop("examples")[0]
    if "const" in schema:
        schema["enum"] = [schema.pop("const")]
    choices = schema.get("anyOf")
    if isinstance(choices, list) and {"type": "null"} in choices:
        rest = [choice for choice in choices if choice != {"type": "null"}]
        schema.pop("anyOf")
        schema |= {"allOf": rest} if "$ref" in rest[0] else rest[0]
        schema["nullable"] = True
        if "enum" in schema:  # which says it all: null has to be among it too
            schema["enum"] = [*schema["enum"], None]
    # 3.0 has them as flags beside the bound
    for flag, bound in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        if flag in schema and not isinstance(schema[flag], bool):
            schema[bound], schema[flag] = schema[flag], True
    return schema
