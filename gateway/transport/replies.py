"""What a peer's HTTP answer means: its reply, or the reason why there is none. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from gateway.errors import PeerFailure
from gateway.region import Reply, Taken

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

#: 4xx that say "not now" rather than "not this" (gateway §5)
_NOT_NOW = frozenset({408, 425, 429})

#: How much of the other side's words is kept.
_WORDS = 300

# A run of digits long enough to be an identity number, a telephone or an account; case numbers and message
# keys of the two formats begin with letters or hold hyphens and stay readable.
_NUMBER = re.compile(r"(?<![0-9A-Za-z-])(\d{3})\d{4,12}(\d{4}|\d{3}[Xx])(?![0-9A-Za-z-])")


@dataclass(frozen=True, slots=True)
class Answered:
    """An HTTP answer as received: lower-case header names, body within the size limit."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def judge(
    answered: Answered, read_reply: Callable[[int, bytes], Reply], *, now: datetime
) -> Reply | PeerFailure:
    """The peer's verdict, or a failure that is tried again.

    Shape: `Reply` is delivered or refused, never unreadable; its words hold no long numbers.
    Source: gateway §5, rows *delivered*, *retried* and *final*.
    """
    status = answered.status
    if 200 <= status < 300:
        return _taken(status, read_reply(status, answered.body))
    if 300 <= status < 400:
        return PeerFailure("redirect", f"HTTP {status} is never followed", http_status=status)
    if status in _NOT_NOW or status >= 500:
        wait = retry_after(answered.headers.get("retry-after", ""), now)
        return PeerFailure("status", f"HTTP {status}", http_status=status, retry_after=wait)
    if status < 200:
        return PeerFailure("unreadable", f"HTTP {status} is no final answer", http_status=status)
    reply = read_reply(status, answered.body)
    # 4xx is a refusal whatever the body says; without readable words the status speaks.
    if reply.taken is not Taken.REFUSED:
        return Reply(Taken.REFUSED, str(status), f"HTTP {status}")
    return _said(replace(reply, code=reply.code or str(status)))


def _taken(status: int, reply: Reply) -> Reply | PeerFailure:
    if reply.taken is Taken.UNREADABLE:
        return PeerFailure("unreadable", f"HTTP {status} without a readable receipt", http_status=status)
    return _said(reply)


def _said(reply: Reply) -> Reply:
    return replace(reply, text=without_numbers(reply.text))


def retry_after(header: str, now: datetime) -> float | None:
    """Seconds a peer asks us to wait, from either form of ``Retry-After``; None if it names none.

    Source: RFC 9110 §10.2.3 (delay in seconds, or an HTTP date).
    """
    written = header.strip()
    if re.fullmatch(r"[0-9]{1,9}", written):
        return float(written)
    try:
        moment = parsedate_to_datetime(written)
    except (ValueError, TypeError):
        return None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, (aware - now).total_seconds())


def without_numbers(text: str) -> str:
    """A peer's words with the middle of long numbers starred: they may quote a person's.

    Kept short, because they stand in lists and timelines.
    """
    return _NUMBER.sub(r"\1****\2", text)[:_WORDS]
