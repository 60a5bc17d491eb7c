"""The receiving side: the steps of crossing 1 in their order, receipts, and the command."""

import argparse
import hmac
import itertools
import json
import random
import re
import sys
import threading
import time
from datetime import UTC, datetime

from endpoint.common import (
    BEIJING,
    LIMIT,
    RefusedError,
    arguments,
    run,
    sm3,
)
from endpoint.sichuan.case_book import FOLLOW_UPS, Case
from endpoint.sichuan.faults import FAULTS
from endpoint.sichuan.form import SHAPES, check_shape, check_values
from endpoint.sichuan.sending import Sender
from endpoint.sichuan.wire import read_json, signature, sm3_mac

FLOW = "03,06,09,11"


class Office:
    """The case system: keys, nonces, receipts and cases in memory."""

    def __init__(self, keys, *, fault="", gateway="", options=None):
        options = options or argparse.Namespace()
        self.paasid, self.token = keys["paasid"], keys["token"]
        self.fault, self.gateway = fault, gateway
        self.flow = getattr(options, "flow", FLOW).split(",")
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
        """Status and receipt bytes for one delivery; the steps of crossing 1 in their order."""
        self.hesitate()
        status, receipt = self.judge(path, headers, body)
        return status, self.encode(receipt)

    def judge(self, path, headers, body):
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
        found = check_values(
            message,
            checks_digit=self.fault != "digit-unchecked",
            checks_days=self.fault != "lenient-date",
        )
        own = "TB" if self.fault == "prefix-swapped" else "SC"
        if message["aaz002"].startswith(own) and self.fault != "own-key-accepted":
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

    def content_type(self):
        return "application/json; charset=utf-8"

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
        "A Sichuan case system that receives from the gateway and reports back, written from the specification alone.",
        FAULTS,
        keys="paasid, token",
        flow=FLOW,
        flow_help="blzt[+tbcx] to report, in order",
    )
    run(
        options,
        FAULTS,
        lambda: Office(
            json.loads(options.keys.read_text("utf-8")),
            fault=options.fault,
            gateway=options.gateway,
            options=options,
        ),
    )
