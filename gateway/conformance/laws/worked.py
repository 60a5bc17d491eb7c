"""Laws over the worked messages of a region: they are what they seem, and cross as written beside them."""

from __future__ import annotations

import copy
import re
from typing import TYPE_CHECKING, Any

from gateway.conformance.law import Breach
from gateway.conformance.laws.needs import file_of
from gateway.conformance.laws.rulebook import CannotTell, holds
from gateway.conformance.laws.sayings import of_finding
from gateway.conformance.pointing import differences, leaves, line_of, value_at
from gateway.conformance.published import Schema
from gateway.conformance.subject import GATEWAY
from gateway.errors import Refusal
from gateway.formats import media_type
from gateway.mapping.fieldmap import SCHEMA, Sight
from gateway.region import Taken

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gateway.conformance.laws.rulebook import Tally
    from gateway.conformance.subject import Example, Subject
    from gateway.region import Opened

#: The gateway's number of a case (crossing §3.1).
_OURS = re.compile("CYTB[0-9]{22}")
#: Findings that need nothing but the message: its form, and codes without a row.
_OF_THE_MESSAGE = frozenset({SCHEMA, "1001"})


@holds(
    "B12",
    "每种报文都有样例，样例打得开，有种类、流水号、办件编号和时间",
    "Every kind has an example that opens, with key, number and time",
    "ADR 0002",
)
def examples_open(subject: Subject, tally: Tally) -> Iterator[Breach]:
    """The file's name is the kind."""
    shown = {example.kind for example in subject.examples}
    for kind in subject.region.maps:
        tally()
        if kind not in shown:
            yield Breach(
                f"{kind} 没有样例",
                f"请加上 {subject.where}/examples/{kind}.native.*（发布的样例原始字节）和 {kind}.http.json（请求头）",
                path=f"{subject.where}/examples",
            )
    for example in subject.examples:
        tally()
        try:
            opened = subject.region.open(example.inbound)
        except Refusal as refused:
            yield Breach(
                f"样例打不开：{refused.text}",
                f"请核对样例的字节，或 {subject.where} 的 open",
                path=file_of(subject, example),
                example=example.name,
            )
            continue
        yield from _misplaced(subject, example, opened)
        members = {"流水号": opened.key, "办件编号": opened.case_ref, "时间": opened.sent_at}
        if example.http is None:
            del members["时间"]  # it may stand in a header
        lacking = [name for name, value in members.items() if not value]
        if opened.native_kind != example.kind or lacking or opened.faults:
            found = "、".join(lacking) or f"种类“{opened.native_kind}”"
            yield Breach(
                f"从样例中读不出{found}"
                if lacking
                else f"样例的种类读作“{opened.native_kind}”，应为“{example.kind}”",
                f"请核对 {subject.where} 的 open 取值的路径和写法（正则），以及 {example.kind}.http.json 的请求头",
                path=file_of(subject, example),
                example=example.name,
            )


def _misplaced(subject: Subject, example: Example, opened: Opened) -> Iterator[Breach]:
    """Where the region says kind and case number stand, for findings; the gateway's number, wherever it stands."""
    region, first = subject.region, _first_index(subject, example.kind)
    for member, path, read in (
        ("kind_path", region.kind_path, opened.native_kind),
        ("case_path", region.case_path, opened.case_ref),
    ):
        found = value_at(opened.tree, path, first)
        if read and found != read:
            yield Breach(
                f"{member} 写作“{path}”，样例的这个位置{'没有内容' if found is None else '是别的内容'}",
                f"请在 {subject.where}/__init__.py 把 {member} 改为 open 取值的路径，退回的问题才指得准",
                path=f"{subject.where}/__init__.py {member}",
                example=example.name,
            )
    known = {opened.case_ref, opened.gateway_ref}
    one = region.maps.get(example.kind)
    for path, value in leaves(opened.tree, one) if one else ():
        if isinstance(value, str) and _OURS.fullmatch(value) and value not in known:
            yield Breach(
                f"样例的 {path} 写有通办编号，open 没有读出来，后续报文找不到办件",
                f"请在 {subject.where} 的 open 中把 {path} 读作 gateway_ref",
                path=f"{subject.where} open gateway_ref",
                example=example.name,
            )
            return


def _first_index(subject: Subject, kind: str) -> int:
    one = subject.region.maps.get(kind)
    return one.spelling.first_index if one else 0


@holds("B13", "样例符合本地区公布的 schema", "Examples obey the region's own schema", "ADR 0007")
def examples_obey_the_schema(subject: Subject, tally: Tally) -> Iterator[Breach]:
    """JSON Schema or XSD, by the file that lies in the folder."""
    schema = Schema.of(subject)
    for example in subject.examples:
        tally()
        for path, text in schema.faults(example.kind, example.body):
            yield Breach(
                f"样例不符合公布的 schema：{text}",
                f"请更正样例，或 {subject.where}/{schema.name} 中 {example.kind} 的这一项",
                path=path,
                example=example.name,
            )


@holds(
    "B14",
    "样例读出、写回、再读，内容不变",
    "Reading, writing and reading again changes nothing",
    "ADR 0007",
)
def examples_survive(subject: Subject, tally: Tally) -> Iterator[Breach]:
    """``parse`` and ``render`` are each other's inverse."""
    for example in subject.examples:
        tally()
        tree = subject.region.parse(example.body).tree
        again = subject.region.parse(subject.region.render(copy.deepcopy(tree), example.kind))
        if again.tree != tree or again.faults:
            changed = next((p for p, _, _ in differences(tree, again.tree)), "")
            yield Breach(
                "样例读出后再写回，内容变了",
                f"请核对 {subject.where} 的 parse 与 render：编码、数字精度、成员次序和空值都须保留",
                path=changed,
                example=example.name,
            )


@holds(
    "B15",
    "样例中没有对应表读不懂的内容：格式正确，每个代码都在码表中",
    "The maps understand every value of the examples",
    "crossing M1",
)
def examples_are_understood(subject: Subject, tally: Tally) -> Iterator[Breach]:
    """Read by the maps without a case; only what the message alone can show is judged."""
    told: set[tuple[str, str]] = set()
    for example in subject.examples:
        plan = subject.maps.reader(subject.slug, example.kind)
        if plan is None:
            continue
        tree = subject.region.parse(example.body).tree
        for other in subject.others[:1]:
            tally()
            sight = Sight(subject.tables, subject.slug, subject.slug, other.slug, subject.today, door=False)
            for finding in plan.read(tree, sight).findings:
                if finding.code in _OF_THE_MESSAGE and (finding.code, finding.path) not in told:
                    told.add((finding.code, finding.path))
                    meant = _meant(subject, example, finding.path)
                    yield of_finding(subject, example.kind, finding, tree, example.name, meant=meant)


def _meant(subject: Subject, example: Example, path: str) -> Any:
    """What the canonical form beside an example has for a native path."""
    row = line_of(subject, example.kind, path)
    values = (value_at(example.canonical, c) for c in row.canonical) if row and example.canonical else ()
    return next((value for value in values if value is not None), None)


@holds(
    "B18",
    "样例的请求头和地址与适配器发出的一致",
    "Published headers and paths are those the adapter uses",
    "gateway §1",
)
def examples_have_their_headers(subject: Subject, tally: Tally) -> Iterator[Breach]:
    """One header renamed is found here, by name."""
    stand_in = subject.stand_in
    shown = [example for example in subject.examples if example.http is not None]
    if stand_in is None or not shown:
        raise CannotTell("没有模拟对端，或没有 *.http.json")
    for example in shown:
        tally()
        region, keys = subject.region, subject.keys
        if region.open(example.inbound).key.startswith(GATEWAY):
            sealed = region.seal(example.body, example.kind, keys.credentials, subject.now, "0" * 16)
            sent, path, who = dict(sealed.headers), sealed.path, "seal"
        else:
            request, _ = stand_in.request(stand_in.adopt(example.body), keys.own, subject.now, "0" * 16)
            sent, path, who = dict(request), stand_in.outbox, "simulated.request"
        names = {name.lower() for name in sent}
        types = [
            next((v for n, v in headers.items() if n.lower() == "content-type"), "")
            for headers in (sent, example.headers)
        ]
        if media_type.split(types[0]) != media_type.split(types[1]):
            yield Breach(
                f"{who} 的 content-type 为“{types[0]}”，样例为“{types[1]}”",
                f"请更正 {subject.where} 的 {who}，或 {file_of(subject, example, 'http')}",
                path="content-type",
                example=example.name,
            )
        for name in sorted(names ^ set(example.headers)):
            where = "样例中没有" if name in names else f"{who} 没有发出"
            yield Breach(
                f"请求头 {name} {where}",
                f"请让 {subject.where} 的 {who} 与 {file_of(subject, example, 'http')} 使用同样的请求头名",
                path=name,
                example=example.name,
            )
        if (example.http or {}).get("path") != path:
            yield Breach(
                f"{who} 发往 {path}，样例为 {(example.http or {}).get('path')}",
                f"请更正 {subject.where} 的 {who} 或 {file_of(subject, example, 'http')}",
                path=path,
                example=example.name,
            )


@holds("B19", "样例回执读得出结果", "Example receipts are read for what they say", "gateway §5")
def example_receipts_are_read(subject: Subject, tally: Tally) -> Iterator[Breach]:
    """``accepted`` and ``parked`` are delivered, ``refused`` is final."""
    shelf = subject.folder / "examples" / "receipts"
    if not shelf.is_dir():
        raise CannotTell(f"没有 {subject.where}/examples/receipts")
    for file in sorted(shelf.iterdir(), key=lambda f: f.name):
        tally()
        refused = file.name.startswith("refused")
        reply = subject.region.read_reply(422 if refused else 202, file.read_bytes())
        expected = Taken.REFUSED if refused else Taken.DELIVERED
        if reply.taken is not expected:
            yield Breach(
                f"回执样例应读作 {expected}，现为 {reply.taken}",
                f"请核对 {subject.where} 的 read_reply 取返回码的位置和取值",
                path=f"{subject.where}/examples/receipts/{file.name}",
                example=file.name,
            )
