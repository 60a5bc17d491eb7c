"""The proof of each region as vectors, judged by the gateway's own code (pure)."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from typing import Any

from gateway.crypto.digest import sm3_hex
from gateway.errors import Refusal
from gateway.exchange.receive import _within_window, nonce_used
from gateway.region import Inbound
from tests.vectors import of_chongqing, of_sichuan
from tests.vectors.sent import CLIENT, PRIVATE, PUBLIC, TOKEN, VERSION, Request

OF = {"sichuan": of_sichuan, "chongqing": of_chongqing}


def judged(region, request: Request) -> dict[str, Any]:
    """What the gateway's own code says: steps 2 to 4 and 7 of crossing §1."""
    given: dict[str, Any] = {"base_url": "https://region.example", "enabled": request.enabled}
    if region.slug == "sichuan":
        given |= {"paasid": "sc-lemis-test", "token": TOKEN}
    else:
        # the gateway's side of it; a request of the gateway is judged as the region would, by the same rules
        peer = request.sender
        given |= {"client_id": "X", "private_key": PRIVATE["gateway"]}
        given |= {"peer_client_id": CLIENT[peer], "peer_public_key": PUBLIC[peer]}
    now = datetime.fromtimestamp(request.now, UTC)
    inbound = Inbound({name.lower(): value for name, value in request.headers.items()}, request.body)
    try:
        region.verify(inbound, region.credentials.model_validate(given), now)
        opened = region.open(inbound)
        _within_window(opened, region, now)
        if opened.nonce in request.seen:
            raise nonce_used()
    except Refusal as refused:
        return {"verdict": "refused", "status": refused.status, "code": refused.code}
    return {"verdict": "accepted"}


def _vector(region, number: int, case, steps) -> dict[str, Any]:
    name, altered, about, about_en, request = case
    return {
        "id": f"{region.slug}-{number:03d}-{name}",
        "about": about,
        "about_en": about_en,
        "altered": altered,
        "now": request.now,
        "sender": request.sender,
        "enabled": request.enabled,
        "seen_nonces": list(request.seen),
        "method": "POST",
        "path": request.path,
        "headers": request.headers,
        "body_base64": base64.b64encode(request.body).decode(),
        "body_sm3": sm3_hex(request.body),
        "steps": steps(request),
        "expect": judged(region, request),
    }


def document(slug: str) -> dict[str, Any]:
    """The file ``proof-<slug>.json``."""
    own = OF[slug]
    region = own.region
    vectors = [_vector(region, number, case, own.steps) for number, case in enumerate(own.cases(), 1)]
    return {
        "version": VERSION,
        "about": f"{region.name}接口的凭证；密钥只供测试",
        "about_en": f"proof of {region.spec}; keys for tests only",
        "spec": region.spec,
        "window_s": region.window_s,
        "keys": own.keys(),
        "count": len(vectors),
        "vectors": vectors,
    }
