"""The declared maps as a Markdown page officials read; generated, never edited."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.mapping.explain import Coverage, Fate, FieldLine

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_HEAD = """# 字段对照

两种接口的每一个字段去了哪里，依据哪条规则。本页由 `tongban mappings coverage --markdown` 生成，请勿手改；有测试核对它与
字段表一致。规则编号（M1…M22）的含义见文末。

“发来”指本方发给网关时这一项的去向，“写出”指网关写给本方时这一项的来历：

| 用语 | 含义 |
|---|---|
| 对应 | 与对方的一项相对应，按所列规则换写 |
| 对应（专用处理） | 同上，由几项合成或拆开，由所列函数处理 |
| 派生 | 对方没有这一项，由其他内容或规则推出 |
| 固定、编制 | 固定内容；由网关编制的编号、时间 |
| 核对 | 只与别的内容核对，不转递 |
| 不转、不写 | 不转递给对方；网关从不写 |
"""


def markdown(
    lines: Iterable[FieldLine], found: Coverage, *, names: Mapping[str, str], rules: Mapping[str, str]
) -> str:
    """The page. ``names``: region slug → its name; ``rules``: rule number → what it says."""
    listed = tuple(lines)
    parts = [_HEAD, "\n".join(_counts(found))]
    kinds = dict.fromkeys((line.region, line.native_kind) for line in listed)
    for region, kind in kinds:
        own = [line for line in listed if (line.region, line.native_kind) == (region, kind)]
        parts.append("\n".join(_table(names[region], kind, own)))
    parts.append("\n".join(_rules(rules)))
    return "\n\n".join(parts) + "\n"


def _counts(found: Coverage) -> Iterator[str]:
    yield f"接口共有 {found.fields} 个字段，去向和来历说明率 **{found.share:.0%}**。\n"
    yield "| 去向 | 发来 | 写出 |"
    yield "|---|---|---|"
    for fate in Fate:
        numbers = [found.counts.get((way, fate), 0) for way in ("received", "written")]
        if any(numbers):
            yield f"| {fate.label} | {numbers[0] or ''} | {numbers[1] or ''} |"


def _table(name: str, kind: str, lines: Iterable[FieldLine]) -> Iterator[str]:
    yield f"## {name} {kind}\n"
    yield "| 字段 | 名称 | 必填 | 公共含义 | 换写 | 规则 | 发来 | 写出 | 处理函数 |"
    yield "|---|---|---|---|---|---|---|---|---|"
    for line in lines:
        cells = (
            f"`{line.path}`",
            line.name,
            "是" if line.need else "",
            "、".join(f"`{path}`" for path in line.canonical if not path.startswith("_")),
            f"`{line.converter}`",
            line.rule,
            _said(line.received, line.received_why),
            _said(line.written, line.written_why),
            "、".join(f"`{function}`" for function in line.by),
        )
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _said(fate: Fate, why: str) -> str:
    return f"{fate.label}：{why}" if why else fate.label


def _rules(rules: Mapping[str, str]) -> Iterator[str]:
    yield "## 规则\n"
    yield "| 规则 | 内容 |"
    yield "|---|---|"
    for number, text in rules.items():
        yield f"| {number} | {text} |"
