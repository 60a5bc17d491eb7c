"""Every setting with its type, bounds, default, variable of the environment and what the code says of it."""

from __future__ import annotations

import ast
import inspect
import textwrap
import types
import typing
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from docs.site.reference.writing import cell, code, head, plain, table
from gateway import regions
from gateway import settings as module

if TYPE_CHECKING:
    from collections.abc import Iterator

_SAYS = (
    "`gateway.toml` 的每一项：类型、范围、缺省、对应的环境变量。一份完整的、带中文说明的示例见[配置项](settings.md)。",
    (
        "Every key of `gateway.toml`: type, bounds, default, and the variable of the environment that overrides it. "
        "A whole file with comments: [settings](settings.md)."
    ),
)


def page(english: bool) -> str:  # noqa: FBT001
    """The page."""
    parts = [head(english, ("配置项清单", "Every setting"), _SAYS, "gateway/settings.py")]
    heads = (
        ("key", "type", "bounds", "default", "environment", "in the code")
        if english
        else ("项", "类型", "范围", "缺省", "环境变量", "代码中的说明")
    )
    for title, model, prefix in _sections():
        parts.append(f"\n## {title}\n\n{plain(model.__doc__) if '__doc__' in vars(model) else ''}\n")
        parts.append(table(heads, _rows(model, prefix)))
    return "\n".join(parts)


def _sections() -> Iterator[tuple[str, type[BaseModel], str | None]]:
    yield "gateway.toml", module.Settings, "TONGBAN"
    for name, info in module.Settings.model_fields.items():
        inner = info.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            yield f"[{name}]", inner, f"TONGBAN_{name.upper()}"
    yield "[[tokens]]", module.ApiToken, None
    yield "[approval.*]", module.Approver, None
    for slug, region in regions.discover().items():
        yield f"[regions.{slug}]", region.credentials, f"TONGBAN_REGIONS_{slug.upper()}"


def _rows(model: type[BaseModel], prefix: str | None) -> Iterator[tuple[object, ...]]:
    said = _comments(model)
    for name, info in model.model_fields.items():
        if isinstance(info.annotation, type) and issubclass(info.annotation, BaseModel):
            continue
        default = info.default if info.default is not PydanticUndefined else ""
        shown = "" if default is None or default == "" or info.default_factory else code(_written(default))
        variable = f"`{prefix}_{name.upper()}`" if prefix else ""
        yield code(name), _type(info.annotation), _bounds(info.metadata), shown, variable, said.get(name, "")


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
    for node in ast.parse(textwrap.dedent(source)).body[0].body:  # type: ignore[attr-defined]
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            above, words = node.lineno - 2, []
            while above >= 0 and lines[above].strip().startswith("#:"):
                words.insert(0, lines[above].strip().removeprefix("#:").strip())
                above -= 1
            found[node.target.id] = plain(" ".join(words))
    return found


def _type(annotation: Any) -> str:
    origin, args = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Literal:
        return "、".join(code(value) for value in args)
    if origin is types.UnionType or origin is typing.Union:
        return " / ".join(_type(arg) for arg in args if arg is not type(None))
    if hasattr(annotation, "__metadata__"):
        return _type(args[0])
    if origin is not None:
        inner = ", ".join(dict.fromkeys(_type(arg) for arg in args if arg is not ...))
        return f"{getattr(origin, '__name__', origin).lower()}: {inner}"
    return str(getattr(annotation, "__name__", annotation))


def _bounds(metadata: list[Any]) -> str:
    marks = {"ge": "≥ ", "le": "≤ ", "gt": "> ", "lt": "< ", "min_length": "≥ ", "pattern": ""}
    found = [
        f"{mark}{value}"
        for each in metadata
        for name, mark in marks.items()
        if (value := getattr(each, name, None)) is not None
    ]
    return cell("、".join(found))
