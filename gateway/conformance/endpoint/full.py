"""The full laws of a live server: time, replay, form, content, order, names, items, connections."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from gateway.canonical.kinds import Kind
from gateway.canonical.rehearsal import Turn
from gateway.conformance.endpoint import spoil
from gateway.conformance.endpoint.basic import GOOD, PROBED, follow, opened
from gateway.conformance.endpoint.line import on_one_line
from gateway.conformance.endpoint.mill import RARE
from gateway.conformance.endpoint.tally import Demand
from gateway.conformance.law import Level
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


async def wants_its_content_type(bench: Bench, tally: Tally) -> None:
    """E-F04."""
    for written in spoil.wrong_types(bench.region.content_type):
        message = bench.mill.application(_APPLY)
        sealed = bench.seal(message)
        answer = await bench.bad(
            replace(sealed, headers={**sealed.headers, "content-type": written}),
            f"{message.words}，Content-Type 写成 {written}",
            message,
        )
        remedy = f"先看 Content-Type：不是 {bench.region.content_type} 就答复 HTTP 415，不要按内容猜"
        tally.refused(answer, 415, frozenset({"9031"}), remedy)


async def reads_any_letter_case(bench: Bench, tally: Tally) -> None:
    """E-F05."""
    for written in spoil.same_types(bench.region.content_type):
        message = bench.mill.application(_APPLY)
        sealed = bench.seal(message)
        what = f"{message.words}，Content-Type 写成 {written}，意思相同"
        headers = {**sealed.headers, "content-type": written}
        answer = await bench.send(replace(sealed, headers=headers), what, message, good=True)
        tally.taken(answer, "比较 Content-Type 时不分大小写，参数前后的空格不算")


async def refuses_the_unreadable(bench: Bench, tally: Tally) -> None:
    """E-F06."""
    if bench.probes is None:
        return
    message = bench.mill.application(_APPLY)
    for what, body in bench.probes.unreadable(message.body):
        answer = await bench.bad(bench.seal(message, body=body), f"{message.words}，凭证正确，{what}", message)
        tally.refused(
            answer,
            422,
            frozenset({"9041"}),
            "按规定的编码严格解码，解析失败就答复 HTTP 422、9041；不要换一种编码再试，也不要让异常变成 500",
        )


async def knows_its_kinds(bench: Bench, tally: Tally) -> None:
    """E-F07: an unknown kind; a path that names another kind than the body."""
    message = bench.mill.application(_APPLY)
    sealed = bench.seal(message)
    paths = ((_unknown(message.native_kind), "路径写了没有的报文种类"), (_other(bench), "路径写的是另一种报文"))
    for kind, what in paths:
        path = sealed.path.removesuffix(message.native_kind) + kind
        request = replace(bench.seal(message), path=path)
        answer = await bench.bad(request, f"{what} {kind}，报文体是 {message.words}", message)
        tally.refused(
            answer,
            422,
            frozenset({"9042", "9043"}),
            "比较路径末段与报文体里的种类，不一致或不认识就答复 HTTP 422，不要按其中一个办理，也不要答复 404",
        )


def _unknown(native_kind: str) -> str:
    return native_kind[:-2] + ("99" if native_kind[-1].isdigit() else "ZZ")


def _other(bench: Bench) -> str:
    return next(native for native, each in bench.region.maps.items() if each.kind is Kind.CERTIFICATION_NOTICE)


async def wants_every_member(bench: Bench, tally: Tally) -> None:
    """E-F08: one mandatory member after the other is left out."""
    message = bench.mill.application(_APPLY, fits=lambda facts: bool(facts.papers))
    for path, tree in spoil.without_members(bench.yardstick, message):
        lacking = bench.mill.again(message, tree=tree, key=message.key)
        answer = await bench.bad(bench.seal(lacking), f"{message.words}，缺少必填项 {path}", message)
        fits = tally.refused(
            answer, 422, frozenset({"9042"}), f"按规范的机器可读格式校验：{path} 为必填，缺少时 9042"
        )
        if fits and answer.form and answer.form.paths and not _names(answer.form.paths, path):
            tally.broken(
                f"发送：{answer.what}。应答拒收了，但发现的路径是 {'、'.join(answer.form.paths[:3])}。"
                f"按 {tally.source}，路径应是缺少的那一项自己：{path}。",
                "发现的路径写缺少的成员本身，不写上一级",
                path=path,
                example=answer.example,
            )


def _names(paths: tuple[str, ...], path: str) -> bool:
    return any(found.strip("/") == path for found in paths)


async def wants_right_values(bench: Bench, tally: Tally) -> None:
    """E-F09: values that have the form and break a rule."""
    message = bench.mill.application(_APPLY, fits=lambda facts: bool(facts.papers))
    for path, what, tree in spoil.wrong_values(bench.yardstick, message):
        wrong = bench.mill.again(message, tree=tree)
        answer = await bench.bad(bench.seal(wrong), f"{message.words}，{path} {what}", message)
        tally.refused(
            answer,
            422,
            frozenset({"9042", "9043"}),
            f"校验 {path} 的取值规则；网关不会发这样的值，收到了说明报文在路上或在别处被改动",
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
    tally.refused(answer, 409, frozenset({"9021"}), "申请的办件编号在本方已有时答复 HTTP 409、9021，不要再建一个")


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
    for _ in range(3):
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
    for letter in RARE:
        message = bench.mill.application(_APPLY, fits=lambda facts, one=letter: one in facts.name)  # type: ignore[misc]
        what = f"{message.words}，姓名里有 {letter}（U+{ord(letter):04X}）"
        tally.taken(
            await bench.good(message, what),
            "解码用规定编码的完整实现（四字节字、第二平面的字都在内），数据库列和日志也要存得下",
        )


async def takes_every_item(bench: Bench, tally: Tally) -> None:
    """E-F15."""
    for item, message in bench.mill.items():
        if message is None:
            continue
        what = f"事项 {item} 的申请：{message.words}"
        tally.taken(await bench.good(message, what), f"核对事项 {item} 在本方事项目录中的编码和所需材料")


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
            "应答要有正确的 Content-Length 或分块编码；要关闭连接就先写 Connection: close，"
            "空闲连接至少保持 5 秒",
            path=bench.seal(messages[0]).path,
        )


def _law(number: str, title: str, title_en: str, topic: str, also: str, check, needs=GOOD) -> Demand:  # type: ignore[no-untyped-def] # noqa: ANN001, PLR0913, PLR0917
    return Demand(f"E-F{number}", title, title_en, Level.FULL, topic, also, check, needs)


LAWS = (
    _law("01", "时间窗以外的报文拒收", "Messages outside the time window are refused",
         "proof", "crossing §1 第 7 步", keeps_the_window),
    _law("02", "时间窗以内的报文受理", "Messages inside the time window are taken",
         "proof", "crossing §1 第 7 步", accepts_within_the_window),
    _law("03", "原样重放的请求不会办理第二次", "A request replayed as it was has no second effect",
         "proof", "crossing §1 第 7、8 步", refuses_a_replay),
    _law("04", "内容类型或字符集不符，拒收", "Another content type or charset is refused",
         "transport", "crossing §1 第 2 步", wants_its_content_type),
    _law("05", "内容类型不分大小写", "The content type is read in any letter case",
         "transport", "crossing §1 第 2 步", reads_any_letter_case),
    _law("06", "读不懂的报文体拒收", "A body that cannot be read is refused",
         "transport", "crossing §1 第 6 步", refuses_the_unreadable, PROBED),
    _law("07", "路径与报文种类不一致，拒收", "A path that does not fit the kind is refused",
         "transport", "crossing §1 第 9 步", knows_its_kinds),
    _law("08", "缺少必填项的报文拒收，指出是哪一项", "A missing member is refused and named",
         "kinds", "crossing §1 第 9 步", wants_every_member),
    _law("09", "取值不合规则的报文拒收", "A value against the rules is refused",
         "types", "crossing §1 第 10 步", wants_right_values),
    _law("10", "不认识的办件的后续报文拒收", "A follow-up of an unknown case is refused",
         "receipt", "crossing §1 第 11 步", knows_its_cases),
    _law("11", "用过的办件编号再申请，拒收", "An application under a used case number is refused",
         "receipt", "crossing §1 第 12 步", refuses_a_used_case),
    _law("12", "拒收过的报文编号，改好后可以再用", "A refused key may be used again",
         "key", "crossing §1", forgets_what_it_refused),
    _law("13", "同一办件的下一条报文紧接着就能受理", "The next message of a case is taken at once",
         "", "gateway §5", follows_at_once),
    _law("14", "姓名中的生僻字能读", "Rare letters in names are read",
         "types", "crossing §2 M20", reads_rare_letters),
    _law("15", "目录中的每个事项都受理", "Every item of the catalogue is taken",
         "kinds", "crossing §2 M21", takes_every_item),
    _law("17", "摘要和签名的十六进制不分大小写", "Hexadecimal digests are read in either letter case",
         "proof", "", reads_hex_in_any_case, PROBED),
    _law("16", "一条连接上可以接着发", "A connection serves one message after the other",
         "transport", "gateway §5", keeps_a_line_open),
)
