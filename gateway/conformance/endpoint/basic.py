"""The basic laws of a live server: it takes what is good, refuses what is forged, and acts once."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from gateway.canonical.kinds import Kind, State
from gateway.canonical.rehearsal import Turn

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.canonical.rehearsal import Facts
    from gateway.conformance.endpoint.bench import Answer, Bench
    from gateway.conformance.endpoint.mill import Held, Message
    from gateway.conformance.endpoint.tally import Tally

_APPLICATIONS = tuple(kind for kind in Kind if kind.opens_case)
#: Whether a server may say that it is not the time for this kind yet: it has not asked for it.
_ITS_OWN_TURN = {
    Kind.MATERIAL_SUPPLEMENT: "还没有要求补正",
    Kind.CASE_RATING: "办件还没有办结",
    Kind.STATUS_REPORT: "办件还没有办结",
}
#: Clocks so close are right: a window is minutes.
_SAME_TIME_S = 30
_LIFE_CYCLE = frozenset({"9022", "9023"})


async def reached(bench: Bench, tally: Tally) -> None:
    """E-B01: with the worst that can be sent, a message with nothing in it."""
    blank = bench.region.blank
    sealed = bench.region.seal(blank.body, blank.native_kind, bench.credentials, bench.clock(), bench.nonce())
    answer = await bench.bad(sealed, "一条空白报文（没有报文编号和办件编号）")
    tally.tried += 1
    if answer.failure and not answer.garbled:
        tally.broken(
            f"发送：{answer.what}。{answer.failure}。",
            "确认服务已启动、--url 的协议、主机、端口和路径前缀正确，防火墙放行；网关在这个地址后面加上路径 "
            f"{answer.path}",
            path=answer.path,
        )


async def takes_applications(bench: Bench, tally: Tally) -> None:
    """E-B02."""
    for kind in bench.mill.spoken(_APPLICATIONS):
        message = bench.mill.application(kind)
        answer = await bench.good(message)
        tally.taken(answer, _remedy(bench, answer, message))


def _remedy(bench: Bench, answer: Answer, message: Message) -> str:
    """By what the server said: its proof, its form, or nothing of it."""
    if answer.code == "9002":
        return _of_the_time(bench)
    proof = bench.region.proof_faults.get(answer.code)
    if answer.status in {401, 403}:
        clause = bench.probes.clauses.get("proof", "") if bench.probes else ""
        return (
            f"{proof or '核对双方登记的标识和密钥'}。若密钥一致，核对凭证的算法：参加计算的各段及其次序、"
            f"分隔、时间的单位、编码，都以 {clause} 的测试向量为准"
        )
    if answer.garbled:
        return "先让应答读得懂：原因见上；网关读不懂就当作没有送到，一直重发"
    if 200 <= answer.status < 300:
        return "报文收下了，回执却读不懂，网关会当作没有送到而一直重发：先改 E-B05 指出的地方"
    if answer.status == 422:
        return "回执里的路径指出你的校验比接口多要求或误判了哪一项；以规范的机器可读格式为准，可选项不要求，允许的空值不拒"
    return f"核对路径末段 {message.native_kind} 的处理：验签、读取、校验、登记，然后答复 HTTP 202 和受理回执"


def _of_the_time(bench: Bench) -> str:
    skew = bench.skew_s()
    is_right = skew is not None and abs(skew) < _SAME_TIME_S
    first = (
        f"应答头 Date 与本机只差 {abs(skew or 0):.0f} 秒，时钟是准的。" if is_right else "先用 NTP 校准时钟。"
    )
    return (
        f"{first}再查时区和单位：报文里的时间按规范解读（日期时间是北京时间，UTC+8；时间戳看清是秒还是毫秒），"
        "不用服务器、容器或语言的缺省时区"
    )


async def takes_the_published(bench: Bench, tally: Tally) -> None:
    """E-B03: applications the specification shows as sent by the gateway, byte for byte."""
    for message in bench.mill.published(bench.examples):
        tally.taken(
            await bench.good(message, f"规范附的样例：{message.words}，字节一字未改"),
            "用规范 examples 目录里的这个文件在本机调试：同样的字节，只是时间和凭证是新的",
        )
    if not tally.tried:
        tally.skip("规范没有附网关发给这一侧的申请样例")


async def takes_follow_ups(bench: Bench, tally: Tally) -> None:
    """E-B04: every kind that the origin of a case sends after its application."""
    plain: Callable[[Facts], bool] = lambda facts: bool(facts.papers)  # noqa: E731
    turns = (
        (Kind.TRANSFER_APPLY, lambda facts: facts.old_place, Turn(Kind.TRANSFER_SHEET)),
        (Kind.GENERAL_APPLY, plain, Turn(Kind.MATERIAL_SUPPLEMENT, reason="已按要求补充")),
        (Kind.GENERAL_APPLY, plain, Turn(Kind.STATUS_REPORT, State.SERVED)),
        (Kind.GENERAL_APPLY, plain, Turn(Kind.CASE_RATING, reason="办得快")),
        (Kind.GENERAL_APPLY, plain, Turn(Kind.CASE_WITHDRAW, reason="申请人自愿撤回")),
    )
    for kind, fits, turn in turns:
        if len(bench.mill.spoken((kind, turn.kind))) < 2:
            continue  # one of the two sides has no message for it
        if bench.door is not None and turn.kind in _ITS_OWN_TURN:
            continue  # sent in their season, when the server has reported (E-F37)
        case = await opened(bench, kind, fits)
        if case is not None:
            await follow(bench, tally, bench.mill.follow(case, turn))


async def opened(bench: Bench, kind: Kind, fits: Callable[[Facts], bool] = lambda _: True) -> Held | None:
    """A case the server has taken; None when it did not (another law tells of that)."""
    message = bench.mill.application(kind, fits=fits)
    answer = await bench.good(message)
    return message.case if answer.taken else None


async def follow(bench: Bench, tally: Tally, message: Message) -> None:
    """A follow-up is taken, or refused because the server has not come so far with the case, or has ended it."""
    answer = await bench.good(message)
    out_of_turn = answer.code in _LIFE_CYCLE or (answer.status == 409 and answer.code in {"", "409"})
    if out_of_turn and await _may_be(bench, message):  # how a refusal is written is another law's
        tally.tried += 1
        return
    hint = "，并按办件编号找到刚才受理的申请" if answer.code == "9044" else ""
    tally.taken(answer, f"实现 {message.words} 的接收{hint}；网关在申请受理之后才发送它")


async def _may_be(bench: Bench, message: Message) -> bool:
    """Whether the case may be where this is not its turn: nobody withdraws what the server says it has concluded."""
    if message.kind in _ITS_OWN_TURN:
        return True
    return bench.door is not None and (await bench.door.has_ended(message.case_ref) or bench.door.is_deaf)


async def checks_each_header(bench: Bench, tally: Tally) -> None:
    """E-B06."""
    probes = bench.probes
    if probes is None:
        return
    for name, codes in probes.proof.items():
        for spoil, what in ((None, f"缺少请求头 {name}"), (_changed, f"请求头 {name} 的值改了一个字符")):
            message = bench.mill.application(Kind.GENERAL_APPLY)
            sealed = bench.seal(message)
            headers = {
                key: (value if key.lower() != name else (spoil(value) if spoil else ""))
                for key, value in sealed.headers.items()
                if key.lower() != name or spoil
            }
            answer = await bench.bad(replace(sealed, headers=headers), f"{message.words}，{what}", message)
            tally.refused(
                answer,
                401,
                # one that is missing is a missing proof, or no longer fits what it is to prove
                codes if spoil else codes | {"9001"},
                f"收到报文后先校验 {name}：缺少或不符时不读报文体，答复 HTTP 401"
                "（比较时用定时安全的方法，十六进制不分大小写）",
            )


def _changed(value: str) -> str:
    """Another character in the middle, of the same class."""
    at = len(value) // 2
    swap = {"0": "1", "A": "B", "a": "b"}
    old = value[at]
    new = next(swap.get(zero, "0") if old == zero else zero for zero in ("0Aa" if old.isalnum() else "-_"))
    if old.isdigit():
        new = str((int(old) + 1) % 10)
    return value[:at] + new + value[at + 1 :]


async def refuses_a_strangers_key(bench: Bench, tally: Tally) -> None:
    """E-B07."""
    if bench.probes is None:
        return
    message = bench.mill.application(Kind.GENERAL_APPLY)
    sealed = bench.seal(message, credentials=bench.probes.impostor(bench.credentials))
    answer = await bench.bad(sealed, f"{message.words}，标识正确，凭证却用另一把密钥生成", message)
    tally.refused(
        answer,
        401,
        frozenset({"9001", "9004"}),
        "真正用约定的密钥验证凭证，而不是只看请求头在不在、长度对不对",
    )


async def refuses_an_altered_body(bench: Bench, tally: Tally) -> None:
    """E-B08."""
    codes = bench.probes.altered if bench.probes else frozenset({"9001", "9004"})
    first = bench.mill.application(Kind.GENERAL_APPLY)
    for place in (0.5, 1.0):
        message = bench.mill.anew(first)
        sealed = bench.seal(message)
        digits = [at for at, byte in enumerate(sealed.body) if byte in b"0123456789"]
        at = digits[int(place * (len(digits) - 1))]
        old = sealed.body[at : at + 1]
        new = b"0" if old != b"0" else b"1"
        body = sealed.body[:at] + new + sealed.body[at + 1 :]
        what = f"{message.words}，签发后第 {at + 1} 个字节由 {old.decode()} 改为 {new.decode()}"
        answer = await bench.bad(replace(sealed, body=body), what, message)
        tally.refused(
            answer,
            401,
            codes,
            "对收到的原始字节计算摘要并与请求头比较，不要对解析后再写出的内容计算",
        )


async def answers_again(bench: Bench, tally: Tally) -> None:
    """E-B09: the same message, proven anew, as after an answer that got lost."""
    for kind in bench.mill.spoken((Kind.GENERAL_APPLY, Kind.TRANSFER_APPLY)):
        message = bench.mill.application(kind)
        # some seconds old, so that the repetition carries another time
        sealed = bench.seal(message, late_s=3)
        first = await bench.send(sealed, f"一条正确的报文：{message.words}", message, good=True)
        if not first.taken:
            continue
        again = await bench.good(
            message, f"同一条报文再发一次：{message.words}，报文编号和内容相同，凭证是新的"
        )
        remedy = "按报文编号登记已受理的报文；编号和内容摘要都相同时，答复当时的回执，不再办理"
        if tally.taken(again, remedy) and _same(tally, first, again):
            bench.remembered.append((first, message))


def _same(tally: Tally, first: Answer, again: Answer) -> bool:
    if first.status != again.status or (first.form and again.form and first.form.same != again.form.same):
        tally.broken(
            f"发送：{again.what}。应答是另一张回执：第一次 {_number(first)}，这一次 {_number(again)}。"
            f"按 {tally.source}、§7 应答复原来的回执，状态和内容都相同，回执号也不另编：换了，网关无从知道两次是同一次办理。",
            "受理时把回执和报文编号、内容摘要一起存下；再收到时原样取出答复",
            path=again.path,
            example=again.example,
        )
        return False
    return True


def _number(answer: Answer) -> str:
    number = answer.form.number if answer.form else ""
    return f"HTTP {answer.status}，回执号 {number or '无'}"


async def refuses_a_used_key(bench: Bench, tally: Tally) -> None:
    """E-B10."""
    first = bench.mill.application(Kind.GENERAL_APPLY)
    if not (await bench.good(first)).taken:
        return
    other = bench.mill.application(Kind.GENERAL_APPLY, key=first.key)
    answer = await bench.bad(bench.seal(other), f"{other.words}，报文编号与前一条相同，内容是另一办件", other)
    tally.refused(
        answer,
        409,
        frozenset({"9020"}),
        "受理时存下内容摘要；编号已用过而摘要不同时答复 HTTP 409、9020，不要当作重发答复受理",
    )


#: Law → how it is tried.
CHECKS = {
    "E-B01": reached,
    "E-B02": takes_applications,
    "E-B03": takes_the_published,
    "E-B04": takes_follow_ups,
    "E-B06": checks_each_header,
    "E-B07": refuses_a_strangers_key,
    "E-B08": refuses_an_altered_body,
    "E-B09": answers_again,
    "E-B10": refuses_a_used_key,
}
