"""What a caller without ``cases:full`` sees of a person: masked forms, in the trace too (gateway §2)."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gateway.canonical.identifiers import mask_account, mask_id, mask_name, mask_phone
from gateway.mapping.canonical_maps import CANONICAL

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.region import Region

Mask = Callable[[str], str]

# In words: a citizen number (its seventh digit begins a year), a mobile number, a long account number.
_CITIZEN = re.compile(r"(?<!\d)[1-9]\d{5}(?:18|19|20)\d{9}[\dXx](?!\d)")
_MOBILE = re.compile(r"(?<!\d)1[3-9]\d{9}(?!\d)")
_ACCOUNT = re.compile(r"(?<![0-9A-Za-z-])\d{16,30}(?![0-9A-Za-z])")
_INDEX = re.compile(r"\[\d+\]")


def mask_words(text: str) -> str:
    """Free text with the numbers of persons masked; names cannot be told from other words."""
    text = _CITIZEN.sub(lambda found: mask_id(found.group()), text)
    text = _MOBILE.sub(lambda found: mask_phone(found.group()), text)
    return _ACCOUNT.sub(lambda found: mask_account(found.group()), text)


_MASKS: Mapping[str, Mask] = {
    "name": mask_name,
    "acc_name": mask_name,
    "id_no": mask_id,
    "local_person_no": mask_account,
    "acc_no": mask_account,
    "mobile": mask_phone,
    "tel": mask_phone,
}
#: Canonical groups that hold persons; an employer's name is no person's, an agency's account name may be.
_PERSONS = frozenset({"applicant", "agent", "handler", "payment", "contact_letter"})


@dataclass(frozen=True, slots=True)
class Masker:
    """Masks by the native path a value stands at: the field maps know which paths hold persons."""

    by_path: Mapping[str, Mask]

    @classmethod
    def of(cls, regions: Mapping[str, Region]) -> Masker:
        """Every native path of every map whose canonical meaning is personal."""
        maps = (CANONICAL, *(region.maps for region in regions.values()))
        rows = (row for each in maps for map_ in each.values() for row in map_.rows)
        found = ((row.native, mask_of(row.to)) for row in rows if row.to is not None)
        return cls({native: mask for native, mask in found if mask is not None})

    def entry(self, entry: Mapping[str, Any]) -> dict[str, Any]:
        """A trace entry with ``before`` and ``after`` masked."""
        mask = self._mask(entry["path_in"]) or self._mask(entry["path_out"]) or mask_words
        return {**entry, "before": _applied(mask, entry["before"]), "after": _applied(mask, entry["after"])}

    def value(self, path: str, written: str) -> str:
        """A native value by the path it stands at; numbers of persons are masked at any path."""
        return mask_words((self._mask(path) or mask_words)(written))

    def _mask(self, path: str | None) -> Mask | None:
        return None if path is None else self.by_path.get(_INDEX.sub("[]", path))


def mask_of(canonical: str) -> Mask | None:
    """How a canonical value is masked; None for one that is no person's."""
    group, _, member = canonical.lstrip("_").rpartition(".")
    return _MASKS.get(member) if group.split(".")[0] in _PERSONS else None


def _applied(mask: Mask, value: str | None) -> str | None:
    return None if value is None else mask(value)
