"""The life of a case: the table of crossing §5.3 cell by cell, and who may say what when."""

from dataclasses import replace
from datetime import date

import pytest
from lives import NOW, ORIGIN, TARGET, accepted, at, case, claim, do, report, stages, transfer

from gateway.canonical.kinds import Kind, State
from gateway.canonical.lifecycle import Answer, Sheet
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
