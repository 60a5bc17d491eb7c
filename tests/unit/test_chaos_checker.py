"""The checker of the chaos suite bites: each kind of broken promise is put into a good history and found."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.chaos.checker import Book, Known, Step, check, overlap, reachable, waits
from tests.chaos.plan import KINDS, draw

ORIGIN, TARGET = ("sichuan", "510104-1"), ("chongqing", "CYTB1")
SAID = [
    (ORIGIN, "a1", "general.apply"),
    (TARGET, "b1", "status.report 20"),
    (TARGET, "b2", "status.report 30"),
    (TARGET, "b3", "status.report 40"),
]
STEPS = (
    Step(1, "application", None, "10"),
    Step(2, "delivery", "10", "22"),
    Step(3, "status", "22", "20"),
    Step(4, "status", "20", "30"),
    Step(5, "delivery", "30", "30"),
    Step(6, "status", "30", "40"),
    Step(7, "delivery", "40", "40"),
    Step(8, "delivery", "40", "40"),
)
CASE = Known("CYTB1", ORIGIN, TARGET, "40", STEPS)


def line(t, e, ref, **more):
    return {"t": t, "e": e, "side": ref[0], "case": ref[1], **more}


def history():
    """One case, crossed as promised: four messages with receipts, four effects in order."""
    lines = []
    for n, (sender, key, word) in enumerate(SAID):
        receiver = TARGET if sender == ORIGIN else ORIGIN
        case_no = "CYTB1" if n == 0 else ""
        told = {"outcome": "accepted", "code": "", "case_no": case_no}
        lines += [
            line(n, "send", sender, key=key, word=word, n=1),
            line(n + 0.1, "told", sender, key=key, word=word, **told),
            line(n + 0.5, "heard", receiver, key=f"TB{n}", word=word),
        ]
    ends = [
        line(9, "end", ref, state="40", role=role) for ref, role in ((ORIGIN, "origin"), (TARGET, "target"))
    ]
    return [*lines, *ends]


def laws(lines, *known):
    return {violation.law for violation in check(Book.of(lines), known)}


def heard(lines, n):
    return [place for place, one in enumerate(lines) if one["e"] == "heard"][n]


def test_a_history_that_keeps_its_promises_is_clean():
    assert laws(history(), CASE) == set()


def test_a_lost_message_is_found():
    lines = history()
    del lines[heard(lines, 2)]
    assert laws(lines, CASE) == {"lost", "told"}


def test_a_doubled_message_is_found():
    lines = history()
    lines.insert(heard(lines, 2), {**lines[heard(lines, 2)], "key": "TB9"})
    assert laws(lines, CASE) == {"once", "told"}


def test_messages_in_the_wrong_order_are_found():
    lines = history()
    one, two = heard(lines, 1), heard(lines, 2)
    lines[one], lines[two] = lines[two], lines[one]
    assert laws(lines, CASE) == {"order"}


def test_an_effect_in_a_case_nobody_knows_is_found():
    lines = [*history(), line(8, "heard", ("sichuan", "510104-9"), key="TB9", word="status.report 20")]
    assert laws(lines, CASE) == {"ghost"}


def test_a_case_without_a_receipt_is_found():
    stranger = replace(CASE, case_no="CYTB2", origin=("sichuan", "510104-2"), target=("chongqing", "CYTB2"))
    assert "announced" in laws(history(), CASE, stranger)


def test_a_receipt_for_a_case_that_was_not_kept_is_found():
    assert "kept" in laws(history())


def test_a_message_that_never_got_a_receipt_is_found():
    lines = [*history(), line(8, "send", ORIGIN, key="a9", word="case.rating", n=1)]
    assert laws(lines, CASE) == {"receipt"}


def test_a_message_whose_receipt_its_sender_never_saw_may_have_taken_effect_but_once():
    told = [one for one in history() if one["e"] != "told" or one["key"] != "a1"]
    gave_up = [*told, line(8, "gave_up", ORIGIN, key="a1", word="general.apply")]
    assert laws(gave_up, CASE) == set()
    gave_up.insert(heard(gave_up, 0), {**gave_up[heard(gave_up, 0)], "key": "TB9"})
    assert laws(gave_up, CASE) == {"once", "told"}


def test_only_a_sender_that_gave_up_may_know_nothing_of_its_case_in_the_end():
    lines = [one for one in history() if one["e"] != "end" or one["side"] != ORIGIN[0]]
    assert laws(lines, CASE) == {"state"}
    told = [one for one in lines if one["e"] != "told" or one["key"] != "a1"]
    assert laws([*told, line(8, "gave_up", ORIGIN, key="a1", word="general.apply")], CASE) == set()


def test_a_repeat_that_gets_another_receipt_is_found():
    assert laws([*history(), line(8, "differs", ORIGIN, key="a1")], CASE) == {"first receipt"}


@pytest.mark.parametrize(("status", "readable"), [(500, True), (503, False)])
def test_an_answer_its_sender_cannot_read_is_found(status, readable):
    off = line(0.05, "put_off", ORIGIN, key="a1", word="", status=status, code="", readable=readable)
    assert laws([*history(), off], CASE) == {"answer"}


def test_a_refusal_nobody_planned_is_found_on_either_side():
    assert laws([*history(), line(8, "unheard", TARGET, code="9044")], CASE) == {"deliverable"}
    refused = {"outcome": "refused", "code": "9022", "case_no": ""}
    assert laws([*history(), line(8, "told", TARGET, key="b4", word="x", **refused)], CASE) == {"acceptable"}


def test_an_application_turned_away_as_planned_stands_visibly_refused():
    lines = [*history()[:2], line(1, "turned", TARGET, key="TB0", word="general.apply")]
    lines += [line(9, "end", ORIGIN, state="20", role="origin")]
    steps = (STEPS[0], Step(2, "delivery_failed", "10", "28"))
    turned = Known("CYTB1", ORIGIN, TARGET, "28", steps, open=(("chongqing", "refused"),))
    assert laws(lines, turned) == set()
    assert laws(lines, replace(turned, open=())) == {"open"}


@pytest.mark.parametrize(
    ("steps", "law"),
    [
        (STEPS[:3] + STEPS[4:], "numbered"),
        ((*STEPS[:3], Step(4, "status", "22", "30"), *STEPS[4:]), "chain"),
        ((*STEPS, Step(9, "status", "40", "20")), "reachable"),
        ((*STEPS, Step(9, "sheet", "40", "30")), "reachable"),
        (STEPS[1:], "chain"),
    ],
)
def test_a_timeline_with_a_gap_a_leap_or_a_ghost_state_is_found(steps, law):
    assert law in laws(history(), replace(CASE, steps=steps))


def test_what_is_still_open_and_what_the_sides_hold_otherwise_is_found():
    assert laws(history(), replace(CASE, open=(("sichuan", "ready"),))) == {"open"}
    lines = history()
    lines[-1]["state"] = "30"
    assert laws(lines, CASE) == {"state"}


def test_a_message_that_waited_too_long_while_its_other_side_was_well_is_found():
    lines = history()
    for one in lines[heard(lines, 3) :]:
        one["t"] += 70
    assert laws(lines, CASE) == {"stuck"}
    trouble = {"kind": "hang peer", "target": "sichuan", "lasts_s": 15}
    assert laws([{"t": 10, "e": "fault", **trouble}, *lines], CASE) == set()
    assert max(raw for raw, _, _ in waits(Book.of(lines), CASE)) > 60


def test_trouble_that_overlaps_counts_once():
    assert overlap([(0, 5), (3, 8), (20, 30)], 2, 25) == pytest.approx(11)


def test_a_state_may_be_skipped_but_not_left_once_it_is_final():
    assert reachable(Step(1, "status", "22", "40"))
    assert not reachable(Step(1, "status", "60", "30"))
    assert not reachable(Step(1, "delivery", "30", "22"))


# -- the plan --------------------------------------------------------------------------------------

TARGETS = {"web": ["web-0", "web-1"], "worker": ["worker-0"], "peer": ["one", "two"], "door": ["door-0"]}


def test_the_same_seed_draws_the_same_plan_and_another_one_another():
    assert draw(7, 200, TARGETS) == draw(7, 200, TARGETS)
    assert draw(7, 200, TARGETS) != draw(8, 200, TARGETS)


def test_a_plan_has_as_many_faults_as_asked_in_order_of_progress_and_every_kind():
    plan = draw(7, 1000, TARGETS)
    assert len(plan) == 1000
    assert [fault.at for fault in plan] == sorted(fault.at for fault in plan)
    assert {fault.kind for fault in plan} == set(KINDS)
