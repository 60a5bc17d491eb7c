"""What findings and rules say, in the person's language: known by the Chinese sentence, also one stored long ago.

Machines are told the Chinese sentence as ever. Its English stands in ``en/*.po`` and, for what only a region says, in
that region's ``texts.en.po``; a hole is written ``%(name)s`` there, where the sentence has a number or a name.
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass, field
from importlib import resources
from io import BytesIO
from typing import TYPE_CHECKING

from babel.messages.pofile import read_po

from gateway import regions as regions_
from gateway.dashboard.texts import catalog

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from gateway.dashboard.texts import Language

_HOLE = re.compile(r"%\((\w+)\)s")
#: A hole for a word of the message itself, which stays as it is.
_QUOTED = re.compile(r"“%\((\w+)\)s”")
_HAN = re.compile("[\u3400-\u9fff]")
#: A hole with the name of a state, as the rest of the pages call it.
_STATE = "label"


def told(text: str, language: Language, slugs: Iterable[str]) -> str:
    """The sentence in the language; as it is when nobody wrote its English. ``slugs``: whose own words are known."""
    return text if language == "zh" else _english(frozenset(slugs)).of(text)


@dataclass(frozen=True, slots=True)
class _Sentence:
    """One with holes: how to know it, and its English."""

    form: re.Pattern[str]
    english: str
    quoted: frozenset[str]

    @staticmethod
    def of(chinese: str, english: str) -> _Sentence:
        parts = _HOLE.split(chinese)
        form = "".join(
            f"(?P<{part}>.+?)" if number % 2 else re.escape(part) for number, part in enumerate(parts)
        )
        return _Sentence(re.compile(form), english, frozenset(_QUOTED.findall(chinese)))


@dataclass(frozen=True, slots=True)
class _English:
    whole: Mapping[str, str] = field(repr=False)
    #: those with more words of their own come first: they say more about what they match
    holed: tuple[_Sentence, ...] = field(repr=False)

    def of(self, text: str) -> str:
        found = self.whole.get(text)
        if found is not None:
            return found
        for each in self.holed:
            if match := each.form.fullmatch(text):
                put = {name: self._put(name, value, each) for name, value in match.groupdict().items()}
                if None not in put.values():
                    return each.english % put
        return text

    def _put(self, name: str, value: str, sentence: _Sentence) -> str | None:
        """What a hole was filled with, in English; None for Chinese nobody knows: this is another sentence then."""
        if name == _STATE:
            return catalog("en").gettext(value)
        if name in sentence.quoted or not _HAN.search(value):
            return value.replace("、", ", ")
        return self.whole.get(value)


@functools.lru_cache(maxsize=8)
def _english(slugs: frozenset[str]) -> _English:
    known = dict(_own())
    for slug in sorted(slugs):
        file = regions_.folder(slug) / "texts.en.po"
        if file.is_file():
            known = _read(file.read_bytes()) | known
    holed = sorted((text for text in known if _HOLE.search(text)), key=lambda text: -len(_HOLE.sub("", text)))
    return _English(
        {text: english for text, english in known.items() if not _HOLE.search(text)},
        tuple(_Sentence.of(text, known[text]) for text in holed),
    )


@functools.cache
def _own() -> Mapping[str, str]:
    folder = resources.files(__package__) / "en"
    return {
        text: english
        for name in ("findings.po", "rule_texts.po")
        for text, english in _read((folder / name).read_bytes()).items()
    }


def _read(po: bytes) -> dict[str, str]:
    return {
        message.id: str(message.string)
        for message in read_po(BytesIO(po), locale="en")
        if isinstance(message.id, str) and message.id and message.string
    }
