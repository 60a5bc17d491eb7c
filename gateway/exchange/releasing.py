"""What is done to releases of the tables: proposed, consented to by each side, activated, retired; each on record."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from gateway.canonical.worktime import beijing_day
from gateway.errors import CannotStart, GatewayError
from gateway.exchange.library import usable
from gateway.mapping.release import Approval, Consent, Release, faults_of, pack, statement, unsigned
from gateway.store.audit import Line

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import date, datetime

    from sqlalchemy.ext.asyncio import AsyncConnection

    from gateway.crypto.approval import Verifier
    from gateway.mapping.sets import TableSet
    from gateway.mapping.sheet import Fault
    from gateway.region import Region
    from gateway.store.audit import Audit
    from gateway.store.engine import Also
    from gateway.store.sets import TableSets


class NotAllowed(GatewayError):  # noqa: N818 - a word of the field
    """What was asked may not be done to this release.

    ``text``: the sentence with places ``%(name)s`` for ``values``, one of `SENTENCES` where it is shown to people of
    other languages; ``str(error)`` is the whole of it.
    """

    def __init__(self, text: str, **values: object) -> None:
        super().__init__(text % values if values else text)
        self.text, self.values = text, values


class Faulty(CannotStart):
    """The tables break laws: ``faults`` by file and line."""

    def __init__(self, name: str, faults: Sequence[Fault]) -> None:
        listed = "\n".join(f"  {name.rstrip('/')}/{each}" for each in faults)
        super().__init__(f"规则表有 {len(faults)} 处错误，改正后再发布：\n{listed}")
        self.faults = tuple(faults)


ACTIVE_ALREADY = "这个版本已经启用过"
NEVER_USED = "未配置批准公钥，且 rules.without_keys = never：入库的版本不会使用"
NOT_ONESELF = "提出这个版本的人不能自己启用：请另一人确认"
UNFIT = "不能启用：%(faults)s"
OVERTAKEN = (
    "现用版本 %(digest)s 自 %(day)s 起生效，晚于本版本：启用后也不会被用到，请以更晚的生效日期重新发布"
)
NOT_ACTIVE = "这个版本没有启用，或已停用"
NOTHING_LEFT = "没有可恢复的已生效版本：请先发布、批准并启用另一个版本"
KNOWN = "这套规则表已经入库：%(digest)s，自 %(day)s 起"
NOT_ITS_KEY = "签名无法用配置中 %(region)s 的公钥验证：请核对密钥和地区"
RETIRED_ALREADY = "这个版本已停用，不能再批准"
SENTENCES = (
    ACTIVE_ALREADY,
    NEVER_USED,
    NOT_ONESELF,
    UNFIT,
    OVERTAKEN,
    NOT_ACTIVE,
    NOTHING_LEFT,
    KNOWN,
    NOT_ITS_KEY,
    RETIRED_ALREADY,
)


@dataclass(frozen=True, slots=True)
class Registry:
    """What the verbs ask for. ``approvers``: the public key of every side, empty when none is configured."""

    sets: TableSets = field(repr=False)
    audit: Audit = field(repr=False)
    regions: Mapping[str, Region] = field(repr=False)
    approvers: Mapping[str, Verifier] = field(repr=False)
    consent: Consent
    calendar_until: int | None
    now: Callable[[], datetime] = field(repr=False)

    @property
    def today(self) -> date:
        """The day in Beijing."""
        return beijing_day(self.now())


@dataclass(frozen=True, slots=True)
class By:
    """Who acts (``staff:NAME``), and why."""

    actor: str
    reason: str = field(default="", repr=False)


async def propose(desk: Registry, asked: TableSet, by: By, *, effective_from: date, note: str) -> Release:
    """Keep tables as a release that waits for consent; its content can never be altered.

    Errors: `Faulty` with every broken law, also the one the gateway itself lives without (no item is open while
    its guides disagree); `CannotStart` for tables no map can use; `NotAllowed` when these tables are kept already.
    """
    faults = await asyncio.to_thread(asked.faults)
    if faults:
        raise Faulty(asked.name, faults)
    await asyncio.to_thread(usable, asked.files, desk.regions, desk.calendar_until, release=asked.name)
    fresh = Release(
        digest=asked.digest,
        content=pack(asked.files),
        effective_from=effective_from,
        note=note,
        created_at=desk.now(),
        created_by=by.actor,
    )
    line = Line(by.actor, "mappings-release", fresh.digest, by.reason or note)
    if not await desk.sets.add(fresh, also=_recorded(desk, line)):
        known = await desk.sets.one(asked.digest)
        since = known.effective_from if known else ""
        raise NotAllowed(KNOWN, digest=asked.digest[:12], day=since)
    return fresh


async def approve(desk: Registry, found: Release, region: str, signed: bytes, by: By) -> list[str]:
    """Keep a side's signature over `statement`; the sides that are still waited for.

    Errors: `CannotStart` when the side has no key configured; `NotAllowed` for a signature that is not its.
    """
    verifier = desk.approvers.get(region)
    if verifier is None:
        raise CannotStart(f"approval.{region}: 配置中没有该地区的批准公钥，请补充 public_key_file")
    if not verifier.verify(signed, statement(found.digest, found.effective_from)):
        raise NotAllowed(NOT_ITS_KEY, region=region)
    approval = Approval(verifier.key_id, verifier.algorithm, signed, desk.now(), by.actor)
    after = {"region": region, "key_id": verifier.key_id}
    line = Line(by.actor, "mappings-approve", found.digest, by.reason, after=after)
    if not await desk.sets.approve(found.digest, region, approval, also=_recorded(desk, line)):
        raise NotAllowed(RETIRED_ALREADY)
    return sorted(set(desk.approvers) - {*found.approvals, region})


async def activate(desk: Registry, found: Release, by: By) -> bool:
    """Let a release be used from its day on; True when that day has come.

    Where no side has a key, whoever activates confirms it. Errors: `NotAllowed`, `CannotStart`.
    """
    hindrance = await hindered(desk, found, by.actor)
    if hindrance is not None:
        raise hindrance
    await asyncio.to_thread(usable, found.files(), desk.regions, desk.calendar_until, release=found.digest)
    confirmed = None if desk.consent is Consent.SIGNED else by.actor
    line = Line(by.actor, "mappings-activate", found.digest, by.reason)
    if not await desk.sets.activate(
        found.digest, desk.now(), confirmed_by=confirmed, also=_recorded(desk, line)
    ):
        raise NotAllowed(ACTIVE_ALREADY)
    return found.effective_from <= desk.today


async def hindered(desk: Registry, found: Release, actor: str) -> NotAllowed | None:
    """Why this person may not activate this release now; None when he may."""
    if found.activated_at is not None:
        return NotAllowed(ACTIVE_ALREADY)
    if desk.consent is Consent.NEVER:
        return NotAllowed(NEVER_USED)
    if desk.consent is Consent.TWO_PEOPLE and actor == found.created_by:
        return NotAllowed(NOT_ONESELF)
    faults = list(faults_of(found, desk.approvers))
    if faults:
        return NotAllowed(UNFIT, faults="；".join(faults))
    return await _overtaken(desk, found)


async def _overtaken(desk: Registry, found: Release) -> NotAllowed | None:
    """A release that would never be used says so, instead of seeming to work."""
    standing = await desk.sets.standing(desk.today)
    current = await desk.sets.one(standing.digest) if standing.digest else None
    if current is None or current.digest == found.digest or found.effective_from >= current.effective_from:
        return None
    return NotAllowed(OVERTAKEN, digest=current.digest[:12], day=current.effective_from)


async def retire(desk: Registry, found: Release, by: By) -> None:
    """Use a release no longer: the one before it is in force again. Errors: `NotAllowed` when none is left."""
    hindrance = await unretirable(desk, found)
    if hindrance is not None:
        raise hindrance
    line = Line(by.actor, "mappings-retire", found.digest, by.reason)
    if not await desk.sets.retire(found.digest, desk.now(), also=_recorded(desk, line)):
        raise NotAllowed(NOT_ACTIVE)


async def unretirable(desk: Registry, found: Release) -> NotAllowed | None:
    """Why a release may not be retired; None when it may."""
    if found.activated_at is None or found.retired_at is not None:
        return NotAllowed(NOT_ACTIVE)
    today = desk.today
    begun = found.effective_from <= today
    rest = [each for each in await desk.sets.heads(_ALL) if each.digest != found.digest]
    if begun and not any(_remains(each, today, desk.consent) for each in rest):
        return NotAllowed(NOTHING_LEFT)
    return None


#: More releases than any gateway will have.
_ALL = 100_000


def _remains(each: Release, today: date, consent: Consent) -> bool:
    active = each.activated_at is not None and each.retired_at is None
    return active and each.effective_from <= today and _counts(each, consent)


def _counts(each: Release, consent: Consent) -> bool:
    """Whether an activated release is used under this consent, as `TableSets.standing` asks."""
    match consent:
        case Consent.SIGNED:
            return True
        case Consent.ALONE:
            return each.confirmed_by is not None
        case Consent.TWO_PEOPLE:
            return each.confirmed_by not in {None, each.created_by}
        case _:
            return False


def _recorded(desk: Registry, line: Line) -> Also:
    async def record(connection: AsyncConnection) -> None:
        await desk.audit.write(connection, line)

    return record


class Stage(StrEnum):
    """How far a release is."""

    PROPOSED = "proposed"  # waits for a consent
    READY = "ready"  # every consent is there, not activated
    SCHEDULED = "scheduled"  # activated, its day has not come
    IN_FORCE = "in_force"
    PAST = "past"  # a later one took its place
    RETIRED = "retired"
    UNUSABLE = "unusable"  # activated, and a consent it needs is missing


def stage_of(desk: Registry, head: Release, in_force: str | None) -> Stage:
    """How far a release is; needs no content. ``in_force``: the digest of the one used today."""
    if head.retired_at is not None:
        return Stage.RETIRED
    missing = any(unsigned(head, desk.approvers))
    if head.activated_at is None:
        return Stage.READY if desk.consent is Consent.SIGNED and not missing else Stage.PROPOSED
    if missing or not _counts(head, desk.consent):
        return Stage.UNUSABLE
    if head.digest == in_force:
        return Stage.IN_FORCE
    return Stage.SCHEDULED if head.effective_from > desk.today else Stage.PAST
