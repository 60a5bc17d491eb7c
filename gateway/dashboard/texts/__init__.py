"""What pages say: Chinese is the source and the key, English stands in ``en/*.po``."""

from __future__ import annotations

import functools
from importlib import resources
from io import BytesIO
from typing import TYPE_CHECKING, Literal, get_args

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations

if TYPE_CHECKING:
    from collections.abc import Iterable

Language = Literal["zh", "en"]
LANGUAGES: tuple[Language, ...] = get_args(Language)


def N_(text: str) -> str:  # noqa: N802 - the name gettext's tools look for
    """Marks a text that is translated where it is shown."""
    return text


@functools.cache
def catalog(language: Language) -> NullTranslations:
    """The texts of a language; Chinese needs none."""
    if language == "zh":
        return NullTranslations()
    files = sorted(
        (
            file
            for file in resources.files(__package__).joinpath(language).iterdir()
            if file.name.endswith(".po")
        ),
        key=lambda file: file.name,
    )
    merged: NullTranslations = NullTranslations()
    for file in files:
        merged = _read(file.read_bytes(), language, merged)
    return merged


def _read(po: bytes, language: Language, fallback: NullTranslations) -> NullTranslations:
    compiled = BytesIO()
    write_mo(compiled, read_po(BytesIO(po), locale=language))
    compiled.seek(0)
    read = Translations(compiled)
    read.add_fallback(fallback)
    return read


def preferred(languages: Iterable[str]) -> Language:
    """The first language asked for that there is; else Chinese."""
    for each in languages:
        for known in LANGUAGES:
            if each.split("-")[0] == known:
                return known
    return "zh"
