"""A Chongqing case system that receives from the gateway and reports back, written from the specification alone.

Run `python chongqing_server.py --keys keys.json [--gateway URL] [--fault NAME]`; see README.md beside it.
Each entry of FAULTS is one mistake an integrator makes with this specification: the section and what goes wrong.
"""

import argparse
import base64
import hmac
import http.client
import itertools
import json
import random
import re
import sys
import threading
import time
import urllib.parse
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from xml.sax.saxutils import escape

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from lxml import etree
from tongsuopy.crypto import exceptions as ts_exceptions
from tongsuopy.crypto import hashes as ts_hashes
from tongsuopy.crypto import serialization
from tongsuopy.crypto.asymciphers import ec

FAULTS = {
    # -- receiving, proof and replay
    "no-signature-check": "chongqing 2: X-CQ-SIGN is not verified",
    "no-body-digest": "chongqing 2: X-CQ-SM3 is not compared",
    "digest-reserialised": "chongqing 2: X-CQ-SM3 over the re-serialised document, not the raw bytes",
    "signature-over-text": "chongqing 2: the signature is verified over the text as UTF-8",
    "signature-over-digest": "chongqing 2: the signature is verified over the hex digest",
    "signature-raw": "chongqing 2: expects r and s side by side instead of DER",
    "hex-case-sensitive": "chongqing 2: a digest in upper-case hex is refused",
    "own-key": "chongqing 2: verifies with its own public key",
    "window-millis": "chongqing 2: the window is 300 ms",
    "window-utc": "chongqing 2: FSSJ is read as UTC",
    "no-window": "chongqing 2: any FSSJ is accepted",
    "prefix-swapped": "chongqing 3: LSH with TB or FSF CYTB is refused as an own message",
    # -- receiving, key and retry
    "no-dedup": "chongqing 3: a repeated key takes effect again and gets a new receipt",
    "new-receipt-on-repeat": "chongqing 3: a repeated key takes no effect but gets another receipt number",
    "dedup-by-case": "chongqing 3: SBLSH instead of LSH decides what is a repetition",
    "other-content-accepted": "chongqing 3: a known key with another body gets the first receipt instead of 409",
    "digest-whole-message": "chongqing 3: compares all bytes, so a renewed FSSJ looks like other content",
    "remembers-refused": "crossing 1: a refused key stays refused when sent again in good form",
    # -- receiving, the transport and how it is read
    "any-content-type": "crossing 1 step 2: content type and charset are ignored",
    "any-encoding": "chongqing 1: a declaration of UTF-8 or GBK is accepted",
    "gbk-decoder": "chongqing 1: decodes GBK, four-byte characters are unreadable",
    "codec-2005": "crossing 7: the 2005 mapping turns U+FE10 and others into private use",
    "doctype-accepted": "chongqing 1: DOCTYPE is read",
    "comments-refused": "chongqing 1: comments are unknown elements",
    "any-order": "chongqing 1: the order of elements is not checked",
    "empty-accepted": "chongqing 5: an empty element passes as null",
    "small-limit": "chongqing 1: bodies above 64 KiB are refused",
    "kind-unchecked": "chongqing 1: JYM of path and HEAD may differ",
    "crash-unknown-kind": "chongqing 4: an unknown JYM ends in 500",
    "crash-malformed": "chongqing 4: an unreadable body ends in 500",
    "strict-optional": "chongqing 6: optional elements outside the printed example are refused",
    "redirects": "gateway 5: answers 307 to another address",
    "slow-first": "gateway 5: the first answer takes longer than the time-out (--slow)",
    "loses-order": "gateway 5: acknowledges at once and handles messages of one case concurrently",
    # -- receiving, the receipt
    "refusal-as-200": "chongqing 4: refusals have status 200",
    "refusal-as-500": "chongqing 4: refusals have status 500 and are repeated for ever",
    "fhm-short": "chongqing 4: FHM is 0 instead of 0000",
    "member-case": "chongqing 4: the element is spelt Fhm",
    "receipt-utf8": "chongqing 4: the receipt is UTF-8 under a GB18030 declaration",
    "receipt-utf8-declared": "chongqing 4: the receipt is UTF-8 and says so",
    "receipt-gbk": "chongqing 4: the receipt is declared and written as GBK",
    "receipt-flat": "chongqing 4: FHM and FHXX directly under PACKET",
    "echoes-key": "chongqing 4: LSH of the receipt repeats the message's instead of an own number",
    "no-case-number": "chongqing 4: SBLSH is missing although the request was read",
    "no-findings": "chongqing 4: 422 without CW",
    # -- sending
    "send-sign-text": "chongqing 2: signs the text as UTF-8, sends GB18030",
    "send-sign-digest": "chongqing 2: signs the hex digest",
    "send-sign-raw": "chongqing 2: r and s side by side instead of DER",
    "send-digest-body": "chongqing 2: X-CQ-SM3 over BODY only",
    "send-stale-time": "chongqing 2: FSSJ is ten minutes old",
    "send-utc": "chongqing 2: FSSJ is UTC",
    "send-utf8": "chongqing 1: sends UTF-8 with a UTF-8 declaration",
    "send-empty-elements": "chongqing 5: writes empty elements for what is absent",
    "send-key-reused": "chongqing 3: one LSH for every message of a case",
    "send-new-key": "chongqing 3: a new LSH on each repetition",
    "send-content-renewed": "chongqing 3: BJSJ is set again on each repetition, so the key meets other content",
    "send-first-lost": "chongqing 3: drops the first receipt and repeats with a new LSH",
    "send-no-repeat": "chongqing 4: gives up after 429 or 503",
    "send-ignores-retry-after": "chongqing 4: repeats at once after 429 or 503",
    "send-repeats-parked": "chongqing 4: takes PARKED for a refusal and sends again with a new LSH",
    "send-wrong-order": "crossing 5.3: reports 已送达 and 已办结 before 已受理",
    "send-no-result": "chongqing 6: 已办结 without BJJG",
    "send-own-number": "chongqing 6: reports under a number of its own instead of the gateway's",
    "send-money-yuan": "chongqing 5: money in 元 with a decimal point",
}

BEIJING = timezone(timedelta(hours=8))
LIMIT = 1 << 20
DECLARATION = '<?xml version="1.0" encoding="GB18030"?>'
STAMP = "%Y-%m-%d %H:%M:%S"
# Python's codec is of 2005: the positions below are private use in it and standard characters since 2022
PRIVATE = [*range(0xE78D, 0xE797), 0xE81E, 0xE826, 0xE82B, 0xE82C, 0xE832, 0xE843, 0xE854, 0xE864]
STANDARD = [0xFE10, 0xFE12, 0xFE11, *range(0xFE13, 0xFE1A), *range(0x9FB4, 0x9FBC)]
EDITION_2022 = dict(zip(PRIVATE + STANDARD, STANDARD + PRIVATE, strict=True))

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

COLUMNS = ("10", "11", "20", "21", "23", "30", "31", "32", "33", "40", "41", "50")
MATRIX = {  # crossing 5.3: what a report does to the state held
    "10": "IAAAAAAAAAAC",
    "22": "IAAAAAAAAAAC",
    "28": "IAAAAAAAAAAC",
    "11": "AIAAAAAAAAAC",
    "20": "IIICAAAAAAAC",
    "30": "IIICAIAAAAAC",
    "31": "IIICAAIAAAAC",
    "32": "IIICAAAIAAAC",
    "33": "IIICAAAAIAAC",
    "40": "CCCCCCCCCICA",
    "41": "CCCCCCCCCCIA",
    "50": "CCCCCCCCCCCI",
    "21": "CCCICCCCCCCC",
    "23": "CCCCICCCCCCC",
    "60": "CCCCCCCCCCCC",
    "?": "AAAAAAAAAAAA",  # a case of our own that another system opened (--adopt)
}
STATES = {  # BJZT/TBCXZL/BJJG: state (crossing 5.1)
    "待办理//": "10",
    "待补正//": "11",
    "已受理//": "20",
    "不予受理//": "21",
    "已撤回//": "23",
    "办理中//": "30",
    "已转出//": "30",
    "挂起/补正/": "31",
    "挂起/延长/": "32",
    "挂起/鉴定/": "32",
    "挂起/听证/": "32",
    "挂起/实地核查/": "32",
    "办理中/协查/": "33",
    "已办结//准予": "40",
    "已退件//": "41",
    "已办结//不予": "41",
    "已送达//": "50",
}
REASON = ("待补正//", "不予受理//", "挂起/补正/", "已退件//", "已办结//不予")
OPEN = ("?", "10", "11", "20", "22", "28", "30", "31", "32", "33")
KEPT_BY_ORIGIN = ("10", "23", "50")
ENDING = ("已办结", "已退件", "已送达")


class RefusedError(Exception):
    """A message refused with status, code and findings (path, code, text)."""

    def __init__(self, status, code, text, findings=()):
        super().__init__(text)
        self.status, self.code, self.text, self.findings = status, code, text, list(findings)


class UnreadableError(ValueError):
    """The bytes are no CQ-N document (crossing 1, step 6)."""


@dataclass
class Case:
    number: str
    kind: str
    role: str  # target: the application came from the gateway; origin: the case started here
    message: dict = field(default_factory=dict)
    state: str = "22"
    before: str = ""  # the state before a report of our own that has no receipt yet
    last_report: str = ""
    last_words: str = ""
    rated: bool = False
    handed_over: bool = False
    effects: list = field(default_factory=list)


def sm3(data):
    digest = hashes.Hash(hashes.SM3())
    digest.update(data)
    return digest.finalize().hex()


def decode(raw, fault=""):
    """Text of GB18030 bytes in the mapping of 2022; UnicodeDecodeError when they are none."""
    if fault == "gbk-decoder":
        return raw.decode("gbk")
    text = raw.decode("gb18030")
    return text if fault == "codec-2005" else text.translate(EDITION_2022)


def encode(text):
    return text.translate(EDITION_2022).encode("gb18030")


def read_xml(raw, fault=""):
    """The decoded text and the root element; UnreadableError when it is no such document."""
    head = re.match(rb'<\?xml version="1\.0" encoding="([A-Za-z0-9-]+)"\?>', raw)
    if not head:
        raise UnreadableError("没有 XML 声明")
    name = head[1].decode().lower()
    if name != "gb18030" and fault != "any-encoding":
        raise UnreadableError(f"编码声明为 {name}，应为 GB18030")
    try:
        text = decode(raw, fault) if name == "gb18030" else raw.decode(name)
    except (UnicodeDecodeError, LookupError) as error:
        raise UnreadableError("字节不是 GB18030") from error
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, remove_comments=fault != "comments-refused", remove_pis=True
    )
    try:
        root = etree.fromstring(text[len(head[0]) :].strip(), parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise UnreadableError("不是格式良好的 XML") from error
    if root.getroottree().docinfo.doctype and fault != "doctype-accepted":
        raise UnreadableError("不得使用 DOCTYPE")
    return text, root


def content_digest(text, kind):
    """SM3 of the text from the first <BODY> to the last </BODY>, followed by JYM (chongqing 3)."""
    start, end = text.find("<BODY>"), text.rfind("</BODY>")
    part = text[start : end + len("</BODY>")] if 0 <= start < end else text
    return sm3((part + kind).encode())


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


def check_values(values, kind):
    """Value rules a receiver can see without tables (crossing 2 and 5.1)."""
    found = []
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


def words_of(values):
    return "/".join(values.get(name, "") for name in ("BJZT", "TBCXZL", "BJJG"))


def identity_good(number):
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    if not re.fullmatch(r"(?a)\d{17}[\dX]", number):
        return False
    return "10X98765432"[sum(int(c) * w for c, w in zip(number, weights, strict=False)) % 11] == number[17]


def load_keys(path):
    """Client ids and SM2 keys; a PEM may stand in the file or beside it (`…_file`)."""
    keys = json.loads(path.read_text("utf-8"))

    def pem(name):
        return keys[name].encode() if name in keys else (path.parent / keys[name + "_file"]).read_bytes()

    return {
        "client_id": keys["client_id"],
        "peer_client_id": keys["peer_client_id"],
        "private": serialization.load_pem_private_key(pem("private_key"), None),
        "peer": serialization.load_pem_public_key(pem("peer_public_key")),
    }


class Office:
    """The case system: keys, receipts and cases in memory."""

    def __init__(self, keys, *, fault="", gateway="", options=None):
        options = options or argparse.Namespace()
        self.keys, self.fault, self.gateway = keys, fault, gateway
        self.flow = getattr(options, "flow", "已受理,办理中,已办结//准予,已送达").split(",")
        self.wait, self.delay = getattr(options, "wait", 1.0), getattr(options, "delay", 0.3)
        self.slow, self.busy = getattr(options, "slow", 35.0), getattr(options, "busy", 0)
        self.adopt, self.shift = getattr(options, "adopt", False), getattr(options, "shift", 0.0)
        self.lock, self.changed = threading.RLock(), threading.Condition()
        self.serial = itertools.count(random.randrange(1_000_000))
        self.receipts, self.cases, self.sent = {}, {}, []
        self.first = True

    def now(self):
        return time.time() + self.shift

    def beijing(self, form=STAMP, zone=BEIJING, ago=0):
        return datetime.fromtimestamp(self.now() - ago, UTC).astimezone(zone).strftime(form)

    def new_number(self):
        return f"CQ{self.beijing('%Y%m%d%H%M%S')}{next(self.serial) % 1_000_000:06d}"

    # ------------------------------------------------------------ receiving
    def answer(self, path, headers, body):
        """Status and receipt bytes for one delivery; the steps of crossing 1 in their order."""
        self.hesitate()
        root = None
        try:
            self.check_transport(headers, body)
            self.check_proof(headers, body)
            self.check_busy()
            text, root = self.read(body)
            with self.lock:
                self.check_window(root)
                return self.take(path, text, root, body)
        except RefusedError as refusal:
            return self.refuse(refusal, root)

    def hesitate(self):
        if self.fault == "slow-first" and self.first:
            self.first = False
            time.sleep(self.slow)

    def check_busy(self):
        if self.busy > 0:
            self.busy -= 1
            raise RefusedError(503, "9060", "系统忙，请稍后重发")

    def check_transport(self, headers, body):
        if len(body) > (65536 if self.fault == "small-limit" else LIMIT):
            raise RefusedError(413, "9030", "报文超过 1 MiB")
        kind = re.sub(r"[\s\"]", "", headers.get("content-type", "")).lower()
        if self.fault != "any-content-type" and kind != "application/xml;charset=gb18030":
            raise RefusedError(415, "9031", "Content-Type 应为 application/xml; charset=GB18030")

    def check_proof(self, headers, body):
        client, digest, signed = (
            headers.get(name, "") for name in ("x-cq-clientid", "x-cq-sm3", "x-cq-sign")
        )
        if not (client and digest and signed) or client != self.keys["peer_client_id"]:
            raise RefusedError(401, "9001", "缺少凭证或调用方未知")
        if self.fault != "no-signature-check" and not self.signature_good(signed, body):
            raise RefusedError(401, "9001", "签名不符")
        if self.fault == "digest-reserialised":
            body = encode(DECLARATION + etree.tostring(read_xml(body)[1], encoding="unicode"))
        if self.fault != "hex-case-sensitive":
            digest = digest.lower()
        if self.fault != "no-body-digest" and not hmac.compare_digest(sm3(body).encode(), digest.encode()):
            raise RefusedError(401, "9004", "报文摘要不符")

    def signature_good(self, signed, body):
        key = self.keys["private"].public_key() if self.fault == "own-key" else self.keys["peer"]
        if self.fault == "signature-over-text":
            body = body.decode("gb18030").encode()
        if self.fault == "signature-over-digest":
            body = sm3(body).encode()
        try:
            der = base64.b64decode(signed, validate=True)
            if self.fault == "signature-raw":
                if len(der) != 64:
                    return False
                der = encode_dss_signature(int.from_bytes(der[:32]), int.from_bytes(der[32:]))
            key.verify(der, body, ec.ECDSA(ts_hashes.SM3()))
        except (ValueError, InvalidSignature, ts_exceptions.InvalidSignature):
            return False
        return True

    def read(self, body):
        try:
            return read_xml(body, self.fault)
        except UnreadableError as error:
            if self.fault == "crash-malformed":
                raise
            raise RefusedError(422, "9041", str(error), [("PACKET", "9041", str(error))]) from error

    def check_window(self, root):
        stamp = root.findtext("HEAD/FSSJ") or ""
        try:
            zone = UTC if self.fault == "window-utc" else BEIJING
            sent = datetime.strptime(stamp, STAMP).replace(tzinfo=zone).timestamp()
        except ValueError as error:
            raise RefusedError(422, "9042", "报文头", [("HEAD/FSSJ", "9042", "类型或格式不符")]) from error
        window = 0.3 if self.fault == "window-millis" else 300
        if self.fault != "no-window" and abs(self.now() - sent) > window:
            raise RefusedError(401, "9002", "发送时间超出时间窗")

    def take(self, path, text, root, body):
        kind, key = root.findtext("HEAD/JYM") or "", root.findtext("HEAD/LSH") or ""
        digest = sm3(body) if self.fault == "digest-whole-message" else content_digest(text, kind)
        if self.fault == "dedup-by-case":
            key = root.findtext("BODY/BJXX/SBLSH") or ""
        known = self.receipts.get(key) if self.fault != "no-dedup" else None
        if known:
            status, receipt, first_digest = known
            if first_digest != digest and self.fault not in ("other-content-accepted", "dedup-by-case"):
                raise RefusedError(409, "9020", "流水号已用于其他内容")
            if self.fault == "new-receipt-on-repeat":
                receipt = self.receipt("0000", "", root)
            return status, receipt
        values = self.check_message(path, kind, root)
        note = self.book(kind, root.findtext("HEAD/LSH"), values, root.findtext("HEAD/JSF"))
        receipt = self.receipt("0000", note, root)
        self.receipts[key] = (202, receipt, digest)
        return 202, receipt

    def check_message(self, path, kind, root):
        if self.fault == "crash-unknown-kind":
            SHAPES[kind]
        if kind not in SHAPES or root.tag != "PACKET":
            raise RefusedError(422, "9042", "交易码未知", [("HEAD/JYM", "9042", "交易码未知")])
        if path != f"/gw/cq/{kind}" and self.fault != "kind-unchecked":
            raise RefusedError(422, "9042", "交易码", [("HEAD/JYM", "9042", "与地址中的交易码不一致")])
        found = check_shape(root, kind, self.fault)
        if self.fault == "strict-optional":
            odd = ("HJDMC", "SLQD", "TBCXZL", "ZFHTHYY", "BZ", "LXH", "KHYH", "PJNR", "YDWXYDM", "KZX")
            found += [(name, "9042", "未约定的元素") for name in odd if root.find(f".//{name}") is not None]
        if self.fault == "comments-refused" and list(root.iter(etree.Comment)):
            found.append(("PACKET", "9042", "未约定的元素"))
        if found:
            raise RefusedError(422, "9042", f"{len(found)} 处不符", found)
        values = flat(root)
        found = check_values(values, kind)
        found += self.head_findings({node.tag: node.text for node in root.find("HEAD")})
        if found:
            raise RefusedError(422, "9043", f"{len(found)} 处不符", found)
        return values

    def head_findings(self, head):
        own, sender = ("TB", "CQ") if self.fault == "prefix-swapped" else ("CQ", "CYTB")
        found = []
        if head["LSH"].startswith(own):
            found.append(("HEAD/LSH", "9043", "不是网关的流水号"))
        if not head["FSF"].startswith(sender):
            found.append(("HEAD/FSF", "9043", "发送方不是网关"))
        if not head["JSF"].startswith("CQ"):
            found.append(("HEAD/JSF", "9043", "接收方不是本系统"))
        return found

    def book(self, kind, key, values, agency):
        """Steps 11 and 12 and the effect on the case; the note for the receipt."""
        if self.fault == "loses-order":
            threading.Timer(random.random(), self.book_late, (kind, key, values, agency)).start()
            return ""
        return self.effect(kind, key, values, agency)

    def book_late(self, kind, key, values, agency):
        with self.lock:
            try:
                self.effect(kind, key, values, agency)
            except RefusedError as refusal:
                print(f"lost: {key} {refusal.code}", file=sys.stderr)

    def effect(self, kind, key, values, agency):
        number, applies = values["SBLSH"], "SXBM" in values
        case = self.cases.get(number)
        if applies:
            if case and self.fault != "no-dedup":
                raise RefusedError(409, "9021", "申办流水号已存在")
            state = "40" if kind == "ZGRZ_TZ" else "22"
            case = case or Case(number, kind, "target", values | {"JSF": agency}, state)
            self.cases[number] = case
            note = ""
        else:
            if case is None and self.adopt and number.startswith("CQ"):
                case = self.cases[number] = Case(number, "", "origin", state="?")
            if case is None:
                raise RefusedError(422, "9044", "办件不存在", [("BODY/BJXX/SBLSH", "9044", "办件不存在")])
            note = FOLLOW_UPS[kind](case, values)
        case.effects.append((key, kind, note))
        if applies and self.gateway:
            threading.Thread(target=Sender(self, case).run, daemon=True).start()
        with self.changed:
            self.changed.notify_all()
        return note

    def receipt(self, code, text, root, findings=()):
        """Receipt bytes: HEAD of our own and FH (chongqing 4)."""
        head = {
            name: root.findtext(f"HEAD/{name}") if root is not None else "" for name in ("FSF", "JSF", "LSH")
        }
        own = head["JSF"] if re.fullmatch(r"(?a)CQ50\d{4}", head["JSF"] or "") else "CQ500000"
        number = self.new_number()
        if self.fault == "echoes-key" and head["LSH"]:
            number = head["LSH"]
        if self.fault in ("receipt-gbk", "receipt-utf8", "receipt-utf8-declared") and not text:
            text = "已接收"
        if code == "0000" and self.fault == "fhm-short":
            code = "0"
        answer = f"<FHM>{code}</FHM>" + (f"<FHXX>{escape(text)}</FHXX>" if text else "")
        case = root.findtext("BODY/BJXX/SBLSH") if root is not None else None
        if case and self.fault != "no-case-number":
            answer += f"<SBLSH>{escape(case)}</SBLSH>"
        for path, dm, ms in findings if self.fault != "no-findings" else ():
            answer += f"<CW><LJ>{escape(path)}</LJ><DM>{dm}</DM><MS>{escape(ms)}</MS></CW>"
        answer = f"<BODY><FH>{answer}</FH></BODY>"
        if self.fault == "receipt-flat":
            answer = f"<FHM>{code}</FHM><FHXX>{escape(text)}</FHXX>"
        lines = f"<BBH>1.0</BBH><FSF>{own}</FSF><JSF>CYTB</JSF><JYM>FH</JYM><LSH>{number}</LSH>"
        packet = f"<PACKET><HEAD>{lines}<FSSJ>{self.beijing()}</FSSJ></HEAD>{answer}</PACKET>"
        return self.receipt_bytes(packet)

    def receipt_bytes(self, packet):
        if self.fault == "member-case":
            packet = packet.replace("FHM>", "Fhm>")
        if self.fault == "receipt-utf8":
            return (DECLARATION + packet).encode()
        if self.fault == "receipt-utf8-declared":
            return (DECLARATION.replace("GB18030", "UTF-8") + packet).encode()
        if self.fault == "receipt-gbk":
            return (DECLARATION.replace("GB18030", "GBK") + packet).encode("gbk", "replace")
        return encode(DECLARATION + "\n" + packet)

    def refuse(self, refusal, root):
        receipt = self.receipt(refusal.code, refusal.text, root, refusal.findings[:50])
        status = {"refusal-as-200": 200, "refusal-as-500": 500}.get(self.fault, refusal.status)
        if self.fault == "remembers-refused" and root is not None and root.findtext("HEAD/LSH"):
            self.receipts.setdefault(root.findtext("HEAD/LSH"), (status, receipt, ""))
        return status, receipt

    def content_type(self):
        charset = {"receipt-gbk": "GBK", "receipt-utf8-declared": "UTF-8"}.get(self.fault, "GB18030")
        return f"application/xml; charset={charset}"

    def view(self):
        """What a test may ask: cases with their effects, and what was sent."""
        with self.lock:
            cases = {
                n: {"state": c.state, "role": c.role, "effects": c.effects} for n, c in self.cases.items()
            }
            return {"fault": self.fault, "cases": cases, "sent": list(self.sent)}


def report(case, values):
    words, at = words_of(values), values["BJSJ"]
    state = STATES[words]
    if case.kind == "ZGRZ_TZ" and state != "50":
        raise RefusedError(409, "9022", "资格认证只接受送达状态")
    if case.role == "target" and not case.handed_over and state not in KEPT_BY_ORIGIN:
        raise RefusedError(409, "9023", "本阶段无权报告此状态")
    if at < case.last_report:
        return "IGNORED 1101 report older than the state held"
    move = MATRIX[case.state][COLUMNS.index(state)]
    if move == "I" and state == case.state and state in ("30", "32") and words != case.last_words:
        move = "A"
    if move == "C":
        raise RefusedError(409, "9022", f"状态 {state} 不能接在 {case.state} 之后")
    if move == "I":
        return f"IGNORED {'1102 state already held' if state == case.state else '1101 older than the state held'}"
    case.state, case.last_report, case.last_words = state, at, words
    return ""


def supplement(case, _values):
    if case.state not in ("11", "31"):
        raise RefusedError(409, "9022", "当前不等待补正")
    case.state = {"11": "10", "31": "30"}[case.state]
    return ""


def withdraw(case, _values):
    if case.role == "origin":
        raise RefusedError(409, "9023", "只有受理地可以撤回")
    if case.state not in OPEN and case.before not in OPEN:
        raise RefusedError(409, "9022", "已不能撤回")
    case.state = "23"
    return ""


def rate(case, _values):
    if case.role == "origin":
        raise RefusedError(409, "9023", "只有受理地可以评价")
    if case.rated:
        raise RefusedError(409, "9024", "已评价")
    if case.state not in ("40", "41", "50"):
        raise RefusedError(409, "9022", "尚未办结")
    case.rated, case.state = True, "60"
    return ""


def hand_over(case, _values):
    if case.handed_over or case.state not in OPEN:
        raise RefusedError(409, "9022", "信息表或答复只接受一次，且须在办结之前")
    case.handed_over, case.state = True, "30"
    return ""


FOLLOW_UPS = {
    "ZT_TZ": report,
    "BZ_CL": supplement,
    "CH_SQ": withdraw,
    "PJ_TS": rate,
    "YLZY_XXB": hand_over,
    "SYJ_HF": hand_over,
}


def elements(values):
    """XML of a mapping: a list repeats its element, a mapping nests, None is left out."""
    return "".join(
        f"<{name}>{elements(one) if isinstance(one, dict) else escape(str(one))}</{name}>"
        for name, value in values.items()
        for one in (value if isinstance(value, list) else [value])
        if one is not None
    )


class Sender:
    """Reports of one case to the gateway, one after the other, each repeated until it has a receipt."""

    def __init__(self, office, case):
        self.office, self.case, self.fault = office, case, office.fault
        self.key, self.first = office.new_number(), True

    def run(self):
        time.sleep(self.office.delay)
        for kind, words, body in self.plan():
            with self.office.lock:
                if self.case.state in ("23", "21"):
                    return
                self.case.before = self.case.state
                self.case.state = STATES.get(words, "30")
                self.case.handed_over = self.case.handed_over or kind != "ZT_TZ"
            if kind == "ZT_TZ":
                body["BJXX"]["BJSJ"] = self.office.beijing()
            self.settle(self.send(kind, words, body))
            with self.office.changed:
                self.office.changed.wait_for(lambda: self.case.state not in ("11", "31"), timeout=600)

    def settle(self, verdict):
        """A refused report never was: the case returns to the state before it."""
        with self.office.lock:
            if verdict == "refused" and self.case.state not in ("21", "23", "60"):
                self.case.state = self.case.before
            self.case.before = ""

    def plan(self):
        """Kind, words and BODY of each message, as phase and owner allow (crossing 5.2)."""
        kind, values = self.case.kind, self.case.message
        steps = [self.status(words) for words in self.office.flow]
        if self.fault == "send-wrong-order":
            return steps[::-1]
        if kind == "ZGRZ_TZ":
            return [step for step in steps if step[1].startswith("已送达")]
        before = [step for step in steps if not step[1].startswith(ENDING)]
        if kind == "YLZY_SQ":
            # the new place waits for the sheet; afterwards the reports belong to the other side by the table
            return [*before, *([self.sheet()] if values["ZYFX"] == "转出" else [])]
        if kind == "SYJ_SQ":
            return [
                *before,
                self.benefit(),
                *(steps[len(before) :] if values["SLFS"] == "参保地申领" else []),
            ]
        return steps

    def number(self):
        if self.fault == "send-own-number":
            return f"CQ500103{self.case.number[-16:-8]}{self.case.number[-6:]}"
        return self.case.number

    def status(self, words):
        words = words + "//"[words.count("/") :]
        state, special, result = words.split("/")
        if self.fault == "send-no-result":
            result = ""
        empty = "" if self.fault == "send-empty-elements" else None
        body = {"SBLSH": self.number(), "BJZT": state, "TBCXZL": special or empty, "BJJG": result or empty}
        body |= {"BJSJ": "", "ZFHTHYY": "材料不齐，请补充后重新提交" if words in REASON else empty}
        return "ZT_TZ", words, {"BJXX": body}

    def scheme(self):
        return {name: self.case.message.get(name) for name in ("XZLX", "YLLX")}

    def money(self, fen):
        return f"{fen / 100:.2f}" if self.fault == "send-money-yuan" else str(fen)

    def sheet(self):
        year = {"ND": 2023, "QSY": "01", "ZZY": "12", "YS": 12, "NJFJS": self.money(6000000), "GRBL": 8}
        amounts = {"DNJZBJ": 480000, "DNLX": 9420, "NMLJ": 489420}
        year |= {name: self.money(fen) for name, fen in amounts.items()}
        period = {"SCCBNY": "2023-01", "JFQSNY": "2023-01", "JFZZNY": "2023-12"}
        months = {"SJJFYS": "1年0个月", "STJFYS": "0年0个月"}
        sums = {
            "GRZH1998Q": 0,
            "GRZH1998H": 489420,
            "DNJZ": 0,
            "GRZHZYE": 489420,
            "TCZYE": 720000,
            "ZYZE": 1209420,
        }
        business = {**self.scheme(), **period, **months, "NMX": [year]}
        business |= {name: self.money(fen) for name, fen in sums.items()}
        return "YLZY_XXB", "", {"BJXX": {"SBLSH": self.number(), "BJZT": "已转出"}, "YWXX": business}

    def benefit(self):
        months = {"BCYS": 68, "LJYS": 68, "YXYS": 17, "SYYS": 17}
        business = self.scheme() | months | {"PJGZ": self.money(550010), "YFBZ": self.money(168000)}
        business |= {"QSNY": "2027-01", "ZZNY": "2028-05"}
        return "SYJ_HF", "", {"BJXX": {"SBLSH": self.number()}, "YWXX": business}

    def packet(self, kind, body):
        """Bytes of one attempt: the key stays, FSSJ is renewed."""
        zone = UTC if self.fault == "send-utc" else BEIJING
        stamp = self.office.beijing(zone=zone, ago=600 if self.fault == "send-stale-time" else 0)
        head = {"BBH": "1.0", "FSF": self.case.message["JSF"], "JSF": "CYTB", "JYM": kind, "LSH": self.key}
        packet = elements({"PACKET": {"HEAD": head | {"FSSJ": stamp}, "BODY": body}})
        if self.fault == "send-utf8":
            return (DECLARATION.replace("GB18030", "UTF-8") + packet).encode()
        return encode(DECLARATION + "\n" + packet)

    def send(self, kind, words, body):
        if self.fault != "send-key-reused":
            self.key = self.office.new_number()
        waits = itertools.chain((1, 2, 5, 10, 30), itertools.repeat(60))
        for tries in itertools.count(1):
            if self.fault == "send-content-renewed" and kind == "ZT_TZ":
                body["BJXX"]["BJSJ"] = self.office.beijing()
            status, code, text, retry_after = self.post(self.packet(kind, body))
            verdict = self.verdict(status, code, text)
            entry = {"key": self.key, "kind": kind, "state": words, "try": tries}
            self.office.sent.append(
                entry | {"status": status, "verdict": verdict, "code": code, "message": text}
            )
            if verdict != "repeat" or tries >= 50:
                return verdict
            if self.fault in ("send-new-key", "send-first-lost", "send-repeats-parked"):
                self.key = self.office.new_number()
            wait = max(next(waits) * self.office.wait, retry_after)
            if self.fault == "send-content-renewed":
                wait = max(wait, 1.1)  # the times are whole seconds
            time.sleep(0.01 if self.fault == "send-ignores-retry-after" else wait)
        return "repeat"

    def verdict(self, status, code, text):
        """`taken`, `refused` or `repeat`, read as gateway 5 reads the answers of a side."""
        if self.fault in ("send-first-lost", "send-content-renewed") and self.first and status == 202:
            self.first = False
            return "repeat"
        if self.fault == "send-no-repeat" and status in (429, 503):
            return "refused"
        if 200 <= status < 300 and code:
            if self.fault == "send-repeats-parked" and text.startswith("PARKED"):
                return "repeat"
            return "taken" if code == "0000" else "refused"
        again = status < 400 or status >= 500 or status in (408, 425, 429)
        return "repeat" if again else "refused"

    def sign(self, body):
        if self.fault == "send-sign-text":
            body = body.decode("gb18030").encode()
        if self.fault == "send-sign-digest":
            body = sm3(body).encode()
        der = self.office.keys["private"].sign(body, ec.ECDSA(ts_hashes.SM3()))
        if self.fault == "send-sign-raw":
            r, s = decode_dss_signature(der)
            der = r.to_bytes(32) + s.to_bytes(32)
        return base64.b64encode(der).decode()

    def post(self, body):
        """Status (0 without an answer), FHM, FHXX and Retry-After in seconds."""
        url = urllib.parse.urlsplit(self.office.gateway)
        hashed = body[body.find(b"<BODY>") :] if self.fault == "send-digest-body" else body
        headers = {
            "Content-Type": "application/xml; charset=GB18030",
            "X-CQ-CLIENTID": self.office.keys["client_id"],
            "X-CQ-SM3": sm3(hashed),
            "X-CQ-SIGN": self.sign(body),
        }
        secure = url.scheme == "https"
        connect = http.client.HTTPSConnection if secure else http.client.HTTPConnection
        connection = connect(url.netloc, timeout=30)
        try:
            connection.request("POST", url.path.rstrip("/") + "/v1/chongqing/messages", body, headers)
            answer = connection.getresponse()
            raw, after = answer.read(), answer.headers.get("Retry-After", "")
        except (OSError, http.client.HTTPException):
            return 0, "", "", 0
        finally:
            connection.close()
        try:
            root = read_xml(raw)[1]
        except UnreadableError:
            root = etree.Element("PACKET")
        wait = int(after) if after.isdigit() else 0
        return answer.status, root.findtext("BODY/FH/FHM") or "", root.findtext("BODY/FH/FHXX") or "", wait


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 60
    office: Office

    def do_POST(self):
        body = self.body()
        if self.office.fault == "redirects" and not self.path.endswith("/"):
            return self.reply(307, b"", {"Location": self.path + "/"})
        headers = {name.lower(): value.strip() for name, value in self.headers.items()}
        try:
            status, receipt = self.office.answer(urllib.parse.urlsplit(self.path).path, headers, body)
        except Exception as error:  # noqa: BLE001 - a server answers 500, it does not hang up
            print(f"error: {type(error).__name__}", file=sys.stderr)
            return self.reply(500, b"internal error", {"Content-Type": "text/plain"})
        extra = {"Content-Type": self.office.content_type()}
        if status in (429, 503):
            extra["Retry-After"] = "1"
        return self.reply(status, receipt, extra)

    def do_GET(self):
        if self.path != "/state":
            return self.reply(404, b"", {})
        view = json.dumps(self.office.view(), ensure_ascii=False).encode()
        return self.reply(200, view, {"Content-Type": "application/json; charset=utf-8"})

    def body(self):
        """The whole body, or one byte more than the limit; the rest is read and dropped."""
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            parts = bytearray()
            while size := int(self.rfile.readline().split(b";")[0], 16):
                parts += self.rfile.read(size)[: LIMIT + 1 - len(parts)]
                self.rfile.readline()
            while self.rfile.readline().strip():
                pass
            return bytes(parts)
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(min(length, LIMIT + 1))
        for rest in range(length - len(body), 0, -65536):
            self.rfile.read(min(65536, rest))
        self.close_connection = length > LIMIT
        return body

    def reply(self, status, body, headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def serve(office, host="127.0.0.1", port=0):
    """A listening server; call serve_forever on it."""
    handler = type("BoundHandler", (Handler,), {"office": office})
    server = ThreadingHTTPServer((host, port), handler)
    server.daemon_threads = True
    return server


def arguments(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument(
        "--keys", type=Path, help="JSON file: client_id, private_key, peer_client_id, peer_public_key"
    )
    parser.add_argument(
        "--gateway", default="", help="base address of the gateway; without it nothing is sent"
    )
    parser.add_argument("--fault", default="", choices=["", *FAULTS], metavar="NAME")
    parser.add_argument("--list-faults", action="store_true")
    parser.add_argument(
        "--flow", default="已受理,办理中,已办结//准予,已送达", help="BJZT[/TBCXZL[/BJJG]] in order"
    )
    parser.add_argument("--wait", type=float, default=1.0, help="factor on the waits between repetitions")
    parser.add_argument("--delay", type=float, default=0.3, help="seconds between receipt and first report")
    parser.add_argument("--slow", type=float, default=35.0, help="seconds of the fault slow-first")
    parser.add_argument("--busy", type=int, default=0, help="answer 503 that many times first")
    parser.add_argument("--adopt", action="store_true", help="accept follow-ups of own cases never seen here")
    parser.add_argument("--now", help="start of the server's clock, RFC 3339")
    options = parser.parse_args(argv)
    options.shift = datetime.fromisoformat(options.now).timestamp() - time.time() if options.now else 0.0
    if not options.keys and not options.list_faults:
        parser.error("--keys is needed")
    return options


def main(argv=None):
    options = arguments(argv)
    if options.list_faults:
        print("\n".join(f"{name}\t{text}" for name, text in FAULTS.items()))
        return
    office = Office(load_keys(options.keys), fault=options.fault, gateway=options.gateway, options=options)
    server = serve(office, options.host, options.port)
    print(f"ready http://{options.host}:{server.server_address[1]}", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        server.server_close()


if __name__ == "__main__":
    main()
