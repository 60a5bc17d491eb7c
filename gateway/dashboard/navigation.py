"""The rooms of the dashboard, in the order a shift walks through them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gateway.dashboard.texts import N_

if TYPE_CHECKING:
    from gateway.exchange.entry import Staff


@dataclass(frozen=True, slots=True)
class Entry:
    """``key``: pressed after ``g`` it leads there; ``also``: another address of the same room."""

    path: str
    text: str
    icon: str
    key: str
    permission: str = "look"
    also: str = ""

    def is_at(self, path: str) -> bool:
        """True on this room's pages."""
        if self.path == "/ops/":
            return path == self.path
        return path.startswith(self.path) or (self.also != "" and path.startswith(self.also))


PLAYGROUND = "/playground/"
_ENTRIES = (
    Entry("/ops/", N_("总览"), "layout-dashboard", "o"),
    Entry("/ops/routes", N_("路由"), "route", "r"),
    Entry("/ops/cases", N_("办件"), "files", "c"),
    Entry("/ops/stuck", N_("滞留与死信"), "alert-triangle", "s", also="/ops/reruns"),
    Entry("/ops/rules", N_("互认规则"), "scale", "m"),
    Entry(PLAYGROUND, N_("试译"), "arrows-diff", "t"),
    Entry("/ops/performance", N_("时限与绩效"), "clock-hour-4", "p"),
    Entry("/ops/running", N_("运行"), "server-2", "y"),
    Entry("/ops/audit", N_("审计"), "history", "a", "audit"),
)


def entries(staff: Staff | None, *, without: frozenset[str] = frozenset()) -> tuple[Entry, ...]:
    """The rooms this person may enter; ``without``: paths of those that are not there."""
    if staff is None:
        return ()
    return tuple(each for each in _ENTRIES if staff.may(each.permission) and each.path not in without)
