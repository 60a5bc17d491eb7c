"""The picture of a case: its stays, where they stand, what may come next, and the days of its clock."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from lives import CALENDAR, NOW, ORIGIN, TARGET, accepted, at, case, claim, do, transfer

from gateway.canonical import lifecycle
from gateway.canonical.ahead import ahead, holders
from gateway.canonical.days import DayKind, days
from gateway.canonical.kinds import Kind, State
from gateway.canonical.lifecycle import Sheet, StatusReport, Supplement, Withdrawal
from gateway.canonical.tracking import CaseEvent, Clock, EventKind, Move, Suspension, TimeLimit
from gateway.dashboard.views.case.clock import Use, clock_view
from gateway.dashboard.views.case.flow import HEIGHT, WIDTH, flow
from gateway.dashboard.views.case.stays import PARKED, SHEET, stays


def lived(start, *happenings):
    """A case and its timeline after follow-ups, each (event, by, received)."""
    tracked, events = start, []
    for event, by, received in happenings:
        move = do(tracked, event, by=by, received=received)
        assert isinstance(move, Move), move
        tracked, events = move.case, [*events, *move.events]
    return tracked, tuple(events)


def opened(state="20"):
    begun = case("10", kind=Kind.GENERAL_APPLY)
    move = lifecycle.opened(begun, State(state), at=at("2026-11-23"), actor=ORIGIN, calendar=CALENDAR)
    sent = lifecycle.delivered(
        move.case, kind=Kind.GENERAL_APPLY, native_kind="x", at=at("2026-11-23", "09:05:00")
    )
    return sent.case, (*move.events, *sent.events)


def reported(code, day, special=""):
    return StatusReport(State(code), special, at(day), code)


# --- stays ---


def test_a_supplemented_and_suspended_case_shows_each_of_its_stays_with_its_length():
    tracked, first = opened()
    tracked, later = lived(
        tracked,
        (reported("30", "2026-11-24"), TARGET, NOW),
        (reported("31", "2026-11-25"), TARGET, NOW),
        (Supplement(at("2026-11-27")), ORIGIN, NOW),
        (reported("32", "2026-11-28", "appraisal"), TARGET, NOW),
    )
    found = stays((*first, *later))
    assert [stay.stage for stay in found] == ["20", "22", "30", "31", "30", "32"]
    assert found[3].seconds(at("2026-12-01")) == timedelta(days=2).total_seconds()
    assert [stay.is_pause for stay in found] == [False, False, False, True, False, True]
    assert found[-1].until is None


def test_a_parked_application_is_a_stay_of_its_own_until_it_is_released():
    held = case("10", kind=Kind.GENERAL_APPLY, parked=True)
    kept = lifecycle.opened(held, State.ACCEPTED, at=at("2026-11-23"), actor=ORIGIN, calendar=CALENDAR)
    assert [stay.stage for stay in stays(kept.events)] == ["10", PARKED]
    freed = lifecycle.released(
        kept.case, State.ACCEPTED, at=at("2026-11-24"), actor="staff:zhang", calendar=CALENDAR
    )
    found = stays((*kept.events, *freed.events))
    assert [stay.stage for stay in found] == ["10", PARKED, "20"]
    assert found[1].seconds(NOW) == timedelta(days=1).total_seconds()


def test_a_parked_follow_up_is_no_stage_of_its_case():
    tracked, first = opened()
    kept = lifecycle.parked(tracked, at=NOW)
    assert [stay.stage for stay in stays((*first, *kept.events))] == ["20", "22"]


def test_retries_count_for_the_stay_they_fell_into():
    _, events = opened()
    found = stays(events, [at("2026-11-23", "09:01:00"), at("2026-11-23", "09:02:00"), NOW])
    assert [stay.retries for stay in found] == [2, 1]


def test_a_sheet_is_passed_on_the_way_into_the_review():
    tracked, events = lived(transfer("22"), (Sheet(), TARGET, NOW))
    assert [stay.stage for stay in stays(events)] == ["20", SHEET, "30"]
    assert tracked.answered


# --- what may come next ---

STATES = ("10", "11", "20", "21", "22", "23", "30", "31", "32", "33", "40", "41", "50", "60", "90")


@pytest.mark.parametrize("state", STATES)
def test_what_is_said_to_be_possible_is_what_the_life_cycle_takes(state):
    tracked = accepted(state)
    for each in ahead(tracked, now=NOW, calendar=CALENDAR):
        assert each.state is not tracked.state
        if each.kind is EventKind.STATUS:
            for by in each.by:
                move = do(tracked, StatusReport(each.state, "", NOW, ""), by=by)
                assert isinstance(move, Move)
                assert move.case.state is each.state


def test_from_review_it_may_be_suspended_decided_or_withdrawn_by_whoever_may_say_so():
    found = {each.state.value: each.by for each in ahead(accepted("30"), now=NOW, calendar=CALENDAR)}
    assert set(found) == {"23", "31", "32", "33", "40", "41"}
    assert found["40"] == (TARGET,)
    assert ORIGIN in found["23"]


def test_before_it_arrived_only_we_and_the_origin_move_a_case():
    found = {(each.state.value, each.by) for each in ahead(case("20"), now=NOW, calendar=CALENDAR)}
    assert found == {("22", ("gateway",)), ("23", (ORIGIN,))}
    parked = ahead(case("10", parked=True), now=NOW, calendar=CALENDAR)
    assert [each.kind for each in parked if "gateway" in each.by] == [EventKind.RELEASED]
    given_up = {each.state.value for each in ahead(case("28"), now=NOW, calendar=CALENDAR)}
    assert given_up == {"22", "21", "23"}


def test_at_the_end_nothing_comes():
    for state in ("21", "23", "60", "90"):
        assert ahead(accepted(state), now=NOW, calendar=CALENDAR) == ()


@pytest.mark.parametrize(
    ("tracked", "whose"),
    [
        (case("10", parked=True), ("gateway",)),
        (case("20"), ("gateway",)),
        (case("28"), ("gateway",)),
        (case("22"), (TARGET,)),
        (accepted("30"), (TARGET,)),
        (accepted("31"), (ORIGIN,)),
        (accepted("11"), (ORIGIN,)),
        (claim("30", accepted_by_target=True, answered=True), (ORIGIN,)),
        (accepted("40"), ()),
        (accepted("23"), ()),
    ],
)
def test_whose_turn_it_is(tracked, whose):
    assert holders(tracked) == whose


# --- the picture ---


def overlap(one, other):
    return abs(one.x - other.x) < WIDTH and abs(one.y - other.y) < HEIGHT


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind.opens_case])
@pytest.mark.parametrize("state", STATES)
def test_no_stage_lies_on_another_and_all_lie_within_the_picture(kind, state):
    tracked = accepted(state, kind=kind)
    path = [CaseEvent(NOW, EventKind.APPLICATION, None, State("10"), ORIGIN)]
    path += [
        CaseEvent(NOW, EventKind.STATUS, State("10"), State(code), TARGET)
        for code in ("22", "11", "10", "22", "20", "30", "31", "30", "32", "30", "33", "28", state)
    ]
    picture = flow(kind, stays(path), ahead(tracked, now=NOW, calendar=CALENDAR))
    for place, node in enumerate(picture.nodes):
        assert 0 <= node.x <= picture.width - WIDTH
        assert 0 <= node.y <= picture.height - HEIGHT
        assert [other.stage for other in picture.nodes[place + 1 :] if overlap(node, other)] == []
    assert sum(node.is_current for node in picture.nodes) == 1
    assert picture.width <= 1130


def test_the_path_is_drawn_in_order_and_the_possible_dashed_from_where_it_stands():
    tracked, first = opened()
    tracked, later = lived(tracked, (reported("30", "2026-11-24"), TARGET, NOW))
    picture = flow(Kind.GENERAL_APPLY, stays((*first, *later)), ahead(tracked, now=NOW, calendar=CALENDAR))
    taken = [(edge.before, edge.after) for edge in picture.edges if edge.look == "taken"]
    assert taken == [("20", "22"), ("22", "30")]
    dashed = {edge.after for edge in picture.edges if edge.look == "ahead"}
    assert dashed == {"23", "31", "32", "33", "40", "41"}
    looks = {node.stage: node.look for node in picture.nodes}
    assert (looks["30"], looks["20"], looks["40"], looks["50"]) == ("current", "taken", "ahead", "unseen")
    assert "11" not in looks


def test_acceptance_by_the_other_side_stands_behind_the_forwarding():
    tracked, first = opened("10")
    tracked, later = lived(tracked, (reported("20", "2026-11-24"), TARGET, NOW))
    picture = flow(Kind.GENERAL_APPLY, stays((*first, *later)), ())
    x = {node.stage: node.x for node in picture.nodes}
    assert x["10"] < x["22"] < x["20"] < x["30"]


# --- the clock ---


def test_the_days_of_the_bar_add_up_to_the_limit():
    tracked = lifecycle.timed(accepted("30"), CALENDAR)
    view = clock_view(tracked, (), CALENDAR, at("2026-11-26"))
    assert (view.used, view.left, view.due_on) == (3, 2, date(2026, 11, 30))
    uses = [cell.use for cell in view.cells]
    assert uses == [Use.START, *[Use.USED] * 3, Use.LEFT, Use.REST, Use.REST, Use.LEFT]
    assert [cell.on for cell in view.cells if cell.is_due] == [date(2026, 11, 30)]
    assert [cell.on for cell in view.cells if cell.is_today] == [date(2026, 11, 26)]


def test_an_overdue_case_counts_the_days_over():
    tracked = lifecycle.timed(accepted("30"), CALENDAR)
    view = clock_view(tracked, (), CALENDAR, at("2026-12-02"))
    assert (view.used, view.left, view.is_late) == (7, -2, True)


def test_while_suspended_days_stand_still_and_the_rest_of_the_limit_is_told():
    clock = Clock(date(2026, 11, 23), (Suspension(date(2026, 11, 25)),))
    tracked = lifecycle.timed(replace(accepted("31"), clock=clock), CALENDAR)
    view = clock_view(tracked, (), CALENDAR, at("2026-11-27"))
    assert (view.used, view.left, view.remaining) == (2, None, TimeLimit(3, "工作日"))
    assert [cell.use for cell in view.cells][-2:] == [Use.SUSPENDED, Use.SUSPENDED]
    assert view.is_suspended


def test_after_the_end_the_bar_stops_at_the_day_it_ended():
    tracked, events = lived(accepted("30"), (reported("40", "2026-11-25"), TARGET, NOW))
    view = clock_view(tracked, events, CALENDAR, at("2027-01-20"))
    assert (view.ended_on, view.left, view.is_late) == (date(2026, 11, 25), None, False)
    assert view.used == 2
    assert len(view.cells) < 10


def test_days_of_a_year_whose_holidays_are_unknown_are_marked():
    line = days(Clock(date(2026, 12, 30)), "工作日", CALENDAR, until=date(2027, 1, 4), most=60)
    assert [day.provisional for day in line] == [False, False, True, True, True, True]
    assert line[0].kind is DayKind.START


def test_a_withdrawn_case_has_the_withdrawal_as_its_last_stay():
    tracked, first = opened()
    tracked, later = lived(tracked, (Withdrawal(at("2026-11-24")), ORIGIN, NOW))
    assert stays((*first, *later))[-1].stage == "23"
    assert holders(tracked) == ()


def test_a_case_without_a_limit_has_no_clock():
    assert clock_view(case("10", limit=None, parked=True), (), CALENDAR, NOW) is None
