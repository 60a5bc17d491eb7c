"""States of a case and which report is taken in which of them, as a picture and a table."""

from __future__ import annotations

from docs.site.reference.writing import code, head, table
from gateway.canonical.kinds import State
from gateway.canonical.transitions import FINAL, MATRIX, RATEABLE, UNDER_WAY, WITHDRAWABLE, Take

_SAYS = (
    "办件的全部状态，以及在哪个状态收到哪种状态报告会怎样。图是多数办件走的路，表是全部。",
    "Every state of a case, and what a report does in each. The picture is the way most cases go, the table is all of it.",
)
_ENGLISH = {
    "10": "received",
    "11": "correction asked",
    "20": "accepted",
    "21": "declined",
    "22": "forwarded",
    "23": "withdrawn",
    "28": "undelivered",
    "30": "in review",
    "31": "suspended: correction",
    "32": "suspended: procedure",
    "33": "inquiry",
    "40": "granted",
    "41": "refused",
    "50": "served",
    "60": "rated",
    "90": "closed",
}
_TAKES = {
    Take.TAKEN: ("取：改变状态并转给另一方", "taken: changes the state, goes to the other side"),
    Take.IGNORED: ("略：已是这个状态或更旧，记下不转", "ignored: already so, or older; kept, not sent on"),
    Take.NOTE: ("记：文字有新内容才转", "note: sent on only if its words are new"),
    Take.CONFLICT: ("冲突：409 退回", "conflict: refused with 409"),
}


def page(english: bool) -> str:  # noqa: FBT001
    """The page."""
    parts = [head(english, ("状态与流转", "States"), _SAYS, "gateway/canonical/transitions.py")]
    picture = "life-cycle-en.svg" if english else "life-cycle.svg"
    alt = "The life of a case" if english else "办件的一生"
    parts.append(f"![{alt}](../pictures/{picture})\n")
    parts.append(_states(english))
    parts.append("\n## " + ("What a report does" if english else "收到状态报告时") + "\n")
    parts += [f"- **{take.value}** {words[english]}" for take, words in _TAKES.items()]
    reported = list(dict.fromkeys(state for _, state in MATRIX))
    parts.append("")
    parts.append(
        table(
            (
                "held ＼ reported" if english else "现在 ＼ 报告",
                *(f"{s.value} {'' if english else s.label}" for s in reported),
            ),
            [
                (
                    f"**{held.value}** {'' if english else held.label}",
                    *(MATRIX[held, state].value for state in reported),
                )
                for held in State
                if (held, reported[0]) in MATRIX
            ],
        )
    )
    under = ("、", ", ")[english].join(
        f"{s.value} {_ENGLISH[s.value] if english else s.label}" for s in State if s in UNDER_WAY
    )
    parts.append(f"\n{'Under way' if english else '办理中'}: {under}\n")
    return "\n".join(parts)


def _states(english: bool) -> str:  # noqa: FBT001
    """A row for each state."""
    heads = (
        ("code", "Chinese", "English", "clock stops", "rating", "withdrawal")
        if english
        else ("代码", "状态", "英文", "时限停止", "可评价", "可撤回")
    )
    yes = "yes" if english else "是"
    rows = [
        (
            code(state.value),
            state.label,
            _ENGLISH[state.value],
            yes if state in FINAL else "",
            yes if state in RATEABLE else "",
            yes if state in WITHDRAWABLE else "",
        )
        for state in State
    ]
    return table(heads, rows)


# --- the picture ---

_PLACES = {
    "10": (30, 130),
    "22": (180, 130),
    "20": (330, 130),
    "30": (620, 130),
    "40": (900, 130),
    "50": (1050, 130),
    "11": (30, 250),
    "28": (180, 250),
    "21": (330, 250),
    "31": (480, 250),
    "32": (620, 250),
    "33": (760, 250),
    "60": (1050, 250),
    "23": (180, 26),
    "41": (900, 26),
    "90": (1050, 26),
}
_INK = {
    "open": ("#e5effb", "#1a55a3"),
    "wait": ("#fdf0dc", "#8a4b00"),
    "bad": ("#fdeae7", "#b1261a"),
    "good": ("#e3f4ea", "#17693f"),
}
_LOOK = {
    "11": "wait",
    "31": "wait",
    "32": "wait",
    "33": "wait",
    "28": "bad",
    "21": "bad",
    "41": "bad",
    "40": "good",
    "50": "good",
    "60": "good",
    "23": "bad",
    "90": "good",
}
#: What is drawn: the way most cases go. All that is taken is in the table.
_DRAWN = "10>22 22>20 20>30 30>40 40>50 10>11 22>28 20>21 30>31 30>32 30>33 30>41 50>60 41>50"


def picture(english: bool) -> str:  # noqa: FBT001
    """The SVG."""
    wide, high = 128, 58
    title = "The life of a case" if english else "办件的一生"
    parts = [
        (
            '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1208 334" role="img" aria-labelledby="title" font-family="'
            "'PingFang SC','Microsoft YaHei','Noto Sans CJK SC',system-ui,sans-serif\">"
        ),
        f'<title id="title">{title}</title>',
        (
            '<defs><marker id="tip" viewBox="0 0 10 10" refX="8.5" refY="5" markerWidth="7" markerHeight="7" orient="auto">'
            '<path d="M0 1 9 5 0 9Z" fill="#55606e"/></marker></defs>'
        ),
        '<rect width="1208" height="334" rx="14" fill="#f6f8fa"/>',
    ]
    for pair in _DRAWN.split():
        (x1, y1), (x2, y2) = (_PLACES[code_] for code_ in pair.split(">"))
        parts.append(_arrow(x1, y1, x2, y2, wide, high))
    for key, (x, y) in _PLACES.items():
        fill, ink = _INK[_LOOK.get(key, "open")]
        label = _ENGLISH[key] if english else State(key).label
        parts.append(
            f'<rect x="{x}" y="{y}" width="{wide}" height="{high}" rx="9" fill="{fill}" stroke="{ink}" stroke-width="1.4"/>'
        )
        parts.append(
            f'<text x="{x + wide / 2}" y="{y + 22}" font-size="13" fill="{ink}" text-anchor="middle">{key}</text>'
        )
        size = 12 if len(label) > 14 else 14
        parts.append(
            f'<text x="{x + wide / 2}" y="{y + 43}" font-size="{size}" font-weight="600" fill="#1c2530" text-anchor="middle">{label}</text>'
        )
    note = ("撤回：办结之前任何时候", "withdrawn: any time before the end")
    parts.append(f'<text x="322" y="60" font-size="13" fill="#55606e">{note[english]}</text>')
    return "\n".join([*parts, "</svg>\n"])


def _arrow(x1: int, y1: int, x2: int, y2: int, wide: int, high: int) -> str:
    start: tuple[float, float]
    end: tuple[float, float]
    if y1 == y2:
        start, end = (x1 + wide, y1 + high / 2), (x2, y2 + high / 2)
    elif y2 > y1:
        start, end = (x1 + wide / 2 + (x2 - x1) / 5, y1 + high), (x2 + wide / 2, y2)
    else:
        start, end = (x1 + wide - 12, y1), (x2, y2 + high / 2)
    return f'<path d="M{start[0]} {start[1]}L{end[0]} {end[1]}" fill="none" stroke="#55606e" stroke-width="1.6" marker-end="url(#tip)"/>'
