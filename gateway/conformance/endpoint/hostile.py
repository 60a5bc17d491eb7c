"""The hostile laws of a live server: size, bombs, borrowed proofs, crowds, half a message."""

from __future__ import annotations

import asyncio
import warnings
from dataclasses import replace
from typing import TYPE_CHECKING

from gateway.canonical.kinds import Kind
from gateway.conformance.endpoint.form import refuses_bodies
from gateway.conformance.endpoint.line import half_a_message
from gateway.conformance.endpoint.tally import byte_for_byte
from gateway.transport.client import BODY_LIMIT

if TYPE_CHECKING:
    from gateway.conformance.endpoint.bench import Bench
    from gateway.conformance.endpoint.mill import Message
    from gateway.conformance.endpoint.tally import Tally

_APPLY = Kind.GENERAL_APPLY


async def refuses_the_oversized(bench: Bench, tally: Tally) -> None:
    """E-H01."""
    message = bench.mill.application(_APPLY)
    body = message.body + b"\n" * (BODY_LIMIT + 1 - len(message.body))
    what = f"{message.words}，凭证正确，末尾补空行到 {len(body)} 字节"
    with warnings.catch_warnings():
        # the client warns that a body of this size holds up the loop; this one is to be too large
        warnings.simplefilter("ignore", ResourceWarning)
        answer = await bench.bad(bench.seal(message, body=body), what, message)
    tally.refused(
        answer,
        413,
        frozenset({"9030"}),
        "在读完报文体之前按 Content-Length 和已读字节数判断，超过 1 MiB 即答复 HTTP 413 和回执；"
        "关闭连接之前把剩下的字节读掉，否则连接被重置，应答会一起丢失；"
        "前面有反向代理时，代理的上限要高于 1 MiB",
    )


async def takes_the_largest(bench: Bench, tally: Tally) -> None:
    """E-H02."""
    message = bench.mill.application(_APPLY)
    sealed = bench.seal(message, body=message.body + b"\n" * (BODY_LIMIT - len(message.body)))
    what = f"{message.words}，末尾补空行到正好 {len(sealed.body)} 字节"
    answer = await bench.send(sealed, what, message, good=True)
    remedy = "上限是 1 048 576 字节，等于上限的报文应当受理；检查反向代理的请求体上限，报文体要循环读到读完"
    tally.taken(answer, byte_for_byte(answer, remedy))


async def stands_attacks(bench: Bench, tally: Tally) -> None:
    """E-H03."""
    if bench.probes is not None:
        remedy = "解析器关闭实体、限制嵌套层数，不接受规范不允许的写法；当作读不懂的报文拒收"
        await refuses_bodies(bench, tally, bench.probes.attacks, remedy)


async def refuses_a_borrowed_proof(bench: Bench, tally: Tally) -> None:
    """E-H04."""
    one, other = bench.mill.application(_APPLY), bench.mill.application(_APPLY)
    sealed = bench.seal(one)
    request = replace(sealed, body=bench.seal(other).body)
    answer = await bench.bad(request, f"{other.words}，请求头却是为另一条报文签发的", other)
    codes = bench.probes.altered if bench.probes else frozenset({"9001", "9004"})
    tally.refused(answer, 401, codes, "凭证要与收到的报文体逐字节对上，而不只是自身成立")


async def keeps_crowds_apart(bench: Bench, tally: Tally) -> None:
    """E-H05: many in flight, each with its own receipt."""
    messages = [bench.mill.application(_APPLY) for _ in range(bench.options.in_flight)]
    what = f"{len(messages)} 条不同办件的申请同时在途，其中一条"
    answers = await asyncio.gather(*(bench.good(message, what) for message in messages))
    numbers: dict[str, int] = {}
    for answer in answers:
        tally.taken(answer, "检查连接池、线程数和请求之间共用的状态；忙不过来时答复 HTTP 429 和 Retry-After")
        if answer.form and answer.form.number:
            numbers[answer.form.number] = numbers.get(answer.form.number, 0) + 1
        if answer.form and answer.form.case_ref not in {"", answer.case_ref}:
            tally.broken(
                f"发送：{answer.what}。收到的回执是另一办件的。",
                "查找请求之间共用的变量（模块级、单例的成员），改为每个请求各有一份",
                path=answer.path,
            )
    repeated = sum(count > 1 for count in numbers.values())
    if repeated:
        tally.broken(
            f"{len(messages)} 条报文同时在途，有 {repeated} 个回执号给了不止一条报文。",
            "回执号用数据库序列或原子计数器编，不要按毫秒时间编",
        )


async def acts_once_under_a_crowd(bench: Bench, tally: Tally) -> None:
    """E-H06: the same message several times at once."""
    for _ in range(3):
        message = bench.mill.application(_APPLY)
        what = f"{message.words}，同一条报文同时到达 4 次，凭证各不相同"
        answers = await asyncio.gather(*(bench.good(message, what) for _ in range(4)))
        taken = [answer for answer in answers if tally.taken(answer, _ONCE)]
        receipts = {answer.form.same for answer in taken if answer.form}
        if len(receipts) > 1:
            if await _is_always_new(bench, message):
                tally.skip("同一条报文先后再发，每次也是另一张回执（见 E-B09）：先改好它，再看这一条")
                return
            tally.broken(
                f"发送：{what}。得到 {len(receipts)} 张不同的回执，说明报文办理了不止一次。"
                f"按 {tally.source}，同一编号只办理一次。",
                _ONCE,
                path=answers[0].path,
                example=message.native_kind,
            )


async def _is_always_new(bench: Bench, message: Message) -> bool:
    """Whether a repetition has a receipt of its own without a crowd too: then a crowd shows nothing."""
    again = [await bench.good(message, f"{message.words}，同一条报文先后再发一次") for _ in range(2)]
    return len({answer.form.same for answer in again if answer.form}) > 1


_ONCE = "用数据库的唯一约束登记报文编号；后到的等先到的提交，再答复同一张回执，不要“先查后插”"


async def forgets_half_a_message(bench: Bench, tally: Tally) -> None:
    """E-H07: a line that broke in the middle leaves nothing behind."""
    message = bench.mill.application(_APPLY)
    bench.introduce(message)
    await half_a_message(bench, bench.seal(message))
    await asyncio.sleep(0.05)
    answer = await bench.good(message, f"{message.words}，前一次只发了一半报文体就断线，现在完整重发")
    tally.taken(answer, "收齐 Content-Length 的字节再处理；断线的请求不登记编号")


async def lives_on(bench: Bench, tally: Tally) -> None:
    """E-H08: after all of this, a good message."""
    answer = await bench.good(bench.mill.application(_APPLY), "全部对抗试验之后的一条正确的申请")
    tally.taken(answer, "某一条坏报文使服务停止或变慢：看服务器日志，逐条重放本报告里的对抗试验")
    for first, message in bench.remembered[:1]:
        words = f"{message.words}，本次检查中最早重发过的一条，隔了 {len(bench.ledger)} 个请求再重发"
        again = await bench.good(message, words)
        if tally.taken(again, _REMEMBER) and first.form and again.form and first.form.same != again.form.same:
            tally.broken(
                f"发送：{again.what}。应答是另一张回执：它的报文编号已经忘了（crossing §1：至少记 180 天）。",
                _REMEMBER,
                path=again.path,
                example=again.example,
            )


_REMEMBER = "报文编号和回执存在数据库里，不放在有容量或时限的缓存里：至少 180 天，且到办件结束"


#: Law → how it is tried.
CHECKS = {
    "E-H01": refuses_the_oversized,
    "E-H02": takes_the_largest,
    "E-H03": stands_attacks,
    "E-H04": refuses_a_borrowed_proof,
    "E-H05": keeps_crowds_apart,
    "E-H06": acts_once_under_a_crowd,
    "E-H07": forgets_half_a_message,
    "E-H08": lives_on,
}
