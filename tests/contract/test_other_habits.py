"""What a province may well do otherwise than ours, and what is told of what no row can say."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from seeded import Fault, said_of
from starlette.routing import Match
from typer.testing import CliRunner

from gateway.canonical.kinds import Kind
from gateway.canonical.rehearsal import Told, Unheard
from gateway.cli.main import app
from gateway.conformance import keys
from gateway.conformance.judge import accident, judge
from gateway.conformance.law import Level
from gateway.conformance.laws.catalogue import RULES
from gateway.conformance.pointing import leaves
from gateway.conformance.script import Habits
from gateway.conformance.simulator import Faults, Simulator
from gateway.conformance.subject import Subject, folder_of
from gateway.errors import Refusal
from gateway.exchange.translate import compile_maps
from gateway.mapping import amounts, borders, converters, times
from gateway.mapping.converters import json_text
from gateway.mapping.fieldmap import FieldMap, Group, Row, Spelling
from gateway.mapping.load import PACKAGED, load_tables
from gateway.region import Outcome, Reply, Taken
from gateway.regions import discover

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def plain():
    regions, tables = discover(), load_tables(PACKAGED, None)
    return Subject(regions["sichuan"], regions, tables, compile_maps(regions, tables), folder_of("sichuan"))


def altered(subject, region=None, stand_in=None):
    """The region and its stand-in with other functions."""
    changed = replace(subject, region=replace(subject.region, **(region or {})))
    changed.__dict__["stand_in"] = replace(subject.stand_in, **(stand_in or {}))
    return changed


def broken(subject, *laws):
    """What the named laws say."""
    rules = [rule for rule in RULES if rule.law.id in laws]
    assert len(rules) == len(laws)
    return [
        f"{result.law.id} {b.sentence} {b.remedy} {b.path}"
        for result in judge(subject, rules, Level.HOSTILE)
        for b in result.breaches
    ]


# --- receipts that say yes or no and nothing else ---


def bare_receipt(given, key, now):
    if given.outcome is not Outcome.REFUSED:
        return b'{"ok":true}'
    errs = [[given.code, "", given.text], *([f.code, f.path, f.text] for f in given.findings)]
    return json.dumps({"ok": False, "errs": errs}).encode()


def bare_reply(status, body):
    try:
        tree = json.loads(body)
        errs = tree.get("errs", [])
        taken = {True: Taken.DELIVERED, False: Taken.REFUSED}[tree["ok"]]
        code, text = (errs[0][0], " ".join(" ".join(one) for one in errs)) if errs else ("", "")
    except (ValueError, AttributeError, KeyError, TypeError):
        taken, code, text = Taken.UNREADABLE, "", ""
    if status >= 500 or status in {408, 425, 429} or status // 100 == 3:
        taken = Taken.UNREADABLE
    elif status // 100 == 4:
        taken = Taken.REFUSED
    return Reply(taken, code, text)


def bare_answer(heard, refusal, draw):
    if refusal is None:
        return b'{"ok":true}'
    return json.dumps({"ok": False, "errs": [[refusal.code, refusal.path, refusal.text]]}).encode()


def bare_read(case_no):
    def read(status, body):
        reply = bare_reply(status, body)
        return Told(reply.taken is Taken.DELIVERED, reply.code, reply.text, case_no)

    return read


def test_receipts_without_any_number_hold_when_the_stand_in_says_so(plain):
    region = {"receipt": bare_receipt, "read_reply": bare_reply}
    habit = altered(plain, region, {"answer": bare_answer, "read": bare_read(None)})
    assert broken(habit, "R-F10", "R-F11", "R-F13") == []
    # who only forgot the number is told as before
    forgot = altered(plain, region, {"answer": bare_answer, "read": bare_read("")})
    told = broken(forgot, "R-F10", "R-F11")
    assert any(one.startswith("R-F10") and "通办编号" in one and "case_no=None" in one for one in told)
    assert any(one.startswith("R-F11") for one in told)


def test_an_answer_that_names_the_case_is_still_to_be_read(plain):
    reply = plain.region.read_reply

    def deaf(status, body):
        return replace(reply(status, body), case_ref="")

    assert any("办件编号" in one for one in broken(altered(plain, {"read_reply": deaf}), "R-F13"))


# --- one address for all kinds ---


def one_address(subject):
    """Sealed to the inbox itself."""
    seal, inbox = subject.region.seal, subject.stand_in.inbox

    def sealed(*args):
        return replace(seal(*args), path=inbox)

    return {"seal": sealed}


def test_one_address_for_all_kinds_holds_where_the_kind_is_in_the_message(plain):
    hear = plain.stand_in.hear

    def told_by_the_body(kind_in_path, headers, body, keys, now):
        assert kind_in_path == ""
        return hear(json.loads(body)["fwid"], headers, body, keys, now)

    assert broken(altered(plain, one_address(plain), {"hear": told_by_the_body}), "R-F07") == []


def test_an_address_without_the_kind_is_told_where_the_other_side_wants_it(plain):
    assert broken(altered(plain, one_address(plain)), "R-F07") != []


def test_a_form_the_other_side_refuses_leads_to_the_maps_and_not_to_the_proof(plain):
    def picky(*_):
        raise Unheard(422, "9042", "param.aac004", "缺少必填项")

    def deaf(*_):
        raise Unheard(401, "9001", "", "签名不符")

    (formed,) = broken(altered(plain, stand_in={"hear": picky}), "R-F07")[:1]
    (proven,) = broken(altered(plain, stand_in={"hear": deaf}), "R-F07")[:1]
    assert "maps 写 param.aac004" in formed
    assert "拼接次序" in proven


def test_a_simulated_system_answers_below_its_inbox_and_at_it(plain):
    place = SimpleNamespace(stand_in=plain.stand_in)
    app = Simulator(place, habits=Habits(), faults=Faults(), seed=1, rate=0, limit=0).app()
    heard = [
        route.matches({"type": "http", "path": path, "method": "POST"})
        for path in (plain.stand_in.inbox, f"{plain.stand_in.inbox}/tbty0001")
        for route in app.routes
        if route.endpoint.__name__ == "_deliver"
    ]
    kinds = [scope["path_params"] for match, scope in heard if match is Match.FULL]
    assert kinds == [{}, {"kind": "tbty0001"}]


# --- lists ---


def a_map(*groups, rows=()):
    return FieldMap("k", Kind.GENERAL_APPLY, Spelling(), rows=rows, groups=groups)


def test_a_list_within_a_list_is_told_with_what_to_do(plain):
    nested = a_map(Group("a[]"), Group("a[].papers[]", "materials[]"))
    told = broken(altered(plain, {"maps": {"k": nested}}), "R-B02")
    assert any("a[].papers[]" in one and "codec.py" in one for one in told)
    assert any("“a[]”" in one and "codec.py" in one for one in told)


def test_a_list_of_texts_that_one_row_carries_is_one_value():
    one = a_map(rows=(Row("tels", "applicant.mobile", json_text(32)),))
    assert list(leaves({"tels": ["1", "2"], "l": ["3"]}, one)) == [("tels", ["1", "2"]), ("l[0]", "3")]


# --- sentences ---


def test_a_refusal_where_none_is_awaited_is_told_by_its_words():
    told = accident(Refusal(422, "9041", "报文不是合法的 UTF-8 编码，请重发"), "adapters/x")
    assert "不是合法的 UTF-8" in told.sentence
    assert "只可抛出 Refusal" not in told.sentence
    assert "R-B12" in told.remedy


def test_a_region_that_is_not_found_leads_to_the_folder_of_regions():
    told = CliRunner().invoke(app, ["check", "region", "nowhere"])
    assert told.exit_code == 2
    assert "TONGBAN_REGIONS_DIRS" in told.stderr


def test_keys_of_a_rehearsal_are_all_made_or_none_and_told_why(tmp_path, monkeypatch, capsys):
    folder = tmp_path / "rehearsal"

    def asked(*regions):
        pairs = (word for slug in regions for word in ("--region", f"{slug}=http://127.0.0.1:1"))
        monkeypatch.setattr("sys.argv", ["keys", str(folder), *pairs])
        keys.main()

    with pytest.raises(SystemExit) as stopped:
        asked("sichuan", "nowhere")
    assert stopped.value.code == 2
    assert "--regions-dir" in capsys.readouterr().err
    assert not list(folder.glob("*"))
    asked("sichuan")
    assert "gateway.toml" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        asked("sichuan")
    assert "sichuan.json" in capsys.readouterr().err


def test_a_code_list_nobody_knows_is_told_by_its_name(tmp_path):
    fault = Fault(
        "a list nobody knows",
        "sichuan",
        "adapters/sichuan/maps/blocks.py",
        'code("sex"',
        'code("gender"',
        "R-B00",
        "",
    )
    (told,) = said_of([fault], tmp_path)
    assert any("gender" in one and "mappings/canonical" in one and "blocks.py:" in one for one in told)


def test_keys_that_do_not_fit_the_credentials_are_told_by_member(plain):
    pair = plain.stand_in.pair

    def misspelt(secret):
        section, own = pair(secret)
        return {"pass_id" if name == "paasid" else name: value for name, value in section.items()}, own

    told = broken(altered(plain, stand_in={"pair": misspelt}), "R-F01")
    assert any("paasid" in one and "simulated.py" in one and "Credentials" in one for one in told)


FAULTS = [
    Fault(
        "the last of a list is lost while reading",
        "sichuan",
        "adapters/sichuan/wire.py",
        "    return Opened(\n",
        '    if isinstance(tree.get("param"), dict): tree["param"].get("clist", []) and tree["param"]["clist"].pop()\n    return Opened(\n',
        "R-B23",
        "param.clist[1].clbm",
    ),
    Fault(
        "man and woman change places",
        "sichuan",
        "mappings/codes/sichuan/sex.csv",
        "1,1,男性,both,,\n2,2,女性,both,,",
        "1,2,女性,both,,\n2,1,男性,both,,",
        "R-F31",
        "mappings/codes/sichuan/sex.csv",
    ),
]


def test_what_is_lost_or_turned_about_unnoticed_is_named(tmp_path):
    for fault, told in zip(FAULTS, said_of(FAULTS, tmp_path), strict=True):
        assert any(fault.names in one for one in told), (fault.what, told)


def test_words_that_the_format_swallows_are_named_by_their_field(tmp_path):
    fault = Fault(
        "a line's end is written as a space",
        "sichuan",
        "adapters/sichuan/wire.py",
        "    return json_bytes.write(tree)\n\n\ndef seal",
        '    return json_bytes.write(tree).replace(rb"\\n", b" ")\n\n\ndef seal',
        "R-H10",
        "param.aae013",
        Level.HOSTILE,
    )
    (told,) = said_of([fault], tmp_path)
    assert any(fault.names in one for one in told), told


def test_an_element_of_xml_that_is_lost_while_reading_is_named_by_its_place(tmp_path):
    fault = Fault(
        "an element is lost",
        "chongqing",
        "adapters/chongqing/wire.py",
        "    return Opened(\n",
        '    (tree.get("BODY") or {}).pop("SQR", None) if isinstance(tree.get("BODY"), dict) else None\n    return Opened(\n',
        "R-B23",
        "BODY/SQR/XM",
    )
    (told,) = said_of([fault], tmp_path)
    assert any(fault.names in one for one in told), told


@pytest.mark.parametrize("name", ["add-a-region.md", "add-a-region.en.md"])
def test_the_converters_the_page_names_are_there(name):
    page = (ROOT / "docs" / "how-to" / name).read_text(encoding="utf-8")
    (line,) = re.findall(
        r"^(?:现成的转换|Converters there are).*?`gateway/mapping`", page, re.MULTILINE | re.DOTALL
    )
    named = set(re.findall(r"[a-z][a-z_0-9]{2,}", re.sub("`[^`]*`", "", line))) & {
        *(one for module in (converters, borders, amounts, times) for one in vars(module))
    }
    assert len(named) == 25


def test_the_canonical_form_to_keep_beside_an_example_is_written_by_a_command():
    examples = ROOT / "adapters" / "chongqing" / "examples"
    asked = ["translate", "--from", "chongqing", "--format", "canonical", str(examples / "SYJ_SQ.native.xml")]
    told = CliRunner().invoke(app, asked)
    assert told.exit_code == 0
    kept = json.loads((examples / "SYJ_SQ.canonical.json").read_text(encoding="utf-8"))
    of_the_day = {"case_no": ""}
    assert json.loads(told.stdout) | of_the_day == kept | of_the_day
