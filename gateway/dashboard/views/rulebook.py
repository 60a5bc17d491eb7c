"""What the pages about rules share: sets of tables by name, what their lists are called, and the verbs' registry."""

from __future__ import annotations

import asyncio
import functools
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gateway import regions as regions_
from gateway.dashboard.texts import N_
from gateway.exchange.releasing import Registry, Stage
from gateway.mapping.explain import coverage, field_lines
from gateway.mapping.layout import Sheets, sort_out
from gateway.mapping.sets import ACTIVE, TableSet, of_content, table_set
from gateway.runtime import approvers, configured_tables, consent
from gateway.store.sets import TableSets

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.dashboard.desk import Desk
    from gateway.mapping.explain import Coverage, FieldLine
    from gateway.mapping.release import Release

_KEPT = 6
#: The set used before any release came into force.
CONFIGURED = "configured"
#: Releases a page lists at most; older ones are found by their digest.
SHOWN = 100

STAGES: Mapping[Stage, tuple[str, str, str]] = {
    Stage.PROPOSED: ("wait", "hourglass", N_("待批准")),
    Stage.READY: ("work", "check", N_("待启用")),
    Stage.SCHEDULED: ("work", "calendar", N_("已启用，未到生效日")),
    Stage.IN_FORCE: ("good", "circle-check", N_("现用")),
    Stage.PAST: ("calm", "history", N_("已被替代")),
    Stage.RETIRED: ("calm", "ban", N_("已停用")),
    Stage.UNUSABLE: ("bad", "alert-triangle", N_("不可用")),
}


@dataclass(frozen=True, slots=True)
class Volume:
    """One set of tables, read. ``release``: None for the configured folder."""

    digest: str
    tables: TableSet = field(repr=False)
    sheets: Sheets = field(repr=False)
    release: Release | None = None


_volumes: OrderedDict[str, Volume] = OrderedDict()


def registry(desk: Desk) -> Registry:
    """What the verbs on releases ask for."""
    rt, how = desk.rt, consent(desk.rt.settings)
    return Registry(
        sets=TableSets(rt.engine, how),
        audit=rt.audit,
        regions=rt.regions,
        approvers=approvers(rt.settings),
        consent=how,
        calendar_until=rt.settings.calendar_until,
        now=rt.clock.now,
    )


async def volume(desk: Desk, word: str = ACTIVE) -> Volume | None:
    """A set by ``active`` or the beginning of a digest; None when there is none, or several.

    The last few are kept: their content never changes.
    """
    word = desk.rt.tables.digest if word in {"", ACTIVE} else word.lower()
    if word == CONFIGURED:
        return await _configured(desk)
    if word in _volumes:
        _volumes.move_to_end(word)
        return _volumes[word]
    found = await TableSets(desk.rt.engine).starting_with(word) if len(word) >= 8 else ()
    if len(found) == 1:
        return _keep(found[0].digest, of_content(found[0].digest[:12], found[0].content), found[0])
    configured = await _configured(desk) if len(word) >= 8 else None
    return configured if configured is not None and configured.digest.startswith(word) else None


async def _configured(desk: Desk) -> Volume | None:
    """The folder as it is now, which need not be what this process started with."""
    files = await asyncio.to_thread(configured_tables, desk.rt.settings, tuple(desk.rt.regions))
    configured = table_set(CONFIGURED, files)
    known = _volumes.get(configured.digest)
    return known or _keep(configured.digest, configured, None)


def _keep(digest: str, tables: TableSet, release: Release | None) -> Volume | None:
    sheets, _ = sort_out(tables.files)
    if sheets is None:
        return None
    _volumes[digest] = Volume(digest, tables, sheets, release)
    while len(_volumes) > _KEPT:
        _volumes.popitem(last=False)
    return _volumes[digest]


@functools.cache
def fields(*slugs: str) -> tuple[FieldLine, ...]:
    """Every field of these regions' maps, of the product's own when none is named: declared, so read once."""
    return field_lines(regions_.fields(slugs))


@functools.cache
def covered(*slugs: str) -> Coverage:
    """How many of their fields are accounted for."""
    return coverage(regions_.fields(slugs))


@functools.cache
def list_names() -> Mapping[str, str]:
    """A code list → what officials call what it lists; one nobody named has the name of its field."""
    names: dict[str, str] = {}
    for line in fields():
        if line.code_list and line.name:
            names.setdefault(line.code_list, line.name)
    return names | _LISTS


_LISTS = {
    "alive": N_("生存状态"),
    "applicant_type": N_("申请人类型"),
    "certification_method": N_("认证方式"),
    "certification_result": N_("认证结果"),
    "channel": N_("受理渠道"),
    "claim_place": N_("申领地"),
    "ethnic_group": N_("民族"),
    "hukou": N_("户口性质"),
    "id_type": N_("证件类型"),
    "leaving_reason": N_("失业原因"),
    "limit_unit": N_("时限单位"),
    "material": N_("材料"),
    "material_method": N_("材料收取方式"),
    "payment_method": N_("发放方式"),
    "rating": N_("评价等级"),
    "rating_channel": N_("评价渠道"),
    "result": N_("互认结果"),
    "scheme": N_("险种"),
    "settlement": N_("基金结算"),
    "sex": N_("性别"),
    "special_procedure": N_("特别程序"),
    "status": N_("办件状态"),
    "transfer_direction": N_("转移方向"),
    "yes_no": N_("是否"),
}

#: Columns of the tables as officials call them.
COLUMNS: Mapping[str, str] = {
    "rule_id": N_("编号"),
    "issued_by": N_("出具方"),
    "accepted_by": N_("认可方"),
    "subject_kind": N_("类别"),
    "subject": N_("内容"),
    "accepted_as": N_("视同"),
    "items": N_("适用事项"),
    "item": N_("事项"),
    "name": N_("名称"),
    "kind": N_("类型"),
    "form": N_("报文"),
    "schemes": N_("险种"),
    "applicants": N_("申请人"),
    "legal_limit_value": N_("法定时限"),
    "legal_limit_unit": N_("单位"),
    "promised_limit_value": N_("承诺时限"),
    "promised_limit_unit": N_("单位"),
    "limit_value": N_("时限"),
    "limit_unit": N_("单位"),
    "mode": N_("办理方式"),
    "materials": N_("材料"),
    "provenance": N_("出处"),
    "base_code": N_("基本编码"),
    "mark": N_("标记"),
    "leg": N_("环节"),
    "place": N_("办理方"),
    "begins": N_("起算"),
    "no": N_("序号"),
    "basis": N_("依据"),
    "effective_from": N_("生效"),
    "effective_to": N_("失效"),
    "valid_from": N_("启用"),
    "valid_to": N_("撤销"),
    "note": N_("说明"),
    "code": N_("代码"),
    "full_name": N_("全称"),
    "level": N_("层级"),
    "parent": N_("上级"),
    "successors": N_("继任"),
    "division": N_("区划"),
    "agency": N_("机构"),
    "uscc": N_("信用代码"),
    "flow": N_("流程"),
    "conditions": N_("受理条件"),
    "fee": N_("收费"),
    "open": N_("开通"),
    "equivalence_id": N_("编号"),
    "element": N_("要素"),
    "region": N_("一方"),
    "value": N_("写法"),
    "other_region": N_("另一方"),
    "other_value": N_("另一方写法"),
    "meaning": N_("含义"),
    "key": N_("公共代码"),
    "native": N_("报文写法"),
    "direction": N_("用于"),
    "lossy": N_("有损"),
}
