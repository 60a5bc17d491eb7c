"""Each field of the canonical form with the path it has on either side, the rule, and how it is written."""

from __future__ import annotations

from collections import defaultdict
from html import escape
from typing import TYPE_CHECKING

from docs.site.reference import english as words
from docs.site.reference.writing import WIDE, code, head, table, told
from gateway import regions
from gateway.mapping.explain import Fate, FieldLine, field_lines
from gateway.mapping.rule_texts import RULES

if TYPE_CHECKING:
    from collections.abc import Iterable

_SAYS = (
    "同一个值在两边各在哪里、依据哪条规则、各写成什么样。一边没有的，写明来历。按本方格式逐字段查（含不转的字段）见[字段对照](field-maps.md)。",
    (
        "Where the same value stands on either side, by which rule, and how each writes it; where a side lacks it, how it comes about. "
        "Names are those of the formats, in Chinese; the canonical path says what is meant. "
        "Every field of one side's format, those not carried too, is in the [field maps](field-maps.md)."
    ),
)
#: what is longer may be broken anywhere
_LONG = 26
_CARRIED = {Fate.MAPPED, Fate.HELD}


def page(english: bool) -> str:  # noqa: FBT001
    """The page."""
    known = regions.discover()
    lines = [line for line in field_lines(regions.fields()) if line.canonical]
    names = {slug: words.region(region, slug, english) for slug, region in known.items()}
    parts = [
        WIDE,
        head(english, ("字段两侧对照", "Both sides, field by field"), _SAYS, "adapters/*/maps"),
    ]
    by_kind: dict[str, list[FieldLine]] = defaultdict(list)
    for line in lines:
        by_kind[line.kind.value].append(line)
    parts.append(
        " · ".join(
            f"[{own[0].kind.label if not english else kind}](#{kind.replace('.', '')})"
            for kind, own in by_kind.items()
        )
        + "\n"
    )
    for kind, own in by_kind.items():
        natives = {line.region: line.native_kind for line in own}
        label = words.named(own[0].kind.label) if english else own[0].kind.label
        parts.append(
            f"\n## {kind}\n\n**{label}**: "
            + " ↔ ".join(f"{names[s]} `{n}`" for s, n in sorted(natives.items()))
            + "\n"
        )
        parts.append(_pairs(own, sorted(known), names, english))
    parts.append("\n## " + ("规则" if not english else "Rules") + "\n")
    said = [(rule, told(says, english)) for rule, says in RULES.items()]
    parts.append(table(("rule" if english else "规则", "says" if english else "内容"), said))
    return "\n".join(parts)


def _pairs(lines: Iterable[FieldLine], slugs: list[str], names: dict[str, str], english: bool) -> str:  # noqa: FBT001
    found: dict[str, dict[str, list[FieldLine]]] = defaultdict(lambda: defaultdict(list))
    for line in lines:
        for path in line.canonical:
            if not path.startswith("_"):
                found[path][line.region].append(line)
    heads = ["canonical" if english else "公共含义", "name" if english else "名称"]
    for slug in slugs:
        heads += [names[slug], f"{names[slug]} " + ("writes" if english else "写法")]
    heads.append("rule" if english else "规则")
    rows = []
    for path, sides in found.items():
        row: list[object] = [
            code(path),
            "、".join(dict.fromkeys(line.name for each in sides.values() for line in each)),
        ]
        for slug in slugs:
            own = sides.get(slug, [])
            row += [
                "<br>".join(map(_where, own)) or "–",
                "<br>".join(dict.fromkeys(_how(line) for line in own)),
            ]
        rules = dict.fromkeys(line.rule for each in sides.values() for line in each)
        rows.append([*row, "、".join(rules)])
    return table(heads, rows)


def _where(line: FieldLine) -> str:
    ways = (
        ""
        if line.received in _CARRIED and line.written in _CARRIED
        else (" →" if line.received in _CARRIED else " ←")
    )
    return f"`{line.path}`{ways}"


def _how(line: FieldLine) -> str:
    if len(line.converter) > _LONG:
        return f'<code class="long">{escape(line.converter)}</code>'
    return f"[{line.code_list}](code-lists.md#{line.code_list})" if line.code_list else code(line.converter)
