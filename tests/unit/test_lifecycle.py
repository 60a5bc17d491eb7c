"""The life of a case: the table of crossing §5.3 cell by cell, and what stands around it."""

from dataclasses import replace
from datetime import date, datetime, timedelta, timezone
from uuid import UUID

import pytest

from gateway.canonical import lifecycle
from gateway.canonical.kinds import Kind, State
from gateway.canonical.lifecycle import Answer, Rating, Sheet, StatusReport, Supplement, Withdrawal
from gateway.canonical.tracking import (
    Clock,
    Conflict,
    EventKind,
    Ignored,
    LastReport,
    Move,
    TimeLimit,
    TrackedCase,
)
from gateway.mapping.load import work_calendar

BEIJING = timezone(timedelta(hours=8))
CALENDAR = work_calendar(2026)
ORIGIN, TARGET = "sichuan", "chongqing"


def at(day: str, time: str = "09:00:00") -> datetime:
    return datetime.fromisoformat(f"{day}T{time}").replace(tzinfo=BEIJING)


NOW = at("2026-11-24")


def case(state: str = "22", **known) -> TrackedCase:
    usual = {
        "id": UUID(int=1),
        "case_no": "CYTB5101042026112300000017",
        "kind": Kind.GENERAL_APPLY,
        "origin": ORIGIN,
        "target": TARGET,
        "origin_case_no": "510104-20261123-000017",
        "received_at": at("2026-11-23"),
        "accepted_on": date(2026, 11, 23),
        "limit": TimeLimit(5, "工作日"),
    }
    return TrackedCase(state=State(state), **{**usual, **known})


def accepted(state: str, **known) -> TrackedCase:
    """A case the target accepted on 2026-11-23."""
    return case(state, accepted_by_target=True, clock=Clock(date(2026, 11, 23)), **known)


def transfer(state: str = "22", **known) -> TrackedCase:
    return case(state, kind=Kind.TRANSFER_APPLY, old_region=TARGET, **known)


def claim(state: str = "22", place: str = "household_place", **known) -> TrackedCase:
    return case(state, kind=Kind.UNEMPLOYMENT_CLAIM, claim_place=place, **known)


def do(tracked, event, by=TARGET, received=NOW):
    return lifecycle.apply(tracked, event, by=by, at=received, actor=by, calendar=CALENDAR)


def report(tracked, key, *, by=TARGET, when=NOW, words="new words"):
    return do(tracked, StatusReport.of(key, when, words), by)


def stages(move: Move):
    return [(line.from_state, line.to_state, line.note) for line in move.events]


# --- crossing §5.3, as printed there ---------------------------------------------------------------

TABLE = """
| Held           | 10 | 11 | 20 | 21 | 23 | 30 | 31 | 32 | 33 | 40 | 41 | 50 |
| 10             | I  | A  | A  | A  | A  | A  | A  | A  | A  | A  | A  | C  |
| 22             | I  | A  | A  | A  | A  | A  | A  | A  | A  | A  | A  | C  |
| 28             | I  | A  | A  | A  | A  | A  | A  | A  | A  | A  | A  | C  |
| 11             | A  | I  | A  | A  | A  | A  | A  | A  | A  | A  | A  | C  |
| 20             | I  | I  | I  | C  | A  | A  | A  | A  | A  | A  | A  | C  |
| 30             | I  | I  | I  | C  | A  | I* | A  | A  | A  | A  | A  | C  |
| 31             | I  | I  | I  | C  | A  | A  | I  | A  | A  | A  | A  | C  |
| 32             | I  | I  | I  | C  | A  | A  | A  | I* | A  | A  | A  | C  |
| 33             | I  | I  | I  | C  | A  | A  | A  | A  | I  | A  | A  | C  |
| 40             | C  | C  | C  | C  | C  | C  | C  | C  | C  | I  | C  | A  |
| 41             | C  | C  | C  | C  | C  | C  | C  | C  | C  | C  | I  | A  |
| 50             | C  | C  | C  | C  | C  | C  | C  | C  | C  | C  | C  | I  |
| 21             | C  | C  | C  | I  | C  | C  | C  | C  | C  | C  | C  | C  |
| 23             | C  | C  | C  | C  | I  | C  | C  | C  | C  | C  | C  | C  |
| 60             | C  | C  | C  | C  | C  | C  | C  | C  | C  | C  | C  | C  |
| 90             | C  | C  | C  | C  | C  | C  | C  | C  | C  | C  | C  | C  |
"""
ROWS = [[cell.strip() for cell in line.strip("|").split("|")] for line in TABLE.strip().splitlines()]
CELLS = [(row[0], to, cell) for row in ROWS[1:] for to, cell in zip(ROWS[0][1:], row[1:], strict=True)]
NOT_ACCEPTED = {"10", "11", "22", "28"}


def held(state: str) -> TrackedCase:
    return case(state) if state in NOT_ACCEPTED else accepted(state)


@pytest.mark.parametrize(("before", "reported", "cell"), CELLS)
def test_a_report_is_taken_ignored_or_refused_as_the_table_says(before, reported, cell):
    result = report(held(before), reported)
    if cell == "A":
        assert isinstance(result, Move)
        assert result.case.state is State(reported)
        assert result.forward
    elif cell == "I*":
        assert isinstance(result, Move)
        assert result.case.state is State(before)
    elif cell == "I":
        assert isinstance(result, Ignored)
        assert result.code == ("1102" if before == reported else "1101")
    else:
        assert isinstance(result, Conflict)
        assert result.code == "9022"


@pytest.mark.parametrize("before", ["20", "22", "28", "10"])
def test_the_targets_own_20_is_taken_after_the_origins_acceptance(before):
    """Crossing §5.3 last lines and §7: delivered or not."""
    started = case(before, accepted_by_origin=True, clock=Clock(date(2026, 11, 23)))
    result = report(started, "20", when=at("2026-11-25"))
    assert isinstance(result, Move)
    assert stages(result) == [(State(before), State.ACCEPTED, "")]
    assert result.case.clock.started_on == date(2026, 11, 23)
    again = report(result.case, "20", when=at("2026-11-26"))
    assert isinstance(again, Ignored)
    assert again.code == "1102"


def test_after_the_targets_own_20_it_can_no_longer_decline():
    started = case("20", accepted_by_origin=True)
    assert isinstance(report(started, "21"), Move)
    own = report(started, "20").case
    assert report(own, "21").code == "9022"


def test_the_origins_report_of_10_on_its_own_acceptance_is_ignored():
    started = case("20", accepted_by_origin=True)
    assert report(started, "10", by=ORIGIN).code == "1101"


# --- implied stages --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tracked", "reported", "path"),
    [
        (case("22"), "30", ["20 implied", "30"]),
        (case("22"), "40", ["20 implied", "30 implied", "40"]),
        (case("10"), "41", ["20 implied", "30 implied", "41"]),
        (case("11"), "31", ["20 implied", "30 implied", "31"]),
        (case("22", accepted_by_origin=True), "30", ["30"]),
        (case("20", accepted_by_origin=True), "40", ["30 implied", "40"]),
        (case("11", accepted_by_origin=True), "33", ["30 implied", "33"]),
        (accepted("20"), "33", ["30 implied", "33"]),
        (accepted("31"), "40", ["40"]),
        (accepted("33"), "31", ["31"]),
        (case("22"), "21", ["21"]),
        (case("22"), "23", ["23"]),
        (case("22"), "11", ["11"]),
        (accepted("40"), "50", ["50"]),
    ],
)
def test_skipped_stages_are_entered_with_the_same_time(tracked, reported, path):
    when = at("2026-11-25", "10:11:12")
    move = report(tracked, reported, when=when)
    assert [f"{line.to_state} {line.note}".strip() for line in move.events] == path
    assert {line.at for line in move.events} == {when}
    assert {line.kind for line in move.events} == {EventKind.STATUS}
    assert move.events[0].from_state is tracked.state
    for before, after in zip(move.events, move.events[1:], strict=False):
        assert before.to_state is after.from_state


# --- notes (I*) and older reports ------------------------------------------------------------------


def test_the_same_words_again_are_ignored_and_other_words_are_a_note():
    once = report(accepted("20"), "30", words="办理中||").case
    same = report(once, "30", words="办理中||")
    assert (type(same), same.code) == (Ignored, "1102")
    other = report(once, "30", words="已转出||")
    assert isinstance(other, Move)
    assert other.forward
    assert stages(other) == [(State.IN_REVIEW, State.IN_REVIEW, "")]
    assert other.case.last_report[TARGET].words == "已转出||"


def test_words_are_compared_with_the_last_report_of_that_side_only():
    """After the sheet the new place speaks for the first time: its 办理中 is news."""
    sheet = do(transfer("22", last_report={TARGET: LastReport(NOW, "06|")}), Sheet()).case
    assert isinstance(report(sheet, "30", by=ORIGIN, words="06|"), Move)


def test_a_report_older_than_the_last_one_taken_from_that_side_is_ignored_whatever_the_state():
    final = report(accepted("30"), "40", when=at("2026-11-25")).case
    for key in ("30", "40", "41", "50"):
        result = report(final, key, when=at("2026-11-24"))
        assert (type(result), result.code) == (Ignored, "1101")


def test_the_same_second_is_not_older():
    once = report(accepted("20"), "30", when=NOW).case
    assert isinstance(report(once, "40", when=NOW), Move)


def test_the_other_sides_later_report_makes_nothing_older():
    served = accepted("40", last_report={TARGET: LastReport(at("2026-11-30"), "09|")})
    assert isinstance(report(served, "50", by=ORIGIN, when=at("2026-11-29")), Move)


def test_an_ignored_report_is_not_the_last_one_taken():
    once = report(accepted("20"), "30", when=at("2026-11-24")).case
    assert isinstance(report(once, "20", when=at("2026-11-26")), Ignored)
    assert isinstance(report(once, "40", when=at("2026-11-25")), Move)


# --- who may report --------------------------------------------------------------------------------

OWNED = ["11", "20", "21", "30", "31", "32|hearing", "33", "40", "41"]


@pytest.mark.parametrize("key", OWNED)
@pytest.mark.parametrize("tracked", [case("22"), transfer("22"), claim("22"), claim("22", "insured_place")])
def test_before_sheet_or_answer_only_the_target_reports(tracked, key):
    assert report(tracked, key, by=ORIGIN).code == "9023"
    assert isinstance(report(tracked, key), Move)


@pytest.mark.parametrize("key", ["30", "31", "32|hearing", "33", "40", "41"])
def test_after_the_sheet_and_after_a_household_answer_only_the_origin_reports(key):
    for answered in (do(transfer("22"), Sheet()).case, do(claim("22"), Answer()).case):
        assert report(answered, key).code == "9023"
        assert isinstance(report(answered, key, by=ORIGIN), Move)


def test_after_an_answer_of_the_insured_place_the_target_goes_on_reporting():
    answered = do(claim("22", "insured_place"), Answer()).case
    assert report(answered, "40", by=ORIGIN).code == "9023"
    assert isinstance(report(answered, "40"), Move)


def test_receipt_withdrawal_and_service_may_be_reported_by_either_side():
    for by in (ORIGIN, TARGET):
        assert isinstance(report(case("11"), "10", by=by), Move)
        assert isinstance(report(accepted("30"), "23", by=by), Move)
        assert isinstance(report(accepted("40"), "50", by=by), Move)


def test_the_owner_is_asked_before_the_time_and_the_time_before_the_table():
    """Crossing §7: 9023, 1101, then 9022."""
    late = accepted(
        "40",
        last_report={TARGET: LastReport(at("2026-11-30"), "x"), ORIGIN: LastReport(at("2026-11-30"), "x")},
    )
    assert report(late, "30", by=ORIGIN, when=NOW).code == "9023"
    assert report(late, "30", when=NOW).code == "1101"
    assert report(late, "30", when=at("2026-12-01")).code == "9022"


def test_a_certification_takes_no_report_but_service():
    finished = case("40", kind=Kind.CERTIFICATION_NOTICE, limit=TimeLimit(0, "工作日"))
    assert report(finished, "40").code == "9022"
    assert report(finished, "10", by=ORIGIN).code == "9022"
    assert isinstance(report(finished, "50"), Move)
    assert isinstance(report(finished, "50", by=ORIGIN), Move)


def test_a_region_that_has_no_part_in_the_case_may_report_nothing():
    assert report(case("22"), "10", by="guizhou").code == "9023"


# --- sheet and answer ------------------------------------------------------------------------------

INFORMED = {"10", "20", "22", "30", "31", "32", "33"}


@pytest.mark.parametrize("state", [state.value for state in State])
@pytest.mark.parametrize(
    ("build", "event", "kind"), [(transfer, Sheet(), "sheet"), (claim, Answer(), "answer")]
)
def test_sheet_and_answer_come_once_and_only_while_the_case_is_open(state, build, event, kind):
    result = do(build(state), event)
    if state not in INFORMED:
        assert result.code == "9022"
        return
    assert result.case.state is State.IN_REVIEW
    assert (result.events[-1].kind, result.events[-1].to_state) == (kind, State.IN_REVIEW)
    assert do(result.case, event).code == "9022"


def test_the_sheet_implies_the_acceptance_that_was_not_reported():
    move = do(transfer("22"), Sheet(), received=at("2026-11-25"))
    assert stages(move) == [
        (State.FORWARDED, State.ACCEPTED, "implied"),
        (State.ACCEPTED, State.IN_REVIEW, ""),
    ]
    assert move.case.clock.started_on == date(2026, 11, 25)


def test_the_sheet_does_not_imply_an_acceptance_twice():
    for known in ({"accepted_by_origin": True}, {"accepted_by_target": True}):
        move = do(transfer("22", **known), Sheet())
        assert stages(move) == [(State.FORWARDED, State.IN_REVIEW, "")]


def test_the_sheet_comes_from_the_old_place_and_belongs_to_a_transfer():
    assert do(transfer("22"), Sheet(), by=ORIGIN).code == "9023"
    assert do(claim("22"), Sheet()).code == "9023"
    old_is_origin = transfer("22")
    old_is_origin = replace(old_is_origin, old_region=ORIGIN)
    assert isinstance(do(old_is_origin, Sheet(), by=ORIGIN), Move)
    assert do(old_is_origin, Sheet()).code == "9023"


def test_the_answer_comes_from_the_target_and_belongs_to_a_claim():
    assert do(claim("22"), Answer(), by=ORIGIN).code == "9023"
    assert do(transfer("22"), Answer()).code == "9023"


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
