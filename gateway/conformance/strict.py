"""A stand-in that keeps the whole contract: size, type, form, values, replay and numbers beside its own checks.

The stand-in's own reading stays apart from the gateway's code and goes first; what it does not look at is judged
here by the region's maps. Rehearsals do without it: the gateway never sends what it refuses.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from gateway.canonical.rehearsal import Heard, Unheard
from gateway.canonical.worktime import beijing_day
from gateway.errors import Refusal
from gateway.formats import media_type
from gateway.region import Inbound
from gateway.transport.client import BODY_LIMIT

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from gateway.canonical.rehearsal import Draw, StandIn
    from gateway.conformance.yardstick import Yardstick
    from gateway.region import Opened, Region

#: Nonces remembered; the window makes older ones useless.
_MOST = 100_000


@dataclass(slots=True)
class Strict:
    """What a strict stand-in remembers of the messages it took."""

    stand_in: StandIn
    region: Region
    yardstick: Yardstick = field(repr=False)
    _digests: dict[str, str] = field(default_factory=dict, repr=False)
    _heard: dict[str, str] = field(default_factory=dict, repr=False)
    _cases: dict[str, str] = field(default_factory=dict, repr=False)
    _nonces: OrderedDict[str, None] = field(default_factory=OrderedDict, repr=False)

    def hardened(self) -> StandIn:
        """The stand-in with this memory."""
        return replace(self.stand_in, hear=self._hear, answer=self._answer)

    def _hear(
        self, kind_in_path: str, headers: Mapping[str, str], body: bytes, keys: Any, now: datetime
    ) -> Heard:
        """In the order of crossing §1. Errors: `Unheard`."""
        if len(body) > BODY_LIMIT:
            raise Unheard(413, "9030", "", "报文超过 1 MiB")
        wanted, given = (
            media_type.split(text) for text in (self.region.content_type, headers.get("content-type", ""))
        )
        if given[0] != wanted[0] or given[1] not in self._charsets(wanted[1]):
            raise Unheard(415, "9031", "", f"Content-Type 应为 {self.region.content_type}")
        heard, refused = self._heard_by_its_own(kind_in_path, headers, body, keys, now)
        if refused and refused.status in {401, 403}:
            raise refused
        opened = self._opened(headers, body)
        self._unused(opened)
        self._formed(opened, now)
        if heard is None or refused:
            raise refused or Unheard(422, "9042", self.region.kind_path, "报文的形式不符")
        self._once(heard, opened)
        self._heard[heard.key] = opened.digest
        return heard

    def _charsets(self, charset: str) -> frozenset[str]:
        """A charset that is the media type's own may be left out (crossing §1 step 2)."""
        return frozenset({charset, ""} if charset == "utf-8" else {charset})

    def _heard_by_its_own(
        self, kind: str, headers: Mapping[str, str], body: bytes, keys: Any, now: datetime
    ) -> tuple[Heard | None, Unheard | None]:
        try:
            return self.stand_in.hear(kind, headers, body, keys, now), None
        except Unheard as refused:
            return None, refused
        except Exception:  # noqa: BLE001 - its quick reading trips over what has no form; the maps say where
            return None, None

    def _opened(self, headers: Mapping[str, str], body: bytes) -> Opened:
        try:
            return self.region.open(Inbound(headers, body))
        except Refusal as refused:
            raise Unheard(422, refused.code, "", refused.text) from None

    def _unused(self, opened: Opened) -> None:
        if not opened.nonce:
            return
        if opened.nonce in self._nonces:
            raise Unheard(401, "9003", "", "随机串已使用过")
        self._nonces[opened.nonce] = None
        if len(self._nonces) > _MOST:
            self._nonces.popitem(last=False)

    def _formed(self, opened: Opened, now: datetime) -> None:
        if opened.native_kind not in self.region.maps:
            raise Unheard(422, "9042", self.region.kind_path, "没有这种报文")
        found = self.yardstick.faults(opened, beijing_day(now))
        for code in ("9042", "9043"):
            fault = next((one for one in found if one.code == code), None)
            if fault:
                raise Unheard(422, code, fault.path, fault.text)

    def _once(self, heard: Heard, opened: Opened) -> None:
        known = self._digests.get(heard.key)
        if known is not None and known != opened.digest:
            raise Unheard(409, "9020", "", "报文编号已用于另一内容")
        if known is None and heard.facts and heard.case_ref in self._cases:
            raise Unheard(409, "9021", self.region.case_path, "办件编号已使用过")

    def _answer(self, heard: Heard | None, refusal: Unheard | None, draw: Draw) -> bytes:
        if heard and refusal is None and heard.key in self._heard:
            self._digests[heard.key] = self._heard.pop(heard.key)
            self._cases.setdefault(heard.case_ref, heard.key)
        return self.stand_in.answer(heard, refusal, draw)
