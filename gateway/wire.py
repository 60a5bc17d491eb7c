"""What the wires of all regions have in common: members of credentials, words of receipts, verdicts on replies (pure).

An adapter's ``wire.py`` says where its format keeps each of these; what they mean is said here, once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import BeforeValidator, Field, SecretStr

from gateway.errors import Level
from gateway.formats.tree import text_at
from gateway.region import Outcome, Reply, Taken

if TYPE_CHECKING:
    import re

    from gateway.region import Receipt

#: Characters of a peer's own words that are kept.
WORDS = 500


def _stripped(text: object) -> object:
    return text.strip() if isinstance(text, str) else text


def _without_slash(url: object) -> object:
    return url.rstrip("/") if isinstance(url, str) else url


#: Where the region's deliveries go: http or https, without a slash at the end.
BaseUrl = Annotated[str, BeforeValidator(_without_slash), Field(pattern=r"^https?://[^\s/]+")]
#: A name agreed with the peer, and a secret: what an editor leaves around them is no part of them.
Name = Annotated[str, BeforeValidator(_stripped), Field(min_length=1)]
Secret = Annotated[SecretStr, BeforeValidator(_stripped), Field(min_length=1)]


def formed(form: re.Pattern[str], text: str) -> str:
    """The text when all of it has the form, else ``""``: a number that is none is never looked up."""
    return text if form.fullmatch(text) else ""


def words_of(given: Receipt) -> str:
    """What a receipt says in words, whatever its format: ``""`` when the message was simply taken.

    Source: crossing §1: ``PARKED`` with code and path of what is missing, ``IGNORED`` with the code.
    """
    match given.outcome:
        case Outcome.ACCEPTED:
            return ""
        case Outcome.PARKED:
            missing = [f for f in given.findings if f.level is Level.PARK] or given.findings
            return "PARKED " + "; ".join(f"{finding.code} {finding.path}" for finding in missing)
        case Outcome.IGNORED:
            return f"IGNORED {given.code} {given.text}"
        case Outcome.REFUSED:
            return given.text


def places_in(listed: object, path: str, text: str) -> list[str]:
    """Path and text of each fault a peer's answer lists, for people; one entry counts as a list of one."""
    entries = listed if isinstance(listed, list) else [listed]
    return [f"{text_at(one, path)} {text_at(one, text)}".strip() for one in entries]


def reply(status: int, *, taken: bool | None, code: str, words: list[str], case_ref: str) -> Reply:
    """A peer's answer judged by status and by what its receipt says; ``taken`` is None when it says neither.

    2xx is delivered or refused as the receipt says, and tried again when it says neither; 4xx is final but for
    408, 425 and 429, which a repetition can mend; everything else is tried again. Source: gateway §5.
    """
    said = "；".join(filter(None, words))[:WORDS]
    answered = 200 <= status < 300
    if answered and taken:
        return Reply(Taken.DELIVERED, code, said, case_ref)
    if answered and taken is None:
        return Reply(Taken.UNREADABLE)
    if answered or (400 <= status < 500 and status not in {408, 425, 429}):
        return Reply(Taken.REFUSED, code, said or f"HTTP {status}，对方未说明原因", case_ref)
    return Reply(Taken.UNREADABLE, code, said)
