"""What hostile laws try: headers, texts and mutated messages, by a seeded chance."""

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
