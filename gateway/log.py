"""Logs: one JSON line per event, with case and message ids bound, and no person in any of them."""

from __future__ import annotations

import json
import logging
import re
import sys
import traceback
from collections.abc import Mapping, MutableMapping
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO, cast
from uuid import UUID

import orjson
import structlog

from gateway.errors import GatewayError

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from types import TracebackType

    from structlog.typing import FilteringBoundLogger

HIDDEN = "[hidden]"

#: Members that hold a person or a secret, whatever their value looks like.
PERSONAL_KEYS = frozenset(
    {
        "name", "names", "applicant", "person", "agent", "employer", "handler", "citizen_id", "id_no", "id_number",
        "mobile", "phone", "tel", "addr", "address", "account", "accounts", "acc_no", "acc_name", "bank_account",
        "birth_date", "hukou_place", "body", "raw", "payload", "content", "canonical", "native", "tree", "trace",
        "before", "after", "value", "values", "params", "parameters", "headers", "authorization", "token", "password",
        "secret", "private_key", "master_key",
    }
)  # fmt: skip

# Numbers that are ours and no person's: case numbers and message keys (letters, perhaps a division,
# then a day of this century), the hyphenated case number, ids and digests.
_OWN = re.compile(
    r"[A-Z]{2,4}(\d{6})?20\d{6}\d{6,12}"
    r"|\d{6}-\d{8}-\d{6}"
    r"|[0-9a-f]{32}|[0-9a-f]{64}"
    r"|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
)
_WORD = re.compile(r"[0-9A-Za-z-]{11,}")
# Eleven digits starting with 13–19 are a mobile number; twelve and more an identity number or account.
_NUMBER = re.compile(r"(?<!\d)(?:1[3-9]\d{9}|\d{12,})[Xx]?(?!\d)")
#: The shortest run of digits that is hidden; most texts have none, and are not read word by word.
_LONG_NUMBER = re.compile(r"\d{11}")
_FEWEST_DIGITS_OF_AN_ACCOUNT = 10**11
_MOST_FRAMES = 12

#: Libraries that narrate every call; their warnings are heard.
_CHATTY = (
    "httpx",
    "httpcore",
    "aiohttp",
    "asyncio",
    "kombu",
    "amqp",
    "alembic",
    "uvicorn.access",
    "celery.redirected",
)


def scrub_text(text: str) -> str:
    """The text with identity numbers, phones and account numbers replaced; our own ids stay."""
    if not _LONG_NUMBER.search(text):
        return text
    return _WORD.sub(_scrub_word, text)


def _scrub_word(found: re.Match[str]) -> str:
    word = found.group()
    return word if _OWN.fullmatch(word) else _NUMBER.sub(HIDDEN, word)


def scrub(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Structlog processor: the last thing that touches an event before it is written."""
    return {
        key: HIDDEN
        if key.lower() in PERSONAL_KEYS
        # texts first: nearly all values are
        else scrub_text(value)
        if type(value) is str
        else _scrubbed(value)
        for key, value in event.items()
    }


def _scrubbed(value: Any) -> Any:
    match value:
        case None | bool() | float():
            return value
        case int():
            return HIDDEN if abs(value) >= _FEWEST_DIGITS_OF_AN_ACCOUNT else value
        case Mapping():
            # A nested table may be a message; only its numbers are certainly nobody's.
            return {str(key): _number_only(member) for key, member in value.items()}
        case list() | tuple() | set() | frozenset():
            return [_scrubbed(member) for member in value]
        case str() | UUID() | date() | Path():
            return scrub_text(str(value))
    return f"<{type(value).__name__}>"


def _number_only(value: Any) -> Any:
    return _scrubbed(value) if value is None or isinstance(value, bool | int | float) else HIDDEN


def name_exception(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Replace ``exc_info`` by the kinds of the errors and where they were raised.

    The text of a foreign error may quote a value it choked on, so only our own errors are quoted.
    """
    raised = event.pop("exc_info", None)
    if raised is True:
        raised = sys.exc_info()
    error = raised[1] if isinstance(raised, tuple) else raised
    if not isinstance(error, BaseException):
        return event
    event["error"] = " < ".join(_kind(link) for link in _chain(error))
    event["at"] = _frames(error.__traceback__)
    return event


def _chain(error: BaseException | None) -> list[BaseException]:
    links: list[BaseException] = []
    while error is not None and error not in links:
        links.append(error)
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return links


def _kind(error: BaseException) -> str:
    said = f"({error})" if isinstance(error, GatewayError) else ""
    state = getattr(error, "sqlstate", None)
    return f"{type(error).__name__}{said}" + (f"[{state}]" if isinstance(state, str) else "")


def _frames(trace: TracebackType | None) -> list[str]:
    frames = traceback.extract_tb(trace)[-_MOST_FRAMES:]
    return [f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames]


def _first_line(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """What libraries put below their first line are reprs of objects we do not know."""
    event["event"] = str(event.get("event", "")).split("\n", 1)[0]
    return event


def _as_json(event: MutableMapping[str, Any], **_options: Any) -> str:
    try:
        return orjson.dumps(event, default=_named).decode()
    except TypeError:  # half a character, which no UTF-8 can say: written as an escape
        return json.dumps(event, default=_named)


def _named(thing: Any) -> str:
    return f"<{type(thing).__name__}>"


class _Lines:
    """Where our own lines end: straight on the stream. Through `logging` each took twice as long."""

    def __init__(self, name: str, stream: TextIO) -> None:
        self.name, self._stream = name, stream

    def msg(self, line: str) -> None:
        # A log nobody reads (a closed pipe) must not stop a case.
        with suppress(OSError, ValueError):
            self._stream.write(line + "\n")
            self._stream.flush()

    debug = info = warning = warn = error = critical = fatal = failure = exception = log = msg


def configure(stream: TextIO | None = None, *, level: int = logging.INFO) -> None:
    """Send every log of this process, ours and the libraries', as JSON lines to ``stream`` (stderr)."""
    out = stream or sys.stderr
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        name_exception,
    ]
    rendering: list[Any] = [scrub, structlog.processors.JSONRenderer(serializer=_as_json)]
    structlog.configure(
        processors=[*shared, *rendering],
        logger_factory=lambda name="root": _Lines(name, out),
        wrapper_class=structlog.make_filtering_bound_logger(level),
    )
    handler = logging.StreamHandler(out)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[_first_line, *shared],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                name_exception,
                *rendering,
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in _CHATTY:
        logging.getLogger(name).setLevel(max(level, logging.WARNING))


def get(name: str) -> FilteringBoundLogger:
    """A module's logger, made once at its top."""
    return cast("FilteringBoundLogger", structlog.get_logger(name))


def bound(**ids: str) -> AbstractContextManager[None]:
    """Bind ``case_no``, ``message_id`` and the like to every line logged inside."""
    return cast("AbstractContextManager[None]", structlog.contextvars.bound_contextvars(**ids))
