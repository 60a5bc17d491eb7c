"""The canonical model: every kind of message and every leaf of it, with the hub's code list where it has one."""

from __future__ import annotations

import types
from typing import TYPE_CHECKING, Any, get_args, get_origin

from pydantic import BaseModel

from docs.site.reference import english as words
from docs.site.reference.writing import code, head, plain, table
from gateway import regions
from gateway.canonical.event import MODELS
from gateway.canonical.kinds import Kind, TraceKind
from gateway.mapping.explain import field_lines

if TYPE_CHECKING:
    from collections.abc import Iterator

_SAYS = (
    "两地报文在网关里的共同写法。金额为元、最多两位小数；日期 `2026-11-23`，月份 `2026-11`，时间带时区；代码是公共码表的键；没有的成员不出现。",
    (
        "The one form both regions' messages take inside the gateway. Money in yuan with at most two decimals; dates `2026-11-23`, months "
        "`2026-11`, times with their offset; codes are keys of the hub's lists; what is absent is no member."
    ),
)
_TYPES = {
    "str": ("文本", "text"),
    "int": ("整数", "integer"),
    "Decimal": ("小数", "decimal"),
    "date": ("日期", "date"),
    "datetime": ("时间", "time"),
    "bool": ("是否", "yes or no"),
}
_TRACES = {
    TraceKind.EXACT: ("原样", "as it was"),
    TraceKind.CONVERTED: ("换写，含义不变", "written otherwise, same meaning"),
    TraceKind.DERIVED: ("由其他值或规则推出", "follows from other values or rules"),
    TraceKind.LOSSY: ("写法较粗，有损", "in a poorer form"),
    TraceKind.DROPPED: ("没有转递", "not carried"),
    TraceKind.WARNING: ("照转，但可疑", "carried, but doubtful"),
}


def page(english: bool) -> str:  # noqa: FBT001
    """The page."""
    lists = _lists()
    parts = [head(english, ("规范模型", "Canonical model"), _SAYS, "gateway/canonical/event.py")]
    heads = ("kind", "name", "in Chinese", "opens a case") if english else ("种类", "名称", "", "开出办件")
    yes = "yes" if english else "是"
    kinds = [
        (
            f"[`{each.value}`](#{_anchor(each.value)})",
            _name(each, english),
            each.label if english else "",
            yes if each.opens_case else "",
        )
        for each in Kind
    ]
    parts.append(table(heads, kinds))
    for kind, model in MODELS.items():
        parts.append(
            f"\n## {kind}\n\n**{_name(Kind(kind), english)}**{'。' if not english else '. '}{plain(_own(model))}\n"
        )
        heads = (
            ("leaf", "type", "needed", "code list", "bounds")
            if english
            else ("叶", "类型", "必有", "公共码表", "限制")
        )
        rows = [
            (
                code(path),
                _type(hint, english),
                yes if need else "",
                "、".join(f"[{name}](code-lists.md#{name})" for name in sorted(lists.get((kind, path), ()))),
                "、".join(bounds),
            )
            for path, hint, need, bounds in _leaves(model)
            if path != "kind"
        ]
        parts.append(table(heads, rows))
    parts.append("\n## " + ("留痕的种类" if not english else "Kinds of trace") + "\n")
    parts.append(
        table(
            ("kind", "含义" if not english else "meaning"),
            [(code(k.value), v[english]) for k, v in _TRACES.items()],
        )
    )
    return "\n".join(parts)


def _name(kind: Kind, english: bool) -> str:  # noqa: FBT001
    return words.named(kind.label) if english else kind.label


def _anchor(text: str) -> str:
    return text.replace(".", "")


def _own(model: type[BaseModel]) -> str:
    return model.__doc__ or "" if "__doc__" in vars(model) else ""


def _lists() -> dict[tuple[str, str], set[str]]:
    """(kind, canonical path) → names of code lists its rows use."""
    found: dict[tuple[str, str], set[str]] = {}
    for line in field_lines(regions.fields()):
        for path in line.canonical:
            if line.code_list:
                found.setdefault((line.kind.value, path), set()).add(line.code_list)
    return found


def _leaves(
    model: type[BaseModel], before: str = "", *, needed: bool = True
) -> Iterator[tuple[str, Any, bool, list[str]]]:
    for name, info in model.model_fields.items():
        path = f"{before}{info.alias or name}"
        inner, is_list = _inner(info.annotation)
        need = needed and info.is_required()
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            yield from _leaves(inner, f"{path}[]." if is_list else f"{path}.", needed=need)
        else:
            yield path, inner, need, _bounds(info.metadata)


def _inner(annotation: Any) -> tuple[Any, bool]:
    origin, args = get_origin(annotation), get_args(annotation)
    if origin == types.UnionType or str(origin) == "typing.Union":
        return _inner(next(arg for arg in args if arg is not type(None)))
    if origin is tuple:
        return _inner(args[0])[0], True
    if hasattr(annotation, "__metadata__"):
        return _inner(args[0])
    return annotation, False


def _bounds(metadata: list[Any]) -> list[str]:
    marks = {"ge": "≥", "le": "≤", "gt": ">", "lt": "<", "min_length": "≥", "max_length": "≤"}
    found = []
    for each in metadata:
        for name, mark in marks.items():
            value = getattr(each, name, None)
            if value is not None:
                found.append(f"{mark} {value}")
        pattern = getattr(each, "pattern", None)
        if pattern:
            found.append(f"`{pattern}`")
        places = getattr(each, "decimal_places", None)
        if places is not None:
            found.append(f".{'0' * places}")
    return found


def _type(hint: Any, english: bool) -> str:  # noqa: FBT001
    if get_origin(hint) is not None:
        return "、".join(code(value) for value in get_args(hint))
    name = getattr(hint, "__name__", str(hint))
    return _TYPES[name][english] if name in _TYPES else code(name)
