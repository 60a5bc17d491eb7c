"""How pictures are drawn for a person and a screen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

Option = dict[str, Any]
#: Sides that have a colour of their own; of more, every so many have the same. The style sheets know them too.
COLOURS = 6


@dataclass(frozen=True, slots=True)
class Look:
    """How a picture is drawn: ``scale`` 1 for a desk, more for a wall; ``say`` translates, ``number`` writes."""

    say: Callable[..., str]
    number: Callable[[float], str]
    clock: Callable[[Any], str]
    region: Callable[[str], str]
    item: Callable[[str], str]
    scale: float = 1.0
    dark: bool = False

    @property
    def sides(self) -> tuple[str, ...]:
        """A colour for each side, told apart by people who see no red or green too."""
        if self.dark:
            return ("#58a6ff", "#ffb340", "#5fd0a5", "#e38bd0", "#c9d65b", "#a6a2ff")
        return ("#1d5fb4", "#c2701c", "#1f8a5b", "#a8398f", "#77770b", "#5b4bc4")

    @property
    def land(self) -> tuple[str, ...]:
        """Each side's ground."""
        if self.dark:
            return ("#16304f", "#3a2c17", "#17382d", "#381d33", "#30331a", "#28264e")
        return ("#e4edf8", "#f9ecdc", "#e3f2ea", "#f6e4f1", "#f1f1d5", "#e9e6f8")

    @property
    def ink(self) -> str:
        """Of labels."""
        return "#dce7f5" if self.dark else "#1c2530"

    @property
    def quiet(self) -> str:
        """Of what is said by the way."""
        return "#9db2cd" if self.dark else "#55606e"

    @property
    def borders(self) -> tuple[str, ...]:
        """Between each side's divisions."""
        if self.dark:
            return ("#2c5b8f", "#6d5326", "#2c7159", "#7a3f6d", "#666c2b", "#514d94")
        return ("#a9c3e3", "#e2c49c", "#a5d6bf", "#ddb0d2", "#cfcf94", "#bdb4e3")

    @property
    def halo(self) -> str:
        """Behind labels on the map."""
        return "#0a1626" if self.dark else "#ffffff"

    def px(self, size: float) -> float:
        """A length on this screen."""
        return round(size * self.scale, 1)


def nothing(look: Look, text: str) -> list[Option]:
    """What stands where there is nothing to draw."""
    style = {
        "text": text,
        "fill": look.quiet,
        "fontSize": look.px(13),
        "stroke": look.halo,
        "lineWidth": look.px(3),
    }
    return [
        {
            "id": "nothing",
            "type": "text",
            "left": "center",
            "top": "middle",
            "z": 100,
            "style": style,
            "silent": True,
        }
    ]
