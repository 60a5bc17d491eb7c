"""What the shared blocks of the crossing do to values: derived, lossy, dropped, warned of, and the trace of it."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from crossings import CONTEXT, NOW, REGIONS, TABLES, cross, edited

from gateway.exchange.dry_run import DryRun, Parked, dry_run
from gateway.exchange.translate import compile_maps

BJXX, SQR, YWXX, CL = "BODY/BJXX", "BODY/SQR", "BODY/YWXX", "BODY/CLLB/CL[1]"
D = Decimal


def kinds(crossed, **wanted):
    return [(entry["rule"], entry["kind"]) for entry in crossed.entries(**wanted)]


# --- places with a successor (M8) ---


def test_a_target_that_ended_is_written_as_its_successor_everywhere():
    """Crossing §7 "M8 with a successor": JSF and SXBM use it too."""
    crossed = cross("tbzy0001", {"param.yac250": "500105", "param.yac256": "重庆市江北区"})
    assert crossed.at(f"{YWXX}/ZCDMC") == "重庆市两江新区"
    assert crossed.at("HEAD/JSF") == "CQ500157"
    assert crossed.at(f"{BJXX}/SXBM").startswith(TABLES.agencies.of("500157").uscc)
    assert kinds(crossed, path_out=f"{YWXX}/ZCDMC") == [("M8", "lossy")]
    assert crossed.canonical["target"] == {"division": "500157"}
    # the name beside the code is no longer the full name of the place
    assert kinds(crossed, path_in="param.yac256") == [("M8", "dropped")]


def test_an_origin_that_ended_gives_the_case_number_of_its_successor():
    crossed = cross("SYJ_SQ", {f"{BJXX}/SLD": "重庆市江北区"})
    assert crossed.case_no == "CYTB5001572026112300000000"
    assert crossed.at("param.aab299") == "500157"
    assert kinds(crossed, path_in=f"{BJXX}/SLD") == [("M8", "lossy")]


def test_the_day_before_its_end_a_division_is_itself():
    crossed = cross("SYJ_SQ", {f"{BJXX}/SLD": "重庆市渝北区", f"{BJXX}/SLSJ": "2025-11-05 09:28:40"})
    assert crossed.at("param.aab299") == "500112"


# --- heads (M21, M22) ---


def test_a_new_case_has_placeholder_numbers_of_the_right_pattern():
    crossed = cross("tbzy0001")
    assert crossed.case_no == crossed.at(f"{BJXX}/SBLSH") == "CYTB5101042026112300000000"
    crossed = cross("SYJ_SQ")
    assert crossed.at("affairCode") == "510104-20261123-900000"
    assert crossed.at("cytbh") == crossed.case_no == "CYTB5001032026112300000000"


def test_the_origin_of_a_transfer_that_starts_in_chongqing_is_the_chongqing_place():
    crossed = cross("YLZY_SQ", {f"{BJXX}/SLD": "重庆市巴南区"})
    assert crossed.case_no.startswith("CYTB500103")
    assert kinds(crossed, path_in=f"{BJXX}/SLD", path_out=None) == [("M8", "lossy")]
    same = cross("YLZY_SQ")
    assert kinds(same, path_in=f"{BJXX}/SLD", path_out=None) == [("M8", "dropped")]


def test_the_operator_is_dropped_and_the_gateways_own_is_written():
    crossed = cross("tbzy0001")
    assert kinds(crossed, path_in="aae011") == kinds(crossed, path_in="aae414") == [("M22", "dropped")]
    crossed = cross("SYJ_SQ")
    assert (crossed.at("aae011"), crossed.at("aae414")) == ("CYTB", "川渝通办网关")
    assert crossed.at("aac001") == ""
    assert not crossed.entries(path_out="aae011")


@pytest.mark.parametrize("kind", ["tbzy0002", "tbsy0002", "tbzt0001", "tbbz0001", "tbch0001", "tbpj0001"])
def test_the_operator_of_a_follow_up_is_dropped_with_trace(kind):
    edits = {"aae011": "510104031", "aae414": "周宁", "yab003": "510104"}
    crossed = cross(kind, edits)
    for path in edits:
        assert kinds(crossed, path_in=path) == [("M22", "dropped")]


def test_the_operator_of_a_follow_up_is_never_written():
    for kind in ("YLZY_XXB", "SYJ_HF", "ZT_TZ", "BZ_CL", "CH_SQ", "PJ_TS"):
        tree = cross(kind).tree
        assert not {"aae011", "aae414", "yab003"} & tree.keys()


def test_the_person_number_is_dropped_unless_it_is_unknown():
    assert kinds(cross("tbzy0001"), path_in="aac001") == [("M11", "dropped")]
    assert cross("tbzy0001", {"aac001": ""}).entries(path_in="aac001") == []


def test_a_channel_the_sender_did_not_name_is_the_gateway():
    crossed = cross("SYJ_SQ")
    assert crossed.at("accept_source") == "61"
    assert crossed.entry(path_out="accept_source")["kind"] == "derived"
    assert crossed.canonical["channel"] == "gateway"


def test_a_received_item_name_is_dropped():
    crossed = cross("SYJ_SQ", {f"{BJXX}/SXMC": "失业金"})
    assert kinds(crossed, path_in=f"{BJXX}/SXMC") == [("M21", "dropped")]
    assert cross("tbsy0001").at(f"{BJXX}/SXMC") == "失业保险金申领"


def test_the_item_codes_of_the_receiving_agency_are_written():
    crossed = cross("SYJ_SQ")
    assert crossed.at("itemCode") == "512B0070100003-510104000000-000-1151010400000000XA-1-00"
    # the sender's own agency parts are not looked at
    other = cross("tbzy0001", {"itemCode": "512B0068100002-519999000000-123-000000000000000000-9-99"})
    assert other.at(f"{BJXX}/SXBM") == "1150010300000000XP4002014006002"


@pytest.mark.parametrize(
    ("edits", "kind"),
    [({}, "dropped"), ({f"{BJXX}/CNSX": "9"}, "lossy"), ({f"{BJXX}/CNSX": "0"}, "lossy")],
)
def test_a_received_limit_is_dropped_and_lossy_when_it_is_not_the_catalogues(edits, kind):
    crossed = cross("SYJ_SQ", edits)
    assert kinds(crossed, path_in=f"{BJXX}/CNSX") == [("M12", kind)]
    assert crossed.canonical["limit"] == {"value": 10, "unit": "day"}


def test_a_received_unit_is_lossy_when_it_is_not_the_catalogues():
    crossed = cross("SYJ_SQ", {f"{BJXX}/CNSXDW": "工作日"})
    assert kinds(crossed, path_in=f"{BJXX}/CNSXDW") == [("M12", "lossy")]
    assert kinds(crossed, path_in=f"{BJXX}/CNSX") == [("M12", "dropped")]


def test_an_immediate_item_has_a_limit_of_zero():
    edits = {"itemCode": "51201401800008-511024000000-000-1151102400000000XG-1-00"}
    crossed = cross("tbty0001", edits)
    assert (crossed.at(f"{BJXX}/CNSX"), crossed.at(f"{BJXX}/CNSXDW")) == ("0", "工作日")


def test_a_certification_carries_no_limit():
    crossed = cross("tbrz0001")
    assert "limit" not in crossed.canonical
    assert crossed.at(f"{BJXX}/CNSX") is None


# --- dates (M7, M7a, M7b) ---


def test_a_date_only_acceptance_is_midnight_and_lossy():
    crossed = cross("tbzy0001", {"param.aae036": None})
    assert crossed.at(f"{BJXX}/SLSJ") == "2026-11-23 00:00:00"
    assert kinds(crossed, path_in="param.aae035") == [("M7a", "lossy")]


def test_a_blank_time_is_an_absent_one():
    assert cross("tbzy0001", {"param.aae036": ""}).at(f"{BJXX}/SLSJ") == "2026-11-23 00:00:00"


def test_both_accepted_fields_are_written_towards_sichuan():
    crossed = cross("SYJ_SQ")
    assert (crossed.at("param.aae035"), crossed.at("param.aae036")) == (20261123, "20261123092840")


@pytest.mark.parametrize("spelling", [20260315, "20260315", D("20260315.0"), D("2026.0315E+4")])
def test_a_date_is_a_number_or_eight_digits(spelling):
    crossed = cross("tbzy0001", {"param.aac006": spelling})
    assert crossed.at(f"{SQR}/CSRQ") == "2026-03-15"


def test_the_days_of_a_period_are_lost_unless_they_are_its_first_and_last():
    crossed = cross("tbzy0002", {"param.aae030": 20210115, "param.aae031": 20231230})
    assert (crossed.at(f"{YWXX}/JFQSNY"), crossed.at(f"{YWXX}/JFZZNY")) == ("2021-01", "2023-12")
    assert kinds(crossed, path_in="param.aae030") == [("M7b", "lossy")]
    assert kinds(crossed, path_in="param.aae031") == [("M7b", "lossy")]
    exact = cross("tbzy0002")
    assert kinds(exact, path_in="param.aae031") == [("M7b", "converted")]


# --- persons (M16, M17, M18) ---


def test_birth_date_and_sex_come_from_the_number_when_they_are_absent():
    crossed = cross("tbzy0001", {"param.aac006": None, "param.aac004": ""})
    assert (crossed.at(f"{SQR}/CSRQ"), crossed.at(f"{SQR}/XB")) == ("1988-03-15", "男")
    for path in (f"{SQR}/CSRQ", f"{SQR}/XB"):
        entry = crossed.entry(path_out=path)
        assert (entry["rule"], entry["kind"], entry["path_in"]) == ("M16", "derived", "param.aac147")


def test_other_papers_tell_neither_birth_date_nor_sex():
    edits = {"param.aac058": "08", "param.aac147": "G1234567", "aac002": "G1234567"}
    crossed = cross("tbzy0001", {**edits, "param.aac006": None, "param.aac004": None})
    assert crossed.at(f"{SQR}/CSRQ") is None
    assert crossed.at(f"{SQR}/XB") is None


def test_what_disagrees_with_the_number_is_carried_with_a_warning():
    crossed = cross("tbzy0001", {"param.aac006": 19880316, "param.aac004": "2"})
    assert (crossed.at(f"{SQR}/CSRQ"), crossed.at(f"{SQR}/XB")) == ("1988-03-16", "女")
    warned = {entry["path_in"]: entry["before"] for entry in crossed.entries(kind="warning")}
    assert warned == {"param.aac006": "19880316", "param.aac004": "2"}
    assert cross("tbzy0001").entries(kind="warning") == []


@pytest.mark.parametrize(("kind", "code"), [("tbsy0001", "param.aab998"), ("SYJ_SQ", f"{YWXX}/YDWXYDM")])
def test_a_credit_code_with_a_wrong_check_character_is_carried_with_a_warning(kind, code):
    crossed = cross(kind, {code: "91510104MA6TE00001"})
    assert [entry["path_in"] for entry in crossed.entries(kind="warning")] == [code]


def test_a_small_x_is_written_large():
    edits = {"aac002": "51010019900101003x", "param.aac147": "51010019900101003X"}
    assert cross("tbzy0001", edits).at(f"{SQR}/ZJHM") == "51010019900101003X"
    edits = {"aac002": "51010019900101003X", "param.aac147": "51010019900101003x"}
    assert kinds(cross("tbzy0001", edits), path_in="param.aac147")[0] == ("M17", "converted")
    crossed = cross("SYJ_SQ", {f"{SQR}/ZJHM": "51010019900101003x"})
    assert crossed.at("aac002") == crossed.at("param.aac147") == "51010019900101003X"


@pytest.mark.parametrize(("code", "letter"), [("04", "H"), ("05", "M")])
def test_papers_of_hong_kong_and_macao_cross_both_ways_without_loss(code, letter):
    small, large = f"{letter.lower()}60000001", f"{letter}60000001"
    there = cross("tbzy0001", {"param.aac058": code, "param.aac147": small, "aac002": small})
    assert (there.at(f"{SQR}/ZJLX"), there.at(f"{SQR}/ZJHM")) == ("C", large)
    assert kinds(there, path_in="param.aac058") == [("M18", "converted")]
    back = cross("SYJ_SQ", {f"{SQR}/ZJLX": "C", f"{SQR}/ZJHM": small})
    assert (back.at("param.aac058"), back.at("param.aac147"), back.at("aac002")) == (code, large, large)
    assert kinds(back, path_in=f"{SQR}/ZJLX") == [("M18", "converted")]
    assert kinds(back, path_in=f"{SQR}/ZJHM") == [("M18", "converted")]


def test_a_hong_kong_number_of_another_letter_is_not_looked_at_on_its_way_out():
    crossed = cross("tbzy0001", {"param.aac058": "04", "param.aac147": "K1", "aac002": "K1"})
    assert crossed.at(f"{SQR}/ZJLX") == "C"


def test_other_numbers_are_carried_letter_by_letter():
    edits = {"param.aac058": "08", "param.aac147": "e1234x", "aac002": "e1234x"}
    assert cross("tbzy0001", edits).at(f"{SQR}/ZJHM") == "e1234x"


def test_the_nationality_is_dropped_and_never_written():
    assert kinds(cross("tbzy0001"), path_in="param.aac161", path_out=None)[0][1] == "dropped"
    assert cross("SYJ_SQ").at("param.aac161") is None


# --- materials (M9) ---


def test_the_rule_that_names_the_item_goes_first():
    """R006 before R004: for the activation of a card the card itself is the material."""
    card = "8f1c0a52-0000-4000-8000-000000000002"
    edits = {f"{BJXX}/SXBM": "1150015300000000X54002014012002", f"{YWXX}/XZLX": None, f"{CL}/CLBH": card}
    crossed = cross("TY_SQ", edits)
    assert crossed.at("param.clist[0].clbm") == "CL002"
    assert kinds(crossed, path_in=f"{CL}/CLBH") == [("R006", "converted")]
    claim = cross("SYJ_SQ", {f"{CL}/CLBH": card})
    assert claim.at("param.clist[0].clbm") == "CL001"
    assert kinds(claim, path_in=f"{CL}/CLBH") == [("R004", "lossy")]


def test_two_materials_that_become_one_are_both_kept():
    second = {"clbm": "CL002", "clmc": "社会保障卡", "sqfs": "2", "dzzz": "0", "zzbs": "Z1", "wjbs": "F1"}
    crossed = cross("tbzy0001", {"param.clist[1]": second})
    guid = "8f1c0a52-0000-4000-8000-000000000001"
    assert [crossed.at(f"BODY/CLLB/CL[{n}]/CLBH") for n in (1, 2)] == [guid, guid]
    assert [crossed.at(f"BODY/CLLB/CL[2]/{name}") for name in ("ZZBS", "WJBS")] == ["Z1", "F1"]
    assert kinds(crossed, path_in="param.clist[1].clbm") == [("R005", "lossy")]


def test_the_written_code_decides_the_name_and_a_name_that_differs_is_traced():
    crossed = cross("tbzy0001", {"param.clist[0].clmc": "身份证"})
    assert crossed.at(f"{CL}/CLMC") == "有效身份证件"
    assert kinds(crossed, path_in="param.clist[0].clmc") == [("M9", "dropped")]
    assert cross("tbzy0001").entries(path_in="param.clist[0].clmc") == []
    crossed = cross("SYJ_SQ", {f"{CL}/CLMC": "证件"})
    assert crossed.at("param.clist[0].clmc") == "居民身份证"
    assert kinds(crossed, path_in=f"{CL}/CLMC") == [("M9", "dropped")]


@pytest.mark.parametrize(
    ("method", "mark", "kind"), [("3", "1", "dropped"), ("3", "0", "lossy"), ("1", "1", "lossy")]
)
def test_the_mark_of_an_e_licence_is_dropped_and_lossy_when_it_contradicts(method, mark, kind):
    crossed = cross("tbzy0001", {"param.clist[0].sqfs": method, "param.clist[0].dzzz": mark})
    assert kinds(crossed, path_in="param.clist[0].dzzz") == [("M9", kind)]


@pytest.mark.parametrize(("word", "mark"), [("电子证照", "1"), ("上传", "0"), ("原件核验", "0")])
def test_the_mark_of_an_e_licence_is_written_by_the_method(word, mark):
    assert cross("SYJ_SQ", {f"{CL}/TJFS": word}).at("param.clist[0].dzzz") == mark


def test_a_supplement_is_judged_by_the_item_and_day_of_its_case():
    edits = {f"{CL}/CLBH": "8f1c0a52-0000-4000-8000-000000000021"}  # residence permit
    case = CONTEXT["BZ_CL"] | {"item": "resident_pension_claim"}
    crossed = cross("BZ_CL", edits, context=case)
    assert crossed.at("param.clist[0].clbm") == "CL003"
    assert cross("BZ_CL", edits, context=case | {"accepted_on": "2021-12-31"}).verdict == "parked"


# --- what the receiver has no word for ---


def test_a_message_the_receiver_has_no_word_for_is_parked():
    """A hub key that only one side can say parks where it was read, never raises."""
    words = TABLES.codes("chongqing", "ethnic_group")
    fewer = replace(words, writes={key: row for key, row in words.writes.items() if key != "01"})
    tables = replace(TABLES, lists={**TABLES.lists, ("chongqing", "ethnic_group"): fewer})
    body = REGIONS["sichuan"].render(edited("tbzy0001"), "tbzy0001")
    with pytest.raises(Parked) as parked:
        dry_run(DryRun(REGIONS, tables, compile_maps(REGIONS, tables), "sichuan", NOW), body)
    assert [(f.code, f.path) for f in parked.value.findings] == [("1001", "param.aac005")]
