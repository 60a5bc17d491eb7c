"""Laws that hold of every answer: they are judged over everything the server has answered."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from gateway.conformance.endpoint.line import closes_silently
from gateway.formats import media_type

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gateway.canonical.probing import Form
    from gateway.conformance.endpoint.bench import Answer, Bench
    from gateway.conformance.endpoint.tally import Tally

#: What an encoder without Chinese leaves of Chinese.
_LOST = re.compile(r"\?{3}")
#: Statuses a receipt comes with (crossing §1); a proxy's own pages have others.
_PINNED = frozenset({202, 401, 403, 409, 413, 415, 422, 429, 503})


async def reads_as_a_receipt(bench: Bench, tally: Tally) -> None:
    """E-B05: whatever was taken has a receipt of the published form, about the case that was sent."""
    for answer in _answered(bench, good=True):
        if not 200 <= answer.status < 300 or answer.form is None:
            continue
        tally.tried += 1
        _judge(bench, tally, answer)
    if not tally.tried:
        tally.skip("没有一条受理的应答")


async def refuses_with_a_receipt(bench: Bench, tally: Tally) -> None:
    """E-F18."""
    for answer in _answered(bench):
        if answer.status < 400 or answer.form is None or answer.status not in _PINNED:
            continue
        tally.tried += 1
        _judge(bench, tally, answer)
        if not answer.form.faults and answer.status == 422 and not answer.form.paths:
            tally.broken(
                f"发送：{answer.what}。应答：{answer.said}，回执里没有一条发现。按 {tally.source}，"
                "HTTP 422 总要逐项列出发现的路径、代码和文字。",
                "校验时不要在第一处停下；把这一步的全部发现写进回执，路径用本侧报文的写法",
                path=answer.path,
                example=answer.example,
            )
    if not tally.tried:
        tally.skip("没有拒收的应答")


def _judge(bench: Bench, tally: Tally, answer: Answer) -> None:
    if answer.form is None:
        return
    for path, fault in answer.form.faults:
        tally.broken(
            f"发送：{answer.what}。应答 HTTP {answer.status} 的回执不合 {tally.source}：{fault}。",
            _mend(tally, answer.form, path),
            path=path,
            example=answer.example,
        )
    expected = media_type.split(bench.region.content_type)
    given = media_type.split(answer.headers.get("content-type", ""))
    if given[0] != expected[0] or given[1] not in {expected[1], ""}:
        written = answer.headers.get("content-type", "")
        found = f"的 Content-Type 为 {written[:60]}" if written else "没有写 Content-Type"
        tally.broken(
            f"发送：{answer.what}。应答{found}，应为 {bench.region.content_type}。",
            f"应答头写 Content-Type: {bench.region.content_type}",
            path="content-type",
        )
    if answer.reply is not None and _LOST.search(answer.reply.text):
        tally.broken(
            f"发送：{answer.what}。应答：{answer.said}。回执的文字里有连着的问号：汉字在写出以前已经丢失（{tally.source}）。",
            "查文字在哪里转成了没有汉字的编码（ISO-8859-1、ASCII 或系统缺省编码），转换时都指明规定的编码",
            path=answer.path,
            example=answer.example,
        )
    if answer.key and answer.form.number == answer.key:
        tally.broken(
            f"发送：{answer.what}。回执自己的编号与收到的报文编号相同（{tally.source}）。",
            "回执的编号由收报文的一方另编，不照抄收到的",
            path=answer.path,
            example=answer.example,
        )
    if answer.form.case_ref and answer.case_ref and answer.form.case_ref != answer.case_ref:
        tally.broken(
            f"发送：{answer.what}。回执说的是另一办件的编号：收到的是 {answer.case_ref}，"
            f"回执写的是 {answer.form.case_ref}。",
            "回执里的办件编号照收到的报文写；若并发时才出现，检查是否有请求之间共用的变量",
            path=answer.path,
            example=answer.example,
        )


def _mend(tally: Tally, form: Form, path: str) -> str:
    if not form.number and not form.code:
        return (
            f"任何状态的回执都按 {tally.source} 写，编码和声明与报文相同：写出字节时指明规定的编码，"
            "不要用语言、操作系统或框架的缺省值；错误页也要换成回执"
        )
    return f"改正回执的 {path}" if path else f"按 {tally.source} 写回执，任何状态都一样"


async def never_redirects(bench: Bench, tally: Tally) -> None:
    """E-B11."""
    for answer in bench.ledger:
        tally.tried += 1
        if 300 <= answer.status < 400:
            where = answer.headers.get("location", "")
            tally.broken(
                f"发送：{answer.what}。应答 HTTP {answer.status}，要求改到 {where[:80] or '别处'}。"
                f"按 {tally.source}，网关从不跟随重定向，会一直重试到成为死信。",
                "在 --url 的地址上直接答复；若是 http 转 https 或补斜杠，请把最终地址登记为 base_url",
                path=answer.path,
            )


async def answers_in_time(bench: Bench, tally: Tally) -> None:
    """E-B12."""
    limit = bench.options.timeout_s
    for answer in bench.ledger:
        tally.tried += 1
        if answer.failure and answer.took_s >= limit:
            tally.broken(
                f"发送：{answer.what}。{limit:g} 秒内没有应答完{f'：{answer.failure}' if answer.garbled else ''}。"
                f"按 {tally.source}，网关到 30 秒就断开并重发。",
                "让应答写得完：原因见上"
                if answer.garbled
                else "先把报文存下并答复回执，办理放在之后；检查是否在请求里等待别的系统或锁",
                path=answer.path,
                example=answer.example,
            )


async def answers_every_request(bench: Bench, tally: Tally) -> None:
    """E-B13: no line cut, no 5xx, nothing that is not HTTP."""
    for answer in bench.ledger:
        tally.tried += 1
        cut = answer.failure and not answer.given_up and answer.took_s < bench.options.timeout_s
        if cut or (answer.status >= 500 and answer.status != 503):
            tally.broken(
                f"发送：{answer.what}。应答：{answer.said}。这样的应答表示“稍后再来”，网关会重发三天。",
                "让应答读得懂：原因见上"
                if answer.garbled
                else "在服务器日志里找这一刻的异常；报文有问题就按规定的状态和代码拒收，不要让异常变成 5xx 或断线",
                path=answer.path,
                example=answer.example,
            )


async def says_when_it_closes(bench: Bench, tally: Tally) -> None:
    """E-F19: a line closed without a word loses the next message on it."""
    for answer in bench.ledger:
        tally.tried += 1
        before = answer.behind
        # one that cuts lines now and then is another law's: looked at once more, on a line of its own
        if before is not None and before.request is not None and await closes_silently(bench, before.request):
            tally.broken(
                f"发送：{before.what}。应答：{before.said}。此后服务器关闭了连接，应答里却没有写 Connection: close；"
                f"网关在这条连接上发的下一条报文没有应答（{tally.source}）。",
                "要关闭连接就在应答头写 Connection: close；不想读完的报文体也这样处理",
                path="connection",
                example=answer.example,
            )


def _answered(bench: Bench, *, good: bool | None = None) -> Iterable[Answer]:
    return (
        answer
        for answer in bench.ledger
        if not answer.failure and answer.status and (good is None or answer.good is good)
    )


#: Law → how it is tried.
CHECKS = {
    "E-B05": reads_as_a_receipt,
    "E-B11": never_redirects,
    "E-B12": answers_in_time,
    "E-B13": answers_every_request,
    "E-F18": refuses_with_a_receipt,
    "E-F19": says_when_it_closes,
}
