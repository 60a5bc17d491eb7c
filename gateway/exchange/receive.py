"""The verb of the door: verify, translate, store, ring, answer in the sender's own format."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import structlog

from gateway import metrics
from gateway.canonical.tracking import Ignored, Move, TrackedCase, actor_of
from gateway.canonical.worktime import beijing_day
from gateway.errors import Finding, Level, Refusal
from gateway.exchange import casework, translate
from gateway.exchange.canonical_side import asks_itself, party, unsent
from gateway.exchange.crossing import bodies_of, read_follow_up, render, render_follow_up, target_number
from gateway.mapping.fieldmap import Reading, Sight
from gateway.mapping.plan import Plan, worst_level
from gateway.region import Inbound, Opened, Outcome, Receipt, Region
from gateway.store.engine import is_away
from gateway.store.gather import busy
from gateway.store.records import Acceptance, CaseRecord, Intent, Part, Stored, StoredReceipt

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from gateway.canonical.lifecycle import Decision
    from gateway.exchange.door import Door
    from gateway.exchange.translate import Rendered

log = structlog.get_logger()

ACCEPTED = 202


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back to the sender."""

    status: int
    body: bytes
    content_type: str
    retry_after: int | None = None


@dataclass(frozen=True, slots=True)
class Collection:
    """The channel that stands in for the region: its name, and how people call who runs it."""

    channel: str
    organisation: str


@dataclass(frozen=True, slots=True)
class Post:
    """One message at the door, once it could be read. ``collection``: who sent it, where not the region itself."""

    region: Region
    opened: Opened
    raw: bytes
    now: datetime
    collection: Collection | None = None

    def is_party_to(self, case: TrackedCase) -> bool:
        """Whether the sender has a part in this case: a collected one is the channel's, not its region's system's."""
        if self.region.slug != case.origin:
            return self.collection is None
        return case.channel == (self.collection.channel if self.collection else "")


async def receive(rt: Door, region: Region, inbound: Inbound) -> Answer:
    """Take one message. Source: crossing §1, steps 2 to 15.

    Shape: always an `Answer` in the region's own format. Errors: none but bugs; a `Refusal` becomes
    a receipt with all findings.
    """
    now = rt.clock.now()
    opened: Opened | None = None
    try:
        region.verify(inbound, rt.credentials[region.slug], now)
        await _within_rate(rt, region, now)
        opened = rt.maps.routes.readable(region.open(inbound))
        _within_window(opened, region, now)
        post = Post(region, opened, inbound.body, now)
        acceptance = await admitted(rt, post)
    except Refusal as refused:
        return await _refused(rt, region, opened, refused, now)
    except Exception as error:
        # Wherever on the way the store went away, the sender reads it in its own format (step 14).
        if not is_away(error):
            raise
        log.warning("store_away", region=region.slug, cause=type(error).__name__)
        return await _refused(rt, region, opened, busy(), now)
    await ring(rt, acceptance)
    assert acceptance.receipt is not None  # noqa: S101 - stored and known intents have one
    return _answer(region, acceptance.receipt)


async def ring(rt: Door, acceptance: Acceptance) -> None:
    """Tell the workers what there is to do."""
    if acceptance.ring:
        await rt.bell.ring(acceptance.ring)


async def _within_rate(rt: Door, region: Region, now: datetime) -> None:
    wait = await rt.limiter.allow(region.slug, now)
    if wait is not None:
        raise Refusal(429, "9050", "报文太多，请稍后重发", retry_after=wait)


def _within_window(opened: Opened, region: Region, now: datetime) -> None:
    """Step 7. A time that cannot be read is left to the schema, which refuses it with its path."""
    if opened.sent_at is not None and abs((now - opened.sent_at).total_seconds()) > region.window_s:
        raise Refusal(
            401, "9002", f"发送时间与网关时间相差超过 {region.window_s} 秒，请校准时钟后重新签名发送"
        )


async def admitted(rt: Door, post: Post) -> Acceptance:
    """Steps 7 to 15. Nonce and key are looked up as the message is stored, in the same round trip.

    One that is refused for what it says is not stored: what its nonce and key say goes before.
    """
    try:
        intent, reading = await _intended(rt, post)
    except Refusal:
        admission = await rt.intake.admit(post.region.slug, post.opened.key, post.opened.nonce, post.now)
        if admission.nonce_used:
            raise nonce_used() from None
        if admission.known is None:
            raise
        if admission.known.digest != post.opened.digest:
            raise key_reused() from None
        return Acceptance(Stored.KNOWN, receipt=admission.known)
    acceptance = await rt.intake.accept(intent)
    _check(acceptance, post)
    _count(post, reading, acceptance)
    return acceptance


def nonce_used() -> Refusal:
    return Refusal(401, "9003", "随机串在时间窗内已使用过，请换新的随机串重新签名发送")


def key_reused() -> Refusal:
    return Refusal(409, "9020", "报文编号已用于另一内容，请使用新的编号")


async def _intended(rt: Door, post: Post) -> tuple[Intent, Reading]:
    plan = rt.maps.reader(post.region.slug, post.opened.native_kind)
    if plan is None:
        raise translate.unknown_kind(post.region.kind_path)
    make = _application if plan.map.kind.opens_case else _follow_up
    intent, reading = await make(rt, post, plan)
    if post.opened.sent_at is None:  # the schema saw no fault in what the window could not read
        raise Refusal(401, "9002", "发送时间无法识别，请按接口规定填写后重新签名发送")
    return intent, reading


def _check(acceptance: Acceptance, post: Post) -> None:
    match acceptance.stored:
        case Stored.NONCE_USED:
            raise nonce_used()
        case Stored.KEY_REUSED:
            raise key_reused()
        case Stored.CASE_USED:
            raise Refusal(
                409,
                "9021",
                "办件编号已使用过，请核对是否重复提交，或使用新的办件编号",
                findings=(Finding(post.region.case_path, "9021", "办件编号已使用过"),),
            )
        case Stored.CONFLICT:
            conflict = acceptance.conflict
            code, text = (conflict.code, conflict.text) if conflict else ("9022", "")
            raise Refusal(409, code, text, findings=(Finding(post.region.case_path, code, text),))
        case Stored.STORED | Stored.KNOWN:
            return


# --- applications ---


async def _application(rt: Door, post: Post, plan: Plan) -> tuple[Intent, Reading]:
    origin, routes, today = post.region, rt.maps.routes, beijing_day(post.now)
    on = translate.acceptance_day(plan, post.opened, today)
    sight = Sight(rt.tables, origin.slug, origin.slug, routes.sole[origin.slug], on)
    reading = translate.read(plan, post.opened, sight, routes)
    target = rt.regions[reading.sight.receiver]
    division = casework.origin_division(reading, origin)
    serial = await rt.serials.take("case", today)
    case_no = f"CYTB{division}{today:%Y%m%d}{serial:08d}"
    rendered = target_no = None
    if not reading.findings:
        target_no = await target_number(rt, target, reading.value("target.division"), case_no, post.now)
        rendered = await render(rt, target, reading, case_no, target_no, post.now)
    is_parked = worst_level(reading.findings) is Level.PARK
    numbers = casework.Numbers(rt.new_id(), case_no, target_no or "")
    case = casework.new_case(
        reading,
        numbers,
        origin=origin,
        target=target,
        # a channel knows the case by our number
        origin_case_no=post.opened.case_ref or case_no,
        received_at=post.now,
        is_parked=is_parked,
    )
    if post.collection is not None:
        case = casework.collected(case, reading, post.collection.channel, post.collection.organisation)

    def decide(fresh: TrackedCase) -> Move:
        return casework.open_case(fresh, reading, at=post.now, calendar=rt.tables.calendar)

    shown = None if is_parked else rendered
    record = CaseRecord(case, casework.person_of(reading))
    return await _intent(rt, post, reading, record, shown, decide), reading


# --- follow-ups ---


async def _follow_up(rt: Door, post: Post, plan: Plan) -> tuple[Intent, Reading]:
    record = await rt.cases.find(post.region.slug, post.opened.case_ref) if post.opened.case_ref else None
    slug, routes = post.region.slug, rt.maps.routes
    receiver = casework.other_party(record.case, slug) if record else routes.sole[slug]
    sight = Sight(rt.tables, slug, slug, receiver, beijing_day(post.now))
    if record is None or not post.is_party_to(record.case):
        translate.read(plan, post.opened, sight)
        raise unknown_case(post.region)
    reading = read_follow_up(plan, post.opened, sight, record, routes)
    to = party(rt.regions[receiver], record.case)
    rendered = await render_follow_up(rt, to, reading, record, post.now)
    is_parked = worst_level(reading.findings) is Level.PARK

    def decide(locked: TrackedCase) -> Decision:
        actor = actor_of(locked, slug)
        decided = casework.follow_up(locked, reading, by=slug, at=post.now, actor=actor, is_parked=is_parked)
        return unsent(decided) if asks_itself(to) else decided

    shown = None if is_parked else rendered
    return await _intent(rt, post, reading, record, shown, decide), reading


def unknown_case(region: Region) -> Refusal:
    text = "没有这个办件，请核对办件编号；新办件请先提交申请"
    return Refusal(422, "9044", text, findings=(Finding(region.case_path, "9044", text),))


# --- what is stored ---


async def _intent(
    rt: Door,
    post: Post,
    reading: Reading,
    record: CaseRecord,
    rendered: Rendered | None,
    decide: Callable[[TrackedCase], Decision],
) -> Intent:
    case, opens = record.case, reading.kind.opens_case
    target = party(rt.regions[reading.sight.receiver], case)
    is_parked = worst_level(reading.findings) is Level.PARK
    serial = await rt.serials.take(f"message:{post.region.slug}", beijing_day(post.now))
    key = post.region.message_key(serial, post.now)

    def receipt(decided: Move | Ignored) -> StoredReceipt:
        given = _receipt(post, decided, reading, case, is_parked=is_parked)
        return StoredReceipt(ACCEPTED, post.region.receipt(given, key, post.now), post.opened.digest)

    return Intent(
        message_id=rt.new_id(),
        region=post.region.slug,
        destination=target.slug,
        key=post.opened.key,
        digest=post.opened.digest,
        kind=reading.kind,
        native_kind=post.opened.native_kind,
        out_kind=rt.maps.told_as(target, reading.kind),
        received_at=post.now,
        case_id=case.id,
        tables_digest=rt.tables.digest,
        bodies={Part.RAW: post.raw, **bodies_of(target, reading, rendered, case.case_no)},
        decide=decide,
        receipt=receipt,
        new_case=case if opens else None,
        person=record.person if opens else None,
        seen=None if opens else record.seen,
        nonce=post.opened.nonce or None,
        parked=is_parked,
        findings=casework.kept_findings(reading),
    )


def _receipt(
    post: Post, decided: Move | Ignored, reading: Reading, case: TrackedCase, *, is_parked: bool
) -> Receipt:
    given = Receipt(
        Outcome.ACCEPTED,
        ACCEPTED,
        case_ref=post.opened.case_ref,
        case_no=case.case_no,
        sender=post.opened.sender,
        state=decided.case.state if isinstance(decided, Move) else case.state,
    )
    if isinstance(decided, Ignored):
        return replace(given, outcome=Outcome.IGNORED, code=decided.code, text=decided.text)
    if is_parked:
        return replace(given, outcome=Outcome.PARKED, findings=tuple(reading.findings))
    return given


def _count(post: Post, reading: Reading, acceptance: Acceptance) -> None:
    outcome = Outcome.ACCEPTED
    if isinstance(acceptance.result, Ignored):
        outcome = Outcome.IGNORED
    elif reading.findings:
        outcome = Outcome.PARKED
    metrics.MESSAGES.labels(post.region.slug, "in", reading.kind, outcome).inc()
    log.info("message_taken", region=post.region.slug, kind=reading.kind.value, outcome=outcome.value)


# --- answers ---


def _answer(region: Region, receipt: StoredReceipt) -> Answer:
    return Answer(receipt.status, receipt.body, region.content_type)


def counted_kind(rt: Door, region: Region, opened: Opened | None) -> str:
    """What a message is counted as, also when it could not be read."""
    plan = rt.maps.reader(region.slug, opened.native_kind) if opened else None
    return plan.map.kind.value if plan else "unknown"


async def _refused(
    rt: Door, region: Region, opened: Opened | None, refused: Refusal, now: datetime
) -> Answer:
    given = Receipt(
        Outcome.REFUSED,
        refused.status,
        refused.code,
        refused.text,
        refused.findings,
        case_ref=opened.case_ref if opened else "",
        sender=opened.sender if opened else "",
        retry_after=refused.retry_after,
    )
    kind = counted_kind(rt, region, opened)
    metrics.MESSAGES.labels(region.slug, "in", kind, Outcome.REFUSED).inc()
    log.info("message_refused", region=region.slug, status=refused.status, code=refused.code)
    # A refusal is no event of ours: its receipt number needs no counter, and no database.
    key = region.message_key(int(now.timestamp() * 1000), now)
    return Answer(refused.status, region.receipt(given, key, now), region.content_type, refused.retry_after)
