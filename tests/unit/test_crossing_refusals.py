"""Every sentence of the crossing that refuses a message: its code and the member it names."""

from __future__ import annotations

from decimal import Decimal

import pytest
from crossings import CONTEXT, cross, named

BJXX, SQR, YWXX, CL = "BODY/BJXX", "BODY/SQR", "BODY/YWXX", "BODY/CLLB/CL[1]"
LXH = f"{YWXX}/LXH"
D = Decimal

#: into Chongqing from Sichuan, as the new place asks for it
INTO_CHONGQING = {
    f"{YWXX}/ZYFX": "转入",
    f"{YWXX}/ZCDMC": "四川省成都市锦江区",
    f"{YWXX}/ZRDMC": "重庆市渝中区",
}
#: a sheet of one row, so that its sums are easy to break
ONE_ROW = {
    "param.ic91[2]": None,
    "param.ic91[1]": None,
    "param.aae201": 12,
    "param.aae031": 20211231,
}

REFUSED = [
    # --- 3.1 heads ---
    ("tbzy0001", {"affairCode": "510104-20261123-900017"}, "9043", "affairCode"),
    ("YLZY_SQ", {f"{BJXX}/SBLSH": "CYTB5001032026112300000017"}, "9043", f"{BJXX}/SBLSH"),
    ("tbzy0001", {"param.aab301": "510105"}, "9043", "param.aab301"),
    ("tbsy0001", {"param.aab301": "510105"}, "9043", "param.aab301"),
    ("tbrz0001", {"param.aab301": "510105"}, "9043", "param.aab301"),
    ("tbty0001", {"param.aab301": "510105"}, "9043", "param.aab301"),
    ("YLZY_SQ", {f"{BJXX}/BJZT": "办理中"}, "9043", f"{BJXX}/BJZT"),
    ("SYJ_SQ", {f"{BJXX}/BJZT": "已转出"}, "9043", f"{BJXX}/BJZT"),
    ("TY_SQ", {f"{BJXX}/BJZT": "挂起"}, "9043", f"{BJXX}/BJZT"),
    ("SYJ_SQ", {f"{BJXX}/CNSXDW": None}, "9043", f"{BJXX}/CNSXDW"),
    ("SYJ_SQ", {f"{BJXX}/CNSX": None}, "9043", f"{BJXX}/CNSX"),
    # --- M7, M7a ---
    ("tbzy0001", {"param.aae036": "20261122154210"}, "9043", "param.aae036"),
    ("tbzy0001", {"param.aae035": 20260230, "param.aae036": None}, "9043", "param.aae035"),
    ("tbzy0001", {"param.aae036": "20261123254210"}, "9043", "param.aae036"),
    ("SYJ_SQ", {f"{YWXX}/SYRQ": "2026-02-30"}, "9043", f"{YWXX}/SYRQ"),
    ("SYJ_SQ", {f"{SQR}/CSRQ": "0985-07-22"}, "9043", f"{SQR}/CSRQ"),
    ("SYJ_SQ", {f"{SQR}/CSRQ": "2985-07-22"}, "9043", f"{SQR}/CSRQ"),
    ("tbzy0001", {"param.aac006": "00010101"}, "9043", "param.aac006"),
    ("tbrz0001", {"param.aae036": "00010101000000"}, "9043", "param.aae036"),
    # --- M8: the wrong side of the border, though the division may have ended ---
    ("SYJ_SQ", {f"{BJXX}/SLD": "四川省成都市锦江区"}, "9043", f"{BJXX}/SLD"),
    ("SYJ_SQ", {f"{YWXX}/CBDMC": "重庆市渝中区"}, "9043", f"{YWXX}/CBDMC"),
    ("SYJ_SQ", {f"{YWXX}/CBDMC": "重庆市渝北区"}, "9043", f"{YWXX}/CBDMC"),
    ("ZGRZ_TZ", {f"{YWXX}/DYFFDMC": "重庆市渝中区"}, "9043", f"{YWXX}/DYFFDMC"),
    ("TY_SQ", {f"{YWXX}/YSDMC": "重庆市渝中区"}, "9043", f"{YWXX}/YSDMC"),
    ("YLZY_SQ", {f"{BJXX}/SLD": "四川省成都市锦江区"}, "9043", f"{BJXX}/SLD"),
    # --- M17 identity ---
    ("tbzy0001", {"aac002": "510100197605040038"}, "9043", "aac002"),
    ("tbsy0001", {"aac002": "510100880315017", "param.aac147": "510100880315017"}, "9043", "param.aac147"),
    ("SYJ_SQ", {f"{SQR}/ZJHM": "500100198507220248"}, "9043", f"{SQR}/ZJHM"),
    ("SYJ_SQ", {f"{SQR}/ZJHM": "500100850722024"}, "9043", f"{SQR}/ZJHM"),
    ("SYJ_SQ", {f"{SQR}/ZJHM": "500100198502300249"}, "9043", f"{SQR}/ZJHM"),
    ("SYJ_SQ", {f"{SQR}/ZJHM": "50010019850722O249"}, "9043", f"{SQR}/ZJHM"),
    # the check digit is right, the year is not
    ("SYJ_SQ", {f"{SQR}/ZJHM": "51010000010101001X", f"{SQR}/CSRQ": None}, "9043", f"{SQR}/ZJHM"),
    # --- M19, M20 ---
    ("SYJ_SQ", {f"{SQR}/SJH": ""}, "9042", f"{SQR}/SJH"),
    ("SYJ_SQ", {f"{SQR}/SJH": "\u300013800000002"}, "9043", f"{SQR}/SJH"),
    ("SYJ_SQ", {f"{SQR}/XM": "王\ue863"}, "9043", f"{SQR}/XM"),
    ("SYJ_SQ", {f"{SQR}/XM": "王\U000f0000"}, "9043", f"{SQR}/XM"),
    ("SYJ_SQ", {f"{SQR}/XM": "王\x85"}, "9043", f"{SQR}/XM"),
    ("SYJ_SQ", {f"{SQR}/XM": "王\t秀"}, "9043", f"{SQR}/XM"),
    ("SYJ_SQ", {f"{SQR}/XM": " 王秀"}, "9042", f"{SQR}/XM"),
    ("SYJ_SQ", {f"{BJXX}/SLQD": "窗口 "}, "9042", f"{BJXX}/SLQD"),
    ("SYJ_SQ", {f"{SQR}/MZ": "\u3000彝族"}, "9043", f"{SQR}/MZ"),
    ("SYJ_SQ", {f"{BJXX}/CNSX": " 10 "}, "9043", f"{BJXX}/CNSX"),
    ("tbzy0001", {"aac003": "张\x7f"}, "9043", "aac003"),
    ("tbzy0001", {"aac003": "张\U00100000"}, "9043", "aac003"),
    ("tbzy0001", {"aac003": "张\ue000"}, "9042", "aac003"),
    ("tbzy0001", {"aac003": "张䶮\u3000"}, "9042", "aac003"),
    ("tbzy0001", {"aac003": "张\t䶮"}, "9042", "aac003"),
    # --- M21, M2: the item ---
    ("tbty0001", {"itemCode": "512B0068100002-511024000000-000-1151102400000000XG-1-00"}, "9045", "itemCode"),
    ("TY_SQ", {f"{BJXX}/SXBM": "1150015300000000X54002014006002"}, "9045", f"{BJXX}/SXBM"),
    ("tbzy0001", {"param.aae140": "170"}, "9045", "param.aae140"),
    ("YLZY_SQ", {f"{YWXX}/YLLX": "3"}, "9045", f"{YWXX}/XZLX"),
    ("tbsy0001", {"param.aae140": "410"}, "9045", "param.aae140"),
    ("tbrz0001", {"param.aae140": "210"}, "9045", "param.aae140"),
    (
        "tbty0001",
        {"param.sqrlx": "2", "param.aab004": "甲公司", "param.aab998": "91510104MA6TE00000"},
        "9045",
        "param.sqrlx",
    ),
    ("TY_SQ", {f"{YWXX}/XZLX": None, f"{YWXX}/YLLX": "1"}, "9043", f"{YWXX}/YLLX"),
    ("TY_SQ", {f"{YWXX}/XZLX": "4", f"{YWXX}/YLLX": "1"}, "9043", f"{YWXX}/YLLX"),
    ("ZGRZ_TZ", {f"{YWXX}/YLLX": None}, "9043", f"{YWXX}/YLLX"),
    # --- 4.1 transfer ---
    ("tbzy0001", {"param.aab299": "500103"}, "9043", "param.aab299"),
    ("tbzy0001", {"param.aac070": "1"}, "9043", "param.aab299"),
    ("tbzy0001", {"param.lxh": None}, "9043", "param.lxh"),
    ("YLZY_SQ", {**INTO_CHONGQING, LXH: None}, "9043", LXH),
    ("YLZY_SQ", {f"{YWXX}/ZYFX": "转入"}, "9043", f"{YWXX}/ZCDMC"),
    ("YLZY_SQ", {f"{YWXX}/ZYFX": "转入"}, "9043", f"{YWXX}/ZRDMC"),
    ("YLZY_SQ", {f"{YWXX}/ZRDMC": "重庆市巴南区"}, "9043", f"{YWXX}/ZRDMC"),
    # --- 4.2 sheet ---
    ("tbzy0002", {"aac002": "510100197605040038"}, "9043", "aac002"),
    ("tbzy0002", {"aac003": "张三"}, "9043", "aac003"),
    ("tbzy0002", {"param.aae140": "170"}, "9043", "param.aae140"),
    ("YLZY_XXB", {f"{YWXX}/YLLX": "3"}, "9043", f"{YWXX}/XZLX"),
    ("tbzy0002", {"param.aic083": D("17792.47")}, "9043", "param.aic083"),
    ("tbzy0002", {"param.aic102": D("41552.47")}, "9043", "param.aic102"),
    ("YLZY_XXB", {f"{YWXX}/GRZHZYE": "1779247"}, "9043", f"{YWXX}/GRZHZYE"),
    ("YLZY_XXB", {f"{YWXX}/ZYZE": "4155247"}, "9043", f"{YWXX}/ZYZE"),
    ("tbzy0002", {"param.aae030": 20240101}, "9043", "param.aae031"),
    ("YLZY_XXB", {f"{YWXX}/JFQSNY": "2024-01"}, "9043", f"{YWXX}/JFZZNY"),
    ("tbzy0002", {"param.ic91[0].aae041": 202113}, "9043", "param.ic91[0].aae041"),
    ("tbzy0002", {"param.ic91[0].aae041": 202001}, "9043", "param.ic91[0].aae041"),
    ("tbzy0002", {"param.ic91[0].aae042": 202201}, "9043", "param.ic91[0].aae042"),
    (
        "tbzy0002",
        {"param.ic91[0].aae041": 202106, "param.ic91[0].aae042": 202103},
        "9043",
        "param.ic91[0].aae042",
    ),
    (
        "YLZY_XXB",
        {f"{YWXX}/NMX[1]/QSY": "06", f"{YWXX}/NMX[1]/ZZY": "03"},
        "9043",
        f"{YWXX}/NMX[1]/ZZY",
    ),
    ("tbzy0002", {"param.ic91[0].aae042": 202111}, "9043", "param.ic91[0].aae202"),
    ("YLZY_XXB", {f"{YWXX}/NMX[2]/QSY": "02"}, "9043", f"{YWXX}/NMX[2]/YS"),
    (
        "tbzy0002",
        {"param.ic91[1].aae001": 2021, "param.ic91[1].aae041": 202101, "param.ic91[1].aae042": 202112},
        "9043",
        "param.ic91[1].aae041",
    ),
    ("YLZY_XXB", {f"{YWXX}/NMX[2]/ND": "2020"}, "9043", f"{YWXX}/NMX[2]/QSY"),
    ("tbzy0002", {"param.aae201": 35}, "9043", "param.aae201"),
    ("YLZY_XXB", {f"{YWXX}/SJJFYS": "2年11个月"}, "9043", f"{YWXX}/SJJFYS"),
    ("tbzy0002", {"param.ic91[0].yae181": D("60000.07")}, "9043", "param.ic91[0].yae181"),
    ("tbzy0002", {**ONE_ROW, "param.ic91[0].aae180": D("9999999999.99")}, "9043", "param.ic91[0].aae180"),
    ("YLZY_XXB", {f"{YWXX}/QSLX": "1779247"}, "9043", f"{YWXX}/QSLX"),
    # --- 4.3, 4.5, 4.6 ---
    ("tbrz0001", {"param.bic162": 20261122}, "9043", "param.bic162"),
    ("ZGRZ_TZ", {f"{YWXX}/RZSJ": "2026-11-23 10:12:34"}, "9043", f"{YWXX}/RZSJ"),
    ("ZGRZ_TZ", {f"{BJXX}/BJJG": "认证未通过"}, "9043", f"{BJXX}/BJJG"),
    ("ZGRZ_TZ", {f"{YWXX}/SCZT": "失踪"}, "9043", f"{BJXX}/BJJG"),
    ("ZGRZ_TZ", {f"{BJXX}/BJJG": "准予"}, "9043", f"{BJXX}/BJJG"),
    ("ZGRZ_TZ", {f"{BJXX}/BJJG": "合格", f"{YWXX}/SCZT": "不明"}, "9043", f"{BJXX}/BJJG"),
    ("ZGRZ_TZ", {f"{BJXX}/BJZT": "已受理"}, "9043", f"{BJXX}/BJZT"),
    ("ZGRZ_TZ", {f"{BJXX}/BJZT": "认证完成"}, "9043", f"{BJXX}/BJZT"),
    ("tbty0001", {"param.sqrlx": "2", "param.aab998": "91510104MA6TE00000"}, "9043", "param.aab004"),
    ("tbty0001", {"param.sqrlx": "2", "param.aab004": "甲公司"}, "9043", "param.aab998"),
    ("TY_SQ", {f"{SQR}/SQRLX": "单位", f"{YWXX}/DWMC": "甲公司"}, "9043", f"{YWXX}/DWXYDM"),
    # --- 4.4 answer ---
    ("tbsy0002", {"param.ajc071": 69}, "9043", "param.ajc071"),
    ("tbsy0002", {"param.ajc099": 18}, "9043", "param.ajc099"),
    ("tbsy0002", {"param.ajc071": 11, "param.ajc072": 11}, "9043", "param.ajc072"),
    ("tbsy0002", {"param.ajc071": 59, "param.ajc072": 59, "param.ajc097": 13}, "9043", "param.ajc097"),
    ("tbsy0002", {"param.ajc097": 19}, "9043", "param.ajc097"),
    ("tbsy0002", {"param.aae042": 202805}, "9043", "param.aae042"),
    ("tbsy0002", {"param.aae140": "110"}, "9043", "param.aae140"),
    ("SYJ_HF", {f"{YWXX}/ZZNY": "2028-03"}, "9043", f"{YWXX}/ZZNY"),
    ("SYJ_HF", {f"{YWXX}/XZLX": "1", f"{YWXX}/YLLX": "1"}, "9043", f"{YWXX}/XZLX"),
    ("SYJ_HF", {f"{YWXX}/YLLX": "1"}, "9043", f"{YWXX}/YLLX"),
    ("SYJ_HF", {f"{YWXX}/YXYS": " 17"}, "9043", f"{YWXX}/YXYS"),
    # --- 5.1 status ---
    ("tbzt0001", {"param.blzt": "08"}, "9043", "param.tbcx"),
    ("tbzt0001", {"param.blzt": "08", "param.tbcx": "4"}, "9043", "param.tbcx"),
    ("tbzt0001", {"param.blzt": "06", "param.tbcx": "1"}, "9043", "param.tbcx"),
    ("tbzt0001", {"param.blzt": "03", "param.tbcx": "4"}, "9043", "param.tbcx"),
    ("tbzt0001", {"param.blzt": "03", "param.tbcx": "9"}, "9043", "param.tbcx"),
    ("tbzt0001", {"param.blyy": None}, "9043", "param.blyy"),
    ("tbzt0001", {"param.blzt": "04", "param.blyy": ""}, "9043", "param.blyy"),
    ("tbzt0001", {"param.blzt": "07", "param.blyy": None}, "9043", "param.blyy"),
    ("tbzt0001", {"param.blzt": "10", "param.blyy": None}, "9043", "param.blyy"),
    ("ZT_TZ", {f"{BJXX}/BJZT": "挂起"}, "9043", f"{BJXX}/TBCXZL"),
    ("ZT_TZ", {f"{BJXX}/BJZT": "挂起", f"{BJXX}/TBCXZL": "协查"}, "9043", f"{BJXX}/TBCXZL"),
    ("ZT_TZ", {f"{BJXX}/BJZT": "办理中", f"{BJXX}/TBCXZL": "鉴定"}, "9043", f"{BJXX}/TBCXZL"),
    ("ZT_TZ", {f"{BJXX}/BJZT": "已转出", f"{BJXX}/TBCXZL": "协查"}, "9043", f"{BJXX}/TBCXZL"),
    ("ZT_TZ", {f"{BJXX}/TBCXZL": "鉴定"}, "9043", f"{BJXX}/TBCXZL"),
    ("ZT_TZ", {f"{BJXX}/BJZT": "已办结"}, "9043", f"{BJXX}/BJJG"),
    ("ZT_TZ", {f"{BJXX}/BJZT": "已受理", f"{BJXX}/BJJG": "准予"}, "9043", f"{BJXX}/BJJG"),
    ("ZT_TZ", {f"{BJXX}/BJZT": "已办结", f"{BJXX}/BJJG": "认证通过"}, "9043", f"{BJXX}/BJJG"),
    ("ZT_TZ", {f"{BJXX}/ZFHTHYY": None}, "9043", f"{BJXX}/ZFHTHYY"),
    ("ZT_TZ", {f"{BJXX}/BJZT": "不予受理", f"{BJXX}/ZFHTHYY": None}, "9043", f"{BJXX}/ZFHTHYY"),
    ("ZT_TZ", {f"{BJXX}/BJZT": "已退件", f"{BJXX}/ZFHTHYY": None}, "9043", f"{BJXX}/ZFHTHYY"),
    (
        "ZT_TZ",
        {f"{BJXX}/BJZT": "挂起", f"{BJXX}/TBCXZL": "补正", f"{BJXX}/ZFHTHYY": None},
        "9043",
        f"{BJXX}/ZFHTHYY",
    ),
    (
        "ZT_TZ",
        {f"{BJXX}/BJZT": "已办结", f"{BJXX}/BJJG": "不予", f"{BJXX}/ZFHTHYY": None},
        "9043",
        f"{BJXX}/ZFHTHYY",
    ),
    # --- 7 clarifications: limits ---
    ("tbzy0002", {"param.ic91[0].aaa041": D("1.5")}, "9043", "param.ic91[0].aaa041"),
    ("YLZY_XXB", {f"{YWXX}/NMX[1]/GRBL": "100.01"}, "9043", f"{YWXX}/NMX[1]/GRBL"),
    ("tbzy0002", {"param.aae200": 1000}, "9043", "param.aae200"),
    ("YLZY_XXB", {f"{YWXX}/STJFYS": "83年4个月"}, "9043", f"{YWXX}/STJFYS"),
    ("YLZY_XXB", {f"{YWXX}/STJFYS": "1000"}, "9043", f"{YWXX}/STJFYS"),
    ("tbzy0002", {"param.ic91[2].aae001": 2100}, "9043", "param.ic91[2].aae001"),
    ("YLZY_XXB", {f"{YWXX}/NMX[3]/ND": "2100"}, "9043", f"{YWXX}/NMX[3]/ND"),
    ("tbbz0001", {"cytbh": "CYTB5110242026112300000032"}, "9044", "cytbh"),
]


@pytest.mark.parametrize(("kind", "edits", "code", "path"), named(REFUSED))
def test_a_message_is_refused_with_its_code_at_its_member(kind, edits, code, path):
    crossed = cross(kind, edits)
    assert crossed.verdict == "refused"
    assert (code, path) in crossed.findings


#: changes that are allowed, next to what is refused
TAKEN = [
    ("tbzy0001", {"cytbh": "CYTB5101042026112300000017"}),
    ("tbzy0001", {"param.aac070": "1", "param.aab299": "500103", "param.lxh": None}),
    ("tbzy0001", {"param.aac070": "1", "param.aab299": "500103"}),
    ("YLZY_SQ", {LXH: None}),
    ("YLZY_SQ", INTO_CHONGQING),
    ("YLZY_SQ", {f"{BJXX}/BJZT": "已受理"}),
    ("SYJ_SQ", {f"{BJXX}/CNSX": None, f"{BJXX}/CNSXDW": None}),
    ("tbsy0002", {"param.ajc071": 60, "param.ajc072": 60, "param.ajc097": 18}),
    ("tbsy0002", {"param.ajc072": 120, "param.ajc097": 24}),
    (
        "tbsy0002",
        {"param.ajc071": 12, "param.ajc072": 12, "param.ajc097": 12, "param.ajc099": 12}
        | {"param.aae042": 202711},
    ),
    ("tbzy0002", {"param.ic91[0].yae181": D("60000.00")}),
    ("tbzy0002", {"param.aae201": 999}),
    ("YLZY_XXB", {f"{YWXX}/STJFYS": "83年3个月"}),
    ("YLZY_XXB", {f"{YWXX}/NMX[1]/GRBL": "100"}),
    ("YLZY_XXB", {f"{YWXX}/QSLX": "1779246"}),
    ("tbrz0001", {"param.aac060": "2"}),
    ("ZGRZ_TZ", {f"{YWXX}/SCZT": "死亡", f"{BJXX}/BJJG": "认证未通过", f"{YWXX}/RZYXQZ": None}),
    ("tbzt0001", {"param.blzt": "05", "param.blyy": None}),
    ("tbzt0001", {"param.blzt": "08", "param.tbcx": "5", "param.blyy": None}),
    ("tbty0001", {"param.aae140": None}),
    ("TY_SQ", {f"{YWXX}/XZLX": None}),
    ("tbty0001", {"param.clist": [], "param.ywxx": []}),
    ("tbty0001", {"param.clist": None, "param.ywxx": None}),
    ("TY_SQ", {"BODY/CLLB": None, f"{YWXX}/KZX": None}),
    ("tbzy0001", {"aac003": "吉克·木呷•张．Ａ\n𠮷"}),
    ("tbzy0001", {"param.aac058": "08", "param.aac147": "h60000001", "aac002": "h60000001"}),
    ("tbbz0001", {"cytbh": "CYTB5110242026112300000031"}),
]


@pytest.mark.parametrize(("kind", "edits"), TAKEN, ids=range(len(TAKEN)))
def test_a_message_within_the_rules_is_taken(kind, edits):
    crossed = cross(kind, edits)
    assert crossed.verdict == "taken", crossed.findings


def test_a_faulty_value_is_not_missing_too():
    """One fault, one finding: what could not be read is not asked for again."""
    for kind, path in (
        ("tbzy0001", "param.lxh.aae270"),
        ("tbzt0001", "param.blyy"),
        ("tbzy0001", "param.aac006"),
    ):
        crossed = cross(kind, {path: "补\x7f" if "aac" not in path else "20260230"})
        assert crossed.findings == (("9043", path),)


def test_a_sheet_may_write_the_numbers_small_letters():
    """M17, M18: small letters are no other person."""
    person = {"name": "张䶮", "id_type": "04", "id_no": "H60000001"}
    crossed = cross("tbzy0002", {"aac002": "h60000001"}, context=CONTEXT["tbzy0002"] | {"applicant": person})
    assert crossed.verdict == "taken"
