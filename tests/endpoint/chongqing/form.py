"""The messages of chongqing 6: which elements in which order, and what a receiver can see of their values."""

import re

from endpoint.chongqing.case_book import REASON, STATES, words_of
from endpoint.common import identity_good, no_such_day

HEAD = "BBH FSF JSF JYM LSH FSSJ"
CASE = "SBLSH SXBM SXMC SLD SLSJ SLQD? "
APPLY = CASE + "CNSX? CNSXDW? BJZT"
PERSON = "XM ZJLX ZJHM XB? MZ? CSRQ? HKXZ? HJDMC? SJH?"
SHAPES = {  # kind: parts of BODY in order with their elements (chongqing 6)
    "YLZY_SQ": {
        "BJXX": APPLY,
        "SQR": PERSON,
        "YWXX": "XZLX YLLX? ZYFX ZCDMC ZRDMC LXH? SFDQJS? BZ?",
        "CLLB": "CL+",
    },
    "YLZY_XXB": {
        "BJXX": "SBLSH BJZT",
        "YWXX": "XZLX YLLX? SCCBNY JFQSNY JFZZNY SJJFYS STJFYS NMX+ QSLX? GRZH1998Q GRZH1998H DNJZ GRZHZYE TCZYE"
        " ZYZE BZ?",
    },
    "SYJ_SQ": {
        "BJXX": APPLY,
        "SQR": PERSON,
        "YWXX": "XZLX YLLX? CBDMC YDWMC? YDWXYDM? SYRQ SYYY SYDJRQ? SLFS FFFS KHYH? HM? ZH? BZ?",
        "CLLB": "CL+",
    },
    "SYJ_HF": {"BJXX": "SBLSH", "YWXX": "XZLX YLLX? BCYS LJYS YXYS SYYS PJGZ YFBZ QSNY ZZNY BZ?"},
    "ZGRZ_TZ": {
        "BJXX": CASE + "BJZT BJJG",
        "SQR": PERSON,
        "YWXX": "XZLX YLLX? DYFFDMC RZFS RZSJ SCZT RZYXQZ? BZ?",
    },
    "TY_SQ": {
        "BJXX": APPLY,
        "SQR": "SQRLX " + PERSON,
        "YWXX": "XZLX? YLLX? YSDMC DWMC? DWXYDM? KZX* BZ?",
        "CLLB?": "CL+",
    },
    "ZT_TZ": {"BJXX": "SBLSH BJZT TBCXZL? BJJG? BJSJ ZFHTHYY?"},
    "BZ_CL": {"BJXX": "SBLSH BZSJ BZ?", "CLLB": "CL+"},
    "CH_SQ": {"BJXX": "SBLSH CHSJ CHYY"},
    "PJ_TS": {"BJXX": "SBLSH PJDJ PJNR? PJQD PJSJ"},
}
PARTS = {
    "LXH": "BH KHH? HM? ZH? DZ? YB? DH?",
    "CL": "CLBH CLMC TJFS ZZBS? WJBS?",
    "KZX": "MC Z",
    "NMX": "ND QSY ZZY YS NJFJS GRBL DNJZBJ DNLX NMLJ",
}
DATE_TIME = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d"
CHECKED = (  # elements checked more closely than "text": names and form
    ("BBH", r"1\.0"),
    ("FSF JSF", r"CYTB|CQ50\d{4}"),
    ("LSH", r"(CQ|TB)\d{20}"),
    ("FSSJ SLSJ RZSJ BJSJ BZSJ CHSJ PJSJ", DATE_TIME),
    ("SBLSH", r"CQ50\d{18}|CYTB5[01]\d{20}"),
    ("SXBM", r"[0-9A-Z]{18}[1-6]\d{12}"),
    ("CSRQ RZYXQZ SYDJRQ SYRQ", r"\d{4}-\d\d-\d\d"),
    ("SCCBNY JFQSNY JFZZNY QSNY ZZNY", r"\d{4}-(0[1-9]|1[0-2])"),
    ("GRZH1998Q GRZH1998H DNJZ GRZHZYE TCZYE ZYZE QSLX NJFJS DNJZBJ DNLX NMLJ PJGZ YFBZ", r"0|[1-9]\d{0,11}"),
    ("BCYS LJYS YXYS SYYS YS CNSX", r"0|[1-9]\d{0,2}"),
    ("SJJFYS STJFYS", r"\d{1,3}|\d{1,2}年(\d{1,2}个月)?|\d{1,3}个月"),
    ("ZYFX", r"转入|转出"),
    ("SFDQJS", r"[是否]"),
    ("XZLX YLLX", r"\d"),
    ("CLBH", r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"),
)
FORMS = {name: f"(?a){form}" for names, form in CHECKED for name in names.split()}
TEXT = r"(?s)(?!\s)[^\x00-\x09\x0b-\x1f\x7f-\x9f\ue000-\uf8ff]{1,1000}(?<!\s)"


def check_sequence(node, shape, path, found, fault=""):
    """Appends a finding for each element that is missing, extra, out of order or of the wrong form."""
    words = {word.rstrip("?+*"): word[-1] if word[-1] in "?+*" else "1" for word in shape.split()}
    tags = [child.tag if isinstance(child.tag, str) else "#comment" for child in node]
    for tag, card in words.items():
        count = tags.count(tag)
        if count == 0 and card in "1+":
            found.append((f"{path}/{tag}", "9042", "缺少必填元素"))
        if count > (1 if card in "1?" else 50 if tag != "NMX" else 60):
            found.append((f"{path}/{tag}", "9042", "元素出现次数过多"))
    found.extend((f"{path}/{tag}", "9042", "未约定的元素") for tag in tags if tag not in words)
    known = [list(words).index(tag) for tag in tags if tag in words]
    if known != sorted(known) and fault != "any-order":
        found.append((path, "9042", "元素顺序不符"))
    if node.attrib or (node.text or "").strip() or any((child.tail or "").strip() for child in node):
        found.append((path, "9042", "不得有属性或游离文字"))
    for child in node:
        if child.tag in words:
            check_element(child, f"{path}/{child.tag}", found, fault)


def check_element(child, path, found, fault):
    if child.tag in PARTS:
        return check_sequence(child, PARTS[child.tag], path, found, fault)
    value = child.text or ""
    if value == "" and fault == "empty-accepted":
        return None
    if len(child) or child.attrib or not re.fullmatch(FORMS.get(child.tag, TEXT), value):
        found.append((path, "9042", "类型或格式不符"))
    return None


def check_shape(root, kind, fault=""):
    found = []
    check_sequence(root.find("HEAD"), HEAD, "HEAD", found, fault)
    body = root.find("BODY")
    if body is None or [child.tag for child in root if isinstance(child.tag, str)] != ["HEAD", "BODY"]:
        return [*found, ("BODY", "9042", "报文应由 HEAD 和 BODY 组成")]
    parts = SHAPES[kind]
    tags = [child.tag for child in body if isinstance(child.tag, str)]
    wanted = [name.rstrip("?") for name in parts if not name.endswith("?") or name.rstrip("?") in tags]
    if (sorted(tags) if fault == "any-order" else tags) != (
        sorted(wanted) if fault == "any-order" else wanted
    ):
        found.append(("BODY", "9042", "应依次为 " + "、".join(wanted)))
    for name, shape in parts.items():
        part = body.find(name.rstrip("?"))
        if part is not None:
            check_sequence(part, shape, f"BODY/{part.tag}", found, fault)
    return found


def flat(root):
    """Elements that occur once below BODY, by name; repeated ones are not needed here."""
    return {node.tag: node.text or "" for node in root.find("BODY").iter() if isinstance(node.tag, str)}


def check_values(values, kind, *, checks_days=True):
    """Value rules a receiver can see without tables (crossing 2 and 5.1)."""
    found = []
    if checks_days:
        dated = [name for name, value in values.items() if "-" in value and no_such_day(value)]
        found += [(name, "9043", "没有这一天") for name in dated]
    if values.get("ZJLX") == "A" and not identity_good(values["ZJHM"].upper()):
        found.append(("BODY/SQR/ZJHM", "9043", "证件号码校验位不符"))
    if "XZLX" in values and (values["XZLX"] == "1") != ("YLLX" in values):
        found.append(("BODY/YWXX/YLLX", "9043", "险种类型为 1 时必填，否则不得出现"))
    if kind == "ZT_TZ":
        words = words_of(values)
        if words not in STATES:
            found.append(("BODY/BJXX/BJZT", "9043", "状态词组合未知"))
        elif words in REASON and not values.get("ZFHTHYY"):
            found.append(("BODY/BJXX/ZFHTHYY", "9043", "此状态须填原因"))
    if kind == "YLZY_XXB":
        total = int(values["GRZH1998Q"]) + int(values["GRZH1998H"]) + int(values["DNJZ"])
        if total != int(values["GRZHZYE"]) or total + int(values["TCZYE"]) != int(values["ZYZE"]):
            found.append(("BODY/YWXX/ZYZE", "9043", "合计不符"))
    return found
