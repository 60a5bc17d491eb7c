"""The receiving side: the steps of crossing 1 in their order, receipts, and the command."""

import argparse
import base64
import hmac
import itertools
import random
import re
import sys
import threading
import time
from datetime import UTC, datetime
from xml.sax.saxutils import escape

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from endpoint.chongqing.case_book import FOLLOW_UPS, Case
from endpoint.chongqing.faults import FAULTS
from endpoint.chongqing.form import SHAPES, check_shape, check_values, flat
from endpoint.chongqing.sending import Sender
from endpoint.chongqing.wire import (
    DECLARATION,
    STAMP,
    UnreadableError,
    content_digest,
    encode,
    load_keys,
    read_xml,
)
from endpoint.common import (
    BEIJING,
    LIMIT,
    RefusedError,
    arguments,
    run,
    sm3,
)
from lxml import etree
from tongsuopy.crypto import exceptions as ts_exceptions
from tongsuopy.crypto import hashes as ts_hashes
from tongsuopy.crypto.asymciphers import ec

FLOW = "已受理,办理中,已办结//准予,已送达"


class Office:
    """The case system: keys, receipts and cases in memory."""

    def __init__(self, keys, *, fault="", gateway="", options=None):
        options = options or argparse.Namespace()
        self.keys, self.fault, self.gateway = keys, fault, gateway
        self.flow = getattr(options, "flow", FLOW).split(",")
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
        except (ValueError, InvalidSignature, ts_exceptions.InvalidSignature, ts_exceptions.InternalError):
            return False  # wrong, or no DER: the library calls the latter an internal error
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
        found = check_values(values, kind, checks_days=self.fault != "lenient-date")
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


def main(argv=None):
    options = arguments(
        argv,
        "A Chongqing case system that receives from the gateway and reports back, written from the specification alone.",
        FAULTS,
        keys="client_id, private_key, peer_client_id, peer_public_key",
        flow=FLOW,
        flow_help="BJZT[/TBCXZL[/BJJG]] in order",
    )
    run(
        options,
        FAULTS,
        lambda: Office(
            load_keys(options.keys), fault=options.fault, gateway=options.gateway, options=options
        ),
    )
