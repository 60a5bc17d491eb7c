"""Every value of a message finds its fellows in the other two forms, and veiled none shows a person."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from crossings import CONTEXT, MAPS, REGIONS, SIDE, TABLES, cross
from replays import body_of, kept, record_of

from gateway import regions
from gateway.dashboard.views.case import printed
from gateway.dashboard.views.case.spread import spread
from gateway.dashboard.views.case.veil import Veil
from gateway.exchange.explain import Reader, by_place
from gateway.exchange.library import Book
from gateway.exchange.masking import Masker, mask_of
from gateway.mapping.explain import field_lines
from gateway.store.records import Person

LINES = by_place(field_lines(regions.fields()))
BOOK = Book(TABLES.digest, TABLES, MAPS, None)
READER = Reader(REGIONS, LINES, {BOOK.digest: BOOK}, BOOK)
NOTED = {
    path: mask
    for (_, _, path), line in LINES.items()
    for mask in map(mask_of, line.canonical)
    if mask is not None
}
MASKER = Masker({**NOTED, **Masker.of(REGIONS).by_path})
NOBODY = Person("", "", "")


def crossed(kind, **edits):
    """A worked message as the store keeps it once it went over, with its canonical form."""
    body = body_of(kind, edits)
    region = REGIONS[SIDE[kind]]
    went = cross(kind, tree=region.parse(body).tree, context=CONTEXT.get(kind))
    assert went.verdict == "taken", went
    case = kept(kind, body)
    (message,) = case.messages
    receiver = REGIONS[message.destination]
    whole = replace(message, trace=went.trace, rendered=receiver.render(went.tree, message.out_kind))
    return replace(case, messages=(whole,)), json.dumps(went.canonical, ensure_ascii=False).encode()


def shown(kind, *, person=None, **edits):
    case, canonical = crossed(kind, **edits)
    veil = None if person is None else Veil(MASKER, person)
    return spread(case, case.messages[0], canonical, READER, veil)


def values(lines):
    return {line.path: line.text for line in lines if line.is_value}


@pytest.mark.parametrize("kind", sorted(SIDE))
def test_every_value_is_on_a_thread_and_every_thread_ends_at_values(kind):
    seen = shown(kind)
    came, went = values(seen.native_in.lines), values(seen.native_out.lines)
    assert [path for path in came if path not in seen.ends.native_in] == []
    assert [path for path in went if path not in seen.ends.native_out] == []
    for thread in seen.threads:
        assert not thread.path_in or thread.path_in in came, thread
        assert not thread.path_out or thread.path_out in went, thread
        assert thread.path_in or thread.path_out or thread.canonical


#: canonical values no native value stands behind
_OURS = {"kind", "case_no", "origin_case_no"}


@pytest.mark.parametrize("kind", sorted(SIDE))
def test_every_canonical_value_lies_on_a_thread(kind):
    seen = shown(kind)
    told = values(seen.canonical.lines)
    missing = [path for path in told if path not in seen.ends.canonical and path not in _OURS]
    assert missing == []


def test_a_code_lights_its_canonical_key_and_the_word_of_the_other_side():
    seen = shown("tbzy0001")
    (number,) = seen.ends.native_in["param.aac005"]
    thread = seen.threads[number - 1]
    assert (thread.canonical, thread.path_out) == (("applicant.nation",), "BODY/SQR/MZ")
    assert (thread.before, thread.after, thread.rule, thread.kind) == ("01", "汉族", "M1", "converted")
    assert {row["table"].rsplit("/")[-1] for row in thread.rows} == {"ethnic_group.csv"}


def test_what_repeats_finds_its_own_place_though_one_side_counts_from_one():
    seen = shown("tbzy0001")
    (number,) = seen.ends.native_out["BODY/CLLB/CL[1]/CLBH"]
    thread = seen.threads[number - 1]
    assert thread.path_in == "param.clist[0].clbm"
    assert "materials[0].accepted_as" in thread.canonical or "materials[0].type" in thread.canonical


def test_a_value_that_goes_no_further_says_why():
    seen = shown("tbzy0001")
    (number,) = seen.ends.native_in["aaz002"]
    thread = seen.threads[number - 1]
    assert (thread.kind, thread.path_out) == ("checked", "")
    assert "去重" in thread.rule_text


# --- veiled ---

#: worked messages that tell of nobody
IMPERSONAL = {"tbbz0001", "BZ_CL", "tbzt0001", "ZT_TZ", "tbch0001", "CH_SQ", "SYJ_HF"}
PERSONAL = {
    "name",
    "id_no",
    "acc_no",
    "mobile",
    "tel",
    "local_person_no",
    "acc_name",
}


@pytest.mark.parametrize("kind", sorted(SIDE))
def test_veiled_no_form_holds_what_the_open_one_holds_of_a_person(kind):
    person = record_of(kind).person
    bare, covered = shown(kind), shown(kind, person=person)
    personal = {
        text
        for path, text in values(bare.canonical.lines).items()
        if path.split(".")[-1] in PERSONAL and mask_of(path.replace("[0]", "")) and len(text) > 1
    } | {text for text in (person.name, person.id_no) if text}
    everything = json.dumps(
        [
            *(values(form.lines) for form in (covered.native_in, covered.canonical, covered.native_out)),
            *([thread.before, thread.after] for thread in covered.threads),
        ],
        ensure_ascii=False,
    )
    assert [word for word in personal if word in everything] == []
    assert bool(personal) == (kind not in IMPERSONAL)


def test_a_person_is_hidden_in_free_text_too():
    veil = Veil(MASKER, Person("张䶮", "id_card", "H60000001"))
    assert veil.words("张䶮（H60000001）电话13800000001未到场") == "张*（H600*0001）电话138****0001未到场"


def test_codes_that_only_look_like_accounts_stay():
    assert Veil(MASKER, NOBODY).native("BODY/BJXX/SXBM", "1150010300000000XP4002014006002") == (
        "1150010300000000XP4002014006002"
    )


def test_bytes_nobody_can_read_are_not_shown_veiled():
    case = kept("tbzy0001", b"\xff\xfe broken")
    covered = spread(case, case.messages[0], b"", READER, Veil(MASKER, NOBODY))
    assert covered.native_in.is_unreadable
    assert "broken" not in covered.native_in.raw
    assert "broken" in spread(case, case.messages[0], b"", READER, None).native_in.raw


# --- printed ---


@pytest.mark.parametrize("kind", sorted(SIDE))
def test_a_printed_message_reads_as_the_message_it_is(kind):
    region = REGIONS[SIDE[kind]]
    body = body_of(kind)
    tree = region.parse(body).tree
    is_xml = "xml" in region.content_type
    lines = printed.native(tree, region.maps[kind], is_xml=is_xml)
    again = "\n".join(_written(line, is_xml=is_xml) for line in lines)
    declared = '<?xml version="1.0" encoding="GB18030"?>' if is_xml else ""
    assert region.parse((declared + again).encode("gb18030" if is_xml else "utf-8")).tree == tree


def _written(line, *, is_xml):
    if is_xml:
        return f"{line.opens}{line.text}{line.closes}"
    name = f"{json.dumps(line.name)}: " if line.name else ""
    value = json.dumps(line.text, ensure_ascii=False) if line.sort == "text" else line.text
    return f"{name}{line.opens}{value}{line.closes}"
