"""Laws over whole messages on their way: generated for every item and kind, in both directions."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from gateway.canonical.kinds import TraceKind
from gateway.canonical.rehearsal import Said
from gateway.conformance.judge import accident
from gateway.conformance.law import Breach
from gateway.conformance.laws.needs import at_a_border
from gateway.conformance.laws.rulebook import CannotTell, holds
from gateway.conformance.laws.sayings import of_finding, of_model
from gateway.conformance.passages import cross
from gateway.conformance.pointing import bare, declared_at, leaves, line_of
from gateway.conformance.published import Schema
from gateway.mapping.explain import Fate
from gateway.mapping.fieldmap import SCHEMA, Sight

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gateway.conformance.laws.rulebook import Tally
    from gateway.conformance.passages import Passage
    from gateway.conformance.subject import Subject

#: What may stand in a message without a word in the trace: heads, and what the notes give a reason for.
_TOLD_BY_THE_NOTES = frozenset({Fate.CHECKED, Fate.DROPPED, Fate.MINTED, Fate.FIXED, Fate.UNWRITTEN})


def _taken(subject: Subject) -> list[Passage]:
    if subject.stand_in is None:
        raise CannotTell("没有模拟对端，无法生成报文")
    return [passage for passage in subject.passages if passage.taken]


def _label(passage: Passage) -> str:
    return f"{passage.sender}→{passage.receiver} {passage.native_kind} {passage.about}"


@holds(
    "F14",
    "每个事项、每种报文都能送达其他地区，并能从其他地区收到",
    "Every item and every kind crosses, both ways",
    "crossing §4–§5",
)
def everything_crosses(subject: Subject, tally: Tally) -> Iterator[Breach]:
    """Messages of the stand-ins, which obey the interface; each distinct fault is told once."""
    _taken(subject)
    told: set[tuple[str, ...]] = set()
    for passage in subject.passages:
        tally()
        for breach in _accidents(subject, passage):
            if (breach.sentence, breach.path) not in told:
                told.add((breach.sentence, breach.path))
                yield breach
        for finding in passage.findings:
            kind, fault = passage.native_kind, (finding.code, bare(finding.path))
            if fault in told:
                continue
            told.add(fault)
            side = subject.beside(passage.sender)
            yield of_finding(side, kind, finding, passage.tree, _label(passage), to=passage.receiver)
    # what does not come over is not followed up: the kinds are counted when all do
    for kind in subject.region.maps if not told else ():
        tally()
        if not any(kind == passage.native_kind for passage in subject.passages):
            yield Breach(
                f"模拟对端从未发出 {kind}，无法检查这种报文",
                f"请在 {subject.where}/simulated.py 的 apply 或 follow 中写出 {kind}",
                path=f"{subject.where}/simulated.py",
            )


def _accidents(subject: Subject, passage: Passage) -> Iterator[Breach]:
    """What an exception on the way means: values the model does not take by their rows, others by their place."""
    if isinstance(passage.error, ValidationError):
        side = subject.beside(passage.sender)
        yield from of_model(side, passage.native_kind, passage.error, _label(passage))
    elif passage.error is not None:
        yield replace(accident(passage.error, subject.where), example=_label(passage))


@holds(
    "F15",
    "写给本地区的报文符合本地区公布的 schema",
    "What is written for the region obeys its schema",
    "ADR 0007",
)
def written_messages_obey_the_schema(subject: Subject, tally: Tally) -> Iterator[Breach]:
    """Whatever came in, what goes out has the published form."""
    schema, told = Schema.of(subject), set[tuple[str, str]]()
    for passage in _taken(subject):
        if passage.receiver != subject.slug or passage.rendered is None:
            continue
        tally()
        kind = passage.rendered.native_kind
        for path, text in schema.faults(kind, passage.native):
            if (path, text) in told or at_a_border(subject, kind, path):
                continue
            told.add((path, text))
            yield Breach(
                f"写出的 {kind} 在 {path} 不符合 {schema.name}：{text}",
                f"请核对 {declared_at(subject, path)} 写出的写法（write），或 schema 的这一项",
                path=path,
                example=_label(passage),
            )


@holds(
    "F16",
    "收到的每个值或被转递，或留痕写明去向，或字段表写明原因",
    "Every value received is carried, traced, or accounted for",
    "ADR 0007",
)
def nothing_is_lost_in_silence(subject: Subject, tally: Tally) -> Iterator[Breach]:
    """Lossless or traced: leaves in = moved + dropped with reason."""
    yield from _traced(subject, tally, incoming=True)


@holds(
    "F17",
    "写出的每个值在留痕中有来源，或字段表写明由来",
    "Every value written has its origin in the trace",
    "ADR 0007",
)
def nothing_comes_from_nowhere(subject: Subject, tally: Tally) -> Iterator[Breach]:
    """The same for what is written for this region."""
    yield from _traced(subject, tally, incoming=False)


def _traced(subject: Subject, tally: Tally, *, incoming: bool) -> Iterator[Breach]:
    told: set[tuple[str, str]] = set()
    for passage in _taken(subject):
        if passage.rendered is None or subject.slug != (passage.sender if incoming else passage.receiver):
            continue
        tally()
        kind = passage.native_kind if incoming else passage.rendered.native_kind
        tree = passage.tree if incoming else passage.rendered.tree
        said = {entry.path_in if incoming else entry.path_out for entry in passage.rendered.trace}
        said |= _spoken_for(passage) if incoming else set()
        for path, value in leaves(tree, subject.region.maps[kind]):
            if value in ("", None) or path in said or (kind, bare(path)) in told:
                continue
            row = line_of(subject, kind, path)
            fate = (row.received if incoming else row.written) if row else None
            if fate in _TOLD_BY_THE_NOTES or (row and _speaks_for(row, fate)):
                continue
            told.add((kind, bare(path)))
            way = "没有转递，留痕和字段表都没有写明去向" if incoming else "留痕和字段表都没有写明由来"
            column = "received" if incoming else "written"
            yield Breach(
                f"{kind} 的 {path} {way}",
                f"请在 {declared_at(subject, path)} 让它转递或 drop，或在 {subject.where}/fields.csv 的 {column} 列写明",
                path=path,
                example=_label(passage),
            )


def _spoken_for(passage: Passage) -> set[str | None]:
    """Where the leaves were that another leaf speaks for."""
    reading = passage.reading
    if reading is None:
        return set()
    return {reading.leaves[name].path for name in reading.covered if name in reading.leaves}


def _speaks_for(row: Any, fate: Fate | None) -> bool:
    """A named function carries it with others under one entry."""
    return fate in {Fate.HELD, Fate.DERIVED} and bool(row.by)


@holds(
    "F18",
    "同样的字节和规则表得到同样的结果，收到的内容不被改动",
    "The same bytes give the same result, and are left as they were",
    "ADR 0007",
)
def translation_is_a_function(subject: Subject, tally: Tally) -> Iterator[Breach]:
    """Twice over, from the same tree."""
    for passage in _taken(subject):
        if passage.sender != subject.slug or passage.rendered is None or passage.reading is None:
            continue
        tally()
        before = copy.deepcopy(passage.tree)
        said = Said(passage.reading.kind, passage.native_kind, "", "", passage.body)
        case = passage.case if not passage.reading.kind.opens_case else None
        again = cross(subject, subject.regions[passage.receiver], said, passage.about, case)
        if again.native != passage.native or again.tree != before:
            yield Breach(
                f"{passage.native_kind} 译了两次，结果不同",
                f"请去掉 {subject.where} 中依赖时间、随机数或前一条报文的写法：同样的输入须有同样的输出",
                path=f"{subject.where}/irregular.py",
                example=_label(passage),
            )
            return


@holds(
    "F19",
    "写给本地区的内容，本地区读回来意思不变",
    "What is written for the region is read back with the same meaning",
    "ADR 0007",
)
def what_is_written_is_read_back(subject: Subject, tally: Tally) -> Iterator[Breach]:
    """Put-get: every value that has a place here comes back as it was, but for declared losses."""
    told: set[tuple[str, str]] = set()
    for passage in _taken(subject):
        if passage.receiver != subject.slug or passage.rendered is None or passage.reading is None:
            continue
        tally()
        kind = passage.rendered.native_kind
        plan = subject.maps.reader(subject.slug, kind)
        if plan is None:
            continue
        tree = subject.region.parse(passage.native).tree
        sight = Sight(
            subject.tables,
            subject.slug,
            subject.slug,
            passage.sender,
            passage.reading.sight.on,
            case=passage.case,
            door=False,
        )
        back = plan.read(tree, sight)
        where = {path for path, _ in leaves(tree, subject.region.maps[kind])}
        for finding in back.findings:
            if finding.code == SCHEMA and (kind, bare(finding.path)) not in told:
                told.add((kind, bare(finding.path)))
                yield of_finding(subject, kind, finding, tree, _label(passage))
        elsewhere = {bare(row.native) for row in subject.region.maps[kind].rows if row.write_from}
        for path, leaf in back.leaves.items():
            if leaf.path is None or bare(leaf.path) in elsewhere:
                continue
            meant = passage.reading.leaves.get(_turned(path))
            if meant is None or leaf.path not in where or TraceKind.LOSSY in (leaf.kind, meant.kind):
                continue
            if path.startswith("_") or leaf.value == meant.value or (kind, bare(path)) in told:
                continue
            told.add((kind, bare(path)))
            yield Breach(
                f"{kind} 的 {leaf.path}：写入的规范值（{path}）读回来变了，读写不互逆",
                f"请核对 {declared_at(subject, leaf.path)} 的转换（read 与 write），以及双向使用的码表行",
                path=leaf.path,
                example=_label(passage),
            )


def _turned(path: str) -> str:
    """The side that wrote calls its own what is the peer's to the side that reads."""
    for one, other in (("origin.", "target."), ("target.", "origin.")):
        if path.startswith(one):
            return other + path.removeprefix(one)
    return path
