"""``/ops/rules`` and one release: which tables are in force since when, who agreed, and the next step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Form, Path
from starlette.responses import RedirectResponse, Response

from gateway.crypto.approval import Verifier
from gateway.dashboard.desk import Desk, Refused, needs
from gateway.dashboard.pages.rules import trial
from gateway.dashboard.rendering import region_name
from gateway.dashboard.texts import N_
from gateway.dashboard.views import rule_times
from gateway.dashboard.views.rulebook import COLUMNS, CONFIGURED, SHOWN, STAGES, registry, volume
from gateway.errors import CannotStart
from gateway.exchange import releasing
from gateway.exchange.releasing import Stage
from gateway.mapping.diff import differences
from gateway.mapping.release import Consent, Release, signature_of, statement

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gateway.exchange.releasing import Registry
    from gateway.mapping.diff import Change

router = APIRouter(prefix="/rules")

_Digest = Annotated[str, Path(pattern=r"^[0-9a-f]{8,64}$")]
_Reason = Annotated[str, Form(min_length=1, max_length=200)]
_NO_RIGHT = N_("启用和停用需要“审批”角色")
#: Changes a release shows at once; the others are on the comparison.
_CHANGES = 60


@dataclass(frozen=True, slots=True)
class Side:
    """One side's consent to a release. ``given``: when and by whom it was handed in, None while it is waited for."""

    region: str
    algorithm: str
    key_id: str
    given: Any
    holds: bool


@router.get("")
async def overview(desk: Annotated[Desk, needs("look")]) -> Response:
    """The releases, newest first, with the one in force."""
    reg = registry(desk)
    in_force = await _in_force(reg)
    heads = await reg.sets.heads(SHOWN)
    told = [(head, releasing.stage_of(reg, head, in_force)) for head in heads]
    current = next((head for head in heads if head.digest == desk.rt.tables.digest), None)
    return desk.page(
        "rules/releases.html",
        releases=told,
        stages=STAGES,
        current=current,
        digest=desk.rt.tables.digest,
        waiting=[each for each in told if each[1] in {Stage.PROPOSED, Stage.READY}],
        spans=rule_times.spans(told, reg.today),
        axis=rule_times.axis(told, reg.today),
        consent=reg.consent.value,
        sides=sorted(reg.approvers),
        figures=await _sizes(desk),
    )


@router.get("/releases/{digest}")
async def one(desk: Annotated[Desk, needs("look")], digest: _Digest) -> Response:
    """One release: what it changes, who agreed, what can be done with it now."""
    found = await _release(desk, digest)
    if found.digest != digest:
        return RedirectResponse(f"/ops/rules/releases/{found.digest}", 307)
    reg = registry(desk)
    stage = releasing.stage_of(reg, found, await _in_force(reg))
    changes, base = await _changes(desk, found)
    sides, allowed = _sides(reg, found), desk.staff.may("approve")
    not_active, not_retired = (
        await releasing.hindered(reg, found, desk.actor),
        await releasing.unretirable(reg, found),
    )
    return desk.page(
        "rules/release.html",
        columns=COLUMNS,
        release=found,
        stage=stage.value,
        mark=STAGES[stage],
        stages=Stage,
        consent=reg.consent.value,
        sides=sides,
        said=statement(found.digest, found.effective_from).decode("ascii"),
        changes=changes[:_CHANGES],
        more=max(0, len(changes) - _CHANGES),
        base=base,
        may_approve=allowed,
        no_right=desk.say(_NO_RIGHT),
        not_active=(_unsigned(desk, sides) or why(desk, not_active)) if allowed else desk.say(_NO_RIGHT),
        not_retired=why(desk, not_retired) if allowed else desk.say(_NO_RIGHT),
        **await trial.shown(desk, found.digest),
    )


@router.post("/releases/{digest}/approve")
async def approve(
    desk: Annotated[Desk, needs("approve")],
    digest: _Digest,
    region: Annotated[str, Form(max_length=32)],
    signature: Annotated[str, Form(min_length=1, max_length=4000)],
    reason: _Reason,
) -> Response:
    """A side's signature, made where its private key is, is handed in."""
    found = await _release(desk, digest)
    by = releasing.By(desk.actor, reason)
    try:
        waiting = await releasing.approve(registry(desk), found, region, signature_of(signature), by)
    except (releasing.NotAllowed, CannotStart) as error:
        raise Refused(409, why(desk, error)) from None
    said = desk.say("签名有效，尚待其他方批准") if waiting else desk.say("签名有效，各方均已批准，可以启用")
    return desk.done(said, to=f"/ops/rules/releases/{found.digest}")


@router.post("/releases/{digest}/activate")
async def activate(desk: Annotated[Desk, needs("approve")], digest: _Digest, reason: _Reason) -> Response:
    """Bring it into force from its day on; parked messages it mends go by themselves."""
    found = await _release(desk, digest)
    try:
        begun = await releasing.activate(registry(desk), found, releasing.By(desk.actor, reason))
    except (releasing.NotAllowed, CannotStart) as error:
        raise Refused(409, why(desk, error)) from None
    said = (
        desk.say("已启用：各进程约一秒内换用，等待它的报文随后自动放行")
        if begun
        else desk.say("已启用，自 %(day)s 起生效", day=found.effective_from.isoformat())
    )
    return desk.done(said, to=f"/ops/rules/releases/{found.digest}")


@router.post("/releases/{digest}/retire")
async def retire(desk: Annotated[Desk, needs("approve")], digest: _Digest, reason: _Reason) -> Response:
    """Go back to the release before it."""
    found = await _release(desk, digest)
    try:
        await releasing.retire(registry(desk), found, releasing.By(desk.actor, reason))
    except releasing.NotAllowed as error:
        raise Refused(409, why(desk, error)) from None
    return desk.done(desk.say("已停用，之前的版本恢复使用"), to=f"/ops/rules/releases/{found.digest}")


def why(desk: Desk, error: Exception | None) -> str:
    """A no of the verbs in the person's language; empty for none."""
    if isinstance(error, releasing.NotAllowed):
        names = {slug: region_name(desk.rt, desk.language, slug) for slug in desk.rt.regions}
        values = {name: names.get(str(value), value) for name, value in error.values.items()}
        return desk.say(error.text, **values)
    return "" if error is None else str(error)


def _unsigned(desk: Desk, sides: Sequence[Side]) -> str:
    missing = [region_name(desk.rt, desk.language, side.region) for side in sides if not side.holds]
    return desk.say("尚待%(sides)s签名批准", sides=desk.say("、").join(missing)) if missing else ""


async def _release(desk: Desk, digest: str) -> Release:
    found = await registry(desk).sets.starting_with(digest)
    if len(found) != 1:
        raise Refused(404, desk.say("没有这个版本，请从版本列表进入"))
    return found[0]


async def _in_force(reg: Registry) -> str | None:
    """The digest used today; None while it is the configured folder."""
    return None if reg.consent is Consent.NEVER else (await reg.sets.standing(reg.today)).digest


def _sides(reg: Registry, found: Release) -> list[Side]:
    said = statement(found.digest, found.effective_from)
    return [_side(slug, verifier, found, said) for slug, verifier in sorted(reg.approvers.items())]


def _side(slug: str, verifier: Verifier, found: Release, said: bytes) -> Side:
    given = found.approvals.get(slug)
    holds = given is not None and verifier.verify(given.signature, said)
    return Side(slug, verifier.algorithm, verifier.key_id, given, holds)


async def _changes(desk: Desk, found: Release) -> tuple[Sequence[Change], str]:
    """Against the tables in force; for these themselves against the release before, if any."""
    word = "active" if found.digest != desk.rt.tables.digest else await _before(desk, found)
    old, new = await volume(desk, word), await volume(desk, found.digest)
    if old is None or new is None:
        return (), ""
    return differences(old.tables, new.tables), old.digest


async def _before(desk: Desk, found: Release) -> str:
    heads = await registry(desk).sets.heads(SHOWN)
    older = [
        head
        for head in heads
        if head.activated_at is not None
        and found.activated_at is not None
        and head.activated_at < found.activated_at
    ]
    return (
        max(older, key=lambda head: (head.effective_from, head.activated_at)).digest if older else CONFIGURED
    )


async def _sizes(desk: Desk) -> Mapping[str, int]:
    """How much is in the tables in force."""
    tables = desk.rt.tables
    return {
        "words": sum(len(each.reads.keys() | each.writes.keys()) for each in tables.lists.values()),
        "lists": len(tables.hubs),
        "rules": sum(1 for _ in tables.rules),
        "items": len(tables.items.by_item),
        "divisions": len(tables.divisions.codes),
    }
