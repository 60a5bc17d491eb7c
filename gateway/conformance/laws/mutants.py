"""What hostile laws try: broken documents, headers, texts and mutated messages, by a seeded chance."""

from __future__ import annotations

import copy
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from gateway.mapping.fieldmap import CaseContext

if TYPE_CHECKING:
    from collections.abc import Iterator
    from random import Random

    from gateway.conformance.subject import Example, Subject

TEXTS = (
    *(
        "",
        " ",
        "x",
        "01",
        "1",
        "110",
        "王\u3000",
        "王\n秀",
        "\x85王",
        "\u00a0王",
        "\ue000",
        "0",
        "007",
        "-1",
        "1.5",
    ),
    *(
        "100.99",
        "3年0个月",
        "36",
        "20260230",
        "2026-02-30",
        "2026-13",
        "20261123",
        "是",
        "2026-11-23 24:00:00",
    ),
    *(
        "x" * 33,
        "字" * 129,
        "字" * 501,
        "A",
        "CYTB",
        "500103",
        "510104",
        "１２",
        "0x1",
        "+5",
        "1e3",
        "999",
        " 5 ",
    ),
    *(
        "\U0001f600",
        "\U00020000",
        "<x>&amp;",
        "]]>",
        "' OR 1=1 --",
        "${jndi:x}",
        "../../etc",
        "\x00",
        "\ud800",
        "\u202e",
    ),
)
_NUMBERS = (
    0,
    1,
    -1,
    13,
    999,
    1000,
    202113,
    20260230,
    99999999,
    10**20,
    Decimal("0.00001"),
    Decimal("94.005"),
    Decimal("1E+10"),
)
_OTHERS: tuple[Any, ...] = (None, True, False, [], {}, [1], {"a": "b"}, [[]], [{}])
_MEGABYTE = 1 << 20
#: Letters that every region's encoding has, and narrower ones have not.
RARE = "䶮𠀀😀"


def nasty_texts() -> Iterator[tuple[str, str]]:
    """Words a sender may have made up, with what they are."""
    yield "控制字符", "a\x00b\x01\x1b[31m"
    yield "标记字符", "<b>&amp;]]></FHXX>\"'"
    yield "孤立代理项", "a\ud800b\udfff"
    yield "非字符", "\ufffe\uffff\U0010ffff"
    yield "换行", "一\r\n二\u2028三"
    yield "很长的文字", "长" * 10_000
    yield "方向控制", "\u202eabc\u202c"
    yield "四字节字", RARE
    yield "空白", " \t\n"


def nasty_headers(subject: Subject) -> Iterator[tuple[str, dict[str, str]]]:
    """The published headers with one of them put wrong."""
    example = subject.examples[0]
    good = example.headers
    if subject.stand_in:
        said = subject.stand_in.adopt(example.body)
        sent, _ = subject.stand_in.request(said, subject.keys.own, subject.now, "0" * 16)
        good = {name.lower(): value for name, value in sent.items()}
    yield "没有请求头", {}
    values = (
        "",
        " ",
        "x" * 100_000,
        "名",
        "-1",
        "9" * 30,
        "0",
        "1e5",
        "\x00",
        "\ud800",
        "１２３",
        "=" * 50,
        "AAAA",
        "null",
        "1,2",
    )
    for name in good:
        for value in values:
            yield f"请求头 {name} 为怪值", {**good, name: value}


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


def _dangerous_xml(sample: bytes) -> Iterator[tuple[str, bytes]]:
    head, mark, rest = sample.partition(b"?>")
    head += mark
    entity = b'<!DOCTYPE P [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>'
    yield "DTD", head + b"<!DOCTYPE PACKET>" + rest
    yield "实体展开", head + entity + rest.replace(b">", b">&b;", 3)
    yield "外部实体", head + b'<!DOCTYPE P [<!ENTITY x SYSTEM "file:///etc/passwd">]>' + rest
    yield "命名空间", head + rest.replace(b"<PACKET", b'<PACKET xmlns="urn:x"', 1)
    yield "属性", head + rest.replace(b"<HEAD", b'<HEAD a="1"', 1) if b"<HEAD" in rest else head + b"<a"
    yield "声明为其他编码", sample.replace(b"GB18030", b"UTF-8", 1).replace(b"gb18030", b"UTF-8", 1)
    yield "没有声明", rest
    yield "过深的嵌套", head + b"<PACKET>" + b"<a>" * 5000 + b"</a>" * 5000 + b"</PACKET>"
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
    head, mark, rest = sample.partition(b"?>")
    head += mark
    yield "一兆的文字", head + rest.replace(b"</", b"x" * _MEGABYTE + b"</", 1)
    yield "一兆的空格", head + b" " * _MEGABYTE + rest
    yield "一兆的注释", head + b"<!--x-->" * (_MEGABYTE // 8) + rest
    yield "一兆的元素", head + b"<PACKET>" + b"<a/>" * (_MEGABYTE // 4) + b"</PACKET>"
    yield "一兆的标签", head + b"<PACKET>" + b"<BODY " * (_MEGABYTE // 6) + b"</PACKET>"


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


# --- mutated messages ---


def mutants(subject: Subject) -> Iterator[tuple[str, bytes, str, CaseContext | None]]:
    """Kind, bytes, what was done, the case of a follow-up: worked messages with members put wrong."""
    chance, shown = subject.chance("mutants"), subject.examples
    known = [example for example in shown if example.kind in subject.region.maps]
    for number in range(250 * subject.rounds if known else 0):
        example = chance.choice(known)
        tree = copy.deepcopy(subject.region.parse(example.body).tree)
        done = "，".join(
            _mutate(tree, chance, texts_only=not _is_json(example)) for _ in range(chance.randint(1, 3))
        )
        try:
            body = subject.region.render(tree, example.kind)
            subject.region.parse(body)
        except (TypeError, ValueError, AttributeError):
            continue  # the format cannot say it
        except Exception:  # noqa: BLE001, S112 - bytes that cannot be read are another law's
            continue
        yield example.kind, body, f"{example.name} 改动 {number}：{done}", _case(subject, example)


def _is_json(example: Example) -> bool:
    return example.body.lstrip()[:1] == b"{"


def _mutate(tree: Any, chance: Random, *, texts_only: bool) -> str:
    holders = list(_holders(tree, ""))
    if not holders:
        return "已空"
    node, name, path = chance.choice(holders)
    pool: tuple[Any, ...] = TEXTS if texts_only else (*TEXTS, *_NUMBERS, *_OTHERS)
    match chance.randrange(6):
        case 0 | 1 | 2:
            node[name] = copy.deepcopy(chance.choice(pool))
            return f"{path} 换值"
        case 3:
            del node[name]
            return f"{path} 删除"
        case 4:
            node[f"X{chance.randrange(9)}"] = "1"
            return f"{path} 旁增加"
        case _:
            node[name] = [copy.deepcopy(node[name]) for _ in range(chance.randint(0, 3))]
            return f"{path} 重复"


def _holders(node: Any, base: str) -> Iterator[tuple[Any, Any, str]]:
    if isinstance(node, dict):
        for name, value in node.items():
            path = f"{base}.{name}" if base else str(name)
            yield node, name, path
            yield from _holders(value, path)
    elif isinstance(node, list):
        for number, value in enumerate(node):
            yield from _holders(value, f"{base}[{number}]")


def _case(subject: Subject, example: Example) -> CaseContext | None:
    """A case a follow-up may belong to."""
    if subject.region.maps[example.kind].kind.opens_case:
        return None
    fitting = [p.case for p in subject.passages if p.case and p.native_kind == example.kind]
    return fitting[0] if fitting else _some_case(subject)


def _some_case(subject: Subject) -> CaseContext:
    peer = subject.others[0]
    number = f"CYTB{subject.region.division_prefix}010420261123{1:08d}"
    return CaseContext(
        number, "", subject.today, subject.slug, peer.slug, {subject.slug: number, peer.slug: number}
    )
