"""Reports of a case back to the gateway."""

import base64
import http.client
import itertools
import time
import urllib.parse
from datetime import UTC

from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from endpoint.chongqing.case_book import ENDING, REASON, STATES
from endpoint.chongqing.wire import DECLARATION, UnreadableError, elements, encode, read_xml
from endpoint.common import BEIJING, sm3
from lxml import etree
from tongsuopy.crypto import hashes as ts_hashes
from tongsuopy.crypto.asymciphers import ec


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
