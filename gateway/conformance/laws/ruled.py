"""Laws over a region's tables and fields: nothing its maps ask for is missing, nothing is unexplained."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

from gateway.conformance.law import Breach
from gateway.conformance.laws.rulebook import CannotTell, holds
from gateway.conformance.pointing import declared_at
from gateway.mapping.explain import Fate

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gateway.conformance.laws.rulebook import Tally
    from gateway.conformance.subject import Subject
    from gateway.mapping.explain import RegionFields


@holds("B08", "对应表用到的码表都有，且有内容", "Every code list its maps use is there", "crossing M1")
def lists_are_there(subject: Subject, tally: Tally) -> Iterator[Breach]:
    """A missing list would park every message."""
    for name in sorted({one.code_list for one in subject.lines.values() if one.code_list}):
        tally()
        found = subject.tables.lists.get((subject.slug, name))
        if found and (found.reads or found.writes):
            continue
        paths = [one.path for one in subject.lines.values() if one.code_list == name]
        yield Breach(
            f"字段 {paths[0]} 用到码表 {name}，但本地区没有这张码表",
            f"请新建 {subject.code_file(name)}，列为 native,key,name,direction,lossy,note，"
            f"key 取自 mappings/canonical/{name}.csv",
            path=subject.code_file(name),
        )


@holds(
    "B09",
    "公布的每个字段都在对应表中，每行对应表都在公布的字段中",
    "Maps and published schema have the same fields",
    "ADR 0007",
)
def fields_are_those_published(subject: Subject, tally: Tally) -> Iterator[Breach]:
    """Both ways, with the place to change; a path that is nearly right is told beside the right one."""
    told: dict[tuple[str, str], list[str]] = {}
    for kind, declared, mapped in _both(_known(subject), subject):
        tally(len(declared | mapped))
        missing = sorted(declared - mapped)
        for path in sorted(mapped - declared):
            near = next(iter(get_close_matches(path, missing, 1)), "")
            told.setdefault((path, near), []).append(kind)
            missing = [other for other in missing if other != near]
        for path in missing:
            told.setdefault(("", path), []).append(kind)
    for (path, near), kinds in told.items():
        yield _misnamed(subject, path, near, "、".join(kinds))


def _misnamed(subject: Subject, path: str, near: str, kinds: str) -> Breach:
    """A path only the maps have (``path``), only the schema has (``near``), or one written for the other."""
    if not path:
        return Breach(
            f"{kinds} 的 {near} 在公布的接口中，对应表没有这一行",
            f'请在 {subject.where}/maps 的 {kinds} 中加上 Row("{near}", …)',
            path=f"{subject.where}/maps",
        )
    place = declared_at(subject, path)
    if not near:
        return Breach(
            f"{kinds} 的对应表有 {path}，公布的接口没有",
            f"请去掉 {place} 的这一行，或更新 {subject.where} 中的 schema",
            path=place,
        )
    return Breach(
        f"{kinds} 的对应表有 {path}，公布的接口没有；接口有而对应表没有的是 {near}",
        f"请把 {place} 的 {path} 改为 {near}；若接口已改，请更新 {subject.where} 中的 schema",
        path=place,
    )


@holds(
    "B10",
    "每个字段收发两个方向的去向都有说明，并有中文名称",
    "What becomes of each field is said for both directions",
    "ADR 0007",
)
def fields_are_explained(subject: Subject, tally: Tally) -> Iterator[Breach]:
    """Mapped, or listed in fields.csv with the reason."""
    published = _known(subject).schema
    notes = f"{subject.where}/fields.csv"
    for (kind, path), one in subject.lines.items():
        tally()
        if path not in published.get(kind, ()):
            continue  # B09 tells of it
        ways = (("received", "收到后", one.received), ("written", "写出时", one.written))
        for column, way, fate in ways:
            if fate is Fate.UNEXPLAINED:
                yield Breach(
                    f"{kind} 的 {path}（{one.name or '无名称'}）{way}没有去向："
                    f"规范路径 {'、'.join(one.canonical) or '无'} 没有其他地区读写，也没有写明原因",
                    f"请核对 {declared_at(subject, path)} 的规范路径；确实不转的，"
                    f"在 {notes} 的 {column} 列写“不转：原因”或“不写：原因”",
                    path=declared_at(subject, path),
                )
        if not one.name:
            yield Breach(
                f"{kind} 的 {path} 没有中文名称", f"请在 {notes} 加一行，写上 name", path=f"{notes} {path}"
            )


@holds(
    "B11",
    "事项、区划和经办机构在规则表中",
    "Items, divisions and agencies of the region are in the tables",
    "crossing M8, M21",
)
def places_and_items_are_there(subject: Subject, tally: Tally) -> Iterator[Breach]:
    """Each item has the region's own code; there is somewhere to go to."""
    prefix = subject.region.division_prefix
    for item, versions in subject.tables.items.by_item.items():
        tally()
        if not versions[0].base_codes.get(subject.slug):
            yield Breach(
                f"事项 {item} 没有本地区的基本编码",
                f"请在 mappings/codes/{subject.slug}/items.csv 加上 {item} 一行",
                path=f"mappings/codes/{subject.slug}/items.csv",
            )
    agencies = [code for code in subject.tables.agencies.by_division if code.startswith(prefix)]
    tally()
    if not agencies:
        yield Breach(
            f"没有区划以 {prefix} 开头的经办机构，办件无处可送",
            "请在 mappings/places/agencies.csv 加上本地区的经办机构",
            path="mappings/places/agencies.csv",
        )


def _known(subject: Subject) -> RegionFields:
    if subject.fields is None:
        raise CannotTell(f"缺少 {subject.where}/fields.csv 或 schema.*，请从公布的接口中补上")
    return subject.fields


def _both(fields: RegionFields, subject: Subject) -> Iterator[tuple[str, frozenset[str], frozenset[str]]]:
    for kind, one in subject.region.maps.items():
        yield kind, fields.schema.get(kind, frozenset()), frozenset(row.native for row in one.rows)
