"""Logs: what happened and to which case, and no person in any line."""

from __future__ import annotations

import asyncio
import io
import json
import logging
from datetime import UTC, date, datetime
from uuid import UUID

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from gateway import log
from gateway.errors import Refusal

ID = "510104198803150011"
ID_X = "51010419880315001x"
PHONE = "13800010001"
ACCOUNT = "6228480402564890018"
NAME = "吉克·木呷"
CANARIES = (ID, ID_X, ID_X.upper(), PHONE, ACCOUNT, NAME)


@pytest.fixture
def lines():
    """Everything this process logs during the test, parsed."""
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    stream = io.StringIO()
    log.configure(stream)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    root.handlers[:] = before
    root.setLevel(level)
    structlog.reset_defaults()


def shown(lines) -> str:
    return json.dumps(lines(), ensure_ascii=False)


def test_a_line_is_json_with_the_bound_ids(lines):
    with log.bound(case_no="CYTB5101042026112300000017", message_id="0193-1"):
        log.get("gateway.test").info("message accepted", kind="transfer.apply", took_ms=3)
    (line,) = lines()
    assert line["event"] == "message accepted"
    assert line["case_no"] == "CYTB5101042026112300000017"
    assert (line["message_id"], line["kind"], line["took_ms"]) == ("0193-1", "transfer.apply", 3)
    assert line["level"] == "info"


@pytest.mark.parametrize(
    "ours",
    [
        "CYTB5101042026112300000017",
        "CQ50010320261123000017",
        "TB20261123154217000001",
        "510104-20261123-000017",
        "0193b2b0-0000-7000-8000-123456789012",
        "a" * 32 + "0123456789012345" * 2,
        "SC202611230000017",
        "2026-11-23T15:42:10.123456+08:00",
    ],
)
def test_our_own_numbers_stay_readable(ours):
    assert log.scrub_text(f"case {ours} moved") == f"case {ours} moved"


@pytest.mark.parametrize("number", [ID, ID_X, ID_X.upper(), PHONE, ACCOUNT])
@pytest.mark.parametrize("around", ["{}", "证件{}无效", "ID{}", "value '{}'.", "a=1&id={}&b", "{0} {0}"])
def test_a_number_of_a_person_is_hidden_wherever_it_stands(number, around):
    assert number not in log.scrub_text(around.format(number))


@given(st.text(alphabet="0123456789Xx-ABCDEF 张", max_size=60), st.sampled_from([ID, ID_X, PHONE, ACCOUNT]))
def test_no_text_around_it_saves_an_identity_number(text, number):
    written = f"{text} {number} {text}"
    assert number not in log.scrub_text(written)


def test_values_of_any_shape_are_scrubbed(lines):
    log.get("t").info(
        "read",
        name=NAME,
        note=f"id {ID}",
        number=int(ACCOUNT),
        tree={"aac003": NAME, "aac002": ID, "rows": [{"x": PHONE}]},
        nested={"who": NAME, "count": 3, "long": int(ID)},
        several=[ID_X, PHONE],
        thing=type("T", (), {"__repr__": lambda _: NAME})(),
        day=date(2026, 11, 23),
        at=datetime(2026, 11, 23, tzinfo=UTC),
        id=UUID("0193b2b0-0000-7000-8000-123456789012"),
    )
    text = shown(lines)
    assert not [canary for canary in CANARIES if canary in text]
    assert lines()[0]["nested"] == {"who": log.HIDDEN, "count": 3, "long": log.HIDDEN}
    assert lines()[0]["day"] == "2026-11-23"


def fail() -> None:
    try:
        {}[NAME]
    except KeyError as error:
        raise ValueError(f"cannot store {NAME} {ID} {ACCOUNT}") from error


def test_an_exception_is_its_kind_and_place_and_never_its_words(lines):
    try:
        fail()
    except ValueError:
        log.get("t").exception("failed")
        logging.getLogger("library").exception("broke at %s", ID)
    text = shown(lines)
    assert not [canary for canary in CANARIES if canary in text]
    ours, theirs = lines()
    assert ours["error"] == theirs["error"] == "ValueError < KeyError"
    assert any(frame.startswith("test_log.py:") and frame.endswith(" fail") for frame in ours["at"])


def test_our_own_errors_are_quoted_with_status_and_code_only(lines):
    refusal = Refusal(422, "9043", f"{NAME} 的证件号码 {ID} 不正确")
    log.get("t").error("refused", exc_info=refusal)
    assert lines()[0]["error"] == "Refusal(422 9043)"


def test_libraries_log_through_the_same_pipe(lines):
    logging.getLogger("uvicorn.error").warning("odd request %s\nwith a repr of %s", PHONE, NAME)
    logging.getLogger("httpx").info("HTTP Request: POST https://x/%s", ID)
    (line,) = lines()
    assert line["logger"] == "uvicorn.error"
    assert line["event"] == f"odd request {log.HIDDEN}"


async def test_a_task_nobody_awaited_does_not_tell_its_error(lines):
    loop = asyncio.get_running_loop()
    future = loop.create_future()
    future.set_exception(ValueError(NAME))
    loop.default_exception_handler(
        {"message": "never retrieved", "future": future, "exception": future.exception()}
    )
    assert NAME not in shown(lines)
    assert lines()[0]["error"] == "ValueError"
