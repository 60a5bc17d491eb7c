"""How a Sichuan system is probed: what of SC-N a live server can be asked to keep."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr

from gateway.canonical.probing import Form, Probes
from gateway.canonical.worktime import beijing_day
from gateway.formats import json_bytes
from gateway.formats.tree import Unreadable

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

_CLAUSES = {
    "transport": "sichuan §1",
    "proof": "sichuan §2",
    "key": "sichuan §3",
    "receipt": "sichuan §4",
    "types": "sichuan §5",
    "kinds": "sichuan §6",
}
#: The signature covers paasid's token, timestamp and nonce; the body has a digest of its own (SC-N §2).
_PROOF = {
    "x-tif-paasid": frozenset({"9001"}),
    # time and nonce are in the signature and in the digest: which of them is looked at first is not said;
    # nor whether the window is
    "x-tif-timestamp": frozenset({"9001", "9002", "9004"}),
    "x-tif-nonce": frozenset({"9001", "9004"}),
    "x-tif-signature": frozenset({"9001"}),
    "x-body-sm3": frozenset({"9004"}),
}
_MEMBERS = {"recode", "message", "aaz002", "affairCode", "cytbh", "findings"}
_CODED = re.compile(r"([0-9]{4})(?:\s|$)")


def impostor(credentials: Any) -> Any:
    return credentials.model_copy(update={"token": SecretStr("NOT-THE-TOKEN-OF-ANYBODY")})


def unreadable(body: bytes) -> Sequence[tuple[str, bytes]]:
    """Step 6 of crossing §1 and SC-N §1."""
    text = body.decode("utf-8")
    repeated = text[: text.rindex("}")] + ',"fwid":"tbzt0001"}'
    return (
        ("报文开头加了 UTF-8 BOM（EF BB BF）", b"\xef\xbb\xbf" + body),
        ("报文按 GB18030 编码，而不是 UTF-8", text.encode("gb18030")),
        ("报文在一半处截断，不再是完整的 JSON", body[: len(body) // 2]),
        ("顶层成员 fwid 出现两次", repeated.encode()),
        ("顶层是一个数组，不是对象", b"[" + body + b"]"),
        ("报文体为空", b""),
    )


def attacks(body: bytes) -> Sequence[tuple[str, bytes]]:
    """Crossing §7, row M20: NaN, Infinity, nesting deeper than 32 are unreadable."""
    head = body[: body.rindex(b"}")]
    return (
        ("成员 zzz 的值为 NaN", head + b',"zzz":NaN}'),
        ("成员 zzz 为 1000 层嵌套数组", head + b',"zzz":' + b"[" * 1000 + b"]" * 1000 + b"}"),
        ("全文为 100000 个左方括号", b"[" * 100_000),
    )


def variants(body: bytes) -> Sequence[tuple[str, bytes]]:
    """JSON leaves order, white space and escapes to the writer (crossing §1, "not normative")."""
    tree = json_bytes.read(body)
    backwards = dict(reversed(tree.items()))
    escaped = "".join(c if c < "\x7f" else _escaped(c) for c in body.decode("utf-8"))
    return (
        ("成员次序倒过来", json_bytes.write(backwards)),
        ("汉字写成 \\uXXXX 转义", escaped.encode("ascii")),
        ("前后和成员之间有空格、换行", b"\r\n " + body.replace(b'":"', b'" :\t"') + b" \n"),
    )


def _escaped(character: str) -> str:
    return json.dumps(character)[1:-1]


def receipt(body: bytes) -> Form:
    """SC-N §4. Errors: none; what cannot be read is a fault."""
    try:
        tree = json_bytes.read(body)
    except Unreadable as error:
        return Form(faults=(("", f"回执不是合法的 JSON 对象：{error.reason}"),))
    faults = list(_faults(tree))
    message, number = _text(tree, "message"), _text(tree, "aaz002")
    found = _CODED.match(message)
    code = found[1] if found and tree.get("recode") == "-1" else ""
    listed = tree.get("findings") if isinstance(tree.get("findings"), list) else []
    return Form(
        tuple(faults),
        number,
        code,
        _text(tree, "affairCode"),
        same=(_text(tree, "recode"), message, number, _text(tree, "affairCode")),
        paths=tuple(_text(one, "path") for one in listed or () if isinstance(one, dict)),
    )


def _faults(tree: dict[str, Any]) -> list[tuple[str, str]]:
    faults = []
    if tree.get("recode") not in ("1", "-1"):
        faults.append(("recode", f'recode 应为字符串 "1" 或 "-1"，现为 {_shown(tree.get("recode"))}'))
    faults += [
        (name, f"{name} 为必填的字符串")
        for name in ("message", "aaz002")
        if not isinstance(tree.get(name), str)
    ]
    if tree.get("aaz002") == "" or len(_text(tree, "aaz002")) > 32:
        faults.append(("aaz002", "aaz002 是本方为回执编的业务日志号，应为 1 至 32 个字符"))
    faults += [
        (name, f"{name} 应为字符串")
        for name in ("affairCode", "cytbh")
        if name in tree and not isinstance(tree[name], str)
    ]
    faults += [(name, f"多了 {name}，规定的回执没有这一项") for name in tree if name not in _MEMBERS]
    listed = tree.get("findings", [])
    whole = isinstance(listed, list) and all(
        isinstance(one, dict) and all(isinstance(one.get(name), str) for name in ("path", "code", "text"))
        for one in listed
    )
    if not whole:
        faults.append(("findings", "findings 应为列表，每项有字符串 path、code、text"))
    if tree.get("recode") == "-1" and not _CODED.match(_text(tree, "message")):
        faults.append(("message", "拒收时 message 应以四位代码开头，如 “9042 …”"))
    return faults


def _text(tree: dict[str, Any], name: str) -> str:
    value = tree.get(name)
    return value if isinstance(value, str) else ""


def _shown(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)[:20]


def own_key(now: datetime, number: int) -> str:
    """``SC`` + yyyyMMdd + 7 to 12 digits (SC-N §2, §6)."""
    return f"SC{beijing_day(now):%Y%m%d}{number % 10**10:010d}"


probes = Probes(
    slug="sichuan",
    clauses=_CLAUSES,
    proof=_PROOF,
    altered=frozenset({"9004"}),
    impostor=impostor,
    unreadable=unreadable,
    attacks=attacks,
    variants=variants,
    receipt=receipt,
    own_key=own_key,
)
