"""What parks a message, all of it at once, and what goes before it."""

from __future__ import annotations

from decimal import Decimal

import pytest
from crossings import at_the_door, cross, named

BJXX, SQR, YWXX, CL = "BODY/BJXX", "BODY/SQR", "BODY/YWXX", "BODY/CLLB/CL[1]"
LXH = f"{YWXX}/LXH"
D = Decimal

#: into Chongqing from Sichuan, as the new place asks for it
INTO_CHONGQING = {
    f"{YWXX}/ZYFX": "转入",
    f"{YWXX}/ZCDMC": "四川省成都市锦江区",
    f"{YWXX}/ZRDMC": "重庆市渝中区",
}
PARKED = [
    # --- M1 in every list ---
    ("tbzy0001", {"accept_source": "99"}, "1001", "accept_source"),
    ("tbzy0001", {"param.aac058": "90"}, "1001", "param.aac058"),
    ("tbzy0001", {"param.aac004": "7"}, "1001", "param.aac004"),
    ("tbzy0001", {"param.aac005": "77"}, "1001", "param.aac005"),
    ("tbzy0001", {"param.aac009": "99"}, "1001", "param.aac009"),
    ("tbzy0001", {"param.aae140": "310"}, "1001", "param.aae140"),
    ("tbzy0001", {"param.clist[0].clbm": "CL099"}, "1001", "param.clist[0].clbm"),
    ("tbzy0001", {"param.clist[0].sqfs": "9"}, "1001", "param.clist[0].sqfs"),
    ("tbsy0001", {"param.abc917": "9999"}, "1001", "param.abc917"),
    ("tbsy0001", {"param.sldbz": "9"}, "1001", "param.sldbz"),
    ("tbsy0001", {"param.aae145": "99"}, "1001", "param.aae145"),
    ("tbrz0001", {"param.rzfs": "99"}, "1001", "param.rzfs"),
    ("tbrz0001", {"param.aac060": "9"}, "1001", "param.aac060"),
    ("tbty0001", {"param.sqrlx": "9"}, "1001", "param.sqrlx"),
    ("tbpj0001", {"param.pjdj": "9"}, "1001", "param.pjdj"),
    ("tbpj0001", {"param.pjqd": "9"}, "1001", "param.pjqd"),
    ("SYJ_SQ", {f"{BJXX}/SLQD": "传真"}, "1001", f"{BJXX}/SLQD"),
    ("SYJ_SQ", {f"{BJXX}/CNSXDW": "周"}, "1001", f"{BJXX}/CNSXDW"),
    ("SYJ_SQ", {f"{SQR}/ZJLX": "K"}, "1001", f"{SQR}/ZJLX"),
    ("SYJ_SQ", {f"{SQR}/ZJLX": "C", f"{SQR}/ZJHM": "K60000001"}, "1001", f"{SQR}/ZJLX"),
    ("SYJ_SQ", {f"{SQR}/XB": "不详"}, "1001", f"{SQR}/XB"),
    ("SYJ_SQ", {f"{SQR}/MZ": "彝"}, "1001", f"{SQR}/MZ"),
    ("SYJ_SQ", {f"{SQR}/HKXZ": "居民户口"}, "1001", f"{SQR}/HKXZ"),
    ("SYJ_SQ", {f"{YWXX}/XZLX": "3"}, "1001", f"{YWXX}/XZLX"),
    ("YLZY_SQ", {f"{YWXX}/YLLX": "9"}, "1001", f"{YWXX}/YLLX"),
    ("SYJ_SQ", {f"{YWXX}/SYYY": "用人单位中断缴费"}, "1001", f"{YWXX}/SYYY"),
    ("SYJ_SQ", {f"{YWXX}/SLFS": "异地申领"}, "1001", f"{YWXX}/SLFS"),
    ("SYJ_SQ", {f"{YWXX}/FFFS": "支票"}, "1001", f"{YWXX}/FFFS"),
    ("SYJ_SQ", {f"{CL}/CLBH": "8f1c0a52-0000-4000-8000-000000000099"}, "1001", f"{CL}/CLBH"),
    ("SYJ_SQ", {f"{CL}/TJFS": "邮寄"}, "1001", f"{CL}/TJFS"),
    ("ZGRZ_TZ", {f"{YWXX}/RZFS": "声纹识别"}, "1001", f"{YWXX}/RZFS"),
    ("ZGRZ_TZ", {f"{YWXX}/SCZT": "不明"}, "1001", f"{YWXX}/SCZT"),
    ("TY_SQ", {f"{SQR}/SQRLX": "社团"}, "1001", f"{SQR}/SQRLX"),
    ("PJ_TS", {f"{BJXX}/PJDJ": "一般"}, "1001", f"{BJXX}/PJDJ"),
    ("PJ_TS", {f"{BJXX}/PJQD": "柜台"}, "1001", f"{BJXX}/PJQD"),
    # --- M8 ---
    ("tbzy0001", {"param.yac250": "500199"}, "1003", "param.yac250"),
    ("tbzy0001", {"param.yac250": "500112"}, "1004", "param.yac250"),
    ("tbsy0001", {"param.aab299": "500199"}, "1003", "param.aab299"),
    ("tbrz0001", {"param.aab299": "500112"}, "1004", "param.aab299"),
    ("tbty0001", {"yab003": "510199", "param.aab301": "510199"}, "1003", "yab003"),
    ("SYJ_SQ", {f"{BJXX}/SLD": "渝中区"}, "1003", f"{BJXX}/SLD"),
    ("SYJ_SQ", {f"{YWXX}/CBDMC": "成都市锦江区"}, "1003", f"{YWXX}/CBDMC"),
    ("YLZY_SQ", {f"{YWXX}/ZCDMC": "重庆市渝北区"}, "1004", f"{YWXX}/ZCDMC"),
    ("YLZY_SQ", {f"{BJXX}/SLD": "重庆市渝北区"}, "1004", f"{BJXX}/SLD"),
    ("ZGRZ_TZ", {f"{BJXX}/SLD": "重庆市渝北区"}, "1004", f"{BJXX}/SLD"),
    ("TY_SQ", {f"{YWXX}/YSDMC": "四川省重庆市"}, "1003", f"{YWXX}/YSDMC"),
    # --- M9, certifications ---
    ("tbzy0001", {"param.clist[0].clbm": "CL006"}, "1002", "param.clist[0].clbm"),
    ("tbzy0001", {"param.clist[0].clbm": "CL024"}, "1002", "param.clist[0].clbm"),
    ("tbbz0001", {"param.clist[0].clbm": "CL020"}, "1002", "param.clist[0].clbm"),
    ("BZ_CL", {f"{CL}/CLBH": "8f1c0a52-0000-4000-8000-000000000021"}, "1002", f"{CL}/CLBH"),
    ("tbrz0001", {"param.aae036": "20200831101233", "param.bic162": 20200831}, "1002", "itemCode"),
    # --- M21, M12 ---
    ("tbzy0001", {"itemCode": "512B0068199999-510104000000-000-1151010400000000XA-1-00"}, "1005", "itemCode"),
    ("SYJ_SQ", {f"{BJXX}/SXBM": "1150010300000000XP4002014099999"}, "1005", f"{BJXX}/SXBM"),
    ("tbzy0001", {"param.aae035": 20091231, "param.aae036": "20091231154210"}, "1007", "itemCode"),
    ("SYJ_SQ", {f"{BJXX}/SLSJ": "2020-10-31 09:28:40"}, "1007", f"{BJXX}/SXBM"),
    # --- M13 ---
    ("SYJ_SQ", {f"{BJXX}/BJZT": "报批中"}, "1006", f"{BJXX}/BJZT"),
    ("tbzt0001", {"param.blzt": "12"}, "1006", "param.blzt"),
    ("tbzt0001", {"param.blzt": "08", "param.tbcx": "9"}, "1006", "param.tbcx"),
    ("tbzt0001", {"param.blzt": "06", "param.tbcx": "9"}, "1006", "param.tbcx"),
    ("ZT_TZ", {f"{BJXX}/BJZT": "报批中"}, "1006", f"{BJXX}/BJZT"),
    ("ZT_TZ", {f"{BJXX}/BJZT": "挂起", f"{BJXX}/TBCXZL": "公示"}, "1006", f"{BJXX}/TBCXZL"),
    ("ZT_TZ", {f"{BJXX}/BJZT": "已办结", f"{BJXX}/BJJG": "部分准予"}, "1006", f"{BJXX}/BJJG"),
]


@pytest.mark.parametrize(("kind", "edits", "code", "path"), named(PARKED))
def test_a_message_is_parked_with_its_code_at_its_member(kind, edits, code, path):
    crossed = cross(kind, edits)
    assert crossed.verdict == "parked"
    assert (code, path) in crossed.findings


# --- several findings, and which of them decide ---

SEVERAL = [
    (
        "tbzy0001",
        {"aac003": "", "param.aae140": "1100", "fee": "0", "param.clist[0].clmc": None, "yab003": None},
        {"aac003", "param.aae140", "fee", "param.clist[0].clmc", "yab003"},
        "9042",
    ),
    (
        "SYJ_SQ",
        {f"{SQR}/SJH": "", f"{YWXX}/XYZ": "1", f"{YWXX}/SYRQ": None, f"{BJXX}/SLSJ": "今天"},
        {f"{SQR}/SJH", f"{YWXX}/XYZ", f"{YWXX}/SYRQ", f"{BJXX}/SLSJ"},
        "9042",
    ),
    (
        "tbsy0002",
        {"param.ajc071": 69, "param.ajc097": 19, "param.ajc099": 20},
        {"param.ajc071", "param.ajc097", "param.ajc099", "param.aae042"},
        "9043",
    ),
    (
        "tbzy0001",
        {"param.aab301": "510105", "param.aac147": "510100198803150178", "param.lxh": None}
        | {"param.aae140": "170"},
        {"param.aab301", "param.aac147", "param.lxh", "param.aae140"},
        "9043",
    ),
    (
        "tbty0001",
        {"itemCode": "512B0068100002-511024000000-000-1151102400000000XG-1-00"},
        {"itemCode", "param.aae140"},
        "9045",
    ),
]


@pytest.mark.parametrize(("kind", "edits", "paths", "code"), SEVERAL)
def test_all_findings_of_a_step_come_at_once(kind, edits, paths, code):
    crossed = cross(kind, edits)
    assert crossed.code == code
    assert {path for found, path in crossed.findings if found in {code, "9045"}} >= paths


PARKING_TOGETHER = [
    (
        "tbzy0001",
        {"param.aac005": "77", "param.yac250": "500112", "param.clist[0].clbm": "CL006"},
        {("1001", "param.aac005"), ("1004", "param.yac250"), ("1002", "param.clist[0].clbm")},
    ),
    (
        "SYJ_SQ",
        {f"{BJXX}/SXBM": "1150010300000000XP4002014099999", f"{BJXX}/BJZT": "报批中", f"{SQR}/MZ": "彝"},
        {("1005", f"{BJXX}/SXBM"), ("1006", f"{BJXX}/BJZT"), ("1001", f"{SQR}/MZ")},
    ),
    (
        "tbzy0001",
        {"param.aae035": 20091231, "param.aae036": "20091231154210"},
        {("1007", "itemCode"), ("1002", "param.clist[0].clbm")},
    ),
]


@pytest.mark.parametrize(("kind", "edits", "findings"), PARKING_TOGETHER)
def test_everything_that_parks_a_message_is_named_at_once(kind, edits, findings):
    crossed = cross(kind, edits)
    assert crossed.verdict == "parked"
    assert set(crossed.findings) == findings


REFUSE_FIRST = [
    (
        "tbzy0001",
        {"param.aac005": "77", "aac002": "510100198803150178", "param.aac147": "510100198803150178"},
        "param.aac147",
    ),
    ("tbzy0001", {"param.yac250": "500199", "param.aac070": "1"}, "param.aab299"),
    ("tbzy0001", {"yab003": "510199", "param.aab299": "510199"}, "param.aab301"),
    ("tbzy0001", {"param.yac250": "500112", "param.lxh": None}, "param.lxh"),
    ("YLZY_SQ", {**INTO_CHONGQING, f"{YWXX}/ZRDMC": "重庆市渝北区", LXH: None}, LXH),
    ("YLZY_SQ", {f"{YWXX}/ZCDMC": "重庆市渝北区", f"{YWXX}/ZRDMC": "重庆市渝中区"}, f"{YWXX}/ZRDMC"),
    ("SYJ_SQ", {f"{BJXX}/CNSX": None, f"{BJXX}/CNSXDW": "周"}, f"{BJXX}/CNSX"),
    ("tbzy0001", {"param.clist[0].clbm": "CL006", "param.aae140": "170"}, "param.aae140"),
    ("tbzt0001", {"param.blzt": "12", "param.tbcx": "1"}, "param.tbcx"),
    ("ZT_TZ", {f"{BJXX}/BJZT": "报批中", f"{BJXX}/TBCXZL": "鉴定"}, f"{BJXX}/TBCXZL"),
    ("ZT_TZ", {f"{BJXX}/BJZT": "报批中", f"{BJXX}/BJJG": "准予"}, f"{BJXX}/BJJG"),
    ("tbzy0002", {"param.aae140": "310", "param.aic102": D(1)}, "param.aic102"),
]


@pytest.mark.parametrize(("kind", "edits", "path"), REFUSE_FIRST)
def test_what_refuses_a_message_goes_before_what_parks_it(kind, edits, path):
    crossed = cross(kind, edits)
    assert crossed.verdict == "refused"
    assert crossed.findings == (("9045" if path.endswith("aae140") else "9043", path),)


# --- keys and senders: at the door only ---

DOOR = [
    ("tbzy0001", {"aaz002": "TB202611230000000102"}, "aaz002"),
    ("SYJ_SQ", {"HEAD/LSH": "TB20261123154217000017"}, "HEAD/LSH"),
    ("SYJ_SQ", {"HEAD/FSF": "CYTB"}, "HEAD/FSF"),
    ("SYJ_SQ", {"HEAD/JSF": "CQ500103"}, "HEAD/JSF"),
    ("ZT_TZ", {"HEAD/JSF": "CQ500103"}, "HEAD/JSF"),
]


@pytest.mark.parametrize(("kind", "edits", "path"), DOOR)
def test_the_rules_on_keys_and_senders_hold_at_the_door_and_not_in_a_dry_run(kind, edits, path):
    assert at_the_door(kind).verdict == "taken"
    assert at_the_door(kind, edits).findings == (("9043", path),)
    assert cross(kind, edits).verdict == "taken"
