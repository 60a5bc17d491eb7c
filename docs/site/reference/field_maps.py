"""The field maps in English: the page of the tree is the command's own, in Chinese."""

from __future__ import annotations

from typing import TYPE_CHECKING

from docs.site.reference.field_words import FATES
from docs.site.reference.writing import WIDE, code, head, table, told
from gateway import regions
from gateway.mapping.explain import Fate, FieldLine, coverage, field_lines
from gateway.mapping.rule_texts import RULES

if TYPE_CHECKING:
    from collections.abc import Sequence

_TITLE = ("字段对照", "Field maps")
_SAYS = (
    "",
    (
        'What becomes of every field of either format, and by which rule: "received" is its fate when this side sends it, "written" where '
        "it comes from when the gateway writes it to this side. Names are those of the formats, in Chinese; the canonical path says what is "
        "meant. Rule numbers are explained at the end."
    ),
)


def page() -> str:
    """The page, in English."""
    fields = regions.fields()
    lines, found = field_lines(fields), coverage(fields)
    parts = [
        WIDE,
        head(True, _TITLE, _SAYS, "adapters/*/maps, adapters/*/fields.csv"),  # noqa: FBT003 - in English
        table(("word", "means"), FATES.values()),
        f"{found.fields} fields; of **{found.share:.0%}** it is said what becomes of them in both directions.\n",
        table(
            ("fate", "received", "written"),
            [
                (FATES[fate][0], *numbers)
                for fate in Fate
                if any(numbers := [found.counts.get((way, fate), 0) for way in ("received", "written")])
            ],
        ),
    ]
    kinds = dict.fromkeys((line.region, line.native_kind) for line in lines)
    for slug, kind in kinds:
        own = [line for line in lines if (line.region, line.native_kind) == (slug, kind)]
        parts.append(f"\n## {slug.title()} {kind}\n\n`{own[0].kind}`\n")
        parts.append(_table(own))
    said = [(rule, told(says, english=True)) for rule, says in RULES.items()]
    parts += ["\n## Rules\n", table(("rule", "says"), said)]
    return "\n".join(parts)


def _table(lines: Sequence[FieldLine]) -> str:
    heads = ("field", "name", "needed", "canonical", "written as", "rule", "received", "written", "functions")
    return table(
        heads,
        [
            (
                code(line.path),
                line.name,
                "yes" if line.need else "",
                ", ".join(code(path) for path in line.canonical if not path.startswith("_")),
                code(line.converter),
                line.rule,
                _said(line.received, line.received_why),
                _said(line.written, line.written_why),
                ", ".join(map(code, line.by)),
            )
            for line in lines
        ],
    )


def _said(fate: Fate, why: str) -> str:
    word = FATES[fate][0]
    # a constant with its rule has no word to translate, only a bracket
    said = told(why, english=True).replace("（", " (").replace("）", ")")
    return f"{word}: {said}" if why else word
