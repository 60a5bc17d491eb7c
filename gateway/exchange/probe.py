"""The explained connection test: each step to a peer with its time, what was met, and what to do.

Only the last steps send anything: one sealed request that can have no effect (`gateway.region.Blank`).
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import UTC
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from gateway.errors import PeerFailure
from gateway.region import Taken
from gateway.transport import path
from gateway.transport.client import PeerClient
from gateway.transport.path import Blocked, Passed, Place
from gateway.transport.replies import without_numbers

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from datetime import datetime

    from gateway.region import Region, Reply
    from gateway.transport.replies import Answered


class Name(StrEnum):
    """The steps, in order; the value is what is shown."""

    NAME = "name"
    TCP = "tcp"
    TLS = "tls"
    HTTP = "http"
    PROOF = "proof"
    RECEIPT = "receipt"

    @property
    def label(self) -> str:
        """In Chinese."""
        return _LABELS[self]


_LABELS = {
    Name.NAME: "域名解析",
    Name.TCP: "TCP 连接",
    Name.TLS: "TLS 与证书",
    Name.HTTP: "HTTP 应答",
    Name.PROOF: "调用凭证",
    Name.RECEIPT: "回执",
}


class Finish(StrEnum):
    """How a step ended."""

    PASSED = "passed"
    WARNED = "warned"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Step:
    """One step. ``detail``: what was met; ``remedy``: what to do, empty when nothing. Units: seconds."""

    name: Name
    finish: Finish
    took_s: float
    detail: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Probe:
    """A test of one peer. ``now`` is the gateway's clock, ``ticks`` a monotonic one in seconds."""

    region: Region
    credentials: Any = field(repr=False)
    now: Callable[[], datetime]
    ticks: Callable[[], float]
    nonce: str
    timeout_s: float = 10.0

    async def steps(self) -> AsyncIterator[Step]:
        """Each step as soon as it has ended; after one that failed there is no other."""
        place = Place.of(self.credentials.base_url)
        addresses: list[str] = []

        async def resolved() -> Passed:
            passed, found = await path.resolve(place)
            addresses.extend(found)
            return passed

        stretches: list[tuple[Name, Callable[[], Awaitable[Passed]]]] = [
            (Name.NAME, resolved),
            (Name.TCP, lambda: path.connect(place, addresses)),
        ]
        if place.is_tls:
            stretches.append((Name.TLS, lambda: path.shake(place)))
        for name, walk in stretches:
            step = await self._timed(name, walk)
            yield step
            if step.finish is Finish.FAILED:
                return
        async for step in self._call():
            yield step

    async def _timed(self, name: Name, walk: Callable[[], Awaitable[Passed]]) -> Step:
        began = self.ticks()
        try:
            async with asyncio.timeout(self.timeout_s):
                passed = await walk()
        except TimeoutError:
            return self._failed(
                name, began, f"{self.timeout_s:g} 秒内没有完成", "检查两侧防火墙是否丢弃了数据包"
            )
        except Blocked as blocked:
            return self._failed(name, began, blocked.detail, blocked.remedy)
        finish = Finish.WARNED if passed.warning else Finish.PASSED
        return Step(name, finish, self.ticks() - began, passed.detail, passed.warning)

    def _failed(self, name: Name, began: float, detail: str, remedy: str) -> Step:
        return Step(name, Finish.FAILED, self.ticks() - began, detail, remedy)

    async def _call(self) -> AsyncIterator[Step]:
        began = self.ticks()
        client = PeerClient(self.credentials.base_url, timeout_s=self.timeout_s, connections=1)
        blank = self.region.blank
        request = self.region.seal(blank.body, blank.native_kind, self.credentials, self.now(), self.nonce)
        try:
            answered = await client.send(request)
        except PeerFailure as failure:
            yield self._failed(Name.HTTP, began, *_no_answer(failure))
            return
        finally:
            await client.close()
        took_s = self.ticks() - began
        for name, told in (
            (Name.HTTP, _http(answered, self.now())),
            (Name.PROOF, _proof(self.region, answered)),
            (Name.RECEIPT, _receipt(self.region, answered)),
        ):
            yield Step(name, told[0], took_s if name is Name.HTTP else 0.0, *told[1:])
            if told[0] is Finish.FAILED:
                return


def _no_answer(failure: PeerFailure) -> tuple[str, str]:
    match failure.cause:
        case "timeout":
            return "已连通，但没有在时限内应答", "请对方查看应用是否卡住、连接池是否用尽"
        case "unreadable":
            return "应答不是可读的 HTTP", "核对 base_url 的协议、端口和路径：对面可能不是业务系统"
        case _:
            return "连接在应答之前断开", "请对方查看接入网关或反向代理的日志"


def _http(answered: Answered, now: datetime) -> tuple[Finish, str, str]:
    status = answered.status
    met = f"HTTP {status}"
    if 300 <= status < 400:
        return Finish.FAILED, f"{met}，要求跳转", "网关从不跟随跳转：把 base_url 改为最终地址"
    if status in (404, 405):
        return Finish.FAILED, f"{met}，没有这个接口", "核对 base_url 的路径前缀，请对方确认接口已发布"
    if status in (408, 425, 429) or status >= 500:
        return Finish.FAILED, f"{met}，对方暂不能受理", "对方过载或故障：联系对方值班；必要时先暂停投递"
    apart_s = _apart_s(answered, now)
    if apart_s > _APART_S:
        return Finish.WARNED, f"{met}，双方时钟相差约 {apart_s:.0f} 秒", "检查两侧的时间同步（NTP）"
    return Finish.PASSED, met, ""


#: A peer's clock that is so far from ours is told of: at 300 s proofs are refused.
_APART_S = 60


def _apart_s(answered: Answered, now: datetime) -> float:
    try:
        theirs = parsedate_to_datetime(answered.headers.get("date", ""))
    except ValueError:
        return 0.0
    aware = theirs if theirs.tzinfo else theirs.replace(tzinfo=UTC)
    return abs((now - aware).total_seconds())


def _proof(region: Region, answered: Answered) -> tuple[Finish, str, str]:
    reply = _reply(region, answered)
    said = _said(reply)
    if reply.code in region.proof_faults:
        return Finish.FAILED, f"对方不认可凭证{said}", region.proof_faults[reply.code]
    if answered.status in (401, 403):
        return (
            Finish.FAILED,
            f"HTTP {answered.status}{said}",
            "对方或其接入网关拒绝了调用：核对凭证，请对方确认本机地址已放行",
        )
    return Finish.PASSED, "对方认可网关的凭证", ""


def _receipt(region: Region, answered: Answered) -> tuple[Finish, str, str]:
    reply = _reply(region, answered)
    if not reply.code and reply.taken is not Taken.DELIVERED:
        return (
            Finish.FAILED,
            f"HTTP {answered.status}，读不懂回执",
            f"对方的应答不是 {region.spec} 的回执：请对方对照接口规范核对；也可能由中间代理代答",
        )
    if reply.taken is Taken.DELIVERED:
        return (
            Finish.WARNED,
            "回执可读，但对方收下了一条空报文",
            "凭证与格式的核验可能没有启用：请对方检查",
        )
    return Finish.PASSED, f"回执可读，空报文如期被拒{_said(reply)}", ""


def _reply(region: Region, answered: Answered) -> Reply:
    return region.read_reply(answered.status, answered.body)


def _said(reply: Reply) -> str:
    words = f"{reply.code} {without_numbers(reply.text)}".strip()
    return f"（{words}）" if words else ""
