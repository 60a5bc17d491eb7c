"""Every failure we can name, and what happens to the message next.

* `GatewayError`: the root
* `Refusal`: the sender is told why not; nothing is stored
* `PeerFailure`: a call to the other side brought no answer; its cause decides whether it is repeated
* `CannotStart`: settings, tables or keys are bad: the process does not start
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How much a finding weighs: the worst one of a message decides its outcome."""

    REFUSE = "refuse"
    PARK = "park"


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault of one message.

    Shape: ``path`` in the sender's own spelling (SC ``param.ic91[0].aae180``, CQ
    ``BODY/YWXX/NMX[1]/NJFJS``); ``code`` of ``spec`` crossing §1; ``text`` in Chinese, saying what
    to do, never a personal value.
    """

    path: str
    code: str
    text: str
    level: Level = Level.REFUSE

    def as_json(self) -> dict[str, str]:
        """The member of ``findings`` in receipts and problem documents."""
        return {"path": self.path, "code": self.code, "text": self.text}


class GatewayError(Exception):
    """Root of the failures we can name."""


class Refusal(GatewayError):  # noqa: N818 - a word of the field
    """A message or request we do not take.

    ``status`` is the HTTP status, ``code`` the four-digit code of crossing §1, ``retry_after``
    seconds for 429 and 503.
    """

    def __init__(
        self,
        status: int,
        code: str,
        text: str,
        *,
        findings: tuple[Finding, ...] = (),
        retry_after: int | None = None,
    ) -> None:
        super().__init__(f"{status} {code}")
        self.status, self.code, self.text = status, code, text
        self.findings, self.retry_after = findings, retry_after


class PeerFailure(GatewayError):  # noqa: N818 - a word of the field
    """A call to the other side that brought no readable answer.

    ``cause`` is a stable word (``connect``, ``timeout``, ``status``, ``redirect``, ``unreadable``);
    ``retry_after`` in seconds when the peer named one.
    """

    def __init__(
        self, cause: str, detail: str, *, http_status: int | None = None, retry_after: float | None = None
    ) -> None:
        super().__init__(f"{cause}: {detail}")
        self.cause, self.detail = cause, detail
        self.http_status, self.retry_after = http_status, retry_after


class CannotStart(GatewayError):  # noqa: N818 - a word of the field
    """Settings, tables or keys are unusable; ``str(error)`` names the place and the remedy."""
