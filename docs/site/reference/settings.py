"""Every setting with its type, bounds, default, variable of the environment and what the code says of it."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
import types
import typing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from docs.site.reference.writing import cell, code, head, plain, table
from docs.site.words import FENCE
from gateway import regions, settings_callers
from gateway import settings as module

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_SAYS = (
    "`gateway.toml` 的每一项：类型、范围、缺省、对应的环境变量。一份完整的、带中文说明的示例见[配置项](settings.md)。",
    (
        "Every key of `gateway.toml`: type, bounds, default, and the variable of the environment that overrides it. "
        "A whole file with comments: [settings](settings.md)."
    ),
)

EXAMPLE = Path(__file__).parents[2] / "reference/settings.md"
_TYPES = {
    "str": ("文本", "text"),
    "int": ("整数", "integer"),
    "float": ("数", "number"),
    "bool": ("是否", "true or false"),
    "Path": ("路径", "path"),
    "AwareDatetime": ("带时区的时间", "time with offset"),
    "datetime": ("带时区的时间", "time with offset"),
    "ApiToken": ("[[tokens]]", "[[tokens]]"),
    "Channel": ("[[channels]]", "[[channels]]"),
    "ChannelCredential": ("[[channels.credentials]]", "[[channels.credentials]]"),
}


def page(english: bool) -> str:  # noqa: FBT001
    """The page."""
    parts = [head(english, ("配置项清单", "Every setting"), _SAYS, "gateway/settings.py")]
    heads = (
        ("key", "type", "bounds", "default", "environment", "meaning")
        if english
        else ("项", "类型", "范围", "缺省", "环境变量", "说明")
    )
    said = _said(english)
    for title, model, prefix in _sections():
        parts.append(f"\n## {title}\n")
        if english and "__doc__" in vars(model):
            parts.append(plain(model.__doc__) + "\n")
        parts.append(
            table(heads, _rows(model, prefix, {k[1]: v for k, v in said.items() if k[0] == title}, english))
        )
    return "\n".join(parts)


def _said(english: bool) -> dict[tuple[str, str], str]:  # noqa: FBT001
    """(section, key) → what the commented example of the settings page says of it, in one language."""
    example = EXAMPLE.with_suffix(".en.md") if english else EXAMPLE
    (text,) = (
        block["text"]
        for block in FENCE.finditer(example.read_text(encoding="utf-8"))
        if block["kind"] == "toml"
    )
    found, section = {}, "gateway.toml"
    for line in text.splitlines():
        if line.startswith("["):
            section = re.sub(r"^\[approval\..*\]$", "[approval.*]", line.split("#")[0].strip())
        written = re.match(r"(?:# )?(\w+) = .*?\s# (.+)$", line)
        if written:
            found[section, written[1].removesuffix("_file")] = written[2]
    return found


def _sections() -> Iterator[tuple[str, type[BaseModel], str | None]]:
    yield "gateway.toml", module.Settings, "TONGBAN"
    for name, info in module.Settings.model_fields.items():
        inner = info.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            yield f"[{name}]", inner, f"TONGBAN_{name.upper()}"
    yield "[[tokens]]", module.ApiToken, None
    yield "[[channels]]", settings_callers.Channel, None
    yield "[[channels.credentials]]", settings_callers.ChannelCredential, None
    yield "[approval.*]", module.Approver, None
    for slug, region in regions.discover().items():
        yield f"[regions.{slug}]", region.credentials, f"TONGBAN_REGIONS_{slug.upper()}"


def _rows(
    model: type[BaseModel],
    prefix: str | None,
    said: Mapping[str, str],
    english: bool,  # noqa: FBT001
) -> Iterator[tuple[object, ...]]:
    commented = _comments(model) if english else {}
    for name, info in model.model_fields.items():
        if isinstance(info.annotation, type) and issubclass(info.annotation, BaseModel):
            continue
        default = info.default if info.default is not PydanticUndefined else ""
        shown = "" if default is None or default == "" or info.default_factory else code(_written(default))
        variable = f"`{prefix}_{name.upper()}`" if prefix else ""
        yield (
            code(name),
            _type(info.annotation, english),
            _bounds(info.metadata),
            shown,
            variable,
            said.get(name) or commented.get(name, ""),
        )


def _written(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return str(list(value)) if isinstance(value, tuple) else str(value)


def _comments(model: type[BaseModel]) -> dict[str, str]:
    """The ``#:`` lines above a member."""
    try:
        source = inspect.getsource(model)
    except OSError:
        return {}
    lines = source.splitlines()
    found = {}
    for node in ast.walk(ast.parse(textwrap.dedent(source))):
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            above = node.lineno - 2
            words: list[str] = []
            while above >= 0 and lines[above].strip().startswith("#:"):
                words.insert(0, lines[above].strip().removeprefix("#:").strip())
                above -= 1
            found[node.target.id] = plain(" ".join(words))
    return found


def _type(annotation: Any, english: bool) -> str:  # noqa: FBT001
    origin, args = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Literal:
        return "、".join(code(value) for value in args)
    if origin is types.UnionType or origin is typing.Union:
        return " / ".join(_type(arg, english) for arg in args if arg is not type(None))
    if hasattr(annotation, "__metadata__"):
        return _type(args[0], english)
    if origin in {tuple, frozenset}:
        inner = _type(args[0], english)
        return f"list of {inner}" if english else f"{inner}的列表"
    if origin is not None:
        return "table by name" if english else "按名称的表"
    name = str(getattr(annotation, "__name__", annotation))
    return _TYPES[name][english] if name in _TYPES else name


def _bounds(metadata: list[Any]) -> str:
    marks = {"ge": "≥ ", "le": "≤ ", "gt": "> ", "lt": "< ", "min_length": "≥ ", "pattern": ""}
    found = [
        f"{mark}{value}"
        for each in metadata
        for name, mark in marks.items()
        if (value := getattr(each, name, None)) is not None
    ]
    return cell("、".join(found))
