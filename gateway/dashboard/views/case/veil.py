"""What is shown of a person on the page of a case: masked by path, by pattern, and by the case's own person (pure)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from gateway.canonical.identifiers import mask_id, mask_name
from gateway.exchange.masking import mask_of, mask_words

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.exchange.masking import Masker
    from gateway.store.records import Person

_INDEX = re.compile(r"\[\d+\]")
#: A name of one letter would be found in every word.
_SHORTEST_NAME = 2


@dataclass(frozen=True, slots=True)
class Veil:
    """Masks for one case. ``person`` is hidden wherever it stands, in free text too."""

    masker: Masker
    person: Person = field(repr=False)

    @property
    def shown_name(self) -> str:
        """The person's name as everybody may see it."""
        return mask_name(self.person.name)

    @property
    def shown_number(self) -> str:
        """The person's number as everybody may see it."""
        return mask_id(self.person.id_no)

    def native(self, path: str, text: str) -> str:
        """A value of a native message by its path."""
        return self.words(self.masker.value(path, text))

    def canonical(self, path: str, text: str) -> str:
        """A value of the canonical form by its path."""
        return self.words((mask_of(_INDEX.sub("", path)) or mask_words)(text))

    def entry(self, entry: Mapping[str, Any]) -> dict[str, Any]:
        """A trace entry, or what is told of it."""
        masked = self.masker.entry(entry)
        return masked | {
            name: None if masked[name] is None else self.words(masked[name]) for name in ("before", "after")
        }

    def words(self, text: str) -> str:
        """Free text: numbers of persons by their form, this person by name and number."""
        text = mask_words(text)
        name, number = self.person.name, self.person.id_no
        if number:
            text = text.replace(number, mask_id(number))
        if len(name) >= _SHORTEST_NAME:
            text = text.replace(name, mask_name(name))
        return text
