"""The reference, written from the code each time the site is built: never edited, never stale."""

from __future__ import annotations

from typing import TYPE_CHECKING

from docs.site.reference import (
    api,
    audit,
    commands,
    errors,
    field_maps,
    fields,
    life_cycle,
    metrics,
    model,
    settings,
    tables,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

#: Address in the site → the page, in English or Chinese.
GENERATED: Mapping[str, Callable[[bool], str]] = {
    "reference/api.md": api.page,
    "reference/errors.md": errors.page,
    "reference/model.md": model.page,
    "reference/field-pairs.md": fields.page,
    "reference/code-lists.md": tables.code_lists,
    "reference/recognition.md": tables.recognition,
    "reference/items.md": tables.items,
    "reference/life-cycle.md": life_cycle.page,
    "reference/commands.md": commands.page,
    "reference/settings-list.md": settings.page,
    "reference/metrics.md": metrics.page,
    "reference/audit.md": audit.page,
}

#: Address in the site → the English of a page that is in the tree in Chinese, written by a command.
IN_ENGLISH: Mapping[str, Callable[[], str]] = {"reference/field-maps.en.md": field_maps.page}

#: Address in the site → the picture, as SVG.
PICTURES: Mapping[str, Callable[[], str]] = {
    "pictures/life-cycle.svg": lambda: life_cycle.picture(False),  # noqa: FBT003
    "pictures/life-cycle-en.svg": lambda: life_cycle.picture(True),  # noqa: FBT003
}
