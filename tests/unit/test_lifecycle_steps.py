"""The life of a case: supplements, ratings, the gateway's own steps, and the clock they move."""

from datetime import date, datetime

import pytest
from lives import CALENDAR, NOW, ORIGIN, TARGET, accepted, at, case, do, report, stages

from gateway.canonical import lifecycle
from gateway.canonical.kinds import Kind, State
from gateway.canonical.lifecycle import Rating, Supplement, Withdrawal
from gateway.canonical.tracking import (
    Conflict,
    EventKind,
    TimeLimit,
)

# --- supplement, withdrawal, rating ----------------------------------------------------------------


@pytest.mark.parametrize("state", [state.value for state in State])
def test_supplement_withdrawal_and_rating_are_allowed_where_the_spec_says(state):
    """Crossing §4.8 to §4.10."""
    when = at("2026-11-26")
    wanted = {
        Supplement(when): {"11": "10", "31": "30"}.get(state),
        Withdrawal(when): "23" if state in {"10", "11", "20", "22", "28", "30", "31", "32", "33"} else None,
        Rating(when): "60" if state in {"40", "41", "50"} else None,
    }
    for event, after in wanted.items():
        result = do(case(state), event, by=ORIGIN)
        if after is None:
            assert (type(result), result.code) == (Conflict, "9022")
        else:
            assert result.case.state is State(after)
            assert [line.at for line in result.events] == [when]
        assert do(case(state), event, by=TARGET).code == "9023"


def test_a_second_rating_is_refused_as_such():
    rated = do(accepted("50"), Rating(NOW), by=ORIGIN).case
    assert rated.rated
    assert do(rated, Rating(NOW), by=ORIGIN).code == "9024"


# --- the gateway's own steps -----------------------------------------------------------------------


def opened(tracked, state, **when):
    return lifecycle.opened(
        tracked, State(state), at=when.get("at", at("2026-11-23")), actor=ORIGIN, calendar=CALENDAR
    )


def delivered(tracked, kind=Kind.GENERAL_APPLY):
    return lifecycle.delivered(tracked, kind=kind, native_kind="TY_SQ", at=NOW)


def undelivered(tracked, kind=Kind.GENERAL_APPLY):
    return lifecycle.undelivered(tracked, kind=kind, at=NOW, note="9043 …")


def test_an_accepted_application_opens_in_20_and_its_clock_runs_from_its_own_date():
    move = opened(case("10", accepted_on=date(2026, 11, 20)), "20")
    assert move.case.state is State.ACCEPTED
    assert move.case.accepted_by_origin
    assert move.case.due_on == date(2026, 11, 27)
    assert stages(move) == [(None, State.ACCEPTED, "")]
    assert move.events[0].kind is EventKind.APPLICATION


def test_a_received_application_opens_in_10_and_its_clock_waits_for_the_targets_20():
    first = opened(case("10"), "10").case
    assert (first.state, first.due_on, first.accepted_by_origin) == (State.RECEIVED, None, False)
    sent = delivered(first).case
    assert sent.state is State.FORWARDED
    assert report(sent, "20", when=at("2026-11-25")).case.due_on == date(2026, 12, 2)


def test_the_clock_starts_with_an_implied_20_by_the_beijing_date_of_the_report():
    late_in_utc = datetime.fromisoformat("2026-11-24T16:30:00+00:00")
    move = report(case("22"), "30", when=late_in_utc)
    assert move.case.clock.started_on == date(2026, 11, 25)


def test_a_certification_opens_in_40_and_never_enters_22():
    finished = case("10", kind=Kind.CERTIFICATION_NOTICE, limit=TimeLimit(0, "工作日"))
    move = opened(finished, "40")
    assert (move.case.state, move.case.due_on) == (State.CONCLUDED, None)
    sent = delivered(move.case, Kind.CERTIFICATION_NOTICE)
    assert stages(sent) == [(State.CONCLUDED, State.CONCLUDED, "TY_SQ")]


def test_a_certification_that_could_not_be_delivered_comes_back_to_40_when_it_is():
    finished = case("40", kind=Kind.CERTIFICATION_NOTICE)
    failed = undelivered(finished, Kind.CERTIFICATION_NOTICE).case
    assert failed.state is State.UNDELIVERED
    assert delivered(failed, Kind.CERTIFICATION_NOTICE).case.state is State.CONCLUDED


def test_a_parked_application_stands_in_10_until_it_is_released():
    move = opened(case("10", parked=True), "20")
    assert [line.kind for line in move.events] == [EventKind.APPLICATION, EventKind.PARKED]
    assert (move.case.state, move.case.due_on, move.forward) == (State.RECEIVED, None, False)
    free = lifecycle.released(
        move.case, State.ACCEPTED, at=at("2026-11-27"), actor="staff:wang", calendar=CALENDAR
    )
    assert (free.case.state, free.case.parked) == (State.ACCEPTED, False)
    assert free.case.due_on == date(2026, 11, 30), "by its own acceptance date, not by that of the release"
    assert (free.events[0].kind, free.events[0].actor) == (EventKind.RELEASED, "staff:wang")


def test_a_parked_application_that_was_withdrawn_stays_withdrawn():
    withdrawn = do(opened(case("10", parked=True), "20").case, Withdrawal(NOW), by=ORIGIN).case
    free = lifecycle.released(withdrawn, State.ACCEPTED, at=NOW, actor="gateway", calendar=CALENDAR)
    assert free.case.state is State.WITHDRAWN


def test_a_parked_follow_up_changes_nothing():
    move = lifecycle.parked(case("30"), at=NOW, note="1006 BODY/BJXX/BJZT")
    assert (move.case, move.forward) == (case("30"), False)
    assert stages(move) == [(State.IN_REVIEW, State.IN_REVIEW, "1006 BODY/BJXX/BJZT")]


@pytest.mark.parametrize(
    ("before", "after"),
    [("10", "22"), ("20", "22"), ("28", "22"), ("11", "11"), ("23", "23"), ("30", "30"), ("21", "21")],
)
def test_the_acknowledged_application_enters_22_unless_the_case_has_moved_on(before, after):
    move = delivered(case(before))
    assert stages(move) == [(State(before), State(after), "TY_SQ")]
    assert (move.events[0].kind, move.events[0].actor) == (EventKind.DELIVERY, "gateway")


def test_an_acknowledgement_after_the_targets_own_20_does_not_take_it_back():
    early = report(case("20", accepted_by_origin=True), "20").case
    assert delivered(early).case.state is State.ACCEPTED
    supplied = do(report(case("22"), "11").case, Supplement(at("2026-11-25")), by=ORIGIN).case
    assert delivered(supplied).case.state is State.RECEIVED


@pytest.mark.parametrize("kind", [Kind.STATUS_REPORT, Kind.MATERIAL_SUPPLEMENT, Kind.TRANSFER_SHEET])
def test_later_forwards_do_not_change_the_state(kind):
    assert delivered(case("20"), kind).case.state is State.ACCEPTED
    assert undelivered(case("20"), kind).case.state is State.ACCEPTED


@pytest.mark.parametrize(("before", "after"), [("10", "28"), ("20", "28"), ("28", "28"), ("23", "23")])
def test_an_application_that_is_refused_or_given_up_enters_28(before, after):
    move = undelivered(case(before))
    assert stages(move) == [(State(before), State(after), "9043 …")]
    assert move.events[0].kind is EventKind.DELIVERY_FAILED


def test_a_late_failure_does_not_overrule_what_the_target_has_reported():
    assert undelivered(report(case("20", accepted_by_origin=True), "20").case).case.state is State.ACCEPTED


def test_staff_return_an_undeliverable_case_to_its_origin():
    move = lifecycle.returned_to_origin(
        case("28"), "对方无此机构", at=NOW, actor="staff:li", calendar=CALENDAR
    )
    assert stages(move) == [(State.UNDELIVERED, State.DECLINED, "对方无此机构")]
    refused = lifecycle.returned_to_origin(case("22"), "x", at=NOW, actor="staff:li", calendar=CALENDAR)
    assert refused.code == "9022"


# --- the clock -------------------------------------------------------------------------------------


def test_correction_suspends_from_the_notice_to_the_supply():
    """The worked example of domain reference §5.3, by the times of the messages."""
    started = opened(case("10", accepted_on=date(2026, 9, 21)), "20").case
    notice = report(started, "31", when=at("2026-09-23")).case
    assert (notice.due_on, notice.remaining) == (None, TimeLimit(3, "工作日"))
    supplied = do(notice, Supplement(at("2026-10-09")), by=ORIGIN).case
    assert (supplied.due_on, supplied.remaining) == (date(2026, 10, 13), None)


@pytest.mark.parametrize(
    ("key", "suspends"),
    [("31", True), ("32|hearing", True), ("32|appraisal", True), ("32|extension", False), ("33", False)],
)
def test_only_correction_and_procedures_other_than_extension_suspend(key, suspends):
    assert (report(accepted("20"), key).case.due_on is None) is suspends


def test_going_from_one_suspension_to_another_is_one_suspension():
    first = report(accepted("30"), "31", when=at("2026-11-24")).case
    second = report(first, "32|hearing", when=at("2026-11-25")).case
    assert len(second.clock.suspensions) == 1
    assert report(second, "30", when=at("2026-11-26")).case.due_on == date(2026, 12, 2)


def test_a_note_of_another_procedure_moves_the_clock():
    extended = report(accepted("30"), "32|extension", words="挂起|延长|").case
    heard = report(extended, "32|hearing", words="挂起|听证|").case
    assert extended.due_on is not None
    assert heard.due_on is None


@pytest.mark.parametrize("key", ["40", "41", "23"])
def test_the_end_of_a_case_stops_the_clock_and_keeps_the_date(key):
    suspended = report(accepted("30"), "31", when=at("2026-11-24")).case
    ended = report(suspended, key, when=at("2026-11-26")).case
    assert ended.clock.stopped
    assert ended.due_on == date(2026, 12, 2)


def test_a_supply_dated_before_its_notice_takes_no_day_away():
    notice = report(accepted("30"), "31", when=at("2026-11-25")).case
    supplied = do(notice, Supplement(at("2026-11-20")), by=ORIGIN).case
    assert supplied.due_on == date(2026, 11, 30)
