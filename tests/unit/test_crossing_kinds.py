"""What is particular to each kind of message and to the words of its states, both ways."""

from __future__ import annotations

from decimal import Decimal

import pytest
from crossings import cross

BJXX, SQR, YWXX = "BODY/BJXX", "BODY/SQR", "BODY/YWXX"
D = Decimal


def kinds(crossed, **wanted):
    return [(entry["rule"], entry["kind"]) for entry in crossed.entries(**wanted)]


# --- transfers (4.1) ---


def test_a_transfer_out_of_sichuan_is_seen_from_either_side():
    crossed = cross("tbzy0001", {"param.aac070": "1", "param.aab299": "500103"})
    assert crossed.at(f"{YWXX}/ZYFX") == "转入"
    assert crossed.at(f"{YWXX}/ZCDMC") == "四川省成都市锦江区"
    assert crossed.at(f"{YWXX}/ZRDMC") == "重庆市渝中区"
    assert crossed.canonical["transfer"] == {"from_division": "510104", "to_division": "500103"}
    assert crossed.at("HEAD/JSF") == "CQ500103"


@pytest.mark.parametrize(
    ("direction", "leaving", "entering", "code", "new_place"),
    [
        ("转出", "重庆市渝中区", "四川省成都市锦江区", "2", "510104"),
        ("转入", "四川省成都市锦江区", "重庆市渝中区", "1", "500103"),
    ],
)
def test_a_transfer_from_chongqing_is_seen_from_sichuan(direction, leaving, entering, code, new_place):
    edits = {f"{YWXX}/ZYFX": direction, f"{YWXX}/ZCDMC": leaving, f"{YWXX}/ZRDMC": entering}
    crossed = cross("YLZY_SQ", edits)
    assert crossed.at("param.aac070") == code
    assert (crossed.at("yab003"), crossed.at("param.aab301")) == ("510104", "510104")
    assert (crossed.at("param.yac250"), crossed.at("param.aab299")) == ("500103", new_place)
    assert crossed.at("param.yac256") == "重庆市渝中区"
    assert crossed.at("param.yac251") == "重庆市渝中区社会保险局"
    assert crossed.at("param.aae173") == "10"
    derived = {entry["path_out"] for entry in crossed.entries(kind="derived")}
    assert {"param.yac256", "param.yac251", "param.aae173"} <= derived
    assert crossed.at("param.lxh.aac080") is None
    assert crossed.at("param.yac519") is None


def test_what_the_other_side_has_no_place_for_is_dropped_with_trace():
    crossed = cross("tbzy0001", {"param.yac519": "随调"})
    for path in ("param.aae173", "param.yac519", "param.lxh.aac080", "param.yac251", "param.aab299"):
        assert crossed.entry(path_in=path)["kind"] == "dropped"
    assert crossed.entries(path_in="param.yac256") == []


@pytest.mark.parametrize(("word", "kind"), [("是", "dropped"), ("否", "lossy")])
def test_received_settlement_is_dropped_and_lossy_when_the_rules_say_otherwise(word, kind):
    crossed = cross("YLZY_SQ", {f"{YWXX}/SFDQJS": word})
    assert kinds(crossed, path_in=f"{YWXX}/SFDQJS") == [("M16", kind)]
    assert crossed.canonical["periodic_settlement"] == "true"


# --- sheets (4.2) ---


def test_an_indivisible_base_goes_there_and_back_without_loss():
    there = cross("YLZY_XXB", {f"{YWXX}/NMX[1]/NJFJS": "6000005"})
    assert there.at("param.ic91[0].aae180") == D("5000.00")
    assert there.at("param.ic91[0].yae181") == D("60000.05")
    assert kinds(there, path_in=f"{YWXX}/NMX[1]/NJFJS") == [("M6", "lossy")]
    back = cross("tbzy0002", tree=there.tree)
    assert back.at(f"{YWXX}/NMX[1]/NJFJS") == "6000005"
    assert cross("YLZY_XXB").at("param.ic91[0].yae181") is None


def test_settlement_interest_is_never_added():
    crossed = cross("YLZY_XXB")
    assert crossed.at("param.aic089") == D("17792.46")
    entry = crossed.entry(path_in=f"{YWXX}/QSLX")
    assert (entry["path_out"], entry["kind"], entry["before"]) == ("param.aic089", "lossy", "97000")
    assert cross("tbzy0002").at(f"{YWXX}/QSLX") is None


def test_person_and_place_of_a_sheet_are_the_cases():
    crossed = cross("YLZY_XXB")
    for path in ("aac002", "aac003", "param.ic91[0].aab299"):
        entry = crossed.entry(path_out=path)
        assert (entry["kind"], entry["path_in"]) == ("derived", None)
    assert crossed.canonical["applicant"] == {"name": "张䶮", "id_no": "510100198803150179"}
    assert crossed.canonical["years"][2]["division"] == "500103"


def test_the_place_of_a_year_is_dropped_and_lossy_when_it_is_not_the_cases():
    crossed = cross("tbzy0002", {"param.ic91[1].aab299": "500108"})
    assert kinds(crossed, path_in="param.ic91[0].aab299") == [("M8", "dropped")]
    assert kinds(crossed, path_in="param.ic91[1].aab299") == [("M8", "lossy")]
    assert crossed.at(f"{BJXX}/BJZT") == "已转出"
    assert kinds(crossed, path_out=f"{BJXX}/BJZT") == [("M13", "derived")]


def test_sums_for_staff_are_warnings():
    pooled = cross("tbzy0002", {"param.aic084": D("23761"), "param.aic102": D("41553.46")})
    assert [entry["path_in"] for entry in pooled.entries(kind="warning")] == ["param.aic084"]
    running = cross("YLZY_XXB", {f"{YWXX}/NMX[2]/NMLJ": "1051001"})
    warned = [entry["path_in"] for entry in running.entries(kind="warning")]
    assert warned == [f"{YWXX}/NMX[2]/NMLJ", f"{YWXX}/NMX[3]/NMLJ"]


def test_years_before_1998_are_no_part_of_the_pooled_sum():
    edits = {
        "param.ic91[0].aae001": 1997,
        "param.ic91[0].aae041": 199701,
        "param.ic91[0].aae042": 199712,
        "param.aic084": D("16560"),
        "param.aic102": D("34352.46"),
    }
    assert [e["path_in"] for e in cross("tbzy0002", edits).entries(kind="warning")] == []


@pytest.mark.parametrize(("written", "months"), [("036", 36), ("3年", 36), ("36个月", 36), ("99年", None)])
def test_month_counts_have_several_spellings_and_one_meaning(written, months):
    crossed = cross("YLZY_XXB", {f"{YWXX}/SJJFYS": written})
    if months is None:
        assert crossed.verdict == "refused"
        return
    assert crossed.at("param.aae201") == months
    assert cross("tbzy0002").at(f"{YWXX}/SJJFYS") == "3年0个月"


@pytest.mark.parametrize(
    ("rate", "percent"), [("0.08", "8"), ("0.055", "5.5"), ("0.0825", "8.25"), ("0", "0")]
)
def test_a_rate_is_a_percent_without_trailing_zeros(rate, percent):
    assert cross("tbzy0002", {"param.ic91[0].aaa041": D(rate)}).at(f"{YWXX}/NMX[1]/GRBL") == percent
    back = cross("YLZY_XXB", {f"{YWXX}/NMX[1]/GRBL": percent})
    assert back.at("param.ic91[0].aaa041") == D(rate)
    assert cross("YLZY_XXB", {f"{YWXX}/NMX[1]/GRBL": "8.00"}).canonical["years"][0]["rate"] == "0.08"


# --- claims (4.3) and certifications (4.5) ---


@pytest.mark.parametrize(("day", "kind"), [(20261031, "dropped"), (20261030, "lossy")])
def test_the_end_of_the_contract_is_dropped_and_lossy_when_it_is_another_day(day, kind):
    crossed = cross("tbsy0001", {"param.abc916": day})
    assert kinds(crossed, path_in="param.abc916") == [("M7", kind)]


def test_places_of_a_claim_change_their_role():
    crossed = cross("tbsy0001")
    assert crossed.at(f"{YWXX}/CBDMC") == "重庆市渝中区"
    assert crossed.at(f"{BJXX}/SLD") == "四川省成都市锦江区"
    crossed = cross("SYJ_SQ")
    assert crossed.at("yab003") == crossed.at("param.aab301") == "510104"
    assert crossed.at("param.aab299") == "500103"
    assert crossed.at("param.abc916") == 20261031
    assert crossed.at("param.aaf200") is None


def test_the_bank_type_is_dropped():
    assert cross("tbsy0001", {"param.aaf200": "CCB"}).entry(path_in="param.aaf200")["kind"] == "dropped"


@pytest.mark.parametrize("alive", ["2", "3"])
def test_someone_not_alive_is_not_certified_and_has_no_validity(alive):
    crossed = cross("tbrz0001", {"param.aac060": alive})
    assert crossed.at(f"{BJXX}/BJJG") == "认证未通过"
    assert crossed.at(f"{YWXX}/RZYXQZ") is None
    assert crossed.at(f"{BJXX}/BJZT") == "已办结"
    assert crossed.at("HEAD/JSF") == "CQ500000"


@pytest.mark.parametrize(
    ("edits", "kind"),
    [
        ({}, "dropped"),
        ({f"{YWXX}/RZYXQZ": "2027-11-23"}, "lossy"),
        ({f"{YWXX}/SCZT": "失踪", f"{BJXX}/BJJG": "认证未通过"}, "lossy"),
    ],
)
def test_a_received_validity_is_dropped_and_lossy_when_it_is_not_twelve_months(edits, kind):
    crossed = cross("ZGRZ_TZ", edits)
    assert kinds(crossed, path_in=f"{YWXX}/RZYXQZ") == [("M16", kind)]
    assert crossed.at("param.bic162") == 20261123


# --- general applications (4.6) ---


def test_fields_keep_their_order_and_may_repeat():
    pairs = [{"name": "甲", "value": "1"}, {"name": "乙", "value": "2"}, {"name": "甲", "value": "3"}]
    crossed = cross("tbty0001", {"param.ywxx": pairs})
    assert crossed.canonical["fields"] == pairs
    assert [entry["MC"] for entry in crossed.at(f"{YWXX}/KZX")] == ["甲", "乙", "甲"]


def test_nothing_is_written_for_empty_lists_and_absent_values():
    crossed = cross("tbty0001", {"param.clist": [], "param.ywxx": [], "param.aae013": "", "param.aae140": ""})
    assert crossed.at("BODY/CLLB") is None
    assert crossed.at(f"{YWXX}/KZX") is None
    assert crossed.at(f"{YWXX}/BZ") is None
    assert crossed.at(f"{YWXX}/XZLX") is None
    assert not {"materials", "fields", "remark", "scheme"} & crossed.canonical.keys()


def test_received_only_is_dropped():
    assert kinds(cross("tbty0001"), path_in="param.sjbz") == [("M13", "dropped")]
    assert cross("TY_SQ").at("param.sjbz") is None


def test_an_employer_is_carried_with_its_agent():
    item = "512B0068700010"  # proof of insurance for employers
    edits = {"itemCode": f"{item}-511024000000-000-1151102400000000XG-1-00", "param.sqrlx": "2"}
    employer = {"param.aab004": "甲公司", "param.aab998": "91510104MA6TE00000"}
    licence = {"param.clist": [{"clbm": "CL023", "clmc": "电子营业执照", "sqfs": "3", "dzzz": "1"}]}
    crossed = cross("tbty0001", {**edits, **employer, **licence})
    assert crossed.at(f"{SQR}/SQRLX") == "单位"
    assert crossed.at(f"{YWXX}/DWMC") == "甲公司"
    assert crossed.canonical["applicant"]["type"] == "employer"
    assert kinds(crossed, path_in="param.clist[0].clbm") == [("R010", "lossy")]


# --- states (5.1) ---

WORDS = [
    (("01", None), ("待办理", None, None), "10"),
    (("02", None), ("待补正", None, None), "11"),
    (("03", None), ("已受理", None, None), "20"),
    (("04", None), ("不予受理", None, None), "21"),
    (("05", None), ("已撤回", None, None), "23"),
    (("06", None), ("办理中", None, None), "30"),
    (("06", "4"), ("办理中", "协查", None), "33"),
    (("07", None), ("挂起", "补正", None), "31"),
    (("08", "1"), ("挂起", "延长", None), "32"),
    (("08", "2"), ("挂起", "鉴定", None), "32"),
    (("08", "3"), ("挂起", "听证", None), "32"),
    (("08", "5"), ("挂起", "实地核查", None), "32"),
    (("09", None), ("已办结", None, "准予"), "40"),
    (("10", None), ("已退件", None, None), "41"),
    (("11", None), ("已送达", None, None), "50"),
]
ONE_WAY = [(("已转出", None, None), ("06", None), "30"), (("已办结", None, "不予"), ("10", None), "41")]


@pytest.mark.parametrize(("sichuan", "chongqing", "state"), WORDS)
def test_a_state_crosses_both_ways(sichuan, chongqing, state):
    there = cross("tbzt0001", {"param.blzt": sichuan[0], "param.tbcx": sichuan[1]})
    assert tuple(there.at(f"{BJXX}/{name}") for name in ("BJZT", "TBCXZL", "BJJG")) == chongqing
    assert kinds(there, path_in="param.blzt") == [("M13", "converted")]
    back = cross(
        "ZT_TZ", dict(zip((f"{BJXX}/BJZT", f"{BJXX}/TBCXZL", f"{BJXX}/BJJG"), chongqing, strict=True))
    )
    assert (back.at("param.blzt"), back.at("param.tbcx")) == sichuan
    assert there.canonical["status"]["state"] == back.canonical["status"]["state"] == state


@pytest.mark.parametrize(("chongqing", "sichuan", "state"), ONE_WAY)
def test_some_words_come_back_as_others(chongqing, sichuan, state):
    edits = dict(zip((f"{BJXX}/BJZT", f"{BJXX}/TBCXZL", f"{BJXX}/BJJG"), chongqing, strict=True))
    crossed = cross("ZT_TZ", edits)
    assert (crossed.at("param.blzt"), crossed.at("param.tbcx")) == sichuan
    assert kinds(crossed, path_in=f"{BJXX}/BJZT") == [("M13", "lossy")]
    assert crossed.canonical["status"]["state"] == state


def test_a_composite_word_has_one_entry_that_says_all_of_it():
    crossed = cross("tbzt0001", {"param.blzt": "08", "param.tbcx": "3"})
    entry = crossed.entry(path_in="param.blzt")
    assert (entry["before"], entry["after"]) == ("08|3", "挂起|听证")
    assert crossed.entries(path_in="param.tbcx") == []
    back = cross("ZT_TZ", {f"{BJXX}/BJZT": "已办结", f"{BJXX}/BJJG": "准予"}).entry(path_out="param.blzt")
    assert (back["before"], back["after"]) == ("已办结||准予", "09")
