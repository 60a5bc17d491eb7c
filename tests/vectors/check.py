"""Checks the published vectors from Python, with nothing of the gateway's own code.

python check.py FOLDER [URL TOKEN]

FOLDER holds sm.json, proof-*.json and crossing.json. With URL and TOKEN (scope ``translate``) of a running gateway the
crossing is checked too, over POST /v1/translate. Needs the packages ``cryptography`` (SM3) and ``tongsuopy`` (SM2).
Exit status: 1 when a vector does not come out as published.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import sys
import urllib.error
import urllib.request
from datetime import datetime, timedelta, timezone
from pathlib import Path

from cryptography.hazmat.primitives import hashes, hmac
from tongsuopy.crypto import hashes as sm_hashes
from tongsuopy.crypto import serialization
from tongsuopy.crypto.asymciphers import ec

ACCEPTED = {"verdict": "accepted"}
BEIJING = timezone(timedelta(hours=8))


def sm3(data: bytes) -> str:
    digest = hashes.Hash(hashes.SM3())
    digest.update(data)
    return digest.finalize().hex()


def hmac_sm3(key: bytes, data: bytes) -> str:
    mac = hmac.HMAC(key, hashes.SM3())
    mac.update(data)
    return mac.finalize().hex()


def sm2_is_valid(pem: str, signature: bytes, message: bytes) -> bool:
    """SM2 with SM3 and the default signer id, DER. Whatever is no signature is just not valid."""
    try:
        key = serialization.load_pem_public_key(pem.encode())
        key.verify(signature, message, ec.ECDSA(sm_hashes.SM3()))
    except Exception:  # noqa: BLE001 - half a dozen classes say no
        return False
    return True


def refused(status: int, code: str) -> dict:
    return {"verdict": "refused", "status": status, "code": code}


def content_type(written: str) -> tuple[str, str]:
    kind, _, rest = written.lower().partition(";")
    charset = re.search(r'charset="?([^";\s]+)', rest)
    return kind.strip(), charset[1] if charset else ""


def judge_sichuan(vector: dict, keys: dict, window: int) -> dict:  # noqa: PLR0911 - a step, a return
    """SC-N §2: content type, headers, caller, signature, digest of the body, permission, time, nonce."""
    headers, body = heads(vector), base64.b64decode(vector["body_base64"])
    kind, charset = content_type(headers.get("content-type", ""))
    if kind != "application/json" or charset not in {"", "utf-8"}:
        return refused(415, "9031")
    names = ("x-tif-paasid", "x-tif-timestamp", "x-tif-nonce", "x-tif-signature", "x-body-sm3")
    if not all(headers.get(name) for name in names):
        return refused(401, "9001")
    caller, stamp, nonce, signature, digest = (headers[name] for name in names)
    base = f"{stamp}{keys['token']}{nonce}{stamp}".encode()
    if (
        caller != keys["paasid"]
        or not re.fullmatch(r"[0-9]{1,11}", stamp)
        or not re.fullmatch(r"[0-9A-Za-z_-]{8,64}", nonce)
        or signature.lower() != hashlib.sha256(base).hexdigest()
    ):
        return refused(401, "9001")
    if digest.lower() != hmac_sm3(keys["token"].encode(), f"{stamp}\n{nonce}\n".encode() + body):
        return refused(401, "9004")
    if not vector["enabled"]:
        return refused(403, "9010")
    if abs(vector["now"] - int(stamp)) > window:
        return refused(401, "9002")
    return refused(401, "9003") if nonce in vector["seen_nonces"] else ACCEPTED


def judge_chongqing(vector: dict, keys: dict, window: int) -> dict:  # noqa: PLR0911 - a step, a return
    """CQ-N §2: content type, headers, caller, digest of the body, signature, permission, time."""
    headers, body = heads(vector), base64.b64decode(vector["body_base64"])
    if content_type(headers.get("content-type", "")) != ("application/xml", "gb18030"):
        return refused(415, "9031")
    names = ("x-cq-clientid", "x-cq-sm3", "x-cq-sign")
    if not all(headers.get(name) for name in names):
        return refused(401, "9001")
    caller, digest, signature = (headers[name] for name in names)
    peer = keys[vector["sender"]]
    if caller != peer["client_id"]:
        return refused(401, "9001")
    if digest.lower() != sm3(body):
        return refused(401, "9004")
    try:
        der = base64.b64decode(signature, validate=True)
    except ValueError:
        der = b""
    if not sm2_is_valid(peer["public_key_pem"], der, body):
        return refused(401, "9001")
    if not vector["enabled"]:
        return refused(403, "9010")
    written = re.search(rb"<FSSJ>([^<]*)</FSSJ>", body)[1].decode("ascii")
    sent = datetime.strptime(written, "%Y-%m-%d %H:%M:%S").replace(tzinfo=BEIJING).timestamp()
    return refused(401, "9002") if abs(vector["now"] - sent) > window else ACCEPTED


def heads(vector: dict) -> dict[str, str]:
    return {name.lower(): value for name, value in vector["headers"].items()}


def blocks(document: dict):
    """(id, expected, found) of the building blocks."""
    for n, each in enumerate(document["sm3"], 1):
        yield f"sm3-{n}", each["sm3"], sm3(base64.b64decode(each["message_base64"]))
    for n, each in enumerate(document["hmac_sm3"], 1):
        key, message = (base64.b64decode(each[name]) for name in ("key_base64", "message_base64"))
        yield f"hmac-sm3-{n}", each["hmac_sm3"], hmac_sm3(key, message)
    for n, each in enumerate(document["sm2"], 1):
        signature, message = (base64.b64decode(each[name]) for name in ("signature_base64", "message_base64"))
        yield f"sm2-{n}", each["valid"], sm2_is_valid(each["public_key_pem"], signature, message)


def proofs(document: dict, judge):
    for vector in document["vectors"]:
        yield vector["id"], vector["expect"], judge(vector, document["keys"], document["window_s"])


def crossing(document: dict, url: str, token: str):
    for vector in document["vectors"]:
        body = base64.b64decode(vector["in_base64"])
        yield f"{vector['id']} (in)", vector["in_sm3"], sm3(body)
        yield vector["id"], plain(vector["expect"], document), ask(vector, body, document, url, token)


def ask(vector: dict, body: bytes, document: dict, url: str, token: str) -> dict:
    """The same members as ``expect``, from a running gateway."""
    context = base64.urlsafe_b64encode(json.dumps(vector["context"]).encode()).decode().rstrip("=")
    request = urllib.request.Request(
        f"{url}/v1/translate?from={vector['from']}&context={context}",
        data=body,
        headers={"Authorization": f"Bearer {token}", "Content-Type": vector["content_type"]},
    )
    try:
        with urllib.request.urlopen(request) as answer:
            told = json.load(answer)
    except urllib.error.HTTPError as error:
        problem = json.load(error)
        verdict = "parked" if problem["code"] == "parked" else "refused"
        return plain({"verdict": verdict, **problem}, document)
    if "canonical" not in vector["expect"]:  # of a single value only what became of it is published
        told |= {"canonical": None, "trace": [entry for entry in told["trace"] if entry["kind"] != "exact"]}
    return plain({"verdict": "taken", **told, "out_base64": told["native"]["body"]}, document)


def plain(expect: dict, document: dict) -> dict:
    """What is pinned of a result: of findings code and path; of bytes all but the placeholders."""
    if "findings" in expect:
        return {
            "verdict": expect["verdict"],
            "code": expect["code"],
            "findings": sorted([found["path"], found["code"]] for found in expect["findings"]),
        }
    out = base64.b64decode(expect["out_base64"])
    for each in document["placeholders"]:
        out = re.sub(each["pattern"].encode(), b"", out)
    members = ("verdict", "kind", "item", "case_no", "trace", "canonical")
    return {name: expect.get(name) for name in members} | {"out": out}


def main(folder: str, *gateway: str) -> int:
    place, wrong, counts = Path(folder), 0, {}
    documents = {file.stem: json.loads(file.read_text("utf-8")) for file in sorted(place.glob("*.json"))}
    runs = {"sm": blocks(documents["sm"])}
    runs["proof-sichuan"] = proofs(documents["proof-sichuan"], judge_sichuan)
    runs["proof-chongqing"] = proofs(documents["proof-chongqing"], judge_chongqing)
    if gateway:
        runs["crossing"] = crossing(documents["crossing"], *gateway)
    for name, results in runs.items():
        seen = set()
        for label, expected, found in results:
            seen.add(label.removesuffix(" (in)"))
            if expected != found:
                wrong += 1
                print(f"FAILED {name} {label}\n  expected {expected}\n  found    {found}")
        counts[name] = len(seen)
        if len(seen) != documents[name]["count"]:
            wrong += 1
            print(f"FAILED {name}: {documents[name]['count']} vectors announced, {len(seen)} checked")
    print("checked", *(f"{name}={count}" for name, count in counts.items()), f"failed={wrong}")
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main(*sys.argv[1:]))
