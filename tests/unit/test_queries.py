"""Query parameters: what may be asked, and what is refused with a reason."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from gateway.web.queries import CaseQuery, DeliveryQuery, ItemQuery


@pytest.mark.parametrize(
    ("written", "start", "end"),
    [
        (
            "2026-11-23",
            datetime(2026, 11, 22, 16, tzinfo=UTC),
            datetime(2026, 11, 23, 15, 59, 59, 999999, tzinfo=UTC),
        ),
        (
            "2026-11-23T15:42:10+08:00",
            datetime(2026, 11, 23, 7, 42, 10, tzinfo=UTC),
            datetime(2026, 11, 23, 7, 42, 10, tzinfo=UTC),
        ),
        (
            "2026-11-23T15:42:10 08:00",
            datetime(2026, 11, 23, 7, 42, 10, tzinfo=UTC),
            datetime(2026, 11, 23, 7, 42, 10, tzinfo=UTC),
        ),
    ],
    ids=["day", "moment", "plus sign lost in the query string"],
)
def test_a_range_is_days_of_beijing_or_moments_both_ends_included(written, start, end):
    query = CaseQuery(received_from=written, received_to=written)
    assert (query.received_from, query.received_to) == (start, end)


@pytest.mark.parametrize(
    "fault",
    [
        {"limit": 0},
        {"limit": 201},
        {"limit": "x"},
        {"state": "99"},
        {"division": "5101"},
        {"received_from": "23.11.2026"},
        {"received_from": "2026-11-23T15:42:10"},
        {"received_to": "9999-12-31"},
        {"item": "a\x00"},
        {"after": "\x00"},
        {"received_from": "0001-01-01T00:00:00+08:00"},
        {"page": "2"},
    ],
    ids=str,
)
def test_what_cannot_be_asked_is_refused(fault):
    with pytest.raises(ValidationError) as caught:
        CaseQuery(**fault)
    assert caught.value.error_count() == 1


@pytest.mark.parametrize("written", ["0", "20261123", "1795420800", "2026-02-30", 0])
def test_a_day_is_written_as_a_day_and_never_a_number_of_seconds(written):
    with pytest.raises(ValidationError):
        ItemQuery(on=written)


def test_an_empty_filter_is_no_filter():
    query = CaseQuery(region="", state="", received_from="", after="")
    assert query.model_dump(exclude_defaults=True) == {}
    assert ItemQuery(on="").on is None
    assert DeliveryQuery(state="", destination="").model_dump(exclude_defaults=True) == {}
