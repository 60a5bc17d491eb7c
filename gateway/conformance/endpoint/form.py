"""The full laws on what a message looks like: its type, its encoding, its members and values."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from gateway.canonical.kinds import Kind
from gateway.conformance.endpoint import spoil
from gateway.conformance.endpoint.tally import byte_for_byte

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gateway.conformance.endpoint.bench import Bench
    from gateway.conformance.endpoint.tally import Tally

_INDEX = re.compile(r"\[[0-9]+\]")
_APPLY = Kind.GENERAL_APPLY


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
    if bench.probes is not None:
        remedy = "按规定的编码严格解码（不成字的字节不换成替代字符），解析失败就答复 HTTP 422、9041；不要换一种编码再试，也不要让异常变成 500"
        await refuses_bodies(bench, tally, bench.probes.unreadable, remedy)


async def refuses_bodies(
    bench: Bench, tally: Tally, spoilt: Callable[[bytes], Sequence[tuple[str, bytes]]], remedy: str
) -> None:
    """Bodies nobody should be able to read, under a right proof. ``spoilt``: body → what was done, bytes."""
    first = bench.mill.application(_APPLY)
    for place in range(len(spoilt(first.body))):
        message = bench.mill.anew(first)
        what, body = spoilt(message.body)[place]
        answer = await bench.bad(
            bench.seal(message, body=body), f"{message.words}，凭证正确，{what}", message
        )
        tally.refused(answer, 422, frozenset({"9041"}), byte_for_byte(answer, remedy))


async def knows_its_kinds(bench: Bench, tally: Tally) -> None:
    """E-F07: an unknown kind, in the path or in both places; a path that names another kind than the body."""
    first = bench.mill.application(_APPLY)
    paths = (
        (_unknown(first.native_kind), "路径写了没有的报文种类"),
        (_other(bench), "路径写的是另一种报文"),
    )
    for kind, what in paths:
        message = bench.mill.anew(first)
        answer = await bench.bad(
            bench.seal(message, kind=kind), f"{what} {kind}，报文体是 {message.words}", message
        )
        tally.refused(
            answer,
            422,
            frozenset({"9042", "9043"}),
            "比较路径末段与报文体里的种类，不一致或不认识就答复 HTTP 422，不要按其中一个办理，也不要答复 404",
        )


async def reads_other_spellings(bench: Bench, tally: Tally) -> None:
    """E-F21."""
    if bench.probes is None:
        return
    for place in range(len(bench.probes.variants(bench.mill.application(_APPLY).body))):
        message = bench.mill.application(_APPLY)
        what, body = bench.probes.variants(message.body)[place]
        said = f"{message.words}，{what}，意思不变"
        answer = await bench.send(bench.seal(message, body=body), said, message, good=True)
        remedy = "用完整的解析器读报文，不要按固定的写法截取文本"
        tally.taken(answer, byte_for_byte(answer, remedy))


async def refuses_an_unknown_kind(bench: Bench, tally: Tally) -> None:
    """E-F20: path and body agree on a kind that does not exist."""
    message = bench.mill.application(_APPLY)
    kind = _unknown(message.native_kind)
    strange = bench.mill.renamed(message, kind)
    answer = await bench.bad(
        bench.seal(strange, kind=kind), f"路径和报文体都写着没有的报文种类 {kind}，凭证正确"
    )
    tally.refused(
        answer,
        422,
        frozenset({"9042", "9043"}),
        "不认识的报文种类答复 HTTP 422、9042，不要变成 404 或 500",
    )


def _unknown(native_kind: str) -> str:
    return native_kind[:-2] + ("99" if native_kind[-1].isdigit() else "ZZ")


def _other(bench: Bench) -> str:
    maps = bench.sides.region.maps
    return next(native for native, each in maps.items() if each.kind is Kind.CERTIFICATION_NOTICE)


async def wants_every_member(bench: Bench, tally: Tally) -> None:
    """E-F08: one mandatory member after the other is left out."""
    message = bench.mill.application(_APPLY, fits=lambda facts: bool(facts.papers))
    for path, tree in spoil.without_members(bench.yardstick, message):
        lacking = bench.mill.anew(message, tree)
        sealed = bench.seal(lacking)
        if not spoil.faults_in(bench.yardstick, lacking, sealed.body):
            continue  # what is written anew with every attempt cannot be left out
        answer = await bench.bad(sealed, f"{message.words}，缺少必填项 {path}", lacking)
        fits = tally.refused(
            answer, 422, frozenset({"9042"}), f"按规范的机器可读格式校验：{path} 为必填，缺少时 9042"
        )
        if fits and answer.form and answer.form.paths and not _names(answer.form.paths, path):
            tally.broken(
                f"发送：{answer.what}。应答拒收了，但发现的路径是 {'、'.join(answer.form.paths[:3])}。"
                f"按 {tally.source}，路径应是缺少的那一项自己：{path}。",
                "发现的路径写缺少的成员本身，不写上一级；写法同本侧的报文路径",
                path=path,
                example=answer.example,
            )


def _names(paths: tuple[str, ...], path: str) -> bool:
    """Whether it is among them; whether a group that stands alone has an index is not settled."""
    wanted = _INDEX.sub("", path)
    return any(_INDEX.sub("", found.strip("/")) == wanted for found in paths)


async def wants_right_values(bench: Bench, tally: Tally) -> None:
    """E-F09: values that have the form and break a rule."""
    message = bench.mill.application(_APPLY, fits=lambda facts: bool(facts.papers))
    for path, what, tree in spoil.wrong_values(bench.yardstick, message):
        wrong = bench.mill.anew(message, tree)
        sealed = bench.seal(wrong)
        if not spoil.faults_in(bench.yardstick, wrong, sealed.body):
            continue  # written anew with every attempt
        answer = await bench.bad(sealed, f"{message.words}，{path} {what}", wrong)
        tally.refused(answer, 422, _VALUE, f"校验 {path} 的取值规则；{_HOW_COME}")
    number = spoil.wrong_digit(bench.yardstick, message)
    if number is not None:
        path, tree = number
        wrong = bench.mill.anew(message, tree)
        what = f"{message.words}，{path} 的最后一位改过，校验位不符"
        answer = await bench.bad(bench.seal(wrong), what, wrong)
        tally.refused(answer, 422, _VALUE, f"按 GB 11643 校验居民身份证号码的校验位；{_HOW_COME}")


_VALUE = frozenset({"9042", "9043"})
_HOW_COME = "网关不会发这样的值，收到了说明报文在路上或在别处被改动"


#: Law → how it is tried.
CHECKS = {
    "E-F04": wants_its_content_type,
    "E-F05": reads_any_letter_case,
    "E-F06": refuses_the_unreadable,
    "E-F07": knows_its_kinds,
    "E-F08": wants_every_member,
    "E-F09": wants_right_values,
    "E-F20": refuses_an_unknown_kind,
    "E-F21": reads_other_spellings,
}
