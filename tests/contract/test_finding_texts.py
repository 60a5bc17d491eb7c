"""What findings and rules say is said in English too, with the same numbers and names in it."""

import re
from pathlib import Path

import pytest
from babel.messages.pofile import read_po
from finding_texts import HAN, sentences

from gateway import dashboard, regions
from gateway.canonical.kinds import State
from gateway.dashboard.texts.findings import told
from gateway.mapping import canonical_lines
from gateway.mapping.explain import field_lines
from gateway.mapping.rule_texts import RULES

EN = Path(dashboard.__file__).parent / "texts" / "en"
HOLE = re.compile(r"%\((\w+)\)s")
SLUGS = tuple(regions.discover())


def english(file):
    with file.open("rb") as read:
        return {each.id: each.string for each in read_po(read, locale="en") if each.id}


def reasons(slug):
    """Why a field of a region is not simply carried, or the word that always stands there."""
    return {
        why
        for line in field_lines(regions.fields())
        for why in (line.received_why, line.written_why)
        if line.region == slug and HAN.search(why)
    }


def said_by(place):
    return {text for text, where in sentences().items() if any(each.startswith(place) for each in where)}


def test_every_sentence_of_a_finding_has_its_english_and_no_english_stands_for_none():
    assert len(said_by("gateway/")) > 100
    own = english(EN / "findings.po")
    assert set(own) == said_by("gateway/")
    for slug in SLUGS:
        theirs = english(Path(str(regions.folder(slug))) / "texts.en.po")
        assert set(theirs) == (said_by(f"adapters/{slug}/") - set(own)) | reasons(slug)


def test_every_rule_has_its_english():
    kept = {canonical_lines._KEPT, canonical_lines._OURS}
    assert set(english(EN / "rule_texts.po")) == {*RULES.values(), *kept}


def test_a_sentence_and_its_english_have_the_same_holes():
    files = [EN / "findings.po", *(Path(str(regions.folder(slug))) / "texts.en.po" for slug in SLUGS)]
    assert [
        text
        for file in files
        for text, said in english(file).items()
        if not said or sorted(HOLE.findall(text)) != sorted(HOLE.findall(said))
    ] == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "应有 1 至 40 条，现有 41 条",
            "Must have 1 to 40 entries, has 41",
        ),
        (
            "码表 ethnic_group 没有这个值对应的行，报文已挂起；补充码表后即可放行",
            "Code list ethnic_group has no row for this value, so the message is parked; add the row, then release it",
        ),
        (
            f"办件处于 {State.IN_REVIEW} {State.IN_REVIEW.label}，不能再撤回",
            f"The case is at {State.IN_REVIEW} “In review”: it can no longer be withdrawn",
        ),
        ("应为 51、50 开头的六位区划代码", "Must be a division code of six digits beginning with 51, 50"),
        ("应为 已转出", "Must be 已转出 (moved out)"),
        # a word of the message itself stays as it is
        ("认证通知的办件状态只能是“已办结”", "In a notice of certification the state can only be “已办结”"),
        ("没有人写过的一句", "没有人写过的一句"),
        # another sentence that begins alike is not half translated
        ("应为 YL 加 18 位数字的报文编号", "应为 YL 加 18 位数字的报文编号"),
    ],
)
def test_a_sentence_is_known_again_by_its_words_with_what_stands_in_its_holes(text, said):
    assert told(text, "en", SLUGS) == said
    assert told(text, "zh", SLUGS) == text


def test_what_one_region_says_is_not_english_where_that_region_is_not():
    first, *others = SLUGS
    elsewhere = set().union(*(said_by(place) for place in ("gateway/", *(f"adapters/{s}/" for s in others))))
    own = min(said_by(f"adapters/{first}/") - elsewhere)
    assert told(own, "en", SLUGS) != own
    assert told(own, "en", others) == own
