"""The channels of a configuration against the tables: what they may collect must exist."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gateway.runtime import Rulebook
    from gateway.settings import Settings
    from gateway.settings_callers import Channel

#: digits of a division's code; fewer stand for all that begin so
_WHOLE = 6


def channel_faults(settings: Settings, book: Rulebook) -> Iterator[tuple[str, str]]:
    """Path and sentence of each fault, in order."""
    for number, channel in enumerate(settings.channels):
        if channel.side in book.regions:
            yield from ((f"channels[{number}].{path}", text) for path, text in _faults(channel, book))


def _faults(channel: Channel, book: Rulebook) -> Iterator[tuple[str, str]]:
    for item in sorted(channel.items):
        if not book.tables.items.versions(item):
            yield "items", f"{channel.name}: 事项目录中没有 {item}，请改正或删除"
    prefix = book.regions[channel.side].division_prefix
    for division in sorted(channel.divisions):
        if not division.startswith(prefix):
            yield (
                "divisions",
                f"{channel.name}: {division} 不属于 {channel.side}（{prefix} 开头），请改正或删除",
            )
        elif len(division) == _WHOLE and book.tables.agencies.of(division) is None:
            yield "divisions", f"{channel.name}: {division} 没有经办机构，请核对区划和经办机构表"
