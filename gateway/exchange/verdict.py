"""What an attempt leads to: the table of gateway §5 as one function. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gateway.region import Reply, Taken
from gateway.store.records import Ending

if TYPE_CHECKING:
    from gateway.errors import PeerFailure

#: Each wait is stretched or shortened by up to this share, so that what failed together does not return together.
JITTER = 0.2

#: A peer's ``Retry-After`` is honoured up to here (gateway §5).
LONGEST_RETRY_AFTER_S = 4 * 3600.0


@dataclass(frozen=True, slots=True)
class Schedule:
    """The waits before attempts 2, 3, …; the last one repeats. Units: seconds.

    ``give_up_s`` counts from the first attempt: no attempt is planned after it.
    """

    waits_s: tuple[float, ...] = (5, 30, 120, 600, 1800, 3600, 7200, 14400)
    give_up_s: float = 259_200.0

    def wait_s(self, attempt: int, jitter: float) -> float:
        """The wait after ``attempt`` (1 = the first), moved by ``jitter`` (-1 … 1) of `JITTER`."""
        wait = self.waits_s[min(attempt, len(self.waits_s)) - 1]
        return wait * (1 + JITTER * jitter)


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a delivery goes on. ``due_in_s`` seconds, with RETRY only; ``code``/``text`` say why."""

    ending: Ending
    due_in_s: float = 0.0
    code: str = ""
    text: str = ""


def decide(
    answer: Reply | PeerFailure, *, attempt: int, elapsed_s: float, schedule: Schedule, jitter: float
) -> Verdict:
    """The verdict on one attempt.

    Units: ``attempt`` from 1, ``elapsed_s`` seconds since the first attempt began, ``jitter`` -1 … 1.
    """
    if isinstance(answer, Reply):
        return _on_reply(answer)
    wait = schedule.wait_s(attempt, jitter)
    if answer.retry_after is not None:
        wait = max(wait, min(answer.retry_after, LONGEST_RETRY_AFTER_S))
    gone = elapsed_s + wait > schedule.give_up_s
    return Verdict(
        Ending.DEAD if gone else Ending.RETRY,
        due_in_s=0.0 if gone else wait,
        code=answer.cause,
        text=answer.detail,
    )


def _on_reply(reply: Reply) -> Verdict:
    match reply.taken:
        case Taken.DELIVERED:
            return Verdict(Ending.DELIVERED, code=reply.code, text=reply.text)
        case Taken.REFUSED:
            return Verdict(Ending.REFUSED, code=reply.code, text=reply.text)
        case Taken.UNREADABLE:
            raise ValueError("an unreadable answer is a PeerFailure: replies.judge makes it one")
