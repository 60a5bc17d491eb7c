"""``/ops/reruns``: many messages at once; tried dry first, at a pace, above a set size by two persons."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Form, Query
from pydantic import Field

from gateway.dashboard.desk import Desk, Refused, needs
from gateway.dashboard.pages import stuck
from gateway.dashboard.pages.stuck import CauseQuery, Reason, query_of
from gateway.dashboard.texts import N_
from gateway.exchange import entry, peers, rerun
from gateway.exchange.foresight import foresee
from gateway.store.reruns import Order, Wanted
from gateway.store.stuck import Cause

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from starlette.responses import Response

    from gateway.exchange.foresight import Foreseen
    from gateway.store.reruns import Change, Rerun

router = APIRouter(prefix="/reruns")

JOBS, ITEMS = 25, 50
_Look = Annotated[Desk, needs("look")]
_Act = Annotated[Desk, needs("act")]
_After = Annotated[int, Query(ge=0, le=rerun.MOST)]

_MOVED = {
    "approve": N_("已批准，开始重办"),
    "pause": N_("已暂停，不再办下一条"),
    "resume": N_("继续重办"),
    "cancel": N_("已取消，未办的保持原状"),
}


class TryQuery(CauseQuery):
    """What a dry run is asked: which group, how many at most, how fast."""

    cap: int = Field(default=1000, ge=1, le=rerun.MOST)
    per_second: float = Field(default=10, gt=0, le=200)

    @property
    def wanted(self) -> Wanted:
        """The filter of the rerun: this group and nothing else."""
        found = Wanted(self.state, destination=self.destination or None, cause=self.code)
        if self.state != "parked":
            return found
        return Wanted(
            self.state,
            destination=self.destination or None,
            cause=self.code,
            path=self.path,
            value=self.value,
        )


class StartForm(TryQuery):
    """The same, started."""

    reason: str = Field(min_length=1, max_length=200)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a job is: messages by what became of them."""

    total: int
    tried: int
    well: int
    under_way: int
    not_well: int

    @classmethod
    def of(cls, job: Rerun, changes: Sequence[Change]) -> Progress:
        """Of a job and its changes."""
        became: Counter[str] = Counter()
        for change in changes:
            became[change.after_state] += change.messages
        well, under_way = became["delivered"], became["under_way"]
        rest = sum(became.values()) - well - under_way - became["untried"]
        return cls(job.total, job.tried, well, under_way, rest)


@router.get("/try")
async def attempt(desk: _Look, asked: Annotated[TryQuery, Query()]) -> Response:
    """The dry run: what would be done, how many, and what would come of the first of them."""
    alone = desk.rt.settings.delivery.rerun_alone_up_to
    preview = await rerun.preview(desk.rt, asked.wanted, asked.cap, alone)
    foreseen: Mapping[UUID, Foreseen] = {}
    if asked.state == "parked":
        foreseen = await foresee(desk.rt, [each.message_id for each in preview.sample])
    verdicts = Counter(each.verdict.value for each in foreseen.values())
    standings = await peers.standings(desk.rt)
    standing = next((each for each in standings if each.peer.slug == asked.destination), None)
    return desk.page(
        "reruns/try.html",
        asked=asked,
        heap=await stuck.find(desk, asked.cause),
        preview=preview,
        foreseen=foreseen,
        verdicts=verdicts,
        standing=standing,
        alone=alone,
        most=rerun.MOST,
        group=f"/ops/stuck/group?{query_of(asked.cause)}",
    )


@router.post("")
async def start(desk: _Act, asked: Annotated[StartForm, Form()]) -> Response:
    """Make the job; above the set size it waits for a second person."""
    order = Order(
        id=desk.rt.new_id(),
        wanted=asked.wanted,
        by=desk.actor,
        reason=asked.reason,
        at=desk.now,
        per_second=asked.per_second,
        cap=asked.cap,
        alone_up_to=desk.rt.settings.delivery.rerun_alone_up_to,
    )
    job = await rerun.start(desk.rt, order)
    if job is None:
        raise Refused(409, desk.say("没有符合条件的报文了，可能已由他人处理；请返回列表刷新"))
    said = N_("已提交，等待另一人批准") if job.needs_approval else N_("已开始，正在逐条重办")
    return desk.done(desk.say(said), to=f"/ops/reruns/{job.id}")


@router.get("")
async def listed(desk: _Look, after: UUID | None = None) -> Response:
    """All jobs, newest first."""
    return desk.page("reruns/list.html", **await _page(desk, after))


@router.get("/rows")
async def rows(desk: _Look, after: UUID | None = None) -> Response:
    """The list alone."""
    return desk.part("reruns/_rows.html", **await _page(desk, after))


@router.get("/{rerun_id}")
async def show(desk: _Look, rerun_id: UUID, after: _After = 0) -> Response:
    """One job: how far it is, what changed, and each message."""
    return desk.page("reruns/show.html", **await _job(desk, await _found(desk, rerun_id), after))


@router.get("/{rerun_id}/progress")
async def progress(desk: _Look, rerun_id: UUID, after: _After = 0) -> Response:
    """The same without the frame, asked again while it runs."""
    return desk.part("reruns/_progress.html", **await _job(desk, await _found(desk, rerun_id), after))


@router.post("/{rerun_id}/{verb}")
async def move(desk: _Look, rerun_id: UUID, verb: str, reason: Reason) -> Response:
    """Approve, pause, resume, cancel."""
    if verb not in _MOVED:
        raise Refused(404, desk.say("没有这个操作"))
    job = await _found(desk, rerun_id)
    why_not = may_not(desk, job, verb)
    if why_not:
        raise Refused(403, why_not)
    if not await rerun.move(desk.rt, job.id, verb, desk.actor, reason):
        raise Refused(409, desk.say("这次批量重办的状态已变，不能这样操作；请刷新页面"))
    return desk.done(desk.say(_MOVED[verb]), to=f"/ops/reruns/{job.id}")


def may_not(desk: Desk, job: Rerun, verb: str) -> str:
    """Why this person may not do this to the job; "" when they may."""
    if verb == "approve":
        if job.created_by == desk.actor:
            return desk.say("发起人不能批准自己的批量重办，请由另一人批准")
        return "" if desk.staff.may("approve") else desk.say("需要审批角色")
    declines = verb == "cancel" and job.state == "unapproved" and desk.staff.may("approve")
    return "" if declines or desk.staff.may("act") else desk.say("需要操作角色")


async def _found(desk: Desk, rerun_id: UUID) -> Rerun:
    job = await desk.rt.reruns.find(rerun_id)
    if job is None:
        raise Refused(404, desk.say("没有这次批量重办，请从列表进入"))
    return job


async def _page(desk: Desk, after: UUID | None) -> dict[str, Any]:
    found = await desk.rt.reruns.page(JOBS + 1, after)
    jobs, more = found[:JOBS], len(found) > JOBS
    return {
        "jobs": [(job, cause_of(job)) for job in jobs],
        "first": "/ops/reruns" if after else "",
        "following": f"/ops/reruns?after={jobs[-1].id}" if more else "",
        "here": f"/ops/reruns/rows?after={after}" if after else "/ops/reruns/rows",
    }


async def _job(desk: Desk, job: Rerun, after: int) -> dict[str, Any]:
    items = await desk.rt.reruns.items(job.id, ITEMS + 1, after)
    address = f"/ops/reruns/{job.id}"
    changes = await desk.rt.reruns.diff(job.id)
    cause = cause_of(job)
    return {
        "job": job,
        "cause": cause,
        "group": f"/ops/stuck/group?{query_of(cause)}" if cause.destination else "/ops/stuck",
        "changes": changes,
        "progress": Progress.of(job, changes),
        "may_not": {verb: may_not(desk, job, verb) for verb in _MOVED},
        "items": items[:ITEMS],
        "after": after,
        "previous": f"{address}?after={max(0, after - ITEMS)}" if after else "",
        "following": f"{address}?after={items[ITEMS - 1].n}" if len(items) > ITEMS else "",
        "approvers": await _approvers(desk, job) if job.state == "unapproved" else [],
    }


async def _approvers(desk: Desk, job: Rerun) -> list[str]:
    """Names of those who may approve: everybody with the right but the one who asked."""
    return [
        account.display
        for account in await desk.rt.staff.list()
        if f"staff:{account.name}" != job.created_by
        and account.disabled_at is None
        and any("approve" in entry.PERMISSIONS.get(role, ()) for role in account.roles)
    ]


def cause_of(job: Rerun) -> Cause:
    """The group a job was made of, as far as its filter says."""
    told = job.filter
    named = {"destination": "destination", "code": "cause", "path": "path", "value": "value"}
    return Cause(told["state"], **{name: str(told.get(key, "")) for name, key in named.items()})
