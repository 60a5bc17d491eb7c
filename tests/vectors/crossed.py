"""How messages cross, as vectors: the worked ones, every worked single value in its message, and hostile ones."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import Any

from gateway.crypto.digest import sm3_hex
from gateway.errors import Refusal
from gateway.exchange.dry_run import DryRun, Parked, dry_run
from tests.contract import test_vectors as singles
from tests.crossings import APPLICATIONS, CONTEXT, MAPS, NOW, PAIR, REGIONS, SIDE, TABLES, edited, example

VERSION = 1
#: what the gateway makes anew for each message; masked before two results are compared
PLACEHOLDERS = [
    {"to": "sichuan", "member": "aaz002", "pattern": '"aaz002":"TB[0-9]{18}"'},
    {"to": "chongqing", "member": "HEAD/LSH", "pattern": "<LSH>TB[0-9]{20}</LSH>"},
    {"to": "chongqing", "member": "HEAD/FSSJ", "pattern": "<FSSJ>[0-9: -]{19}</FSSJ>"},
]
#: numbers of a case that starts now: given, so that a result does not depend on the day it is asked for
NUMBERS = {
    "sichuan": {"case_no": "CYTB5101042026112300000017", "sblsh": "CYTB5101042026112300000017"},
    "chongqing": {"case_no": "CYTB5001032026112300000051", "affair_code": "510104-20261123-900051"},
}
#: golden examples that go the other way
SENT_BY_THE_GATEWAY = frozenset({"tbsy0001", "YLZY_SQ", "ZGRZ_TZ", "TY_SQ"})


@dataclass(frozen=True)
class Sent:
    """One message as its side sends it, and what is known of its case."""

    name: str
    about: str
    about_en: str
    sender: str
    body: bytes
    context: dict[str, Any] | None
    single: dict[str, str] | None = None


def crossed(sent: Sent) -> dict[str, Any]:
    """What the gateway's own dry run makes of it."""
    run = DryRun(REGIONS, TABLES, MAPS, sent.sender, NOW, sent.context)
    try:
        result = dry_run(run, sent.body)
    except Refusal as refused:
        return {"verdict": "refused", "code": "invalid-message", "findings": _found(refused.findings)}
    except Parked as parked:
        return {"verdict": "parked", "code": "parked", "findings": _found(parked.findings)}
    native = base64.b64decode(result["native"]["body"])
    expected = {
        "verdict": "taken",
        "kind": result["kind"],
        "item": result["item"],
        "case_no": result["case_no"],
        "out_base64": result["native"]["body"],
        "out_sm3": sm3_hex(native),
    }
    if sent.single is None:
        return expected | {"canonical": result["canonical"], "trace": result["trace"]}
    # of a single value only what became of it: the rest is that of the worked message
    return expected | {"trace": [entry for entry in result["trace"] if entry["kind"] != "exact"]}


def _found(findings) -> list[dict[str, str]]:
    return sorted((finding.as_json() for finding in findings), key=lambda one: (one["path"], one["code"]))


def known(kind: str, context=...) -> dict[str, Any]:
    """The context of a message: what its case is known by."""
    if context is not ... and context is not None:
        return dict(context)
    return dict(CONTEXT[kind]) if kind not in APPLICATIONS else dict(NUMBERS[SIDE[kind]])


def as_sent(kind: str) -> bytes:
    """The golden example byte for byte; where that is the gateway's, what the side itself would have sent."""
    return REGIONS[SIDE[kind]].render(edited(kind), kind) if kind in SENT_BY_THE_GATEWAY else example(kind)


def worked():
    """All twenty kinds, as their side sends them."""
    for kind in sorted(SIDE, key=lambda kind: (SIDE[kind] != "sichuan", kind)):
        body = as_sent(kind)
        yield Sent(
            f"worked-{kind}",
            f"范例 {kind} → {PAIR[kind]}",
            f"worked example {kind} → {PAIR[kind]}",
            SIDE[kind],
            body,
            known(kind),
        )


def values():
    """Every row of tests/contract/vectors.csv in the message its own test puts it into."""
    for row, kind, edits, context in _recorded():
        sender = SIDE[kind]
        yield Sent(
            f"value-{row['rule']}-{kind}",
            f"{row['rule']} {row['field']}：{row['input'] or '（缺省）'} → {row['output'] or row['outcome']}",
            f"{row['rule']} {row['field']}: {row['input'] or '(absent)'} → {row['output'] or row['outcome']}",
            sender,
            REGIONS[sender].render(edited(kind, edits), kind),
            known(kind, context),
            {name: row[name] for name in ("rule", "field", "input", "outcome", "output")},
        )


def _recorded():
    """What the tests of the single values send: each is run, so that none is published that does not hold."""
    real, sent = singles.cross, []

    def cross(kind, edits=None, *, context=..., **rest):
        sent.append((kind, edits, context))
        return real(kind, edits, context=context, **rest)

    singles.cross = cross
    try:
        for row, test in _tests():
            sent.clear()
            test(row)
            ((kind, edits, context),) = sent
            yield row, kind, edits, context
    finally:
        singles.cross = real


def _tests():
    of_row = {}
    for name, test in vars(singles).items():
        for mark in getattr(test, "pytestmark", ()) if name.startswith("test_") else ():
            for given in mark.args[1]:
                row = given if isinstance(given, dict) else given.values[0]
                of_row[id(row)] = test
    return [(row, of_row[id(row)]) for row in singles.VECTORS]


def hostile():
    """What a receiver must not be fooled by, and what it must not lose."""
    sc, cq = as_sent("tbzy0001"), as_sent("YLZY_SQ")

    def of(kind, name, about, about_en, edits):
        sender = SIDE[kind]
        body = REGIONS[sender].render(edited(kind, edits), kind)
        return Sent(f"hostile-{name}", about, about_en, sender, body, known(kind))

    def raw(kind, name, about, about_en, body):
        return Sent(f"hostile-{name}", about, about_en, SIDE[kind], body, known(kind))

    for name, person in (
        ("four-byte-name", "𠮷㛃"),
        ("middle-dot-name", "吉克·木呷•阿依"),
        ("longest-name", "䶮" * 64),
        ("xml-in-a-name", "<XM>&amp;]]>"),
        ("full-width-name", "ＡＢ１．"),
    ):
        yield of(
            "tbzy0001", f"{name}-to-xml", f"姓名 {person[:12]}", f"the name {person[:12]}", {"aac003": person}
        )
        yield of(
            "SYJ_SQ",
            f"{name}-to-json",
            f"姓名 {person[:12]}",
            f"the name {person[:12]}",
            {"BODY/SQR/XM": person},
        )
    yield of("tbzy0001", "name-too-long", "姓名 65 字", "a name of 65 characters", {"aac003": "䶮" * 65})
    yield of(
        "tbzy0001",
        "blank-at-the-end",
        "姓名末尾有全角空格",
        "an ideographic space after the name",
        {"aac003": "张䶮\u3000"},
    )
    yield raw("tbzy0001", "bom", "UTF-8 带 BOM", "UTF-8 with a byte order mark", b"\xef\xbb\xbf" + sc)
    yield raw(
        "tbzy0001",
        "twice-a-member",
        "成员名重复",
        "a member twice",
        sc.replace(b'"aac003":', b'"aac003": "x", "aac003":', 1),
    )
    yield raw("tbzy0001", "trailing-bytes", "JSON 之后还有字节", "bytes after the JSON", sc + b"{}")
    yield raw(
        "tbzy0001",
        "not-utf8",
        "字节不是 UTF-8",
        "bytes that are no UTF-8",
        sc.replace("张䶮".encode(), "张䶮".encode("gb18030"), 1),
    )
    yield raw(
        "tbzy0001",
        "lone-surrogate",
        "单个代理码位",
        "a lone surrogate",
        sc.replace("张䶮".encode(), b"\\ud842", 1),
    )
    yield raw("tbzy0001", "deep", "嵌套过深", "nested too deep", b'{"a":' * 3000 + b"1" + b"}" * 3000)
    yield raw("tbzy0001", "array", "顶层不是对象", "an array at the top", b"[]")
    yield raw(
        "YLZY_SQ",
        "doctype",
        "含 DOCTYPE",
        "a DOCTYPE",
        cq.replace(b"<PACKET>", b"<!DOCTYPE PACKET [<!ENTITY x 'y'>]><PACKET>", 1),
    )
    yield raw(
        "YLZY_SQ",
        "entity",
        "未定义的实体",
        "an entity nobody defined",
        cq.replace(bytes.fromhex("FE9F"), b"&x;", 1),
    )
    yield raw("YLZY_SQ", "declared-gbk", "声明为 GBK", "declared as GBK", cq.replace(b"GB18030", b"GBK", 1))
    yield raw(
        "YLZY_SQ",
        "in-utf8",
        "声明 GB18030，字节却是 UTF-8",
        "declared as GB18030, in UTF-8",
        cq.decode("gb18030").encode(),
    )
    yield raw(
        "YLZY_SQ",
        "cut-character",
        "多字节字符被截断",
        "half a character",
        cq.replace(bytes.fromhex("FE9F"), b"\xfe", 1),
    )
    yield raw("YLZY_SQ", "not-closed", "XML 不完整", "the end is missing", cq[:-12])
    yield raw("YLZY_SQ", "attribute", "元素带属性", "an attribute", cq.replace(b"<XM>", b'<XM a="1">', 1))
    yield raw(
        "YLZY_SQ",
        "unknown-element",
        "多出的元素",
        "an element too many",
        cq.replace(b"</SQR>", b"<XX>1</XX></SQR>", 1),
    )
    money = {
        "1e2": "指数写法",
        "100.001": "三位小数",
        "-0.01": "负数",
        "10000000000": "超过 12 位（分）",
        "9007199254740993": "超出双精度",
        '"100"': "写成文本",
    }
    sheet = example("tbzy0002")
    start = sheet.index(b'"aae264":')
    end = min(sheet.index(mark, start) for mark in (b",", b"}") if mark in sheet[start:])
    for written, about in money.items():
        body = sheet[:start] + b'"aae264": ' + written.encode() + sheet[end:]
        yield raw(
            "tbzy0002",
            f"money-{written.strip(chr(34))}",
            f"金额 {written}：{about}",
            f"the amount {written}",
            body,
        )
    for written in ("2026-02-29", "2028-02-29", "1899-12-31", "2026-11-31", "2026-1-01"):
        yield of(
            "SYJ_SQ", f"date-{written}", f"出生日期 {written}", f"born {written}", {"BODY/SQR/CSRQ": written}
        )


def _vector(number: int, sent: Sent) -> dict[str, Any]:
    return {
        "id": f"{number:03d}-{sent.name}",
        "about": sent.about,
        "about_en": sent.about_en,
        "from": sent.sender,
        "single": sent.single,
        "context": sent.context,
        "content_type": REGIONS[sent.sender].content_type,
        "in_base64": base64.b64encode(sent.body).decode(),
        "in_sm3": sm3_hex(sent.body),
        "expect": crossed(sent),
    }


def document() -> dict[str, Any]:
    """The file ``crossing.json``."""
    vectors = [_vector(n, sent) for n, sent in enumerate([*worked(), *values(), *hostile()], 1)]
    return {
        "version": VERSION,
        "about": "报文的转换：来文字节 → 规范模型、发文字节、留痕，或拒绝、挂起的原因",
        "about_en": "crossing: native bytes in → canonical, native bytes out and trace, or why it is refused or parked",
        "tables_digest": TABLES.digest,
        "placeholders": PLACEHOLDERS,
        "count": len(vectors),
        "vectors": vectors,
    }


def bytes_of(made: dict[str, Any]) -> bytes:
    """How a file of vectors is written: a member a line, so that line tools can read it too."""
    return json.dumps(made, ensure_ascii=False, indent=1, allow_nan=False).encode() + b"\n"
