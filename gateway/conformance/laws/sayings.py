"""Sentences several laws need: what a finding or a wrong value means for whoever keeps the adapter."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gateway.conformance.law import Breach
from gateway.conformance.pointing import bare, code_row, declared_at, line_for, line_of, value_at
from gateway.mapping.plan import EXTRA, MISSING

if TYPE_CHECKING:
    from gateway.conformance.subject import Example, Subject
    from gateway.errors import Finding

#: What to look at, by code of a finding (crossing §1).
_REMEDIES = {
    "1002": "请在 mappings/recognition 中补上互认规则，或让样例使用已互认的材料",
    "1003": "请核对 mappings/places/divisions.csv 中的这个区划及其起止日期",
    "1004": "请核对 mappings/places/divisions.csv 中这个区划的承接区划",
    "1005": "请在 mappings/codes/{slug}/items.csv 中补上这个基本编码",
    "1007": "请核对 mappings/items/catalogue.csv 中的生效日期，以及 mappings/guides 中是否开通",
}


def of_finding(
    subject: Subject, kind: str, finding: Finding, tree: Any, example: str, *, to: str = "", meant: Any = None
) -> Breach:
    """A finding on a message that should have none; ``meant``: the shared key an unknown code stands for."""
    first = subject.region.maps[kind].spelling.first_index if kind in subject.region.maps else 0
    value, row = value_at(tree, finding.path, first), line_of(subject, kind, finding.path)
    shown = f"写作“{value}”，" if isinstance(value, str | int) and row and row.code_list else ""
    towards = f"译往 {to} 时" if to else ""
    sentence = f"{kind} 的 {finding.path}{f'（{row.name}）' if row and row.name else ''} {shown}{towards}得到 {finding.code}：{finding.text}"
    if finding.code == "1001" and row and row.code_list and meant is not None:
        known = subject.tables.codes(subject.slug, row.code_list).write(str(meant))
        if known is not None:
            place = f"{subject.code_file(row.code_list)}:{known.line}"
            return Breach(
                f"{sentence}（应为规范代码“{meant}”，这一行写作“{known.native}”）",
                f"请把 {place} 的 native 由“{known.native}”改回“{value}”；若代码确已更换，请更新样例",
                path=place,
                example=example,
            )
    return Breach(sentence, _mend(subject, finding, row, value), path=finding.path, example=example)


def _mend(subject: Subject, finding: Finding, row: Any, value: Any) -> str:
    if finding.code == "1001" and row and row.code_list:
        words = sorted(subject.tables.codes(subject.slug, row.code_list).reads)
        known = "、".join(words[:12]) + ("…" if len(words) > 12 else "")
        return (
            f"请在 {subject.code_file(row.code_list)} 为“{value}”加一行或改回 native（现有 {known}）；"
            f"若样例或 {subject.where}/simulated.py 写错，请更正"
        )
    if finding.text == EXTRA:
        return f"请在 {subject.where}/maps 为 {bare(finding.path)} 加上 Row，或核对相近的路径是否写错"
    if finding.text == MISSING:
        return f"请核对 {declared_at(subject, finding.path)}：路径是否写错，是否真的必填（need=True）"
    if finding.code in _REMEDIES:
        return _REMEDIES[finding.code].format(slug=subject.slug)
    return f"请核对 {declared_at(subject, finding.path)} 的转换写法，或更正样例"


def of_value(subject: Subject, example: Example, path: str, expected: Any, found: Any, tree: Any) -> Breach:
    """A canonical value that differs from the one written beside the example."""
    row = line_for(subject, example.kind, path)
    beside = f"{subject.where}/examples/{example.kind}.canonical.json"
    saying = f"规范 {path} 应为 {_said(expected)}，现为 {_said(found)}"
    if row is None:
        return Breach(
            saying,
            f"请核对 {subject.where}/irregular.py 和 maps 中写出 {path} 的地方；若新结果正确，请更新 {beside}",
            path=path,
            example=example.name,
        )
    native = value_at(tree, row.path.replace("[]", ""), 0)
    if isinstance(native, list | dict):
        native = None
    if row.code_list:
        place = code_row(subject, row.code_list, str(native))
        return Breach(
            f"{row.path}（{row.name}）写作“{native}”：{saying}",
            f"请核对 {place} 这一行的 native 与 key；若新结果正确，请更新 {beside}",
            path=place,
            example=example.name,
        )
    place = declared_at(subject, row.path)
    return Breach(
        f"{row.path}（{row.name}，转换 {row.converter}）：{saying}",
        f"请核对 {place} 的路径与转换；若新结果正确，请更新 {beside}",
        path=place,
        example=example.name,
    )


def of_type(subject: Subject, example: Example, path: str, expected: str) -> Breach:
    """A canonical value of another type than the model has."""
    row = line_for(subject, example.kind, path)
    place = declared_at(subject, row.path) if row else f"{subject.where}/irregular.py"
    who = f"{row.path}（{row.name}，转换 {row.converter}）" if row else example.kind
    return Breach(
        f"{who}读出的规范值不是 {path} 应有的类型（{expected}）",
        f"请在 {place} 换用读出这一类型的转换（日期、时间、金额、整数各有其转换，见 gateway/mapping）",
        path=place,
        example=example.name,
    )


def _said(value: Any) -> str:
    return "空" if value is None else f"“{value}”"
