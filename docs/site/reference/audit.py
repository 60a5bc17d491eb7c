"""What the audit records, verb by verb."""

from __future__ import annotations

from docs.site.reference.writing import code, head, table
from gateway.dashboard.texts import catalog
from gateway.dashboard.views.verbs import VERBS

_SAYS = (
    "审计记下谁、何时、对什么、为什么做了什么；只增不改。对象是编号，从不写人的姓名和证件号。",
    "The audit keeps who did what to what, when and why; it only grows. Objects are named by number, never by a person's name or id.",
)


def page(english: bool) -> str:  # noqa: FBT001
    """The page."""
    heads = ("verb", "meaning") if english else ("动作", "含义")
    rows = [(code(verb), _said(words, english)) for verb, (words, _) in VERBS.items()]
    return (
        head(english, ("审计动作", "Audit verbs"), _SAYS, "gateway/dashboard/views/verbs.py")
        + "\n"
        + table(heads, rows)
    )


def _said(words: str, english: bool) -> str:  # noqa: FBT001
    return catalog("en").gettext(words) if english else words
