"""A Sichuan case system that receives from the gateway and reports back, written from the specification alone.

Run `python sichuan_server.py --keys keys.json [--gateway URL] [--fault NAME]`; see README.md beside it.
Each entry of FAULTS is one mistake an integrator makes with this specification: the section and what goes wrong.
"""

import argparse
import hashlib
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
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.hmac import HMAC

FAULTS = {
    # -- receiving, proof and replay
    "no-signature-check": "sichuan 2: x-tif-signature is not compared",
    "no-body-digest": "sichuan 2: x-body-sm3 is not compared",
    "digest-reserialised": "sichuan 2: x-body-sm3 is computed over re-serialised JSON, not the raw bytes",
    "signature-order": "sichuan 2: base string is token + timestamp + nonce + token",
    "digest-joined": "sichuan 2: timestamp, nonce and body are joined without LF",
    "hex-case-sensitive": "sichuan 2: digests in upper-case hex are refused",
    "window-millis": "sichuan 2: x-tif-timestamp is read as milliseconds",
    "no-window": "sichuan 2: any x-tif-timestamp is accepted",
    "no-replay-check": "sichuan 2: a nonce may be used again",
    "prefix-swapped": "sichuan 2: aaz002 with TB is refused as an own message",
    # -- receiving, key and retry
    "no-dedup": "sichuan 3: a repeated key takes effect again and gets a new receipt",
    "new-receipt-on-repeat": "sichuan 3: a repeated key takes no effect but gets a new log number",
    "dedup-by-case": "sichuan 3: affairCode instead of aaz002 decides what is a repetition",
    "other-content-accepted": "sichuan 3: a known key with other bytes gets the first receipt instead of 409",
    "remembers-refused": "crossing 1: a refused key stays refused when sent again in good form",
    # -- receiving, the transport and how it is read
    "any-content-type": "crossing 1 step 2: content type and charset are ignored",
    "lenient-utf8": "crossing 1 step 6: broken UTF-8 is replaced, repeated members are merged",
    "small-limit": "sichuan 1: bodies above 64 KiB are refused",
    "kind-unchecked": "sichuan 1: fwid of path and body may differ",
    "crash-unknown-kind": "sichuan 4: an unknown fwid ends in 500",
    "crash-malformed": "sichuan 4: an unreadable body ends in 500",
    "strict-optional": "sichuan 6: optional members outside the printed example are refused",
    "empty-number-refused": 'sichuan 5: aac001 "" is refused as empty',
    "redirects": "gateway 5: answers 307 to another address",
    "slow-first": "gateway 5: the first answer takes longer than the time-out (--slow)",
    "loses-order": "gateway 5: acknowledges at once and handles messages of one case concurrently",
    # -- receiving, the receipt
    "refusal-as-200": "sichuan 4: refusals have status 200",
    "refusal-as-500": "sichuan 4: refusals have status 500 and are repeated for ever",
    "recode-number": "sichuan 4: recode is a number",
    "member-case": "sichuan 4: the member is spelt reCode",
    "receipt-gbk": "sichuan 1: the receipt is GBK",
    "echoes-key": "sichuan 4: aaz002 of the receipt repeats the message's instead of an own number",
    "no-findings": "sichuan 4: 422 without findings",
    # -- sending
    "send-signature-order": "sichuan 2: signs token + timestamp + nonce + token",
    "send-digest-reserialised": "sichuan 2: x-body-sm3 over another serialisation than the one sent",
    "send-stale-time": "sichuan 2: timestamp is ten minutes old",
    "send-nonce-reused": "sichuan 2: one nonce for all attempts",
    "send-key-reused": "sichuan 3: one aaz002 for every message of a case",
    "send-new-key": "sichuan 3: a new aaz002 on each repetition",
    "send-content-renewed": "sichuan 3: blsj is set again on each repetition, so the key meets other content",
    "send-first-lost": "sichuan 3: drops the first receipt and repeats with a new aaz002",
    "send-no-repeat": "sichuan 4: gives up after 429 or 503",
    "send-ignores-retry-after": "sichuan 4: repeats at once after 429 or 503",
    "send-repeats-parked": "sichuan 4: takes PARKED for a refusal and sends again with a new aaz002",
    "send-wrong-order": "crossing 5.3: reports 送达 and 办结 before 受理",
    "send-own-number": "sichuan 6: reports under a number of its own instead of the minted one",
    "send-money-float": "sichuan 5: money with binary float noise",
}

BEIJING = timezone(timedelta(hours=8))
LIMIT = 1 << 20
PERSON = "aac058! aac147! aac004 aac005 aac006 aac161 aac009 aac010 "
HEAD = "fwid! aaz002! affairCode! cytbh param! "
APPLY = HEAD + "itemCode! aae011! aae414! yab003! accept_source! aac001! aac002! aac003!"
FOLLOW = HEAD + "aae011 aae414 yab003"
SHAPES = {  # kind: (members of the message, members of param); ! = mandatory (sichuan 6)
    "tbzy0001": (
        APPLY,
        PERSON
        + "aae005 aae140! aac070! aae173 aae035! aae036 aab299! aab301! lxh yac519 yac250! yac256 yac251"
        " clist! aae013",
    ),
    "tbzy0002": (
        FOLLOW + " aac002! aac003!",
        "aae140! aac049! aae030! aae031! aae201! aae200! ic91! aic093! aic089! aic082! aic083! aic084! aic102! aae013",
    ),
    "tbsy0001": (
        APPLY,
        PERSON
        + "aac067 aae035! aae036 aab299! aab301! aae140! aab004 aab998 ajc090! abc916 abc917! aae043 sldbz!"
        " aae145! aaf200 aae008 aae009 aae010 clist! aae013",
    ),
    "tbsy0002": (FOLLOW, "aae140! ajc071! ajc072! ajc097! ajc099! ajc061! aae019! aae041! aae042! aae013"),
    "tbrz0001": (
        APPLY + " csk084a1",
        PERSON + "aac067 aae140! aac060! bic162! aae036! rzfs! aab301! aab299! aae013",
    ),
    "tbty0001": (
        APPLY,
        PERSON + "sqrlx! sjbz aac067 aae035! aae036 aab299! aab301! aae140 aab004 aab998 ywxx clist aae013",
    ),
    "tbzt0001": (FOLLOW, "blzt! blsj! blyy tbcx"),
    "tbbz0001": (FOLLOW, "bzsj! clist! aae013"),
    "tbch0001": (FOLLOW, "chsj! chyy!"),
    "tbpj0001": (FOLLOW, "pjdj! pjnr pjqd! pjsj!"),
}
PARTS = {
    "lxh": "aae270! aac155 aac080 aae009 aac078 aae006 aae007 aae005",
    "clist": "clbm! clmc! sqfs! dzzz! zzbs wjbs",
    "ywxx": "name! value!",
    "ic91": "aab299! aae001! aae041! aae042! aae202! aae180! yae181 aaa041! aae264! aae265! aae273!",
}
LENGTHS = {"clist": 50, "ywxx": 50, "ic91": 60}
WHOLE, DECIMAL = (int, str), (int, Decimal)
CHECKED = (  # members checked more closely than "text": names, form of str(value), JSON types allowed
    ("affairCode", r"51\d{4}-\d{8}-\d{6}", (str,)),
    ("aaz002", r"SC\d{15,20}|TB\d{18}", (str,)),
    ("cytbh", r"CYTB5[01]\d{20}", (str,)),
    ("itemCode", r"[0-9A-Z]{12,14}-51\d{10}-\d{3}-[0-9A-Z]{18}-\d-\d\d", (str,)),
    ("aac001", r"\d{0,20}", (str,)),
    ("aae036 blsj bzsj chsj pjsj", r"\d{14}", (str,)),
    ("aac006 aae030 aae031 aae035 aae043 abc916 ajc090 bic162", r"\d{8}", WHOLE),
    ("aac049 aae041 aae042", r"\d{4}(0[1-9]|1[0-2])", WHOLE),
    ("aae001 aae200 aae201 aae202 ajc071 ajc072 ajc097 ajc099", r"\d{1,4}(\.0+)?", DECIMAL),
    ("aae019 aae180 aae264 aae265 aae273 ajc061 yae181", r"\d{1,10}(\.\d{1,2}0*)?", DECIMAL),
    ("aic082 aic083 aic084 aic089 aic093 aic102", r"\d{1,10}(\.\d{1,2}0*)?", DECIMAL),
    ("aaa041", r"0(\.\d{1,4}0*)?|1(\.0+)?", DECIMAL),
    ("blzt accept_source aac058 rzfs aae145", r"\d\d", (str,)),
    ("aac070 sldbz sqrlx pjdj pjqd sqfs dzzz tbcx sjbz aac060", r"\d", (str,)),
    ("yab003 aab301", r"51\d{4}", (str,)),
    ("aab299", r"\d{6}", (str,)),
)
FORMS = {name: (f"(?a){form}", types) for names, form, types in CHECKED for name in names.split()}
TEXT = (r"(?s)(?!\s)[^\x00-\x09\x0b-\x1f\x7f-\x9f\ue000-\uf8ff]{1,1000}(?<!\s)", (str,))

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
WORDS = ("01", "02", "03", "04", "05", "06", "07", "08", "09", "10", "11")
STATES = dict(zip(WORDS, ("10", "11", "20", "21", "23", "30", "31", "32", "40", "41", "50"), strict=True))
OPEN = ("?", "10", "11", "20", "22", "28", "30", "31", "32", "33")
KEPT_BY_ORIGIN = ("10", "23", "50")


class RefusedError(Exception):
    """A message refused with status, code and findings (path, code, text)."""

    def __init__(self, status, code, text, findings=()):
        super().__init__(text)
        self.status, self.code, self.text, self.findings = status, code, text, list(findings)


@dataclass
class Case:
    number: str
    cytbh: str
    kind: str
    role: str  # target: the application came from the gateway; origin: the case started here
    message: dict = field(default_factory=dict)
    state: str = "22"
    before: str = ""  # the state before a report of our own that has no receipt yet
    last_report: str = ""
    last_words: tuple = ()
    rated: bool = False
    handed_over: bool = False
    effects: list = field(default_factory=list)


def sm3_mac(token, message):
    mac = HMAC(token.encode(), hashes.SM3())
    mac.update(message)
    return mac.finalize().hex()


def sm3(data):
    digest = hashes.Hash(hashes.SM3())
    digest.update(data)
    return digest.finalize().hex()


def signature(timestamp, token, nonce, *, swapped=False):
    base = token + timestamp + nonce + token if swapped else timestamp + token + nonce + timestamp
    return hashlib.sha256(base.encode()).hexdigest()


def unique_members(pairs):
    names = [name for name, _ in pairs]
    if len(names) != len(set(names)):
        raise ValueError("repeated member name")
    return dict(pairs)


def refuse_constant(name):
    raise ValueError(f"{name} is no JSON number")


def read_json(body, *, lenient=False):
    """The message as an object with decimals; ValueError when it cannot be read (crossing 1, step 6)."""
    if lenient:
        return json.loads(body.decode("utf-8", "replace"), parse_float=Decimal)
    if body.startswith(b"\xef\xbb\xbf"):
        raise ValueError("byte order mark")
    message = json.loads(
        body.decode("utf-8"),
        parse_float=Decimal,
        parse_constant=refuse_constant,
        object_pairs_hook=unique_members,
    )
    if not isinstance(message, dict):
        raise ValueError("no JSON object")  # noqa: TRY004 - one kind of error for everything unreadable
    return message


def check_members(node, shape, path, found):
    """Appends a finding for each member that is missing, unknown or of the wrong form."""
    names = {word.rstrip("!"): word.endswith("!") for word in shape.split()}
    for name, mandatory in names.items():
        if mandatory and (name not in node or (node[name] == "" and name != "aac001")):
            found.append((path + name, "9042", "缺少必填项"))
    for name, value in node.items():
        here = path + name
        if name not in names:
            found.append((here, "9042", "未约定的数据项"))
        elif name == "param":
            continue
        elif name in PARTS:
            check_part(name, value, here, found)
        elif value != "" or name == "aac001":
            form, types = FORMS.get(name, TEXT)
            if type(value) not in types or not re.fullmatch(form, str(value)):
                found.append((here, "9042", "类型或格式不符"))


def check_part(name, value, here, found):
    if name == "lxh":
        entries = [(value, here)]
    elif not isinstance(value, list) or len(value) > LENGTHS[name]:
        return found.append((here, "9042", f"must be a list of at most {LENGTHS[name]}"))
    else:
        entries = [(entry, f"{here}[{i}]") for i, entry in enumerate(value)]
    for entry, place in entries:
        if isinstance(entry, dict):
            check_members(entry, PARTS[name], place + ".", found)
        else:
            found.append((place, "9042", "must be an object"))
    return None


def check_shape(message):
    found = []
    outer, inner = SHAPES[message["fwid"]]
    check_members(message, outer, "", found)
    if isinstance(message.get("param"), dict):
        check_members(message["param"], inner, "param.", found)
    elif "param" in message:
        found.append(("param", "9042", "must be an object"))
    return found


def check_values(message):
    """Value rules a receiver can see without tables (crossing 2 and 5.1)."""
    found, param = [], message["param"]
    if "aac147" in param and message["aac002"].upper() != param["aac147"].upper():
        found.append(("param.aac147", "9043", "与 aac002 不一致"))
    if param.get("aac058") == "01" and not identity_good(param["aac147"].upper()):
        found.append(("param.aac147", "9043", "证件号码校验位不符"))
    if param.get("blzt") in ("02", "04", "07", "10") and not param.get("blyy"):
        found.append(("param.blyy", "9043", "此状态须填原因"))
    if "blzt" in param:
        allowed = {"06": ("", "4"), "08": ("1", "2", "3", "5")}.get(param["blzt"], ("",))
        if param.get("tbcx", "") not in allowed:
            found.append(("param.tbcx", "9043", "与办件状态不符"))
    if "aic102" in param and (
        param["aic083"] != param["aic093"] + param["aic089"] + param["aic082"]
        or param["aic102"] != param["aic083"] + param["aic084"]
    ):
        found.append(("param.aic102", "9043", "合计不符"))
    return found


def identity_good(number):
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    if not re.fullmatch(r"\d{17}[\dX]", number):
        return False
    return "10X98765432"[sum(int(c) * w for c, w in zip(number, weights, strict=False)) % 11] == number[17]


class Office:
    """The case system: keys, nonces, receipts and cases in memory."""

    def __init__(self, keys, *, fault="", gateway="", options=None):
        options = options or argparse.Namespace()
        self.paasid, self.token = keys["paasid"], keys["token"]
        self.fault, self.gateway = fault, gateway
        self.flow = getattr(options, "flow", "03,06,09,11").split(",")
        self.wait, self.delay = getattr(options, "wait", 1.0), getattr(options, "delay", 0.3)
        self.slow, self.busy = getattr(options, "slow", 35.0), getattr(options, "busy", 0)
        self.adopt, self.shift = getattr(options, "adopt", False), getattr(options, "shift", 0.0)
        self.lock, self.changed = threading.RLock(), threading.Condition()
        # microseconds of the day: a restart must not use the numbers of the run before
        self.serial = itertools.count(int(time.time() % 86400 * 1_000_000))
        self.nonces, self.receipts, self.cases, self.sent = {}, {}, {}, []
        self.first = True

    def now(self):
        return time.time() + self.shift

    def beijing(self, form="%Y%m%d%H%M%S"):
        return datetime.fromtimestamp(self.now(), UTC).astimezone(BEIJING).strftime(form)

    def new_number(self):
        return f"SC{self.beijing('%Y%m%d')}{next(self.serial):012d}"

    # ------------------------------------------------------------ receiving
    def answer(self, path, headers, body):
        """Status and receipt (a dict) for one delivery; the steps of crossing 1 in their order."""
        self.hesitate()
        message = {}
        try:
            self.check_transport(headers, body)
            self.check_proof(headers, body)
            self.check_busy()
            message = self.read(body)
            with self.lock:
                self.check_window(headers)
                return self.take(path, message, body)
        except RefusedError as refusal:
            return self.refuse(refusal, message, body)

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
        if self.fault != "any-content-type" and kind not in (
            "application/json",
            "application/json;charset=utf-8",
        ):
            raise RefusedError(415, "9031", "Content-Type 应为 application/json; charset=utf-8")

    def check_proof(self, headers, body):
        names = ("x-tif-paasid", "x-tif-timestamp", "x-tif-nonce", "x-tif-signature", "x-body-sm3")
        paasid, timestamp, nonce, signed, digest = (headers.get(name, "") for name in names)
        if not all(headers.get(name) for name in names) or paasid != self.paasid:
            raise RefusedError(401, "9001", "缺少凭证或调用方未知")
        if not re.fullmatch(r"[0-9A-Za-z_-]{8,64}", nonce) or not re.fullmatch(r"[0-9]{1,13}", timestamp):
            raise RefusedError(401, "9001", "随机串或时间戳格式不符")
        expected = signature(timestamp, self.token, nonce, swapped=self.fault == "signature-order")
        if self.fault != "hex-case-sensitive":
            signed, digest = signed.lower(), digest.lower()
        if self.fault != "no-signature-check" and not hmac.compare_digest(expected.encode(), signed.encode()):
            raise RefusedError(401, "9001", "签名不符")
        raw = body
        if self.fault == "digest-reserialised":
            raw = json.dumps(json.loads(body)).encode()
        joint = "" if self.fault == "digest-joined" else "\n"
        mac = sm3_mac(self.token, (timestamp + joint + nonce + joint).encode() + raw)
        if self.fault != "no-body-digest" and not hmac.compare_digest(mac.encode(), digest.encode()):
            raise RefusedError(401, "9004", "报文摘要不符")

    def read(self, body):
        try:
            return read_json(body, lenient=self.fault == "lenient-utf8")
        except (ValueError, RecursionError) as error:
            if self.fault == "crash-malformed":
                raise
            raise RefusedError(
                422, "9041", f"unreadable: {error}"[:200], [("", "9041", "unreadable")]
            ) from error

    def check_window(self, headers):
        timestamp, nonce, now = int(headers["x-tif-timestamp"]), headers["x-tif-nonce"], self.now()
        if self.fault == "window-millis":
            timestamp = timestamp / 1000
        if self.fault != "no-window" and abs(now - timestamp) > 300:
            raise RefusedError(401, "9002", "时间戳超出时间窗")
        self.nonces = {known: until for known, until in self.nonces.items() if until >= now}
        if nonce in self.nonces and self.fault != "no-replay-check":
            raise RefusedError(401, "9003", "随机串已用过")
        # twice the window: a stamp may lie 300 s ahead and stays acceptable for 600 s
        self.nonces[nonce] = now + 600

    def take(self, path, message, body):
        key, digest = str(message.get("aaz002", "")), sm3(body)
        if self.fault == "dedup-by-case":
            key = str(message.get("affairCode", ""))
        known = self.receipts.get(key) if self.fault != "no-dedup" else None
        if known:
            status, receipt, first_digest = known
            if first_digest != digest and self.fault not in ("other-content-accepted", "dedup-by-case"):
                raise RefusedError(409, "9020", "日志号已用于其他内容")
            renewed = {"aaz002": self.new_number()} if self.fault == "new-receipt-on-repeat" else {}
            return status, receipt | renewed
        self.check_message(path, message)
        note = self.book(message)
        receipt = self.receipt("1", note, message)
        self.receipts[key] = (202, receipt, digest)
        return 202, receipt

    def check_message(self, path, message):
        kind = message.get("fwid")
        if self.fault == "crash-unknown-kind":
            SHAPES[kind]
        if kind not in SHAPES:
            raise RefusedError(422, "9042", "服务标识未知", [("fwid", "9042", "服务标识未知")])
        if path != f"/gw/sc/{kind}" and self.fault != "kind-unchecked":
            raise RefusedError(422, "9042", "fwid", [("fwid", "9042", "与地址中的服务标识不一致")])
        found = check_shape(message) + self.own_findings(message)
        if found:
            raise RefusedError(422, "9042", f"{len(found)} 处不符", found)
        found = check_values(message)
        own = "TB" if self.fault == "prefix-swapped" else "SC"
        if message["aaz002"].startswith(own):
            found.append(("aaz002", "9043", f"{own} is no message of the gateway"))
        if found:
            raise RefusedError(422, "9043", f"{len(found)} 处不符", found)

    def own_findings(self, message):
        if self.fault == "strict-optional":
            odd = {"cytbh", "aac161", "aac010", "aae013", "lxh", "yac256", "blyy", "tbcx", "pjnr"}
            names = odd & (set(message) | set(message["param"]))
            return [(name, "9042", "member not agreed") for name in sorted(names)]
        if self.fault == "empty-number-refused" and message.get("aac001") == "":
            return [("aac001", "9042", "empty")]
        return []

    def book(self, message):
        """Steps 11 and 12 and the effect on the case; the note for the receipt."""
        if self.fault == "loses-order":
            threading.Timer(random.random(), self.book_late, (message,)).start()
            return ""
        return self.effect(message)

    def book_late(self, message):
        with self.lock:
            try:
                self.effect(message)
            except RefusedError as refusal:
                print(f"lost: {message['aaz002']} {refusal.code} {refusal}", file=sys.stderr)

    def effect(self, message):
        kind, number = message["fwid"], message["affairCode"]
        case = self.cases.get(number)
        if "itemCode" in message:
            if case and self.fault != "no-dedup":
                raise RefusedError(409, "9021", "办件编号已存在")
            state = "40" if kind == "tbrz0001" else "22"
            case = case or Case(number, message.get("cytbh", ""), kind, "target", message, state)
            self.cases[number] = case
            note = ""
        else:
            if case is None and self.adopt and number[16] != "9":
                case = self.cases[number] = Case(number, message.get("cytbh", ""), "", "origin", state="?")
            if case is None or (case.cytbh and message.get("cytbh", case.cytbh) != case.cytbh):
                raise RefusedError(422, "9044", "办件不存在", [("affairCode", "9044", "办件不存在")])
            note = FOLLOW_UPS[kind](case, message["param"])
        case.effects.append((message["aaz002"], kind, note))
        if "itemCode" in message and self.gateway:
            threading.Thread(target=Sender(self, case).run, daemon=True).start()
        with self.changed:
            self.changed.notify_all()
        return note

    def receipt(self, recode, text, message):
        if self.fault == "receipt-gbk":
            text = text or "已接收"
        receipt = {"recode": recode, "message": text, "aaz002": self.new_number()}
        if self.fault == "echoes-key" and message.get("aaz002"):
            receipt["aaz002"] = message["aaz002"]
        receipt |= {n: message[n] for n in ("affairCode", "cytbh") if isinstance(message.get(n), str)}
        return receipt

    def refuse(self, refusal, message, body):
        receipt = self.receipt("-1", f"{refusal.code} {refusal.text}", message)
        if refusal.findings and self.fault != "no-findings":
            receipt["findings"] = [
                dict(zip(("path", "code", "text"), f, strict=True)) for f in refusal.findings
            ]
        status = {"refusal-as-200": 200, "refusal-as-500": 500}.get(self.fault, refusal.status)
        if self.fault == "remembers-refused" and message.get("aaz002"):
            self.receipts.setdefault(message["aaz002"], (status, receipt, sm3(body)))
        return status, receipt

    def encode(self, receipt):
        if self.fault == "recode-number":
            receipt = receipt | {"recode": int(receipt["recode"])}
        if self.fault == "member-case":
            receipt = {("reCode" if name == "recode" else name): value for name, value in receipt.items()}
        text = json.dumps(receipt, ensure_ascii=False)
        return text.encode("gbk", "replace") if self.fault == "receipt-gbk" else text.encode()

    def view(self):
        """What a test may ask: cases with their effects, and what was sent."""
        with self.lock:
            cases = {
                n: {"state": c.state, "role": c.role, "effects": c.effects} for n, c in self.cases.items()
            }
            return {"fault": self.fault, "cases": cases, "sent": list(self.sent)}


def report(case, param):
    state, at, words = STATES.get(param["blzt"], ""), param["blsj"], (param["blzt"], param.get("tbcx", ""))
    if param["blzt"] == "06" and param.get("tbcx") == "4":
        state = "33"
    if state not in COLUMNS:
        raise RefusedError(422, "9043", "unknown state", [("param.blzt", "9043", "unknown state")])
    if case.kind == "tbrz0001" and state != "50":
        raise RefusedError(409, "9022", "资格认证只接受送达状态")
    if case.role == "target" and not case.handed_over and state not in KEPT_BY_ORIGIN:
        raise RefusedError(409, "9023", "本阶段无权报告此状态")
    if at < case.last_report:
        return "IGNORED 1101 report older than the state held"
    move = MATRIX[case.state][COLUMNS.index(state)]
    if move == "I" and state == case.state == "32" and words != case.last_words:
        move = "A"
    if move == "C":
        raise RefusedError(409, "9022", f"report {state} does not follow state {case.state}")
    if move == "I":
        return f"IGNORED {'1102 state already held' if state == case.state else '1101 older than the state held'}"
    case.state, case.last_report, case.last_words = state, at, words
    return ""


def supplement(case, _param):
    if case.state not in ("11", "31"):
        raise RefusedError(409, "9022", "no supplement is awaited")
    case.state = {"11": "10", "31": "30"}[case.state]
    return ""


def withdraw(case, _param):
    if case.role == "origin":
        raise RefusedError(409, "9023", "only the origin withdraws")
    if case.state not in OPEN and case.before not in OPEN:
        raise RefusedError(409, "9022", "too late to withdraw")
    case.state = "23"
    return ""


def rate(case, _param):
    if case.role == "origin":
        raise RefusedError(409, "9023", "only the origin rates")
    if case.rated:
        raise RefusedError(409, "9024", "already rated")
    if case.state not in ("40", "41", "50"):
        raise RefusedError(409, "9022", "not concluded")
    case.rated, case.state = True, "60"
    return ""


def hand_over(case, _param):
    if case.handed_over or case.state not in OPEN:
        raise RefusedError(409, "9022", "sheet or answer comes once and before the end")
    case.handed_over, case.state = True, "30"
    return ""


FOLLOW_UPS = {
    "tbzt0001": report,
    "tbbz0001": supplement,
    "tbch0001": withdraw,
    "tbpj0001": rate,
    "tbzy0002": hand_over,
    "tbsy0002": hand_over,
}


class Sender:
    """Reports of one case to the gateway, one after the other, each repeated until it has a receipt."""

    def __init__(self, office, case):
        self.office, self.case, self.fault = office, case, office.fault
        self.key, self.nonce = office.new_number(), f"{random.getrandbits(64):016x}"
        self.first = True

    def run(self):
        time.sleep(self.office.delay)
        for kind, param in self.plan():
            with self.office.lock:
                if self.case.state in ("23", "21"):
                    return
                self.case.before = self.case.state
                if kind == "tbzt0001":
                    self.case.state = "33" if param.get("tbcx") == "4" else STATES[param["blzt"]]
                else:
                    self.case.state, self.case.handed_over = "30", True
            if kind == "tbzt0001":
                param["blsj"] = self.office.beijing()
            self.settle(self.send(kind, param))
            with self.office.changed:
                self.office.changed.wait_for(lambda: self.case.state not in ("11", "31"), timeout=600)

    def settle(self, verdict):
        """A refused report never was: the case returns to the state before it."""
        with self.office.lock:
            if verdict == "refused" and self.case.state not in ("21", "23", "60"):
                self.case.state = self.case.before
            self.case.before = ""

    def plan(self):
        """Kind and param of each message, as phase and owner allow (crossing 5.2)."""
        kind, param = self.case.kind, self.case.message["param"]
        steps = [self.status(word) for word in self.office.flow]
        if self.fault == "send-wrong-order":
            return steps[::-1]
        if kind == "tbrz0001":
            return [step for step in steps if step[1]["blzt"] == "11"]
        before = [step for step in steps if step[1]["blzt"] not in ("09", "10", "11")]
        if kind == "tbzy0001" and param["aac070"] == "1":
            return [*before, ("tbzy0002", self.sheet())]
        if kind == "tbzy0001":
            return before  # the sheet comes from the other side, then the reports are theirs by the table
        if kind == "tbsy0001":
            return [
                *before,
                ("tbsy0002", self.benefit()),
                *(steps[len(before) :] if param["sldbz"] == "1" else []),
            ]
        return steps

    @staticmethod
    def status(word):
        word, _, special = word.partition("+")
        param = {"blzt": word, "blsj": ""}
        if word in ("02", "04", "07", "10"):
            param["blyy"] = "材料不齐，请补充后重新提交"
        return "tbzt0001", param | ({"tbcx": special} if special else {})

    def sheet(self):
        place = self.case.message["yab003"]
        year = {"aab299": place, "aae001": 2023, "aae041": 202301, "aae042": 202312, "aae202": 12}
        year |= {"aae180": 5000.0, "aaa041": 0.08, "aae264": 4800.0, "aae265": 94.2, "aae273": 4894.2}
        period = {"aac049": 202301, "aae030": 20230101, "aae031": 20231231, "aae201": 12, "aae200": 0}
        sums = {"aic093": 0.0, "aic089": 4894.2, "aic082": 0.0, "aic083": 4894.2, "aic084": 7200.0}
        total = {"aic102": 12094.2}
        if self.fault == "send-money-float":
            total = {"aic102": 12094.2 + 1e-9}
        return {"aae140": self.case.message["param"]["aae140"], **period, "ic91": [year], **sums, **total}

    def benefit(self):
        wage = 5500.1 + (1e-9 if self.fault == "send-money-float" else 0)
        months = {"ajc071": 68, "ajc072": 68, "ajc097": 17, "ajc099": 17}
        money = {"ajc061": wage, "aae019": 1680.0}
        return {"aae140": "210", **months, **money, "aae041": 202701, "aae042": 202805}

    def body(self, key, kind, param):
        number = self.case.number
        if self.fault == "send-own-number":
            number = number[:16] + "0" + number[17:]
        message = {"fwid": kind, "aaz002": key, "affairCode": number}
        if kind == "tbzy0002":
            message |= {name: self.case.message[name] for name in ("aac002", "aac003")}
        return json.dumps(message | {"param": param}, ensure_ascii=False).encode()

    def send(self, kind, param):
        if self.fault != "send-key-reused":
            self.key = self.office.new_number()
        waits = itertools.chain((1, 2, 5, 10, 30), itertools.repeat(60))
        for tries in itertools.count(1):
            if self.fault == "send-content-renewed" and kind == "tbzt0001":
                param["blsj"] = self.office.beijing()
            body = self.body(self.key, kind, param)
            status, receipt, retry_after = self.post(body)
            verdict = self.verdict(status, receipt)
            text = str(receipt.get("message", ""))
            entry = {"key": self.key, "kind": kind, "state": param.get("blzt"), "try": tries}
            self.office.sent.append(entry | {"status": status, "verdict": verdict, "message": text})
            if verdict != "repeat" or tries >= 50:
                return verdict
            if self.fault in ("send-new-key", "send-first-lost", "send-repeats-parked"):
                self.key = self.office.new_number()
            wait = max(next(waits) * self.office.wait, retry_after)
            if self.fault == "send-content-renewed":
                wait = max(wait, 1.1)  # the times are whole seconds
            time.sleep(0.01 if self.fault == "send-ignores-retry-after" else wait)
        return "repeat"

    def verdict(self, status, receipt):
        """`taken`, `refused` or `repeat`, read as gateway 5 reads the answers of a side."""
        if self.fault in ("send-first-lost", "send-content-renewed") and self.first and status == 202:
            self.first = False
            return "repeat"
        if self.fault == "send-no-repeat" and status in (429, 503):
            return "refused"
        if 200 <= status < 300 and receipt.get("recode") in ("1", "-1"):
            parked = str(receipt.get("message", "")).startswith("PARKED")
            if self.fault == "send-repeats-parked" and parked:
                return "repeat"
            return "taken" if receipt["recode"] == "1" else "refused"
        again = status < 400 or status >= 500 or status in (408, 425, 429)
        return "repeat" if again else "refused"

    def post(self, body):
        """Status (0 without an answer), receipt and Retry-After in seconds."""
        token, url = self.office.token, urllib.parse.urlsplit(self.office.gateway)
        timestamp = str(int(self.office.now()) - (600 if self.fault == "send-stale-time" else 0))
        nonce = self.nonce if self.fault == "send-nonce-reused" else f"{random.getrandbits(96):024x}"
        signed_body = (
            json.dumps(json.loads(body), sort_keys=True).encode()
            if self.fault == "send-digest-reserialised"
            else body
        )
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "x-tif-paasid": self.office.paasid,
            "x-tif-timestamp": timestamp,
            "x-tif-nonce": nonce,
            "x-tif-signature": signature(
                timestamp, token, nonce, swapped=self.fault == "send-signature-order"
            ),
            "x-body-sm3": sm3_mac(token, f"{timestamp}\n{nonce}\n".encode() + signed_body),
        }
        secure = url.scheme == "https"
        connect = http.client.HTTPSConnection if secure else http.client.HTTPConnection
        connection = connect(url.netloc, timeout=30)
        try:
            connection.request("POST", url.path.rstrip("/") + "/v1/sichuan/messages", body, headers)
            answer = connection.getresponse()
            raw, after = answer.read(), answer.headers.get("Retry-After", "")
        except (OSError, http.client.HTTPException):
            return 0, {}, 0
        finally:
            connection.close()
        try:
            receipt = read_json(raw)
        except ValueError:
            receipt = {}
        return answer.status, receipt, int(after) if after.isdigit() else 0


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
        extra = {"Content-Type": "application/json; charset=utf-8"}
        if status in (429, 503):
            extra["Retry-After"] = "1"
        return self.reply(status, self.office.encode(receipt), extra)

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
    parser.add_argument("--keys", type=Path, help="JSON file: paasid, token")
    parser.add_argument(
        "--gateway", default="", help="base address of the gateway; without it nothing is sent"
    )
    parser.add_argument("--fault", default="", choices=["", *FAULTS], metavar="NAME")
    parser.add_argument("--list-faults", action="store_true")
    parser.add_argument("--flow", default="03,06,09,11", help="blzt[+tbcx] to report, in order")
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
    keys = json.loads(options.keys.read_text("utf-8"))
    server = serve(
        Office(keys, fault=options.fault, gateway=options.gateway, options=options),
        options.host,
        options.port,
    )
    print(f"ready http://{options.host}:{server.server_address[1]}", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        server.server_close()


if __name__ == "__main__":
    main()
