"""Reports of a case back to the gateway."""

import http.client
import itertools
import json
import random
import time
import urllib.parse

from endpoint.sichuan.case_book import STATES
from endpoint.sichuan.wire import read_json, signature, sm3_mac


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
                if self.fault == "send-utc-report":
                    param["blsj"] = time.strftime("%Y%m%d%H%M%S", time.gmtime(self.office.now()))
                if self.fault == "send-unknown-word":
                    param["blzt"] = "77"
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
        if self.fault == "send-other-number":
            number = f"{number[:17]}{(int(number[17:]) + 1) % 10**5:05d}"
        message = {"fwid": kind, "aaz002": key, "affairCode": number}
        if self.fault == "send-other-number":
            message["cytbh"] = self.case.cytbh
        if self.fault == "send-foreign-cytbh":
            message["cytbh"] = self.case.cytbh[:-8] + self.case.cytbh[:-9:-1]
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
