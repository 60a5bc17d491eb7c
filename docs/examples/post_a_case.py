"""Post a case collected at an outlet, hear what is wrong with it, wait until somebody has to do something.

GATEWAY=http://… CHANNEL_TOKEN=… python post_a_case.py case.json
"""

import json
import os
import sys
import time
from pathlib import Path

import httpx

#: corrections are asked for, or the case has come to its end
WAIT_UNTIL = {"11", "31", "21", "23", "40", "41", "50", "60"}

case = json.loads(Path(sys.argv[1]).read_text("utf-8"))
proof = {"Authorization": f"Bearer {os.environ['CHANNEL_TOKEN']}"}
with httpx.Client(base_url=os.environ["GATEWAY"], headers=proof) as gateway:
    # the same key may be posted again and again: there is one case, and its first receipt
    key = {"Idempotency-Key": case["collected_at"]["reference"]}
    answer = gateway.post("/v1/cases", json=case, headers=key)
    if answer.is_error:
        problem = answer.json()
        wrong = (f"{finding['path']}: {finding['text']}" for finding in problem.get("findings", ()))
        sys.exit("\n".join((problem["detail"], *wrong)))
    while (found := gateway.get(answer.headers["Location"]).json())["state"]["code"] not in WAIT_UNTIL:
        time.sleep(0.5)
    print(found["case_no"], found["state"]["name"], found["collected_at"]["text"])
