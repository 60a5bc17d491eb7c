"""A request as a vector: what is sent, when, and what its receiver knows (pure)."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
KEYS = ROOT / "tests" / "keys"
VERSION = 1


@dataclass(frozen=True)
class Request:
    """One request as it comes, the clock of the receiver, and what the receiver knows."""

    path: str
    headers: dict[str, str]
    body: bytes
    now: int
    sender: str = "region"
    enabled: bool = True
    seen: tuple[str, ...] = ()
    steps: dict[str, str] = field(default_factory=dict)

    def but(self, **changed: Any) -> Request:
        """The same with one thing changed; ``headers`` are put over those there, None takes one away."""
        headers = {**self.headers, **changed.pop("headers", {})}
        kept = {name: value for name, value in headers.items() if value is not None}
        return replace(self, headers=kept, **changed)


def key(name: str) -> str:
    return (KEYS / f"TEST_ONLY_{name}").read_text(encoding="ascii")


TOKEN = key("token.txt").strip()
PRIVATE = {who: key(f"{name}_private.pem") for who, name in (("region", "chongqing"), ("gateway", "gateway"))}
PUBLIC = {who: key(f"{name}_public.pem") for who, name in (("region", "chongqing"), ("gateway", "gateway"))}
CLIENT = {"region": "CQ-LEMIS-TEST", "gateway": "CYTB-TEST"}


def worked(region) -> list[tuple[str, Request]]:
    """The golden examples, with the proof published with them, at the time they were sent."""
    found = []
    for file in sorted((ROOT / "adapters" / region.slug / "examples").glob("*.http.json")):
        kind = file.name.split(".")[0]
        said = json.loads(file.read_text(encoding="utf-8"))
        (native,) = file.parent.glob(f"{kind}.native.*")
        body = native.read_bytes()
        sender = "gateway" if said["path"].startswith("/gw/") else "region"
        found.append((kind, Request(said["path"], said["headers"], body, 0, sender)))
    return found


def another_digit(written: str) -> str:
    """Hex whose last digit is another."""
    return written[:-1] + ("0" if written[-1] != "0" else "1")
