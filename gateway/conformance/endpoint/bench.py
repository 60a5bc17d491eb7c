"""Where a live server is probed: seals and sends what a law asks for, and keeps every answer."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from gateway.canonical.worktime import beijing_day
from gateway.conformance.endpoint.line import how_far
from gateway.conformance.yardstick import Yardstick
from gateway.errors import PeerFailure
from gateway.region import Reply, SignedRequest, Taken
from gateway.transport.replies import judge, retry_after, without_numbers

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gateway.canonical.probing import Form, Probes
    from gateway.conformance.endpoint.door import Door
    from gateway.conformance.endpoint.mill import Message, Mill, Sides
    from gateway.transport.client import PeerClient

#: A server that asks to be left alone is asked again so often, and waited for so long each time.
_AGAIN, _LONGEST_WAIT_S = 3, 5.0
_NOT_NOW = frozenset({429, 503})
#: So many answers are waited for in vain to the end; then so many seconds each.
_HANGS, _SHORT_S = 3, 5.0
#: Nobody took the line: what the client calls it.
_ABSENT = frozenset({"ConnectError", "ClientConnectorError", "ClientConnectorDNSError"})
_PADDED = ("", "取值前后有空白或换行；值里只写值本身，缩进和换行只能在成员之间")
#: What the client calls an answer that is none, and what is to be told.
_UNREADABLE = {
    "the answer is encoded": "应答头有 Content-Encoding，报文体是压缩过的，网关不解压：关闭服务器和反向代理的应答压缩",
    "the answer is too large": "应答超过 1 MiB：只答复回执",
    "the answer is not HTTP": "不是合法的 HTTP/1.1 应答：查应答头和 Content-Length",
}
#: How much of the server's words is quoted.
_WORDS = 120


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back on one request. ``what`` was sent, in Chinese; ``failure`` says why nothing came back.

    ``good``: the request was one the gateway would send.
    """

    what: str
    path: str
    good: bool
    status: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = field(default=b"", repr=False)
    failure: str = ""
    cut: bool = False
    #: something came back, and it was no answer that the gateway reads
    garbled: bool = False
    request: SignedRequest | None = field(default=None, repr=False)
    #: not waited for as long as the gateway would: the server has kept silent before
    given_up: bool = False
    #: the answer behind which the server seems to have closed the line without a word
    behind: Answer | None = field(default=None, repr=False)
    took_s: float = 0.0
    reply: Reply | None = None
    form: Form | None = None
    case_ref: str = ""
    key: str = ""
    example: str = ""

    @property
    def taken(self) -> bool:
        """Delivered, by gateway §5."""
        return self.reply is not None and self.reply.taken is Taken.DELIVERED

    @property
    def code(self) -> str:
        """The code of a refusal, where one can be read."""
        if self.taken:
            return ""
        read = self.form.code if self.form and self.form.code else ""
        return read or (self.reply.code if self.reply else "")

    @property
    def said(self) -> str:
        """The answer in a few words, without long numbers."""
        if self.failure:
            return self.failure
        words = [f"HTTP {self.status}"]
        if self.taken:
            words.append("已受理")
        elif self.reply is None:
            words.append("没有可读的回执")
        if self.code and self.code != str(self.status):
            words.append(f"代码 {self.code}")
        if self.reply and self.reply.text and self.reply.text != f"HTTP {self.status}":
            words.append(f"“{without_numbers(self.reply.text)[:_WORDS]}”")
        return "，".join(words)


@dataclass(frozen=True, slots=True)
class Options:
    """How hard is probed. Units: ``timeout_s`` for one answer, ``patience_s`` for the next message of theirs."""

    timeout_s: float = 30.0
    in_flight: int = 16
    patience_s: float = 20.0
    seed: int = 1


@dataclass(slots=True)
class Bench:
    """One check of one server."""

    url: str
    sides: Sides
    probes: Probes | None
    credentials: Any = field(repr=False)
    mill: Mill = field(repr=False)
    client: PeerClient = field(repr=False)
    clock: Callable[[], datetime]
    nonce: Callable[[], str]
    options: Options
    #: the region's published messages, as bytes
    examples: tuple[bytes, ...] = field(default=(), repr=False)
    door: Door | None = None
    ledger: list[Answer] = field(default_factory=list)
    #: messages that had their first receipt again, with it
    remembered: list[tuple[Answer, Message]] = field(default_factory=list, repr=False)
    _yardstick: Yardstick | None = field(default=None, repr=False)
    _hangs: int = 0
    _looks: int = 0

    @property
    def region(self) -> Any:
        """The region of the server."""
        return self.sides.region

    @property
    def yardstick(self) -> Yardstick:
        """The receiver's view of what is sent; made when it is first asked for."""
        if self._yardstick is None:
            self._yardstick = Yardstick.of(self.mill, beijing_day(self.clock()))
        return self._yardstick

    # -- sealing -------------------------------------------------------------------------

    def seal(
        self,
        message: Message,
        *,
        body: bytes | None = None,
        late_s: float = 0.0,
        credentials: Any = None,
        kind: str = "",
    ) -> SignedRequest:
        """A request as the gateway would send it now, or ``late_s`` ago; ``kind`` is another one in the path."""
        now = datetime.fromtimestamp(self.clock().timestamp() - late_s, UTC)
        rendered = message.body if body is None else body
        sealed: SignedRequest = self.region.seal(
            rendered, kind or message.native_kind, credentials or self.credentials, now, self.nonce()
        )
        return sealed

    # -- sending -------------------------------------------------------------------------

    async def good(self, message: Message, what: str = "") -> Answer:
        """A message the server should take; one that is asked to come later is sent again, as the gateway does."""
        what = what or f"一条正确的报文：{message.words}"
        answer = await self.send(self.seal(message), what, message, good=True)
        for _ in range(_AGAIN):
            if answer.status not in _NOT_NOW:
                break
            wait = retry_after(answer.headers.get("retry-after", ""), self.clock()) or 0.2
            await asyncio.sleep(min(wait, _LONGEST_WAIT_S))
            answer = await self.send(self.seal(message), what, message, good=True)
        return answer

    async def bad(self, request: SignedRequest, what: str, message: Message | None = None) -> Answer:
        """A request the server should refuse."""
        return await self.send(request, what, message, good=False)

    async def send(self, request: SignedRequest, what: str, message: Message | None, *, good: bool) -> Answer:
        """One attempt, and the answer into the ledger.

        A line that the server closed behind its last answer is not this message's fault: it is sent once more.
        """
        if message is not None:
            self.introduce(message)
        before = self.ledger[-1] if self.ledger else None
        answer = await self._attempt(request, what, message, good=good)
        if answer.cut and before is not None and before.status >= 400:
            answer = await self._attempt(request, what, message, good=good)
            answer = replace(answer, behind=before)
        if answer.failure and self._looks < _HANGS and not (answer.garbled or answer.given_up):
            self._looks += 1
            half = await how_far(self, request)
            answer = replace(answer, failure=f"没有应答完（{half}）", garbled=True) if half else answer
        self.ledger.append(answer)
        return answer

    async def _attempt(
        self, request: SignedRequest, what: str, message: Message | None, *, good: bool
    ) -> Answer:
        blank = Answer(
            f"POST {request.path}，{what}",
            request.path,
            good,
            request=request,
            case_ref=message.case_ref if message else "",
            key=message.key if message else "",
            example=message.native_kind if message else "",
        )
        began = time.monotonic()
        try:
            async with asyncio.timeout(self._shortened_s()):
                answered = await self.client.send(request)
        except TimeoutError:
            failure = f"没有应答（等了 {_SHORT_S:g} 秒；前面已有 {_HANGS} 条等满 {self.options.timeout_s:g} 秒，不再等那么久）"
            return replace(blank, failure=failure, took_s=time.monotonic() - began, given_up=True)
        except PeerFailure as failed:
            self._hangs += failed.cause == "timeout"
            took_s = time.monotonic() - began
            cut = failed.cause == "connect"
            status = failed.http_status or 0
            failure = _failed(failed, self.options.timeout_s)
            garbled = failed.cause == "unreadable"
            return replace(blank, failure=failure, status=status, took_s=took_s, cut=cut, garbled=garbled)
        return self.read(
            replace(
                blank,
                status=answered.status,
                headers=answered.headers,
                body=answered.body,
                took_s=time.monotonic() - began,
            )
        )

    def _shortened_s(self) -> float | None:
        """The client's own time-out, until it has run out so often that a whole check would take hours."""
        return _SHORT_S if self._hangs >= _HANGS and self.options.timeout_s > _SHORT_S else None

    def read(self, answer: Answer) -> Answer:
        """The answer with what the region reads in it."""
        judged = judge(answer, self.region.read_reply, now=self.clock())  # type: ignore[arg-type]
        form = _trimmed(self.probes.receipt(answer.body)) if self.probes else None
        return replace(answer, reply=judged if isinstance(judged, Reply) else None, form=form)

    def introduce(self, message: Message) -> None:
        """The door is to know the case the server is told of."""
        if self.door is not None:
            self.door.introduce(message.case_ref, message.case, goes_on=not message.kind.opens_case)

    def skew_s(self) -> float | None:
        """Seconds the server's clock is ahead of ours, by its last ``Date`` header."""
        for answer in reversed(self.ledger):
            written = answer.headers.get("date", "")
            if not written:
                continue
            try:
                moment = parsedate_to_datetime(written)
            except (TypeError, ValueError):
                continue
            return (moment - self.clock()).total_seconds() + answer.took_s
        return None


def _trimmed(form: Form) -> Form:
    """The form with its values trimmed: the white space about them is one fault, whatever else it looks like."""
    values = (form.number, form.code, form.case_ref)
    if all(value == value.strip() for value in values):
        return form
    number, code, case_ref = (value.strip() for value in values)
    paths = tuple(path.strip() for path in form.paths)
    return replace(form, faults=(_PADDED,), number=number, code=code, case_ref=case_ref, paths=paths)


def _failed(failed: PeerFailure, timeout_s: float) -> str:
    match failed.cause:
        case "timeout":
            return f"没有应答（等了 {timeout_s:g} 秒）"
        case "connect":
            is_absent = failed.detail in _ABSENT
            return f"没有应答（{'连接不上' if is_absent else '收到请求后没有应答就断开了连接'}）"
        case _:
            return f"应答无法读取（{_UNREADABLE.get(failed.detail, failed.detail)}）"
