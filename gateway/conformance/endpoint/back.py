"""The laws of what a server sends back: proof, form, keys, order, repetition, and how it reads our receipts."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING

from gateway.canonical.kinds import Kind, State
from gateway.canonical.rehearsal import Turn
from gateway.conformance import script
from gateway.conformance.endpoint.course import heard_by_the_other
from gateway.conformance.endpoint.mill import CannotSay
from gateway.conformance.endpoint.plays import LATER_S, Play

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from gateway.conformance.endpoint.bench import Bench
    from gateway.conformance.endpoint.door import Arrival, Door
    from gateway.conformance.endpoint.tally import Tally

_NOTHING = (
    "等了 {patience:g} 秒，没有发来报文。把你的系统里网关的地址改成接收端的地址，路径 {outbox}，"
    "让它对刚才受理的办件报一个状态，或自己提交一份申请；需要人点按钮的，用 --patience 给足时间"
)
_PROOF = frozenset({"9001", "9004", "9010"})
_FORM = frozenset({"9041", "9042", "9043", "9045"})
_CASE = frozenset({"9021", "9044"})
_CLOCK = frozenset({"9002", "9003"})
#: A division, an item or a status word that no list has. (A code may be known and have no counterpart.)
_ZONE_S, _ZONE_SLACK_S = 8 * 3600, 600
_WORDS = frozenset({"1003", "1005", "1006"})
_LIFE = frozenset({"9022", "9023", "9024"})


async def _came(bench: Bench, tally: Tally) -> list[Arrival]:
    """What has come, waited for once; the law is skipped when nothing has."""
    door = _door(bench)
    patience = bench.options.patience_s
    await door.quiet(patience)
    if not door.arrivals:
        strays = list(dict.fromkeys(door.strays))[:3]
        where = f"；有请求发到了 {'、'.join(strays)}，路径不对" if strays else ""
        before = (
            f"；另有 {len(door.stale)} 条说的是以前的办件，不计（若不是以前检查留下的，就是办件编号写错了）"
        )
        where += before if door.stale else ""
        tally.skip(_NOTHING.format(patience=patience, outbox=door.outbox) + where)
    tally.tried += len(door.arrivals)
    return door.arrivals


def _door(bench: Bench) -> Door:
    if bench.door is None:
        raise RuntimeError("laws of what comes back are tried with a door only")
    return bench.door


def _refusals(
    bench: Bench, tally: Tally, arrivals: Iterable[Arrival], codes: Collection[str], remedy: str
) -> None:
    source = tally.source
    for arrival in arrivals:
        if arrival.code not in codes or (arrival.first and arrival.play in {Play.AWAY, Play.BUSY}):
            continue
        findings = arrival.findings or ()
        found = "；".join(
            f"{one.path} {one.text}".strip() for one in findings[:5] if one.text != arrival.text
        )
        tally.broken(
            f"收到你发来的 {arrival.words}。网关会拒收：HTTP {arrival.status}，{arrival.code}，"
            f"{arrival.text}{'。' if found else ''}{found}（{source}）。",
            remedy,
            path=findings[0].path if findings else bench.sides.stand_ins[bench.sides.slug].outbox,
            example=arrival.kind,
        )


async def proves_itself(bench: Bench, tally: Tally) -> None:
    """E-B21."""
    arrivals = await _came(bench, tally)
    remedy = (
        "按约定的方法对实际发出的字节签发凭证：先定稿报文体，再计算摘要和签名，之后一个字节也不要改；"
        "核对标识、密钥和 Content-Type"
    )
    _refusals(bench, tally, arrivals, _PROOF | {"9031"}, remedy)


async def speaks_its_form(bench: Bench, tally: Tally) -> None:
    """E-B22."""
    arrivals = await _came(bench, tally)
    _refusals(bench, tally, arrivals, _FORM, "按发现的路径改正报文；可先用 tongban check 报文文件 在本机核对")
    door = _door(bench)
    for arrival in arrivals:
        _parks(tally, arrival)
    for stray in list(dict.fromkeys(door.strays))[:3]:
        tally.broken(
            f"收到 {stray}。网关只在 POST {door.outbox} 收报文。",
            f"把发往网关的地址改为 {door.outbox}",
            path=door.outbox,
        )


def _parks(tally: Tally, arrival: Arrival) -> None:
    """A word that is in no list: the gateway keeps the message and waits for its staff."""
    strange = [one for one in arrival.findings if arrival.taken and one.code in _WORDS]
    for one in strange:
        tally.broken(
            f"收到你发来的 {arrival.words}。网关会挂起：PARKED {one.code} {one.path}，{one.text}（{tally.source}）。",
            "写规范码表里本侧的写法；对方要等网关的工作人员处理以后才收得到这样的报文",
            path=one.path,
            example=arrival.kind,
        )


async def numbers_its_messages(bench: Bench, tally: Tally) -> None:
    """E-B23."""
    arrivals = await _came(bench, tally)
    _refusals(
        bench,
        tally,
        arrivals,
        {"9020"},
        "每条报文用新的编号；重发时编号和内容都不变（每次更新的时间除外）",
    )
    _refusals(bench, tally, arrivals, _CASE, "后续报文用收到的办件编号，一字不改；申请用本方未用过的编号")


async def keeps_time(bench: Bench, tally: Tally) -> None:
    """E-F31."""
    arrivals = await _came(bench, tally)
    remedy = "每次发送（重发也是）都用当时的时间和新的随机串重新签发；服务器时钟用 NTP 校准"
    _refusals(bench, tally, arrivals, _CLOCK, remedy)
    for arrival in arrivals:
        if arrival.taken and abs(arrival.behind_s - _ZONE_S) < _ZONE_SLACK_S:
            tally.broken(
                f"收到你发来的 {arrival.words}，里面的时间比现在早 8 小时，像是世界时（{tally.source}）。",
                "报文里的时间一律写北京时间（UTC+8）；检查服务器和数据库的时区",
                example=arrival.kind,
            )


async def keeps_the_life_cycle(bench: Bench, tally: Tally) -> None:
    """E-F32."""
    arrivals = await _came(bench, tally)
    remedy = "按办理阶段报状态：先受理再审核再办结；不归本方报告的状态不报；办结之后只报送达"
    door = _door(bench)
    if not door.is_deaf:  # a stage that seems to be left out may have been told in what nobody could read
        new = [one for place, one in enumerate(arrivals) if not _is_renamed(one, arrivals[:place])]
        _refusals(bench, tally, [one for one in new if not door.crossed(one)], _LIFE, remedy)
    times: dict[str, float] = {}
    for arrival in arrivals:
        before = times.get(arrival.case_ref, 0.0)
        if arrival.case_ref and arrival.first and before > arrival.at:
            tally.broken(
                f"办件 {arrival.case_ref} 的下一条报文（{arrival.words}）在前一条还没有回执时就发来了"
                f"（{tally.source}）。",
                "同一办件一条一条地发：前一条得到回执（受理、挂起、忽略或拒收）以后再发下一条",
                example=arrival.kind,
            )
        times[arrival.case_ref] = max(before, arrival.done)


async def repeats_what_got_lost(bench: Bench, tally: Tally) -> None:
    """E-F33: after 503, 429 and a lost receipt the same message comes again, under its key."""
    arrivals = await _came(bench, tally)
    for number, first in enumerate(arrivals):
        if not _still_open(first):
            continue
        again = next((one for one in arrivals[number + 1 :] if one.key == first.key), None)
        renamed = next((one for one in arrivals[number + 1 :] if _twin(first, one)), None)
        if again is None and renamed is not None:
            tally.broken(
                f"你发来的 {first.words}：接收端{first.play.label}。重发时编号换成了 {renamed.key}"
                f"（{tally.source}）。",
                "重发用原来的报文编号：编号换了，网关会当作另一条报文再办一次",
                example=first.kind,
            )
        elif again is None and not any(not one.key for one in arrivals[number + 1 :]):
            tally.broken(
                f"你发来的 {first.words}：接收端{first.play.label}。此后 {bench.options.patience_s:g} 秒内"
                f"没有用同一编号重发（{tally.source}）。",
                "没有得到回执的报文要留着，用同一报文编号、同一内容、新的凭证重发，直到有回执；"
                "若本就隔得更久才重发，用 --patience 给足时间",
                example=first.kind,
            )
        elif again is not None and again.at - first.done < LATER_S * 0.9 and first.play is not Play.LOST:
            tally.broken(
                f"你发来的 {first.words}：接收端{first.play.label}。{again.at - first.done:.1f} 秒后就重发了，"
                f"早于 Retry-After（{tally.source}）。",
                "读应答头 Retry-After（秒），到时再发",
                path="retry-after",
                example=first.kind,
            )


def _still_open(arrival: Arrival) -> bool:
    """Nothing told the sender that it was settled."""
    return arrival.first and arrival.status in {429, 502, 503}


def _is_renamed(arrival: Arrival, before: Sequence[Arrival]) -> bool:
    """Whether it repeats what got lost, under another key: that is E-F33's."""
    return any(_still_open(one) and _twin(one, arrival) for one in before)


def _twin(one: Arrival, other: Arrival) -> bool:
    """The same said under another key."""
    return bool(one.essence) and one.essence == other.essence and one.key != other.key


async def reads_our_receipts(bench: Bench, tally: Tally) -> None:
    """E-F34: what was taken, parked, ignored or refused for good is not sent again."""
    arrivals = await _came(bench, tally)
    settled: dict[str, Arrival] = {}
    latest: dict[str, Arrival] = {}
    for arrival in arrivals:
        last = latest.get(arrival.case_ref)
        before = settled.get(arrival.key) or (last if last and _twin(last, arrival) else None)
        if before is not None and arrival.key and not _still_open(before):
            given = _told(before)
            tally.broken(
                f"你发来的 {arrival.words}：接收端{given}，你又发了一次，报文编号 {arrival.key}（{tally.source}）。",
                "读懂回执：受理、PARKED（挂起）、IGNORED（忽略）都算送到，不再发；"
                "4xx 拒收（408、425、429 除外）由人处理，不自动重发",
                example=arrival.kind,
            )
        is_final = 400 <= arrival.status < 500 and arrival.status not in {408, 425, 429}
        if (arrival.taken or is_final) and arrival.code not in _CLOCK:
            settled[arrival.key] = latest[arrival.case_ref] = arrival


def _told(arrival: Arrival) -> str:
    """What settled it: a receipt that was lost, or late, comes with a later attempt."""
    if not arrival.taken:
        return f"答复 HTTP {arrival.status}、{arrival.code}"
    is_plain = not arrival.first and arrival.play not in {Play.PARKED, Play.IGNORED}
    return "答复 HTTP 202、受理" if is_plain or arrival.play is Play.TAKE else arrival.play.label


async def does_nothing_it_refused(bench: Bench, tally: Tally) -> None:
    """E-F35: no report on a case whose application was refused."""
    arrivals = await _came(bench, tally)
    taken = {answer.case_ref for answer in bench.ledger if answer.taken}
    refused = {answer.case_ref for answer in bench.ledger if not answer.taken and answer.status >= 400}
    for arrival in arrivals:
        if arrival.case_ref in refused - taken - {""}:
            tally.broken(
                f"办件 {arrival.case_ref} 的申请你已拒收，却又为它发来 {arrival.words}：它仍被办理了。",
                "拒收在办理之前，并且与登记在同一事务里：拒收的报文什么也不留下",
                example=arrival.kind,
            )


async def goes_on_in_season(bench: Bench, tally: Tally) -> None:
    """E-F37: what the origin says once the server has asked for materials, or has decided."""
    await _came(bench, tally)
    said: set[Kind] = set()
    taken = {answer.case_ref for answer in bench.ledger if answer.taken}
    for case_ref, held in list(_door(bench).cases.items()):
        case = held.record.case
        if case_ref not in taken or case.origin == bench.sides.slug:
            continue
        turn = _IN_SEASON.get(case.state)
        if held.facts.kind is Kind.CERTIFICATION_NOTICE and case.state is not State.SERVED:
            continue  # concluded from the start: the server has not said so
        if turn is None or turn.kind in said or case.rated or not (held.facts.papers or turn.kind is _RATING):
            continue
        said.add(turn.kind)
        message = bench.mill.follow(held, turn)
        what = f"{message.words}，你已把这个办件报为 {case.state.label}"
        tally.taken(await bench.good(message, what), f"实现 {message.words} 的接收")
    if not said:
        tally.tried = 0
        tally.skip("你没有把任何办件报到补正或办结，来源方没有可说的；办到那一步再试")


_RATING = Kind.CASE_RATING
_SUPPLEMENT = Turn(Kind.MATERIAL_SUPPLEMENT, reason="已按要求补充")
_IN_SEASON = {
    State.CORRECTION: _SUPPLEMENT,
    State.SUSPENDED_CORRECTION: _SUPPLEMENT,
    **dict.fromkeys((State.CONCLUDED, State.RETURNED, State.SERVED), Turn(_RATING, reason="办得快")),
}


async def takes_the_course(bench: Bench, tally: Tally) -> None:
    """E-F36: cases of the server's own, worked on by the other side, report after report."""
    await _came(bench, tally)
    door, chance = _door(bench), random.Random(bench.options.seed)  # noqa: S311 - a play, no secret
    for case_ref, body in list(door.own.items())[:4]:
        case = door.cases[case_ref]
        facts = heard_by_the_other(bench, case, body)
        if facts is None:
            continue
        seen = type(case)(case.record, facts)
        for step in script.as_target(facts, chance, script.PLAIN):
            try:
                target = bench.sides.stand_ins[case.record.case.target]
                message = bench.mill.follow(seen, step.turn, stand_in=target)
            except CannotSay:
                break
            state = f"，状态 {step.turn.state.label}" if step.turn.state else ""
            answer = await bench.good(message, f"对方对你的办件的答复：{message.words}{state}")
            if not tally.taken(answer, "按办件编号找到自己提交的办件，登记对方报来的状态或信息表"):
                break
            await asyncio.sleep(0)
    if not door.own and door.arrivals:
        tally.tried = 0
        tally.skip("没有收到你自己提交的申请；让你的系统发出一份申请，检查会扮演对方把它办完")


#: Law → how it is tried.
CHECKS = {
    "E-B21": proves_itself,
    "E-B22": speaks_its_form,
    "E-B23": numbers_its_messages,
    "E-F31": keeps_time,
    "E-F32": keeps_the_life_cycle,
    "E-F33": repeats_what_got_lost,
    "E-F34": reads_our_receipts,
    "E-F35": does_nothing_it_refused,
    "E-F36": takes_the_course,
    "E-F37": goes_on_in_season,
}
