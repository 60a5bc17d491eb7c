"""Channels for tests: their configuration, a case they post, what waits to be sent of it."""

from __future__ import annotations

import copy
import hashlib
import json

import pytest
from configs import CONFIG, MASTER_KEY
from sqlalchemy import text
from test_api_cases import proven

from gateway.runtime import configure
from gateway.web import canonical_schemas

CHANNELS = """
[[channels]]
name = "bank"
title = "示例银行"
side = "chongqing"
items = ["injury_remote_treatment", "pension_transfer", "unemployment_benefit_claim", "pension_certification"]
divisions = ["5001"]
[[channels.credentials]]
token = "bank-token"
[[channels.credentials]]
token_sha256 = "{branch}"
outlets = ["0440200999"]
[[channels]]
name = "office"
title = "示例街道"
side = "chongqing"
items = ["pension_transfer"]
divisions = ["500103"]
reports = true
credentials = [{{token = "office-token"}}]
[[channels]]
name = "town"
title = "示例镇"
side = "sichuan"
items = ["injury_remote_treatment"]
divisions = ["510104"]
credentials = [{{token = "town-token"}}]
[[channels]]
name = "kiosk"
title = "示例自助终端"
side = "sichuan"
items = ["injury_remote_treatment"]
divisions = ["51"]
per_minute = 1
credentials = [{{token = "kiosk-token"}}]
"""

SOMEBODY = "500100198507220249"


@pytest.fixture
def settings(database_url, redis_server, tmp_path):
    file = tmp_path / "gateway.toml"
    branch = hashlib.sha256(b"branch-token").hexdigest()
    written = CONFIG.format(now="2026-11-23T16:00:00+08:00") + CHANNELS.format(branch=branch)
    file.write_text(written, encoding="utf-8")
    environ = {
        "TONGBAN_DATABASE_URL": database_url,
        "TONGBAN_REDIS_URL": redis_server.url,
        "TONGBAN_DATA_DIR": str(tmp_path / "data"),
        "TONGBAN_KEYS_MASTER_KEY": MASTER_KEY.hex(),
    }
    return configure(file, environ)


def application(**changes):
    """The worked general application, from the other side's division to this one's; ``__`` goes down a level."""
    body = copy.deepcopy(canonical_schemas.example_of(canonical_schemas.Kind.GENERAL_APPLY))
    body |= {"origin": {"division": "500103"}, "target": {"division": "510104"}}
    body["applicant"] |= {"name": "王秀", "id_no": SOMEBODY, "mobile": "13800000002"}
    for path, value in changes.items():
        *parents, last = path.split("__")
        node = body
        for name in parents:
            node = node[name]
        node[last] = value
    return body


async def post(client, body, key, path="/v1/cases"):
    content = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
    headers = {"content-type": "application/json", "idempotency-key": key}
    return await client.post(path, content=content, headers=headers)


async def sent_to(rt, case_no):
    """What waits to be sent of a case: destination, native kind, the message as a tree."""
    async with rt.engine.connect() as connection:
        rows = await connection.execute(
            text("SELECT id, destination, native_kind FROM deliveries WHERE case_no = :no ORDER BY seq"),
            {"no": case_no},
        )
        return [(row.destination, row.native_kind) for row in rows]


async def reported(rt, client, case_no, state, at, **more):
    """The target's own system reports a state, in its own format, by its own number."""
    number = (await rt.cases.by_no(case_no)).case.target_case_no
    key = f"SC20261123{int(hashlib.sha256((case_no + state).encode()).hexdigest(), 16) % 10**9:09d}"
    param = {"blzt": state, "blsj": at, **more}
    body = json.dumps({"fwid": "tbzt0001", "aaz002": key, "affairCode": number, "param": param}).encode()
    return await client.post("/v1/sichuan/messages", content=body, headers=proven(rt, body))
