"""Rows that several canonical maps share, and what marks their messages (spec gateway §4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.mapping.canonical_forms import key
from gateway.mapping.converters import fixed, json_text, matching
from gateway.mapping.fieldmap import Group, Row, Spelling

if TYPE_CHECKING:
    from gateway.canonical.kinds import Kind
    from gateway.mapping.converters import Converter

#: A native kind begins so when the message is canonical JSON; no region's kind does.
PREFIX = "canonical/"
SPELLING = Spelling(blank_is_absent=False)

_CASE_NO = matching("CYTB[0-9]{22}", "应为 CYTB 加 22 位数字的通办编号", rule="M22")


def plain(path: str, form: Converter, *, need: bool = False, rule: str = "") -> Row:
    """A leaf that is what it says."""
    return Row(path, path, form, need=need, rule=rule)


def heads(kind: Kind) -> tuple[Row, ...]:
    return (Row("kind", None, fixed(kind.value), need=True), Row("case_no", None, _CASE_NO))


HANDLER = (
    plain("handler.no", json_text(20), rule="M22"),
    plain("handler.name", json_text(64), rule="M22"),
    plain("handler.division", matching("[0-9]{6}", "应为六位区划代码", rule="M22")),
)

MATERIALS = (
    plain("materials[].type", key("material"), need=True, rule="M9"),
    Row("materials[].accepted_as", None, key("material")),
    plain("materials[].method", key("material_method"), need=True),
    plain("materials[].licence_ref", json_text(64)),
    plain("materials[].file_ref", json_text(64)),
)
REMARK = plain("remark", json_text(500))


def material_list(at_least: int) -> Group:
    return Group("materials[]", "materials[]", need=at_least > 0, at_least=at_least, at_most=50)
