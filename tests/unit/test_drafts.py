"""Every draft of a stand-in is a message the gateway takes and the other side can read."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from functools import cache
from random import Random

import pytest
from crossings import NOW, REGIONS, TABLES, cross_bytes

from gateway.canonical.kinds import Kind, State
from gateway.canonical.rehearsal import Draw, Facts, Turn
from gateway.conformance import script
from gateway.conformance.errands import KINDS, Errands
from gateway.conformance.simulator import new_keys, stand_in_of

DAY = date(2026, 11, 23)
PREFIXES = {slug: region.division_prefix for slug, region in REGIONS.items()}
OTHER = dict(zip(REGIONS, reversed(REGIONS), strict=True))
ITEMS = [version.item for version in TABLES.items.all(DAY)]


def applied(side, item, seed):
    """A new application for an item, its errand, and what became of it at the gateway."""
    chance = Random(f"{side} {item} {seed}")
    errand = Errands(TABLES, PREFIXES, side).of(item, chance, DAY)
    said = stand_in_of(side).apply(errand, Draw(chance, seed, NOW))
    return errand, said, cross_bytes(side, said.body)


@pytest.mark.parametrize("side", REGIONS)
@pytest.mark.parametrize("item", ITEMS)
def test_an_application_for_every_item_crosses_and_says_what_was_asked_for(side, item):
    seen = set()
    for seed in range(12):
        errand, said, crossed = applied(side, item, seed)
        assert (crossed.verdict, crossed.findings) == ("taken", ())
        told = crossed.canonical
        assert told["kind"] == errand.kind is said.kind
        assert told["item"] == errand.item == item
        assert told["origin"]["division"] == errand.here.division == said.facts.division
        assert told["target"]["division"] == errand.there.division
        assert told["applicant"]["name"] == said.facts.name
        assert [one["accepted_as"] for one in told.get("materials", ())] == recognised(item, side)
        seen.add(said.body)
    assert len(seen) == 12


def recognised(item, side):
    """The item's materials that the other side accepts from this one at all."""
    version = TABLES.items.version(item, DAY)
    accepted = {
        rule.accepted_as for rule in TABLES.rules if rule.issued_by == side and rule.applies(item, DAY)
    }
    return [material for material in version.materials if material in accepted]


def test_a_paper_no_rule_recognises_is_not_handed_in():
    # crossing R014 ended on 2021-12-01, R015 goes on
    item = "military_pension_transfer"
    assert "contribution_certificate" not in recognised(item, "sichuan")
    assert "contribution_certificate" in recognised(item, "chongqing")


@pytest.mark.parametrize("side", REGIONS)
def test_another_paper_accepted_in_the_place_of_the_required_one_is_handed_in_now_and_then(side):
    errands = Errands(TABLES, PREFIXES, side)
    names = {errands.of("card_loss", Random(seed), DAY).papers[0].name for seed in range(60)}
    assert len(names) > 1


@pytest.mark.parametrize("side", REGIONS)
def test_employers_apply_where_the_item_is_theirs_and_persons_where_it_is_theirs(side):
    kinds = {
        item: {applied(side, item, seed)[2].canonical["applicant"]["type"] for seed in range(20)}
        for item in ("insured_proof_employer", "normal_retirement", "card_loss")
    }
    assert kinds == {
        "insured_proof_employer": {"employer"},
        "normal_retirement": {"person", "employer"},
        "card_loss": {"person"},
    }


@pytest.mark.parametrize("side", REGIONS)
def test_a_round_has_every_item_once_and_the_next_another_order(side):
    errands, chance = Errands(TABLES, PREFIXES, side), Random(5)
    rounds = [[errands.next(chance, DAY).item for _ in ITEMS] for _ in range(2)]
    assert sorted(rounds[0]) == sorted(rounds[1]) == sorted(ITEMS)
    assert rounds[0] != rounds[1]


def test_an_item_not_in_force_is_no_errand():
    with pytest.raises(LookupError):
        Errands(TABLES, PREFIXES, "sichuan").of("card_loss", Random(1), date(2019, 1, 1))


@pytest.mark.parametrize("side", REGIONS)
@pytest.mark.parametrize("own_record", [True, False])
def test_a_transfer_starts_at_the_new_place_and_at_the_old_one(side, own_record):
    found = [applied(side, "pension_transfer", seed) for seed in range(40)]
    _, said, crossed = next(one for one in found if one[1].facts.old_place is own_record)
    places = crossed.canonical["transfer"]
    assert said.facts.division == places["from_division" if own_record else "to_division"]
    assert said.facts.origin_concludes is not own_record


# --- follow-ups ---

REPORTS = [
    *[Turn(Kind.STATUS_REPORT, state) for state in (State.RECEIVED, State.ACCEPTED, State.IN_REVIEW)],
    *[Turn(Kind.STATUS_REPORT, state) for state in (State.INQUIRY, State.CONCLUDED, State.SERVED)],
    *[Turn(Kind.STATUS_REPORT, state, reason="原因") for state in (State.CORRECTION, State.DECLINED)],
    *[
        Turn(Kind.STATUS_REPORT, state, reason="原因")
        for state in (State.SUSPENDED_CORRECTION, State.RETURNED, State.WITHDRAWN)
    ],
    *[
        Turn(Kind.STATUS_REPORT, State.SUSPENDED_PROCEDURE, special=special)
        for special in ("extension", "appraisal", "hearing", "inspection")
    ],
]
OTHERS = [
    Turn(Kind.MATERIAL_SUPPLEMENT, reason="已补"),
    Turn(Kind.CASE_WITHDRAW, reason="自愿撤回"),
    Turn(Kind.CASE_RATING, reason="很方便"),
    Turn(Kind.CASE_RATING),
]


def followed(side, item, turn, seed):
    """A follow-up of the origin on its own case, and what became of it at the gateway."""
    errand, said, _ = applied(side, item, seed)
    context = {
        "item": errand.item,
        "accepted_on": DAY.isoformat(),
        "case_no": f"CYTB{errand.here.division}2026112300000001",
    }
    follow_up = stand_in_of(side).follow(said.facts, turn, Draw(Random(seed), seed, NOW))
    return follow_up, cross_bytes(side, follow_up.body, context)


@pytest.mark.parametrize("side", REGIONS)
@pytest.mark.parametrize("turn", [*REPORTS, *OTHERS], ids=lambda turn: f"{turn.kind} {turn.state}")
def test_every_follow_up_crosses_and_says_what_was_meant(side, turn):
    for seed in range(8):
        _, crossed = followed(side, "injury_remote_treatment", turn, seed)
        assert (crossed.verdict, crossed.findings) == ("taken", ())
        assert crossed.canonical["kind"] == turn.kind
        if turn.state:
            told = crossed.canonical["status"]
            assert (told["state"], told.get("special", "")) == (turn.state, turn.special)


@pytest.mark.parametrize("side", REGIONS)
@pytest.mark.parametrize("item", ITEMS)
def test_a_supplement_of_every_item_with_papers_crosses(side, item):
    errand, _, _ = applied(side, item, 3)
    if not errand.papers:
        assert not recognised(item, side)
        return
    _, crossed = followed(side, item, Turn(Kind.MATERIAL_SUPPLEMENT), 3)
    assert crossed.verdict == "taken"
    assert [one["accepted_as"] for one in crossed.canonical["materials"]] == recognised(item, side)[:2]


@pytest.mark.parametrize("side", REGIONS)
def test_a_report_dated_back_says_an_earlier_time(side):
    turn = Turn(Kind.STATUS_REPORT, State.IN_REVIEW)
    (_, first), (_, second) = (
        followed(side, "card_loss", one, 1) for one in (turn, replace(turn, late_s=3600))
    )
    assert first.canonical["status"]["at"] == "2026-11-23T16:00:00+08:00"
    assert second.canonical["status"]["at"] == "2026-11-23T15:00:00+08:00"


@pytest.mark.parametrize("side", REGIONS)
@pytest.mark.parametrize("item", ["pension_transfer", "resident_pension_transfer", "public_pension_transfer"])
def test_the_sheet_of_the_old_place_crosses_in_either_direction(side, item):
    target = OTHER[side]
    for seed in range(10):
        _, _, crossed = applied(side, item, seed)
        facts = heard_by(target, side, item, seed)
        sheet = stand_in_of(target).follow(facts, Turn(Kind.TRANSFER_SHEET), Draw(Random(seed), seed, NOW))
        context = {
            "item": item,
            "accepted_on": DAY.isoformat(),
            "case_no": f"CYTB{PREFIXES[side]}01042026112300000001",
            "old_place": facts.division,
            "scheme": crossed.canonical["scheme"],
            "applicant": {"name": facts.name, "id_type": "01", "id_no": facts.id_no},
        }
        carried = cross_bytes(target, sheet.body, context)
        assert (carried.verdict, carried.findings) == ("taken", ())


@pytest.mark.parametrize("side", REGIONS)
@pytest.mark.parametrize("item", ["unemployment_benefit_claim", "unemployment_benefit_transfer"])
def test_the_answer_to_a_claim_crosses_in_either_direction(side, item):
    target = OTHER[side]
    facts = heard_by(target, side, item, 1)
    answer = stand_in_of(target).follow(facts, Turn(Kind.UNEMPLOYMENT_ANSWER), Draw(Random(1), 1, NOW))
    context = {"item": item, "accepted_on": DAY.isoformat(), "scheme": "210"}
    context["case_no"] = f"CYTB{PREFIXES[side]}01042026112300000001"
    assert cross_bytes(target, answer.body, context).verdict == "taken"


@cache
def keys_of(side):
    """The gateway's credentials towards a side, and the side's own keys."""
    section, own = new_keys(side)
    return REGIONS[side].credentials(base_url="http://127.0.0.1:9", **section), stand_in_of(side).keys(own)


def heard_by(target, side, item, seed) -> Facts:
    """What the target remembers of the application, as the gateway delivers it."""
    _, _, crossed = applied(side, item, seed)
    kind, (credentials, own) = native_kind(target, crossed), keys_of(target)
    body = REGIONS[target].render(crossed.tree, kind)
    sealed = REGIONS[target].seal(body, kind, credentials, NOW, "0123456789abcdef")
    headers = {name.lower(): value for name, value in sealed.headers.items()}
    return stand_in_of(target).hear(kind, headers, sealed.body, own, NOW).facts


def native_kind(target, crossed):
    kind = Kind(crossed.canonical["kind"])
    return next(name for name, field_map in REGIONS[target].maps.items() if field_map.kind is kind)


@pytest.mark.parametrize("side", REGIONS)
@pytest.mark.parametrize("item", ITEMS)
def test_what_the_gateway_writes_is_what_the_other_stand_in_remembers(side, item):
    target = OTHER[side]
    errand, said, _ = applied(side, item, 2)
    facts = heard_by(target, side, item, 2)
    assert facts.item == TABLES.items.code_of(item, target)
    assert facts.kind is KINDS[TABLES.items.version(item, DAY).form]
    assert (facts.name, facts.id_no) == (said.facts.name, said.facts.id_no)
    assert len(facts.papers) == len(errand.papers)
    if facts.kind is Kind.TRANSFER_APPLY:
        assert facts.old_place is not said.facts.old_place


@pytest.mark.parametrize("side", REGIONS)
def test_every_turn_of_the_script_has_a_draft(side):
    facts = applied(side, "pension_transfer", 1)[1].facts
    habits = script.Habits(1, 0.2, 0.3, 0.6, 0.5, 0.3, 0.7, 0.7, 0.5)
    stand_in, kinds = stand_in_of(side), set()
    for seed in range(300):
        chance = Random(seed)
        target = replace(facts, origin=False, old_place=seed % 2 == 0, origin_concludes=seed % 2 == 0)
        steps = script.as_target(target, chance, habits)
        for heard, state in ((Kind.STATUS_REPORT, State.CORRECTION), (Kind.TRANSFER_SHEET, None)):
            steps += script.on_hearing(facts, heard, state, chance, habits)
        for step in steps:
            kinds.add(stand_in.follow(facts, step.turn, Draw(chance, seed, NOW)).kind)
    assert kinds == set(Kind) - {kind for kind in Kind if kind.opens_case} - {Kind.UNEMPLOYMENT_ANSWER}
