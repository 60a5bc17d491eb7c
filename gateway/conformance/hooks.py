"""Where a desk lets others look on and interfere with what it sends; by itself nobody does."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.canonical.rehearsal import Said, Told


class Hooks:
    """Asked and told by a desk; every answer here is "as usual"."""

    def doubles(self, said: Said) -> bool:  # noqa: ARG002 - the face of the hook
        """Whether a message is sent once more after its receipt."""
        return False

    def swaps(self, case_ref: str) -> bool:  # noqa: ARG002 - the face of the hook
        """Whether the next two messages of a case change places."""
        return False

    def sealed(self, said: Said, headers: Mapping[str, str]) -> Mapping[str, str]:  # noqa: ARG002
        """The headers an attempt goes out with."""
        return headers

    def sent(
        self,
        said: Said,
        headers: Mapping[str, str],
        body: bytes,
        status: int,
        answer: bytes,
        told: Told | None,
    ) -> None:
        """An attempt has come to its end; ``status`` 0 when nothing came back."""
