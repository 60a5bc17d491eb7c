"""What the demo says of a rehearsal: coverage, kinds, and every case that is not where it should be."""

from __future__ import annotations

import pytest
from rich.console import Console

from gateway.canonical.kinds import Kind, State
from gateway.cli import demo_view
from gateway.cli.demo_view import Numbers, Scene, Side


def shown(what):
    console = Console(width=120)
    with console.capture() as caught:
        console.print(what)
    return caught.get()


def scene(*sides):
    return Scene("http://x", "token", 1.0, sides, [], Numbers(), items=3)


def side(name, items=(), **taken_in):
    return Side(name, 2, {"40": 2}, {Kind[kind]: count for kind, count in taken_in.items()}, frozenset(items))


def case(state):
    return {"case_no": "CYTB1", "state": {"code": state, "name": State(state).label}}


@pytest.mark.parametrize("state", ["21", "23", "40", "41", "50", "60"])
def test_a_case_is_in_place_at_any_end_that_all_three_agree_on(state):
    assert list(demo_view.misplaced(case(state), state, state)) == []
    for origin, target in ((state, None), ("30", state), (None, state), (state, "30")):
        assert len(list(demo_view.misplaced(case(state), origin, target))) == 1


@pytest.mark.parametrize("state", ["10", "11", "20", "22", "30", "31", "32", "33"])
def test_a_case_under_way_is_not_in_place(state):
    (sentence,) = demo_view.misplaced(case(state), state, state)
    assert State(state).label in sentence


def test_a_refused_case_is_in_place_where_the_target_does_not_have_it():
    assert list(demo_view.misplaced(case("28"), "20", None)) == []
    assert list(demo_view.misplaced(case("28"), "20", "10"))


def test_an_item_is_covered_when_it_arrived_on_both_sides():
    assert scene(side("甲", {"a", "b"}), side("乙", {"b", "c"})).covered == 1
    assert "事项 1/3" in demo_view.line(scene(side("甲", {"a", "b"}), side("乙", {"b", "c"})))


def test_there_is_a_line_for_every_kind():
    table = shown(demo_view.kinds(scene(side("甲", CASE_RATING=7), side("乙", CASE_WITHDRAW=9))))
    for name in demo_view.KINDS.values():
        assert name in table
    assert set(demo_view.KINDS) == set(Kind)
    lines = {line.split("│")[1].strip(): line for line in table.splitlines() if "│" in line}
    assert [word for word in lines["评价"].split() if word.isdigit()] == ["7", "0"]
    assert [word for word in lines["撤回"].split() if word.isdigit()] == ["0", "9"]


@pytest.mark.parametrize(
    ("missing", "said"),
    [
        ((), "40/40 事项双向已通办"),
        (("失业登记",), "39/40 事项双向已通办；尚未双向办过：失业登记"),
        (tuple("abcdefgh"), "32/40 事项双向已通办（办件不少于 80 件时全部办到）"),
    ],
)
def test_coverage_is_said_in_a_sentence(missing, said):
    assert said in shown(demo_view.coverage(40, missing))


def test_every_lost_case_is_named_up_to_thirty():
    assert "全部到位" in shown(demo_view.verdict([]))
    told = shown(demo_view.verdict([f"case {n}" for n in range(40)]))
    assert "有 40 处不到位" in told
    assert "case 29" in told
    assert "case 30" not in told
