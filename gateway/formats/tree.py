"""What both formats share: unreadable bytes, the bound on nesting, a look at a member."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.errors import GatewayError

#: Deeper nesting is unreadable (crossing §7, M20); the outermost object is level 1.
MAX_DEPTH = 32


class Unreadable(GatewayError):  # noqa: N818 - a word of the field, not a programming error
    """These bytes are no document of the format.

    ``reason`` is a Chinese sentence that says what to do; it never quotes the document.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def member(tree: object, *path: str) -> object:
    """The value at ``path`` or None, whatever shape the tree has."""
    for name in path:
        if not isinstance(tree, Mapping):
            return None
        tree = tree.get(name)
    return tree


def text_at(tree: object, *path: str) -> str:
    """The text at ``path``, ``""`` when it is missing or no text."""
    found = member(tree, *path)
    return found if isinstance(found, str) else ""
