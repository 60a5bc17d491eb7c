"""The rules as they stand in the tables: code lists side by side, recognition, items with their versions."""

from __future__ import annotations

import csv
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

from docs.site.reference import english as words
from docs.site.reference.writing import WIDE, code, head, table, whole
from gateway import regions
from gateway.dashboard.views.rulebook import list_names

if TYPE_CHECKING:
    from collections.abc import Iterable

TABLES = Path(__file__).parents[3] / "mappings"
_LISTS = (
    "两地每一张码表并排：公共代码，含义，各地的写法。← 只用于读来文，→ 只用于写去文。没有的代码不猜，报文[挂起](../explanation/park-never-guess.md)。",
    (
        "Every code list side by side: the hub's key, its meaning, what either region writes. ← read only, → written only. "
        "A code that is not here is never guessed: the message is [parked](../explanation/park-never-guess.md)."
    ),
)
_RECOGNITION = (
    "甲方出具的什么，乙方凭哪份文件、从哪天起、在哪些事项里认作什么。怎样选用见[规则怎样互认](../explanation/recognition.md)。",
    (
        "What one side issues, the other accepts as what, by which document, from which day, for which items. "
        "How a rule is chosen: [recognition](../explanation/recognition.md)."
    ),
)
_ITEMS = (
    "可以通办的事项。时限按受理日所在的版本计算；各版本逐行列出。",
    "The items that cross. A case keeps the limit of the version in force on the day it is accepted; each version is a row.",
)


def _rows(*parts: str) -> list[dict[str, str]]:
    file = TABLES.joinpath(*parts)
    return list(csv.DictReader(file.read_text(encoding="utf-8").splitlines())) if file.exists() else []


def code_lists(english: bool) -> str:  # noqa: FBT001
    """Every list of the hub with both sides' words."""
    known = regions.discover()
    parts = [head(english, ("码表", "Code lists"), _LISTS, "mappings/canonical, mappings/codes")]
    names = list_names()
    for file in sorted((TABLES / "canonical").glob("*.csv")):
        heads = ["key", "meaning", "in Chinese"] if english else ["公共代码", "含义"]
        said: dict[str, dict[str, list[str]]] = {}
        for slug, region in sorted(known.items()):
            heads.append(words.region(region, slug, english))
            own = said.setdefault(slug, defaultdict(list))
            for row in _rows("codes", slug, file.name):
                way = {"read": " ←", "write": " →"}.get(row["direction"], "")
                name = f" {row['name']}" if row["name"] and row["name"] != row["native"] else ""
                own[row["key"]].append(f"`{row['native']}`{name}{way}")
        rows = [
            (
                code(row["key"]),
                *((words.of(row["meaning"], "code-lists"),) if english else ()),
                row["meaning"],
                *("<br>".join(said[slug][row["key"]]) for slug in sorted(known)),
            )
            for row in _rows("canonical", file.name)
        ]
        name = names.get(file.stem, file.stem)
        title = words.named(name) if english else name
        # other pages lead to a list by the name of its file
        parts.append(f"\n## {title} {{ #{file.stem} }}\n\n{code(file.stem)}\n\n{table(heads, rows)}")
    return "\n".join(parts)


def recognition(english: bool) -> str:  # noqa: FBT001
    """Every recognition rule."""
    parts = [
        WIDE,
        head(english, ("互认规则", "Recognition rules"), _RECOGNITION, "mappings/recognition"),
    ]
    names = {slug: words.region(region, slug, english) for slug, region in regions.discover().items()}
    titles = {
        "materials": ("材料", "Materials"),
        "results": ("结果", "Results"),
        "settlement": ("基金结算", "Settlement"),
    }
    heads = (
        ("rule", "issued by", "accepted by", "what", "accepted as", "items", "basis", "in force", "note")
        if english
        else ("规则", "出具方", "认可方", "什么", "认作", "事项", "依据", "生效", "说明")
    )
    for file in sorted((TABLES / "recognition").glob("*.csv")):
        rows = [
            (
                row["rule_id"],
                names.get(row["issued_by"], row["issued_by"]),
                names.get(row["accepted_by"], row["accepted_by"]),
                code(row["subject"]),
                code(row["accepted_as"]),
                "、".join(map(code, row["items"].split("|"))),
                row["basis"],
                _in_force(row),
                row["note"],
            )
            for row in _rows("recognition", file.name)
        ]
        title = titles.get(file.stem, (file.stem, file.stem))[english]
        parts.append(f"\n## {title}\n\n{table(heads, rows)}")
    if english:
        files = sorted((TABLES / "recognition").glob("*.csv"))
        parts.append(_documents(row for file in files for row in _rows("recognition", file.name)))
    return "\n".join(parts)


def documents(rows: Iterable[dict[str, str]]) -> list[str]:
    """What the rows are based on, each document once, as it is cited."""
    cited = [each for row in rows for each in row["basis"].split("; ")]
    return [each for each in dict.fromkeys(cited) if words.HAN.search(each)]


def _documents(rows: Iterable[dict[str, str]]) -> str:
    """The documents are cited by their official names: what those are in English, once."""
    listed = [(each, words.of(each, "documents")) for each in documents(rows)]
    return f"\n## Documents cited\n\n{table(('cited as', 'in English'), listed)}"


_UNITS = {
    "工作日": ("working day", "working days"),
    "日": ("calendar day", "calendar days"),
    "月": ("month", "months"),
}


def _limit(row: dict[str, str], which: str, english: bool) -> str:  # noqa: FBT001
    value, unit = row[f"{which}_limit_value"], row[f"{which}_limit_unit"]
    if value == "0":
        return "on the spot" if english else "即办"
    if value and english:
        unit = _UNITS[unit][value != "1"]
    return whole(f"{value} {unit}") if value else ""


def _in_force(row: dict[str, str]) -> str:
    """From and to."""
    since, until = (whole(row[f"effective_{end}"]) for end in ("from", "to"))
    return f"{since} – {until}"


def items(english: bool) -> str:  # noqa: FBT001
    """Every item with its versions and both sides' base codes."""
    versions = _rows("items", "catalogue.csv")
    parts = [
        WIDE,
        head(
            english, ("事项与时限", "Items and limits"), _ITEMS, "mappings/items, mappings/codes/*/items.csv"
        ),
        _versions(versions, english),
        "\n## " + ("Base codes" if english else "两地的基本编码") + "\n",
        _base_codes(versions, english),
    ]
    if english:
        parts.append(_documents(versions))
    return "\n".join(parts)


def _versions(versions: list[dict[str, str]], english: bool) -> str:  # noqa: FBT001
    heads = (
        ("item", "name", "message", "promised", "by law", "in force", "basis")
        if english
        else ("事项", "名称", "报文", "承诺", "法定", "生效", "依据")
    )
    told: set[str] = set()
    rows = []
    for row in versions:
        # the name once, for all its versions
        name = "" if row["item"] in told else row["name"]
        told.add(row["item"])
        rows.append(
            (
                code(row["item"]),
                words.both(words.named(name), name) if english and name else name,
                code(row["form"]),
                _limit(row, "promised", english),
                _limit(row, "legal", english),
                _in_force(row),
                row["basis"],
            )
        )
    return table(heads, rows)


def _base_codes(versions: list[dict[str, str]], english: bool) -> str:  # noqa: FBT001
    known = regions.discover()
    codes = {slug: {row["item"]: row for row in _rows("codes", slug, "items.csv")} for slug in sorted(known)}
    heads = ("item" if english else "事项", *(words.region(known[slug], slug, english) for slug in codes))
    rows = [
        (
            code(item),
            *(
                f"`{own[item]['base_code']}` {own[item]['name']}" if item in own else ""
                for own in codes.values()
            ),
        )
        for item in dict.fromkeys(row["item"] for row in versions)
    ]
    return table(heads, rows)
