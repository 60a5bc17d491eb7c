"""The verb of the channels' door: canonical JSON taken from an acceptance point, with the region's own care (ADR 0028)."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Protocol

import structlog

from gateway import metrics
from gateway.canonical.kinds import Kind
from gateway.crypto import digest
from gateway.errors import Finding, Refusal
from gateway.exchange.canonical_side import standing_in
from gateway.exchange.door import Door
from gateway.exchange.dry_run import DryRun, dry_run_of
from gateway.exchange.receive import Collection, Post, admitted, counted_kind, ring
from gateway.formats.tree import text_at
from gateway.mapping.canonical_maps import CANONICAL
from gateway.region import Outcome
from gateway.store.engine import is_away
from gateway.store.gather import busy

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gateway.canonical.tracking import TrackedCase
    from gateway.exchange.routing import Routes
    from gateway.region import Opened
    from gateway.transport.quota import Quota

log = structlog.get_logger()

NO_CASE = "没有这个办件，请核对通办编号"
_KEY_REUSED = "9020"
#: digits of a division's code
_CODE = 6
#: What a channel may say of a case it has collected; what its agency decides only where it was told so.
_FOLLOW_UPS = frozenset({Kind.MATERIAL_SUPPLEMENT, Kind.CASE_WITHDRAW, Kind.CASE_RATING})


class _Settings(Protocol):
    """A section of ``[[channels]]``."""

    @property
    def name(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def side(self) -> str: ...
    @property
    def items(self) -> frozenset[str]: ...
    @property
    def divisions(self) -> frozenset[str]: ...
    @property
    def reports(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class Collector:
    """A channel as one of its credentials lets it act. ``outlets``: where it may collect, None for anywhere."""

    name: str
    title: str
    side: str
    items: frozenset[str]
    divisions: tuple[str, ...]
    reports: bool
    outlets: frozenset[str] | None

    @classmethod
    def of(cls, channel: _Settings, outlets: frozenset[str] | None) -> Collector:
        """The holder of one credential of a channel."""
        divisions = tuple(sorted(channel.divisions))
        return cls(
            channel.name, channel.title, channel.side, channel.items, divisions, channel.reports, outlets
        )

    def owns(self, case: TrackedCase) -> bool:
        """Whether it has collected this case, where its credential reaches."""
        reaches = self.outlets is None or case.collected.get("outlet") in self.outlets
        return case.channel == self.name and reaches


@dataclass(frozen=True, slots=True)
class Posted:
    """A request: ``key`` as the channel chose it, ``case_no`` of the address for a follow-up."""

    key: str
    body: bytes = field(repr=False)
    case_no: str = ""


@dataclass(frozen=True, slots=True)
class Taken:
    """The receipt. ``repeated``: it was given before, for the same key and bytes."""

    body: bytes
    repeated: bool


class Counter(Door, Protocol):
    """What the verb asks of the runtime beyond the regions' door."""

    @property
    def quotas(self) -> Mapping[str, Quota]: ...


async def collect(rt: Counter, by: Collector, posted: Posted) -> Taken:
    """Take one message of a channel: an application, or what follows up a case it has collected.

    Errors: `Refusal` 403 with everything that is not permitted, 404 for a case that is not the channel's, 409, 422
    with every finding, 429, 503.
    """
    region = standing_in(rt.regions[by.side])
    kind = "unknown"
    try:
        await within_rate(rt, by)
        now = rt.clock.now()
        opened = _opened(rt.maps.routes, region.parse(posted.body), by, posted)
        kind = counted_kind(rt, region, opened)
        _addressed(opened, posted)
        _permitted(by, opened)
        await _own(rt, by, posted)
        collection = Collection(by.name, by.title)
        acceptance = await admitted(
            rt, Post(region, replace(opened, sent_at=now), posted.body, now, collection)
        )
    except Refusal as error:
        refused = _of_the_key() if error.code == _KEY_REUSED else error
        _refused(by, kind, refused)
        raise refused from None
    except Exception as error:
        if not is_away(error):
            raise
        log.warning("store_away", channel=by.name, cause=type(error).__name__)
        raise busy() from None
    await ring(rt, acceptance)
    assert acceptance.receipt is not None  # noqa: S101 - stored and known intents have one
    return Taken(acceptance.receipt.body, repeated=acceptance.result is None)


def tried(run: DryRun, by: Collector, body: bytes) -> dict[str, Any]:
    """The dry run of a channel's message: its permissions and its form are judged as at the door, nothing is stored.

    ``run.sender`` is the channel's side. Errors: `Refusal` 403 with everything that is not permitted, and those of
    `dry_run`.
    """
    region = standing_in(run.regions[by.side])
    read = region.parse(body)
    opened = _opened(run.maps.routes, read, by, Posted("", body, read.case_ref))
    if opened.native_kind in CANONICAL:
        _permitted(by, opened)
    standing = replace(run, regions={**run.regions, by.side: region}, door=True)
    return dry_run_of(standing, opened)


def _of_the_key() -> Refusal:
    text = "幂等键已用于另一内容，请换新的幂等键"
    return Refusal(409, _KEY_REUSED, text, findings=(Finding("Idempotency-Key", _KEY_REUSED, text),))


def _refused(by: Collector, kind: str, refused: Refusal) -> None:
    metrics.MESSAGES.labels(by.side, "in", kind, Outcome.REFUSED).inc()
    log.info("message_refused", channel=by.name, status=refused.status, code=refused.code)


async def within_rate(rt: Counter, by: Collector) -> None:
    """Count one message of the channel, or a trial of one. Errors: `Refusal` 429."""
    quota = rt.quotas.get(by.name)
    wait = await quota.allow(f"channel:{by.name}", rt.clock.now()) if quota else None
    if wait is not None:
        raise Refusal(429, "9050", "请求太多，请稍后用同一 Idempotency-Key 重发", retry_after=wait)


def _opened(routes: Routes, opened: Opened, by: Collector, posted: Posted) -> Opened:
    """The message with its key among those of the region: no region's own key has a colon so early.

    The side of the border is known even of a division no table has: refuse before park (crossing M8).
    """
    case_no, faults = posted.case_no.encode(), opened.faults
    division = text_at(opened.tree, "target", "division")
    if len(division) == _CODE and routes.of_division(division) in {"", by.side}:
        text = "办理地应在另一个已接入的地区，请核对区划；同一地区的事项请直接向经办机构提交"
        faults = (*faults, Finding("target.division", "9043", text))
    return replace(
        opened,
        key=f"channel:{by.name}:{posted.key}",
        digest=digest.sm3_hex(case_no, b"\n", posted.body),
        case_ref=posted.case_no,
        faults=faults,
    )


def _addressed(opened: Opened, posted: Posted) -> None:
    """Applications go to one address, what follows up a case to that of the case."""
    map_ = CANONICAL.get(opened.native_kind)
    if map_ is None or map_.kind.opens_case is bool(posted.case_no):
        wanted = "后续报文" if posted.case_no else "新办件的申请"
        text = f"这个地址只接收{wanted}，请核对 kind 和地址"
        raise Refusal(422, "9042", text, findings=(Finding("kind", "9042", text),))


def _permitted(by: Collector, opened: Opened) -> None:
    """Everything the channel was not permitted, all at once; what is no text is left to the schema."""
    findings = tuple(_forbidden(by, opened.tree, CANONICAL[opened.native_kind].kind))
    if findings:
        text = "该渠道未获准收取：请按 findings 核对，或向网关管理员申请"
        raise Refusal(403, "9010", text, findings=findings)


def _forbidden(by: Collector, tree: Mapping[str, Any], kind: Kind) -> Iterator[Finding]:
    if not kind.opens_case:
        if kind not in _FOLLOW_UPS and not (by.reports and kind is Kind.STATUS_REPORT):
            yield Finding("kind", "9010", "该渠道不能发送这一类报文")
        return
    item, division = text_at(tree, "item"), text_at(tree, "origin", "division")
    outlet = text_at(tree, "collected_at", "outlet", "code")
    if item and item not in by.items:
        yield Finding("item", "9010", "该渠道未获准收取这个事项")
    if division and not division.startswith(by.divisions):
        yield Finding("origin.division", "9010", "该渠道未获准代这个经办机构收取")
    if outlet and by.outlets is not None and outlet not in by.outlets:
        yield Finding("collected_at.outlet.code", "9010", "该凭证不属于这个网点")


async def _own(rt: Counter, by: Collector, posted: Posted) -> None:
    """A follow-up is about a case of the channel; of others' it learns nothing, not even that they exist."""
    if not posted.case_no:
        return
    record = await rt.cases.find(by.side, posted.case_no)
    if record is None or not by.owns(record.case):
        raise Refusal(404, "9044", NO_CASE)
