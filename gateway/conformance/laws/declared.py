"""Laws over what a region says of itself: its declaration, its numbers, its stand-in, its connection test."""

from __future__ import annotations

import re
from dataclasses import fields
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from gateway.conformance.law import Breach
from gateway.conformance.laws.rulebook import holds
from gateway.conformance.passages import arrival
from gateway.conformance.subject import GATEWAY
from gateway.errors import Refusal
from gateway.exchange.dry_run import MEMBERS
from gateway.formats import media_type
from gateway.mapping.fieldmap import SCHEMA, Sight

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gateway.conformance.laws.rulebook import Tally
    from gateway.conformance.subject import Subject
    from gateway.region import Opened

_CALLABLES = (
    *("verify", "open", "parse", "render", "seal", "receipt", "read_reply", "message_key", "mint_case_no"),
)
_TEXTS = ("name", "spec", "content_type", "kind_path", "case_path", "context_name")


@holds("B01", "地区完整地声明自己", "A region declares itself completely", "ADR 0002")
def declares_itself(subject: Subject, tally: Tally) -> Iterator[Breach]:
    """Nothing missing, nothing that another region already claims."""
    region, file = subject.region, f"{subject.where}/__init__.py"
    for name in (one.name for one in fields(region)):
        tally()
        value = getattr(region, name)
        if (name in _TEXTS and not value) or (name in _CALLABLES and not callable(value)):
            yield Breach(
                f"Region 的 {name} 没有值或不可调用", f"请在 {file} 中给出 {name}=…", path=f"{file} {name}"
            )
    if not re.fullmatch("[0-9]{2}", region.division_prefix):
        yield Breach(
            f"division_prefix 应为两位数字，现为“{region.division_prefix}”",
            f"请在 {file} 改为本地区区划代码的前两位",
            path=f"{file} division_prefix",
        )
    for other in subject.others:
        for name in ("division_prefix", "context_name", "name"):
            if getattr(other, name) == getattr(region, name):
                yield Breach(
                    f"{name} 与地区 {other.slug} 相同，报文的归属无法判断",
                    f"请在 {file} 改用不同的 {name}",
                    path=f"{file} {name}",
                )
    if region.context_name in MEMBERS:
        yield Breach(
            f"context_name“{region.context_name}”是试译上下文已有的成员",
            f"请在 {file} 改用本地区自己的名字",
            path=f"{file} context_name",
        )
    if "/" not in media_type.split(region.content_type)[0] or region.window_s <= 0:
        yield Breach(
            "content_type 应为媒体类型，window_s 应大于 0", f"请在 {file} 更正", path=f"{file} content_type"
        )


@holds("B02", "每种报文一张对应表，名称与种类各不相同", "One map for each kind of message", "ADR 0007")
def one_map_a_kind(subject: Subject, tally: Tally) -> Iterator[Breach]:
    """Keys are the maps' own kinds; no canonical kind is spoken twice."""
    spoken: dict[Any, str] = {}
    if not subject.region.maps:
        yield Breach(
            "没有任何对应表", f"请在 {subject.where}/maps 中声明 FieldMap", path=f"{subject.where}/maps"
        )
    for native, one in subject.region.maps.items():
        tally()
        place = f"{subject.where}/maps {native}"
        if one.native_kind != native:
            yield Breach(
                f"maps 以“{native}”登记的对应表自称“{one.native_kind}”",
                "请让 maps 的键与 FieldMap 的 native_kind 一致",
                path=place,
            )
        if one.kind in spoken:
            yield Breach(
                f"“{native}”与“{spoken[one.kind]}”都对应规范种类 {one.kind}",
                "一个规范种类只能有一种本方报文，请核对 FieldMap 的 kind",
                path=place,
            )
        spoken[one.kind] = native
        for group in one.groups:
            if group.native.endswith("[]") and ("[]" in group.native[:-2] or not group.to.endswith("[]")):
                yield Breach(
                    f"对应表 {native} 的 Group“{group.native}”没有办法写出：列表中的列表，或没有规范列表与它对应",
                    f"请在 {subject.where} 的 codec.py（没有时在 parse、render）把它摊平，读写两个方向都做；"
                    "maps 和 schema 写摊平后的样子",
                    path=place,
                )


@holds(
    "B03",
    "声明了模拟对端，且与地区一致",
    "A stand-in is declared and agrees with the region",
    "ADR 0002",
)
def has_a_stand_in(subject: Subject, tally: Tally) -> Iterator[Breach]:
    """Without it nothing can be rehearsed."""
    tally()
    file, stand_in = f"{subject.where}/simulated.py", subject.stand_in
    if stand_in is None:
        yield Breach(
            "没有模拟对端，无法演练收发",
            f"请在 {file} 中声明 stand_in = StandIn(…)，写法见 gateway/canonical/rehearsal.py",
            path=file,
        )
        return
    expected = {"slug": subject.slug, "outbox": f"/v1/{subject.slug}/messages"}
    for name, value in expected.items():
        tally()
        if getattr(stand_in, name) != value:
            yield Breach(
                f"stand_in.{name} 应为“{value}”，现为“{getattr(stand_in, name)}”",
                f"请在 {file} 更正 {name}",
                path=f"{file} {name}",
            )
    tally()
    own, spoken = subject.region.content_type, stand_in.content_type
    if media_type.split(own) != media_type.split(spoken):
        yield Breach(
            f"content_type 为“{own}”，模拟对端用的是“{spoken}”，对方会以 415 拒收",
            f"请核对 {subject.where} 的 content_type（媒体类型和字符集）与 {file} 的 content_type",
            path=f"{subject.where}/__init__.py content_type",
        )


@holds(
    "B04",
    "报文流水号互不相同，并是自己的报文认得的写法",
    "Message keys are unique and of the region's form",
    "crossing M22",
)
def keys_are_good(subject: Subject, tally: Tally) -> Iterator[Breach]:
    """A key comes back from a message it was written into; see F-laws for the messages themselves."""
    region, now = subject.region, subject.now
    # each pair of 1 with a round number and one would meet in a key that keeps fewer digits
    serials = (0, 1, 2, 9, 10, 11, 101, 1_001, 10_001, 100_001, 123_456)
    made = [region.message_key(serial, now) for serial in serials]
    made += [region.message_key(1, now + timedelta(days=day)) for day in (1, 31, 365)]
    tally(len(made))
    place = f"{subject.where} message_key"
    if len(set(made)) < len(made):
        yield Breach(
            "不同序号或不同日期编出了相同的流水号，对方会当作重复报文",
            "请在 message_key 中写入日期和完整的序号",
            path=place,
        )
    strange = next((key for key in made if not key.startswith(GATEWAY)), None)
    if strange is not None:
        yield Breach(
            f"网关的流水号应以 TB 开头，现为“{strange}”",
            "请更正 message_key：各地以 TB 分辨网关的报文",
            path=place,
        )
    written = _written(subject)
    if written is not None and written.key not in made:
        yield Breach(
            f"写进报文的流水号“{made[1]}”，打开后读作“{written.key}”",
            f"请让 message_key 的写法与 {subject.where} 的 open 所认的写法（正则）一致",
            path=place,
        )


def _written(subject: Subject) -> Opened | None:
    """A message written for the region, as the region opens it."""
    found = arrival(subject) if subject.stand_in else None
    return subject.region.parse(found.native) if found else None


@holds(
    "B05",
    "为外地办件编的号互不相同，或使用网关的编号",
    "Minted case numbers are unique, or the gateway's own is used",
    "crossing §3.1",
)
def case_numbers_are_good(subject: Subject, tally: Tally) -> Iterator[Breach]:
    """Unique over division, day and serial; used-up serials are refused, not repeated."""
    mint, place = subject.region.mint_case_no, f"{subject.where} mint_case_no"
    prefix = subject.region.division_prefix
    made: list[str | None] = []
    for division in (f"{prefix}0103", f"{prefix}0104"):
        for day in (subject.today, subject.today + timedelta(days=1)):
            for serial in (1, 2, 10, 99_999, 100_001, 1_000_001):
                tally()
                try:
                    made.append(mint(division, day, serial))
                except Refusal:  # used up: the sender is asked to come back
                    continue
    given = [number for number in made if number is not None]
    written = _written(subject)
    if written is not None and not written.case_ref:
        yield Breach(
            "写进报文的办件编号，打开后读不出来",
            f"请让 mint_case_no 的写法与 {subject.where} 的 open 所认的写法（正则）一致",
            path=place,
        )
    if given and len(given) < len(made):
        yield Breach("mint_case_no 有时给出编号，有时不给", "请始终给出编号，或始终返回 None", path=place)
    if len(set(given)) < len(given):
        yield Breach(
            "不同区划、日期或序号编出了相同的办件编号",
            "请在 mint_case_no 中写入区划、日期和完整的序号；序号用完时抛出 Refusal 503 9060",
            path=place,
        )


@holds(
    "B06",
    "连接测试的报文种类可认、无流水号，收到即被拒",
    "The connection test is of a known kind and acts on nothing",
    "ADR 0019",
)
def blank_does_nothing(subject: Subject, tally: Tally) -> Iterator[Breach]:
    """What is sent to try a connection must never become a case."""
    tally()
    region, blank = subject.region, subject.region.blank
    place = f"{subject.where} blank"
    if blank.native_kind not in region.maps:
        yield Breach(
            f"连接测试的报文种类“{blank.native_kind}”没有对应表",
            "请改用 maps 中的一种报文",
            path=place,
        )
        return
    opened = region.parse(blank.body)
    if opened.key or opened.case_ref:
        yield Breach("连接测试的报文带有流水号或办件编号", "请去掉，使它不触发任何办理", path=place)
    plan = subject.maps.reader(subject.slug, blank.native_kind)
    for other in subject.others if plan else ():
        sight = Sight(subject.tables, subject.slug, subject.slug, other.slug, subject.today)
        if plan and not any(f.code == SCHEMA for f in plan.read(opened.tree, sight).findings):
            yield Breach(
                "连接测试的报文格式完整，会被当作真实报文收下",
                "请让 blank 缺少必填项，使接收方以 9042 拒收",
                path=place,
            )
