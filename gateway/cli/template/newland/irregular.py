"""What no row of a QQ-N map can say, both ways. Each function is named in ``fields.csv`` where it speaks for a field."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.canonical.kinds import TraceKind
from gateway.errors import Finding
from gateway.mapping.converters import no_row
from gateway.mapping.fieldmap import Leaf

if TYPE_CHECKING:
    from gateway.mapping.fieldmap import Reading, Writing

SLUG = "newland"


# --- heads: numbers are minted by whoever sends, so no row carries them across ---


def read_key(reading: Reading) -> None:
    """The gateway's own keys begin with TB: the prefix tells the directions apart."""
    key = reading.taken("id")
    if reading.sight.door and key and key.startswith("TB"):
        reading.refuse("id", "以 TB 开头的报文编号只由通办网关使用，请改用 QQ 开头的编号")


def read_new_case(reading: Reading) -> None:
    """A case that starts here carries Newland's own number."""
    number = reading.taken("case")
    if number is None:
        return
    if number.startswith("CYTB"):
        reading.refuse("case", "新办件应使用本系统 QQ 开头的办件编号，CYTB 编号只由通办网关编制")
    reading.leaves["origin_case_no"] = Leaf(number, None, number, "M22", TraceKind.EXACT)


def read_case_number(reading: Reading) -> None:
    """An echoed number of the gateway must be the case's own."""
    echoed, case = reading.taken("gatewayCase"), reading.sight.case
    if echoed and case is not None and echoed != case.case_no:
        reading.refuse("gatewayCase", "通办编号属于另一办件，请核对 gatewayCase 与 case", "9044")


def write_heads(writing: Writing) -> None:
    """``id`` new for each message; ``case`` is the number Newland uses, ``gatewayCase`` always the gateway's."""
    writing.give("id", writing.heads.key)
    writing.give("case", writing.heads.case_ref)
    writing.give("gatewayCase", writing.heads.case_no)


# --- items: a code of our own for each item of the shared catalogue ---


def read_item(reading: Reading) -> None:
    """An unknown code parks (1005): the catalogue is data that staff can mend."""
    written = reading.taken("body.item")
    if written is None:
        return
    item = reading.sight.tables.items.by_code(SLUG, written)
    if item is None:
        reading.park("body.item", "1005", "事项目录中没有这个事项编码，报文已挂起；请核对事项编码或补充目录")
        return
    reading.put("item", item, "body.item", "M21")


def write_item(writing: Writing) -> None:
    writing.say("body.item", writing.sight.tables.items.code_of(writing.value("item"), SLUG), "item", "M21")


# --- states: one word of ours is a state, and the procedure that suspends it ---


def read_accepted_state(reading: Reading) -> None:
    """Newland hands over what it has accepted, never what it has only received."""
    reading.leaves["_state"] = Leaf("20", None, None, "M13", TraceKind.DERIVED)


def read_status(reading: Reading) -> None:
    """An unknown word parks (1006); a state that hurts somebody needs its reason."""
    word = reading.taken("body.state")
    if word is None:
        return
    row = reading.sight.tables.codes(SLUG, "status").read(word)
    if row is None:
        reading.park("body.state", "1006", "办件状态用语不在状态码表中，报文已挂起")
        return
    state, _, procedure = row.key.partition("|")
    kind = TraceKind.LOSSY if row.one_way else TraceKind.CONVERTED
    reading.put("status.state", state, "body.state", "M13", kind)
    if procedure:
        reading.put("status.special", procedure, "body.state", "M13", kind)
        reading.covered.add("status.special")
    if state in {"11", "21", "31", "41"} and reading.is_absent("status.reason"):
        reading.refuse("body.reason", "补正、不予受理和退件必须写明原因")


def write_status(writing: Writing) -> None:
    state, special = writing.value("status.state"), writing.value("status.special")
    row = writing.sight.tables.codes(SLUG, "status").write(f"{state}|{special}" if special else state)
    if row is None:
        fault, leaf = no_row("status"), writing.leaves["status.state"]
        writing.findings.append(Finding(leaf.path or "status.state", "1006", fault.text, fault.level))
        return
    kind = TraceKind.LOSSY if row.one_way else TraceKind.CONVERTED
    writing.say("body.state", row.native, "status.state", "M13", kind)
    writing.used.add("status.special")
