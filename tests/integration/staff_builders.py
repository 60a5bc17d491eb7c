"""The Sichuan side at the door of a runtime, peers that answer, and tables somebody has mended."""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import replace
from pathlib import Path

from gateway.canonical import lifecycle
from gateway.crypto.digest import hmac_sm3_hex
from gateway.exchange.receive import receive
from gateway.exchange.translate import compile_maps
from gateway.mapping.load import PACKAGED, load_tables
from gateway.region import Inbound
from gateway.shelf import InForce, Shelf
from gateway.store.records import Ending, Settlement

EXAMPLES = Path(__file__).parents[2] / "adapters" / "sichuan" / "examples"
TOKEN = "TEST-TOKEN-NOT-A-SECRET"
SERIAL = iter(range(1, 10_000))


class Side:
    """The Sichuan side at the door of a runtime."""

    def __init__(self, rt):
        self.rt = rt

    async def hand_in(self, kind, number, **changes):
        tree = json.loads((EXAMPLES / f"{kind}.native.json").read_bytes())
        tree.pop("cytbh", None)
        tree |= {"aaz002": f"SC20261123{next(SERIAL):09d}", "affairCode": f"510104-20261123-{number:06d}"}
        tree["param"] |= changes
        body = json.dumps(tree, ensure_ascii=False).encode()
        stamp, nonce = str(int(self.rt.clock.now().timestamp())), self.rt.new_id().hex
        headers = {
            "content-type": "application/json",
            "x-tif-paasid": "sc-lemis-test",
            "x-tif-timestamp": stamp,
            "x-tif-nonce": nonce,
            "x-tif-signature": hashlib.sha256(f"{stamp}{TOKEN}{nonce}{stamp}".encode()).hexdigest(),
            "x-body-sm3": hmac_sm3_hex(TOKEN.encode(), f"{stamp}\n{nonce}\n".encode() + body),
        }
        answer = await receive(self.rt, self.rt.regions["sichuan"], Inbound(headers, body))
        return answer.status, json.loads(answer.body)


async def settle(rt, claimed, ending, code="", text=""):
    def on_end(case, settlement):
        delivery, at = settlement.delivery, rt.clock.now()
        if settlement.ending is Ending.DELIVERED:
            return lifecycle.delivered(case, kind=delivery.kind, native_kind=delivery.native_kind, at=at)
        return lifecycle.undelivered(case, kind=delivery.kind, at=at, note=settlement.text)

    done = [Settlement(each, ending, rt.clock.now(), 0.01, 202, code, text) for each in claimed]
    await rt.deliveries.settle(done, on_end=on_end)


def mended(rt, tmp_path):
    """A runtime whose tables have a row for the ethnic group 77."""
    folder = tmp_path / "mappings"
    shutil.copytree(PACKAGED, folder)
    with (folder / "canonical" / "ethnic_group.csv").open("a", encoding="utf-8") as hub:
        hub.write("77,试验族,\n")
    for region, word in (("sichuan", "77"), ("chongqing", "试验族")):
        file = folder / "codes" / region / "ethnic_group.csv"
        columns = len(file.read_text("utf-8").splitlines()[0].split(","))
        row = [word, "77", "", "both"] + [""] * (columns - 4)
        with file.open("a", encoding="utf-8") as listed:
            listed.write(",".join(row) + "\n")
    tables = load_tables(folder, None)
    return replace(rt, shelf=Shelf(InForce(tables, compile_maps(rt.regions, tables))))
