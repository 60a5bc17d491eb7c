"""``/ops/rules/missing``: the row a parked message waits for, proposed from the browser."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import date
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Depends, Form, Query
from starlette.responses import Response

from gateway.dashboard.desk import Desk, Refused, needs
from gateway.dashboard.pages.rules.releases import why
from gateway.dashboard.pages.rules.trial import begin
from gateway.dashboard.texts import N_
from gateway.dashboard.views.missing_rows import Missing, cause_of, missing
from gateway.dashboard.views.rulebook import COLUMNS, Volume, list_names, registry, volume
from gateway.errors import CannotStart
from gateway.exchange import backlog, releasing
from gateway.mapping.amend import Addition, with_rows
from gateway.mapping.gaps import Answer, RuleGap, WordGap, rule_rows, word_rows
from gateway.mapping.recognition import ANY_ITEM
from gateway.mapping.sets import TableSet, table_set

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.mapping.sheet import Fault

router = APIRouter(prefix="/rules")

_NOT_PROPOSER = N_("提出规则需要“操作”或“审批”角色")
#: What to do where no single row would do.
ADVICE: Mapping[str, str] = {
    "1003": N_(
        "先与来源方核对区划代码；确属新区划的，在 places/divisions.csv 和 places/agencies.csv 中补充后发布新版本"
    ),
    "1004": N_("请来源方改用现行区划重报；承接关系有变的，改正 places/divisions.csv 后发布新版本"),
    "1005": N_("先与来源方核对事项编码；编码确有变化的，改正该地区 items.csv 中的编码后发布新版本"),
    "1007": N_("核对受理日期；事项确应开通的，补充 items/catalogue.csv 的版本或各地指南后发布新版本"),
}
LEFT_OPEN: Mapping[str, str] = {
    "native": N_("请填写报文里的完整写法"),
    "key": N_("请选择它的含义；可以输入名称或代码来查找"),
    "meaning": N_("这个公共代码还没有登记：请填写含义，或改选已有的代码"),
    "peer_native": N_("对方还没有这个含义的写法：请填写双方商定的写法"),
    "accepted_as": N_("请从列表中选择对方视同的材料"),
    "since": N_("请填写规则的生效日期，例如 2026-12-01"),
    "basis": N_("请填写依据：文件名称与文号，或会商记录"),
}
_OTHERWISE = N_("这类原因不是缺一行代码：请导出规则表，改正后发布新版本")
_LONGEST, _LONGEST_REASON = 60, 200


@dataclass(frozen=True, slots=True)
class Filled:
    """The form as it was filled in; every field may be empty."""

    native: str = ""
    key: str = ""
    meaning: str = ""
    peer_native: str = ""
    accepted_as: str = ""
    items: str = ""
    since: str = ""
    basis: str = ""
    effective_from: str = ""
    reason: str = ""


def filled(  # noqa: PLR0913, PLR0917 - the fields of the form
    native: Annotated[str, Form(max_length=_LONGEST)] = "",
    key: Annotated[str, Form(max_length=_LONGEST)] = "",
    meaning: Annotated[str, Form(max_length=_LONGEST)] = "",
    peer_native: Annotated[str, Form(max_length=_LONGEST)] = "",
    accepted_as: Annotated[str, Form(max_length=_LONGEST)] = "",
    items: Annotated[str, Form(max_length=400)] = "",
    since: Annotated[str, Form(max_length=10)] = "",
    basis: Annotated[str, Form(max_length=_LONGEST_REASON)] = "",
    effective_from: Annotated[str, Form(max_length=10)] = "",
    reason: Annotated[str, Form(max_length=_LONGEST_REASON)] = "",
) -> Filled:
    """What a person wrote, without blanks around it."""
    values = (native, key, meaning, peer_native, accepted_as, items, since, basis, effective_from, reason)
    return Filled(*(value.strip() for value in values))


@dataclass(frozen=True, slots=True)
class Draft:
    """The rows the form makes, and what is wrong with them: fields left open, broken laws."""

    rows: tuple[Addition, ...] = ()
    left_open: Mapping[str, str] = field(default_factory=dict)
    faults: tuple[Fault, ...] = ()
    asked: TableSet | None = field(default=None, repr=False)


_Cause = Annotated[str, Query(max_length=300)]
_Region = Annotated[str, Query(max_length=32)]
_Filled = Annotated[Filled, Depends(filled)]


@router.get("/missing")
async def missing_page(desk: Annotated[Desk, needs("look")], cause: _Cause, region: _Region = "") -> Response:
    """What is missing, who waits for it, and the form."""
    found = await _found(desk, cause, region)
    return await _page(desk, found, Filled(), Draft())


@router.post("/missing/preview")
async def preview(
    desk: Annotated[Desk, needs("look")], cause: _Cause, said: _Filled, region: _Region = ""
) -> Response:
    """The rows as they would be written, with every finding of the lint."""
    found = await _found(desk, cause, region)
    draft = await _draft(desk, found, said)
    return desk.part(
        "rules/_draft.html", columns=COLUMNS, found=found, draft=draft, said=said, told=_told(found, said)
    )


@router.post("/missing")
async def propose(
    desk: Annotated[Desk, needs("look")], cause: _Cause, said: _Filled, region: _Region = ""
) -> Response:
    """Make a release of the tables in force and these rows; it waits for consent, and a trial begins."""
    if not may_propose(desk):
        raise Refused(403, desk.say(_NOT_PROPOSER))
    found = await _found(desk, cause, region)
    draft = await _draft(desk, found, said)
    day = _day(said.effective_from)
    left_open = dict(draft.left_open)
    if not said.reason:
        left_open["reason"] = desk.say("请填写理由，它会记入审计")
    if day is None:
        left_open["effective_from"] = desk.say("请填写生效日期，例如 2026-12-01")
    if left_open or draft.faults or draft.asked is None or day is None:
        return await _page(desk, found, said, replace(draft, left_open=left_open), status=422)
    note = _note(found, draft, said)
    by = releasing.By(desk.actor, said.reason)
    try:
        made = await releasing.propose(registry(desk), draft.asked, by, effective_from=day, note=note)
    except (releasing.NotAllowed, CannotStart) as error:
        return await _page(desk, found, said, draft, status=409, refusal=why(desk, error))
    await begin(desk, made.digest)
    sentence = desk.say("新版本已提出：先看影响，再由有审批权限的人启用")
    return desk.done(sentence, to=f"/ops/rules/releases/{made.digest}")


@router.post("/missing/release")
async def release(
    desk: Annotated[Desk, needs("act")],
    cause: _Cause,
    reason: Annotated[str, Form(min_length=1, max_length=_LONGEST_REASON)],
    region: _Region = "",
) -> Response:
    """Treat again what waits for a row that is there by now."""
    found = await _found(desk, cause, region)
    await desk.rt.audit.append(desk.actor, "release-cause", cause, reason)
    tried = [each async for each in backlog.release(desk.rt, desk.actor, found.cause)]
    gone = sum(not each.findings for each in tried)
    said = desk.say("%(gone)s 条已放行，%(left)s 条仍挂起", gone=gone, left=len(tried) - gone)
    return desk.done(said, to="/ops/stuck")


def may_propose(desk: Desk) -> bool:
    """Whoever operates or approves may propose; bringing it into force is another matter."""
    return desk.staff.may("act") or desk.staff.may("approve")


async def _found(desk: Desk, key: str, region: str) -> Missing:
    try:
        return await missing(desk, cause_of(key), region)
    except (ValueError, LookupError):
        sentence = desk.say("这个原因现在没有报文在等，可能已经放行；请从“滞留与死信”重新进入")
        raise Refused(404, sentence) from None


async def _base(desk: Desk) -> Volume:
    found = await volume(desk)
    if found is None:
        raise Refused(409, desk.say("规则表目录在启动后被改动过：请先重新启动网关"))
    return found


async def _draft(desk: Desk, found: Missing, said: Filled) -> Draft:
    answer = _answer(desk, found, said)
    match found.gap:
        case WordGap():
            rows, left_open = word_rows(desk.rt.tables, found.gap, answer)
        case RuleGap():
            rows, left_open = rule_rows(found.gap, answer)
        case _:
            return Draft()
    if left_open:
        return Draft(left_open={name: desk.say(LEFT_OPEN[name]) for name in left_open})
    base = await _base(desk)
    asked = table_set(desk.say("新版本"), with_rows(base.tables.files, rows))
    return Draft(tuple(rows), {}, tuple(asked.faults()), asked)


def _answer(desk: Desk, found: Missing, said: Filled) -> Answer:
    return Answer(
        native=said.native or (found.native if found.whole else ""),
        key=_key(found, said.key),
        meaning=said.meaning,
        peer_native=said.peer_native,
        accepted_as=_key(found, said.accepted_as),
        items=_items(desk, said.items),
        since=_day(said.since),
        basis=said.basis,
    )


def _key(found: Missing, written: str) -> str:
    """The key of what was chosen: its key, or its meaning when only one has it."""
    candidates = found.gap.candidates if found.gap else ()
    if any(each.key == written for each in candidates):
        return written
    named = [each.key for each in candidates if written and each.meaning == written]
    return named[0] if len(named) == 1 else written


def _items(desk: Desk, written: str) -> str:
    by_name = {version.name: version.item for version in desk.rt.tables.items.all(registry(desk).today)}
    return by_name.get(written, written) or ANY_ITEM


def _day(written: str) -> date | None:
    with suppress(ValueError):
        return date.fromisoformat(written)
    return None


def _note(found: Missing, draft: Draft, said: Filled) -> str:
    """What the release changes, in one line: it stays with the release for good, so it is in Chinese."""
    rows = "；".join(
        f"{row.path} {row.cells.get('native') or row.cells.get('rule_id') or row.cells.get('key')}"
        for row in draft.rows
    )
    return f"补充{_subject(found)}：{rows}（依据：{said.basis}）"


def _subject(found: Missing) -> str:
    if isinstance(found.gap, WordGap):
        return list_names().get(found.gap.list_name, found.gap.list_name)
    return "互认规则"


def _told(found: Missing, said: Filled) -> dict[str, Any]:
    """What the choice would mean for the other side, for the sentence above the rows."""
    gap = found.gap
    if not isinstance(gap, WordGap):
        return {}
    chosen = gap.candidate(gap.key or _key(found, said.key))
    return {
        "own": gap.native or said.native or found.native,
        "meaning": (chosen.meaning if chosen else said.meaning),
        "peer": (chosen.peer if chosen else "") or said.peer_native,
        # then the fields for what is new are shown
        "is_new": bool(gap.key or said.key) and not (chosen and chosen.peer),
        "one_way": bool(chosen and chosen.own and not gap.key),
    }


async def _page(
    desk: Desk, found: Missing, said: Filled, draft: Draft, *, status: int = 200, refusal: str = ""
) -> Response:
    reg = registry(desk)
    standing = await reg.sets.standing(reg.today)
    heads = {head.digest: head for head in await reg.sets.heads(20)} if standing.digest else {}
    current = heads.get(standing.digest or "")
    earliest = max(reg.today, current.effective_from) if current else reg.today
    return desk.page(
        "rules/missing.html",
        columns=COLUMNS,
        status=status,
        found=found,
        key=_cause_key(found),
        said=said,
        draft=draft,
        told=_told(found, said),
        refusal=refusal,
        is_word=isinstance(found.gap, WordGap),
        is_rule=isinstance(found.gap, RuleGap),
        subject=desk.say(_subject(found)),
        effective_from=said.effective_from or earliest.isoformat(),
        items=[("*", desk.say("全部事项"))]
        + [(each.item, desk.say(each.name)) for each in desk.rt.tables.items.all(reg.today)],
        advice=desk.say(ADVICE.get(found.cause.code, _OTHERWISE)),
        may_propose=may_propose(desk),
        why_not=desk.say(_NOT_PROPOSER),
    )


def _cause_key(found: Missing) -> str:
    cause = found.cause
    return f"{cause.code}:{cause.path}" + (f"={cause.value}" if cause.value else "")
