"""The full laws of a live server: time, replay, numbers, order, names, items, connections."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from gateway.canonical.kinds import Kind
from gateway.canonical.rehearsal import Turn
from gateway.conformance.endpoint import spoil
from gateway.conformance.endpoint.basic import follow, opened
from gateway.conformance.endpoint.line import NOT_TAKEN, on_one_line
from gateway.conformance.endpoint.mill import RARE
from gateway.conformance.endpoint.tally import byte_for_byte
from gateway.region import Inbound

if TYPE_CHECKING:
    from gateway.conformance.endpoint.bench import Bench
    from gateway.conformance.endpoint.tally import Tally

_APPLY = Kind.GENERAL_APPLY
_HEX = re.compile(r"[0-9a-f]{32,}")
_WINDOW = frozenset({"9002"})


async def keeps_the_window(bench: Bench, tally: Tally) -> None:
    """E-F01: outside is refused."""
    window = bench.region.window_s
    skew = bench.skew_s()
    hint = f"（对方应答头 Date 与本机相差 {skew:.0f} 秒）" if skew is not None and abs(skew) > 30 else ""
    for late_s, what in ((window + 60, "以前"), (86_400, "以前"), (-window - 60, "以后")):
        message = bench.mill.application(_APPLY)
        sealed = bench.seal(message, late_s=late_s)
        said = f"{message.words}，凭证正确，时间是 {abs(late_s)} 秒{what}{hint}"
        tally.refused(
            await bench.bad(sealed, said, message),
            401,
            _WINDOW,
            f"验签之后比较报文的时间与本机时钟，相差超过 {window} 秒即拒收；服务器时钟用 NTP 校准",
        )


async def accepts_within_the_window(bench: Bench, tally: Tally) -> None:
    """E-F02: a message that waited in a queue for some minutes is still good."""
    skew = bench.skew_s()
    hint = f"；对方应答头 Date 与本机相差 {skew:.0f} 秒，先校准时钟" if skew and abs(skew) > 30 else ""
    for late_s in (bench.region.window_s - 60, 60 - bench.region.window_s):
        message = bench.mill.application(_APPLY)
        what = f"{message.words}，时间{'早' if late_s > 0 else '晚'}于现在 {abs(late_s)} 秒，仍在时间窗内"
        answer = await bench.send(bench.seal(message, late_s=late_s), what, message, good=True)
        tally.taken(answer, f"时间窗是前后各 {bench.region.window_s} 秒，不要更窄{hint}")


async def refuses_a_replay(bench: Bench, tally: Tally) -> None:
    """E-F03: the same request, headers and all. With a nonce it is refused, without one it is a repetition."""
    message = bench.mill.application(_APPLY)
    sealed = bench.seal(message)
    first = await bench.send(sealed, f"一条正确的报文：{message.words}", message, good=True)
    if not first.taken:
        return
    inbound = Inbound({name.lower(): value for name, value in sealed.headers.items()}, sealed.body)
    what = f"{message.words}，把前一个请求的请求头和报文体原样再发一次"
    again = await bench.send(sealed, what, message, good=True)
    if bench.region.open(inbound).nonce is None:
        tally.taken(again, "这一侧没有随机串：原样重来就是重发，按报文编号答复原来的回执")
    else:
        tally.refused(
            again,
            401,
            frozenset({"9003"}),
            "记下时间窗内用过的随机串（按调用方），第二次出现即拒收，在查报文编号之前",
        )


async def knows_its_cases(bench: Bench, tally: Tally) -> None:
    """E-F10."""
    message = bench.mill.stranger()
    answer = await bench.bad(bench.seal(message), f"{message.words}，说的是一个从未申请过的办件", message)
    tally.refused(
        answer, 422, frozenset({"9044"}), "后续报文先按办件编号找办件，找不到就拒收，不要新建或悄悄收下"
    )


async def refuses_a_used_case(bench: Bench, tally: Tally) -> None:
    """E-F11."""
    message = bench.mill.application(_APPLY)
    if not (await bench.good(message)).taken:
        return
    again = bench.mill.rekeyed(message)
    answer = await bench.bad(bench.seal(again), f"{message.words}，报文编号是新的，办件编号已申请过", message)
    tally.refused(
        answer, 409, frozenset({"9021"}), "申请的办件编号在本方已有时答复 HTTP 409、9021，不要再建一个"
    )


async def forgets_what_it_refused(bench: Bench, tally: Tally) -> None:
    """E-F12: only what was taken is remembered by its key."""
    message = bench.mill.application(_APPLY, fits=lambda facts: bool(facts.papers))
    path, tree = next(iter(spoil.without_members(bench.yardstick, message)))
    lacking = bench.mill.again(message, tree=tree)
    refused = await bench.bad(bench.seal(lacking), f"{message.words}，缺少必填项 {path}", message)
    if refused.taken:
        tally.skip("缺少必填项的报文没有被拒收（见 E-F08），无法试")
        return
    answer = await bench.good(message, f"{message.words}，补上了 {path}，报文编号与刚才被拒收的相同")
    tally.taken(answer, "只登记答复 202 的报文编号；被拒收的报文改好后用同一编号再来，应当受理")


async def follows_at_once(bench: Bench, tally: Tally) -> None:
    """E-F13: the next message of a case comes as soon as the former has its receipt, on any connection."""
    for _ in range(3 if len(bench.mill.spoken((Kind.TRANSFER_APPLY, Kind.TRANSFER_SHEET))) > 1 else 0):
        case = await opened(bench, Kind.TRANSFER_APPLY, lambda facts: facts.old_place)
        if case is None:
            continue
        await follow(bench, tally, bench.mill.follow(case, Turn(Kind.TRANSFER_SHEET)))
    for _ in range(3):
        case = await opened(bench, _APPLY)
        if case is None:
            continue
        await follow(bench, tally, bench.mill.follow(case, Turn(Kind.CASE_WITHDRAW, reason="申请人自愿撤回")))


async def reads_rare_letters(bench: Bench, tally: Tally) -> None:
    """E-F14."""
    kinds = bench.mill.spoken(kind for kind in Kind if kind.opens_case)
    for letter, kind in (*((letter, _APPLY) for letter in RARE), *((RARE[-1], kind) for kind in kinds)):
        message = bench.mill.of_name(bench.mill.application(kind), f"张{letter}")
        what = f"{message.words}，姓名里有 {letter}（U+{ord(letter):04X}）"
        answer = await bench.good(message, what)
        remedy = "解码用规定编码的完整实现（四字节字、第二平面的字都在内），数据库列和日志也要存得下"
        tally.taken(answer, byte_for_byte(answer, remedy))


async def takes_every_item(bench: Bench, tally: Tally) -> None:
    """E-F15."""
    for item, message in bench.mill.items():
        if message is None:
            continue
        what = f"事项 {item} 的申请：{message.words}"
        tally.taken(await bench.good(message, what), f"核对事项 {item} 在本方事项目录中的编码和所需材料")


async def knows_its_own_keys(bench: Bench, tally: Tally) -> None:
    """E-F22: a key that only the server's own side writes cannot come from the gateway."""
    written = bench.probes.own_key if bench.probes else None
    if written is None:
        tally.skip("这一侧的报文编号看不出是哪一方编的")
        return
    message = bench.mill.anew(bench.mill.application(_APPLY), key=bench.mill.own_key(written))
    what = f"{message.words}，报文编号 {message.key} 是你这一侧的写法，不是网关的"
    tally.refused(
        await bench.bad(bench.seal(message), what, message),
        422,
        frozenset({"9042", "9043"}),
        "核对报文编号的开头：以本侧的字母开头的是自己发出去的报文，转了回来，不要受理",
    )


async def reads_hex_in_any_case(bench: Bench, tally: Tally) -> None:
    """E-F17: digests and signatures written in hexadecimal."""
    if bench.probes is None:
        return
    for name in bench.probes.proof:
        message = bench.mill.application(_APPLY)
        sealed = bench.seal(message)
        written = {key.lower(): (key, value) for key, value in sealed.headers.items()}.get(name)
        if written is None or not _HEX.fullmatch(written[1]):
            continue
        headers = {**sealed.headers, written[0]: written[1].upper()}
        what = f"{message.words}，请求头 {name} 的十六进制写成大写"
        answer = await bench.send(replace(sealed, headers=headers), what, message, good=True)
        tally.taken(answer, f"比较 {name} 前先统一大小写")


async def keeps_a_line_open(bench: Bench, tally: Tally) -> None:
    """E-F16: several requests on one connection, each with its own answer."""
    messages = [bench.mill.application(_APPLY) for _ in range(5)]
    for message in messages:
        bench.introduce(message)
    tally.tried += 1
    fault = await on_one_line(bench, [bench.seal(message) for message in messages])
    if fault:
        tally.broken(
            f"在一条连接上依次发送 {len(messages)} 条正确的申请。{fault}。"
            f"按 {tally.source} 用 HTTP/1.1，网关会重复使用连接。",
            "分开发能受理的报文，接着发也要受理：查服务器日志，看前一条请求留下了什么"
            if fault.endswith(NOT_TAKEN)
            else "应答要有正确的 Content-Length 或分块编码；要关闭连接就先写 Connection: close，"
            "空闲连接至少保持 5 秒",
            path=bench.seal(messages[0]).path,
        )


#: Law → how it is tried.
CHECKS = {
    "E-F01": keeps_the_window,
    "E-F02": accepts_within_the_window,
    "E-F03": refuses_a_replay,
    "E-F10": knows_its_cases,
    "E-F11": refuses_a_used_case,
    "E-F12": forgets_what_it_refused,
    "E-F13": follows_at_once,
    "E-F14": reads_rare_letters,
    "E-F15": takes_every_item,
    "E-F16": keeps_a_line_open,
    "E-F17": reads_hex_in_any_case,
    "E-F22": knows_its_own_keys,
}
