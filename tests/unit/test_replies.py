"""What an HTTP answer of a peer means."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from gateway.errors import PeerFailure
from gateway.region import Reply, Taken
from gateway.transport.replies import Answered, judge, retry_after, without_numbers

NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)


def judged(status, said=None, headers=None):
    answered = Answered(status, headers or {}, b"")
    return judge(answered, lambda _status, _body: said or Reply(Taken.UNREADABLE), now=NOW)


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_a_receipt_in_any_2xx_is_the_peers_word(status):
    assert judged(status, Reply(Taken.DELIVERED, "1")).taken is Taken.DELIVERED
    assert judged(status, Reply(Taken.REFUSED, "-1")).taken is Taken.REFUSED


def test_a_2xx_without_a_readable_receipt_is_no_delivery():
    failure = judged(200)
    assert isinstance(failure, PeerFailure)
    assert (failure.cause, failure.http_status) == ("unreadable", 200)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_a_failure_even_with_a_receipt(status):
    assert judged(status, Reply(Taken.DELIVERED, "1")).cause == "redirect"


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504, 599])
def test_not_now_is_told_from_not_this(status):
    failure = judged(status, Reply(Taken.REFUSED, "-1"), {"retry-after": "7"})
    assert (failure.cause, failure.http_status, failure.retry_after) == ("status", status, 7)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 413, 415, 422, 499])
def test_other_4xx_are_final(status):
    assert judged(status, Reply(Taken.REFUSED, "9044", "无此办件")) == Reply(
        Taken.REFUSED, "9044", "无此办件"
    )
    assert judged(status) == Reply(Taken.REFUSED, str(status), f"HTTP {status}")
    assert judged(status, Reply(Taken.DELIVERED, "1")).taken is Taken.REFUSED


def test_an_interim_answer_is_no_answer():
    assert judged(102).cause == "unreadable"


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("120", 120),
        (" 0 ", 0),
        ("Mon, 23 Nov 2026 08:01:30 GMT", 90),
        ("Mon, 23 Nov 2026 07:00:00 GMT", 0),
        ("Monday, 23-Nov-26 08:01:30 GMT", 90),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("1.5", None),
        ("99999999999999999999", None),
    ],
)
def test_retry_after_is_read_in_both_forms_and_nothing_else(header, seconds):
    assert retry_after(header, NOW) == seconds


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("公民身份号码500103196602144000重复", "公民身份号码500****4000重复"),
        ("证件 51010419660214402X 有误", "证件 510****402X 有误"),
        ("电话13800000001", "电话138****0001"),
        ("账号6222020000000000001", "账号622****0001"),
        ("办件 CYTB5101042026112300000017 不存在", "办件 CYTB5101042026112300000017 不存在"),
        ("办件 510104-20261123-000017 不存在", "办件 510104-20261123-000017 不存在"),
        ("报文 SC202611230000998 重复", "报文 SC202611230000998 重复"),
    ],
)
def test_words_of_a_peer_keep_case_numbers_and_lose_the_numbers_of_persons(said, kept):
    assert without_numbers(said) == kept


def test_words_of_a_peer_are_kept_short():
    assert len(without_numbers("啊" * 5000)) == 300
