"""Help pages that break their lines between Chinese characters: without spaces the library would cut them off."""

from __future__ import annotations

from typing import Any

from rich.text import Text
from typer import rich_utils

_made = rich_utils._make_rich_text  # noqa: SLF001 - the library has no other place to say it


def _folding(**options: Any) -> Any:
    text = _made(**options)
    if isinstance(text, Text):
        text.overflow = "fold"
    return text


def fold() -> None:
    """The pages shown from now on have whole texts."""
    rich_utils._make_rich_text = _folding  # noqa: SLF001
