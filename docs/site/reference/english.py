"""The English of what code and tables say in Chinese only, known by the Chinese sentence: ``docs/site/texts/*.po``.

Findings, rules, items, states and kinds have theirs with the dashboard, which says them too.
"""

from __future__ import annotations

import functools
import re
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from babel.messages.pofile import read_po

from gateway.dashboard.texts import catalog

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.region import Region

TEXTS = Path(__file__).parents[1] / "texts"
#: Which file of the folder: commands and options, meanings of code lists, documents, shapes of the API.
About = Literal["commands", "code-lists", "documents", "shapes"]
HAN = re.compile("[\u3400-\u9fff]")


@functools.cache
def known(about: About) -> Mapping[str, str]:
    """Every sentence of a file with its English."""
    read = read_po(BytesIO((TEXTS / f"{about}.po").read_bytes()), locale="en")
    return {str(each.id): str(each.string) for each in read if each.id and each.string}


def of(sentence: str, about: About) -> str:
    """The sentence in English; as it is where nobody wrote it, which the tests do not let pass."""
    return known(about).get(sentence, sentence)


def named(chinese: str) -> str:
    """An item, a list, a state or a kind, as the English dashboard calls it."""
    return catalog("en").gettext(chinese)


def region(one: Region, slug: str, english: bool) -> str:  # noqa: FBT001
    """A region by its name; in English by its slug, which is its name in pinyin, as on the dashboard."""
    return slug.title() if english else one.name


def both(english: str, chinese: str) -> str:
    """English with the official Chinese beneath, for a cell; one of them where they are the same."""
    if english == chinese or not HAN.search(chinese):
        return english
    return f'{english}<br><span class="original" lang="zh">{chinese}</span>'
