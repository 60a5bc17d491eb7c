"""How a Chongqing system is probed: what of CQ-N a live server can be asked to keep."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from gateway.canonical.probing import Form, Probes
from gateway.canonical.worktime import BEIJING
from gateway.crypto import signing
from gateway.formats import gb18030, xml_bytes
from gateway.formats.tree import Unreadable, member, text_at

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

_CLAUSES = {
    "transport": "chongqing §1",
    "proof": "chongqing §2",
    "key": "chongqing §3",
    "receipt": "chongqing §4",
    "types": "chongqing §5",
    "kinds": "chongqing §6",
}
_PROOF = {
    "x-cq-clientid": frozenset({"9001"}),
    "x-cq-sm3": frozenset({"9004"}),
    "x-cq-sign": frozenset({"9001"}),
}
_DECLARED = b'encoding="GB18030"'
_FH = ("FHM", "FHXX", "SBLSH", "CYTBH", "CW")
_LSH = re.compile(r"CQ[0-9]{20}")
_CODE = re.compile(r"0000|9[0-9]{3}")


def impostor(credentials: Any) -> Any:
    return credentials.model_copy(update={"private_key": signing.generate()})


def unreadable(body: bytes) -> Sequence[tuple[str, bytes]]:
    """Step 6 of crossing §1 and CQ-N §1."""
    text = gb18030.decode(body)
    return (
        ("声明和字节都是 UTF-8", text.replace("GB18030", "UTF-8", 1).encode("utf-8")),
        ('声明写的是 encoding="GBK"', text.replace("GB18030", "GBK", 1).encode("gbk", "xmlcharrefreplace")),
        ("声明写的是 GB18030，字节却是 UTF-8", text.encode("utf-8") + b"\xff"),
        ("没有声明，直接从 PACKET 开始", body.partition(b"?>")[2].lstrip()),
        ("声明之前有字节序标记（84 31 95 33）", b"\x84\x31\x95\x33" + body),
        ("姓名里有一个不成字的字节（FF）", body.replace(b"<XM>", b"<XM>\xff", 1)),
        ("报文在一半处截断，不再是完整的 XML", body[: len(body) // 2]),
        ("报文带 DOCTYPE", body.replace(b"?>", b"?><!DOCTYPE PACKET>", 1)),
        ("报文体为空", b""),
    )


def attacks(body: bytes) -> Sequence[tuple[str, bytes]]:
    """No DOCTYPE, so no entities but the five predefined (CQ-N §1); depth by crossing §7, row M20."""
    bomb = b'?><!DOCTYPE PACKET [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
    away = b'?><!DOCTYPE PACKET [<!ENTITY a SYSTEM "file:///etc/hostname">]>'
    deep = b"<X>" * 1000 + b"</X>" * 1000 + b"</PACKET>"
    return (
        ("DOCTYPE 里定义成倍展开的实体", body.replace(b"?>", bomb, 1)),
        ("DOCTYPE 里定义引用本机文件的外部实体", body.replace(b"?>", away, 1)),
        ("末尾加了 1000 层嵌套元素", body.replace(b"</PACKET>", deep, 1)),
    )


def variants(body: bytes) -> Sequence[tuple[str, bytes]]:
    """CQ-N §1: the name in any letter case, comments and instructions ignored, character references."""
    text = gb18030.decode(body)
    numbered = re.sub("[一-鿿]", lambda found: f"&#x{ord(found[0]):X};", text)
    spaced = text.replace("><", ">\r\n  <")
    return (
        ('声明写成 encoding="gb18030"', body.replace(_DECLARED, b'encoding="gb18030"', 1)),
        ("BODY 里有一条注释", body.replace(b"<BODY>", b"<BODY><!-- note -->", 1)),
        ("声明之后有一条处理指令", body.replace(b"?><PACKET>", b"?><?note here?><PACKET>", 1)),
        ("汉字写成 &#xXXXX; 字符引用", gb18030.encode(numbered)),
        ("元素之间有换行和缩进", gb18030.encode(spaced)),
        ("末尾有换行", body + b"\r\n"),
    )


def receipt(body: bytes) -> Form:
    """CQ-N §4. Errors: none; what cannot be read is a fault."""
    try:
        tree, found = xml_bytes.read(body)
    except Unreadable as error:
        return Form(faults=(("PACKET", f"回执不是 GB18030 编码的合法 XML：{error.reason}"),))
    faults = [(each.path, each.text) for each in found] + list(_faults(tree))
    answer = [text_at(tree, "BODY", "FH", name) for name in _FH[:3]]
    listed = member(tree, "BODY", "FH", "CW") or []
    listed = listed if isinstance(listed, list) else [listed]
    return Form(
        tuple(faults),
        text_at(tree, "HEAD", "LSH"),
        code="" if answer[0] == "0000" else answer[0],
        case_ref=answer[2],
        # FSSJ of a receipt given again may be new (crossing §7)
        same=(text_at(tree, "HEAD", "LSH"), *answer),
        paths=tuple(text_at(one, "LJ") for one in listed),
    )


def _faults(tree: dict[str, Any]) -> list[tuple[str, str]]:
    faults = [(f"HEAD/{name}", f"HEAD/{name} 为必填项") for name in _HEAD if not text_at(tree, "HEAD", name)]
    if text_at(tree, "HEAD", "JYM") not in {"", "FH"}:
        faults.append(("HEAD/JYM", "回执的 JYM 应为 FH"))
    for name, form, whose in _PARTIES:
        if (written := text_at(tree, "HEAD", name)) and not form.fullmatch(written):
            faults.append((f"HEAD/{name}", f"回执的 {name} 应为{whose}"))
    number = text_at(tree, "HEAD", "LSH")
    if number and not _LSH.fullmatch(number):
        faults.append(("HEAD/LSH", "回执的 LSH 由本方编：CQ + yyyyMMddHHmmss + 6 位数字"))
    answer = member(tree, "BODY", "FH")
    if not isinstance(answer, dict):
        return [*faults, ("BODY/FH", "缺少 BODY/FH")]
    if text_at(answer, "FHM") == "0000" and not text_at(answer, "SBLSH"):
        # absent only when the request could not be read (CQ-N §4)
        faults.append(("BODY/FH/SBLSH", "受理回执应写明收到的办件编号"))
    if not _CODE.fullmatch(text_at(answer, "FHM")):
        faults.append(("BODY/FH/FHM", "FHM 应为 0000 或 9 开头的四位代码"))
    empty = [name for name in _FH[1:4] if answer.get(name) == ""]
    faults += [(f"BODY/FH/{name}", f"{name} 是空元素：没有值就不写这个元素") for name in empty]
    unknown = [name for name in answer if name not in _FH]
    faults += [(f"BODY/FH/{name}", f"多了 {name}，规定的回执没有这一项") for name in unknown]
    order = [_FH.index(name) for name in answer if name in _FH]
    if order != sorted(order):
        faults.append(("BODY/FH", "FH 内元素的次序应为 FHM、FHXX、SBLSH、CYTBH、CW"))
    listed = answer.get("CW", [])
    for one in listed if isinstance(listed, list) else [listed]:
        faults += [(f"BODY/FH/CW/{name}", f"CW 缺少 {name}") for name in _CW if not text_at(one, name)]
    return faults


#: Sender and receiver of a receipt: the side that answers, and the gateway it answers (CQ-N §4, §6).
_PARTIES = (
    ("FSF", re.compile(r"CQ50[0-9]{4}"), "本方：CQ 加区划（读不懂时 CQ500000）"),
    ("JSF", re.compile("CYTB"), "网关：CYTB"),
)
_HEAD, _CW = ("BBH", "FSF", "JSF", "JYM", "LSH", "FSSJ"), ("LJ", "DM", "MS")


def own_key(now: datetime, number: int) -> str:
    """``CQ`` + yyyyMMddHHmmss + 6 digits (CQ-N §3)."""
    return f"CQ{now.astimezone(BEIJING):%Y%m%d%H%M%S}{number % 10**6:06d}"


probes = Probes(
    slug="chongqing",
    clauses=_CLAUSES,
    proof=_PROOF,
    # digest and signature both no longer fit; which of them is looked at first is not said (CQ-N §2)
    altered=frozenset({"9001", "9004"}),
    impostor=impostor,
    unreadable=unreadable,
    attacks=attacks,
    variants=variants,
    receipt=receipt,
    own_key=own_key,
)
