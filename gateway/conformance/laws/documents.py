"""What hostile laws try: broken, dangerous and huge documents in the shape of a region's own format."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from random import Random

    from gateway.conformance.subject import Subject

_MEGABYTE = 1 << 20


def documents(
    subject: Subject, *, only_dangerous: bool = False, large: bool = False
) -> Iterator[tuple[str, bytes]]:
    """Bytes in the shape of the region's own format, broken in one way each."""
    bodies = [example.body for example in subject.examples]
    sample = bodies[0] if bodies else b"{}"
    is_json = sample.lstrip()[:1] in (b"{", b"[")
    if large:
        yield from _large(sample, is_json=is_json)
        return
    yield from _dangerous_json(sample) if is_json else _dangerous_xml(sample)
    yield "截断的报文", sample[: len(sample) // 2]
    yield "UTF-16 编码", sample.decode("utf-8" if is_json else "gb18030", "replace").encode("utf-16")
    yield "末尾有多余内容", sample + b"<x/>{}"
    yield "空报文", b""
    if only_dangerous:
        return
    chance = subject.chance("documents")
    for number in range(60 * subject.rounds):
        yield f"随机字节 {number}", chance.randbytes(chance.randint(1, 200))
        yield f"随机改动 {number}", _scrambled(chance.choice(bodies or [sample]), chance)
    yield from (
        (f"特殊文档 {n}", body)
        for n, body in enumerate((b"null", b"[]", b"1", b'""', b"\x00", b"<a/>", b"{}", b"\xff\xfe"))
    )


def _dangerous_json(sample: bytes) -> Iterator[tuple[str, bytes]]:
    start = sample.index(b"{") + 1
    yield "重复的成员", b'{"a":1,"a":2,' + sample[start:]
    yield "BOM 开头", b"\xef\xbb\xbf" + sample
    yield "NaN", b'{"a":NaN,' + sample[start:]
    yield "过深的嵌套", b'{"a":' + b"[" * 5000 + b"]" * 5000 + b"," + sample[start:]
    yield "超长的数字", b'{"a":' + b"9" * 5000 + b"," + sample[start:]
    yield "巨大的指数", b'{"a":1e999999999,' + sample[start:]
    yield "不合法的 UTF-8", b'{"a":"\xff\xfe",' + sample[start:]
    yield "GB18030 编码", sample.decode("utf-8").encode("gb18030")
    yield "字符串中的 NUL", b'{"a":"\x00",' + sample[start:]


#: The start tag of the first element, its name, and where it says its namespace or another encoding is declared.
_ROOT = re.compile(rb"<([A-Za-z_][\w:.-]*)[^>]*>")
_SPACE = re.compile(rb"(xmlns(?::[\w.-]+)?=)(?:\"[^\"]*\"|'[^']*')")
_ENCODING = re.compile(rb"encoding=[\"']([\w-]+)[\"']")


def _parts(sample: bytes) -> tuple[bytes, bytes, bytes, bytes]:
    """Declaration, what follows it, and the tags the whole document stands between."""
    head, mark, rest = sample.partition(b"?>")
    found = _ROOT.search(rest)
    return head + mark, rest, found[0] if found else b"<a>", b"</" + (found[1] if found else b"a") + b">"


def _elsewhere(tag: bytes) -> bytes:
    """A start tag in another namespace."""
    changed, many = _SPACE.subn(rb'\1"urn:x"', tag)
    return changed if many else re.sub(rb"^<[^\s/>]+", rb'\g<0> xmlns="urn:x"', tag)


def _dangerous_xml(sample: bytes) -> Iterator[tuple[str, bytes]]:
    head, rest, opened, closed = _parts(sample)
    entity = b'<!DOCTYPE P [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>'
    yield "DTD", head + b"<!DOCTYPE PACKET>" + rest
    yield "实体展开", head + entity + rest.replace(b">", b">&b;", 3)
    yield "外部实体", head + b'<!DOCTYPE P [<!ENTITY x SYSTEM "file:///etc/passwd">]>' + rest
    yield "命名空间", head + rest.replace(opened, _elsewhere(opened), 1)
    yield "属性", head + rest.replace(b"<HEAD", b'<HEAD a="1"', 1) if b"<HEAD" in rest else head + b"<a"
    declared = _ENCODING.search(head)
    other = b"GB18030" if declared and declared[1].lower() == b"utf-8" else b"UTF-8"
    yield "声明为其他编码", (head.replace(declared[1], other, 1) if declared else head) + rest
    yield "没有声明", rest
    yield "过深的嵌套", head + opened + b"<a>" * 5000 + b"</a>" * 5000 + closed
    yield "不合法的编码", head + rest.replace(b"</", b"\xff\xff</", 1)
    yield "NUL", head + rest.replace(b"</", b"\x00</", 1)
    yield "XML 中不允许的字符引用", head + rest.replace(b"</", b"&#1;</", 1)


def _large(sample: bytes, *, is_json: bool) -> Iterator[tuple[str, bytes]]:
    if is_json:
        start = sample.index(b"{") + 1
        yield "一兆的文字", b'{"a":"' + b"x" * _MEGABYTE + b'",' + sample[start:]
        yield "一兆的空格", b"{" + b" " * _MEGABYTE + sample[start:]
        yield "一兆的成员", b"{" + b",".join(b'"m%d":1' % n for n in range(80_000)) + b"," + sample[start:]
        yield "一兆的列表", b'{"param":[' + b",".join([b"{}"] * 300_000) + b"]," + sample[start:]
        yield "一兆的反斜杠", b'{"a":"' + b"\\\\" * (_MEGABYTE // 2) + b'",' + sample[start:]
        return
    head, rest, opened, closed = _parts(sample)
    yield "一兆的文字", head + rest.replace(b"</", b"x" * _MEGABYTE + b"</", 1)
    yield "一兆的空格", head + b" " * _MEGABYTE + rest
    yield "一兆的注释", head + b"<!--x-->" * (_MEGABYTE // 8) + rest
    yield "一兆的元素", head + opened + b"<a/>" * (_MEGABYTE // 4) + closed
    yield "一兆的标签", head + opened + b"<BODY " * (_MEGABYTE // 6) + closed


def _scrambled(body: bytes, chance: Random) -> bytes:
    """A few bytes flipped, cut out, doubled or put elsewhere."""
    changed = bytearray(body)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(changed))
        match chance.randrange(4):
            case 0:
                changed[at] = chance.randrange(256)
            case 1:
                del changed[at : at + chance.randint(1, 20)]
            case 2:
                changed[at:at] = changed[at : at + chance.randint(1, 20)]
            case _:
                changed[at:at] = chance.randbytes(chance.randint(1, 8))
        if not changed:
            return b"x"
    return bytes(changed)
