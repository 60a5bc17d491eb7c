"""What no row of the canonical maps can say: states, places of a transfer, members the gateway computes."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING

from gateway.canonical.kinds import State, TraceKind
from gateway.mapping.fieldmap import Leaf
from gateway.mapping.times import CHINA

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from gateway.mapping.fieldmap import Reading, Writing
    from gateway.mapping.tables import Tables

_EXPLAINED = frozenset({"11", "21", "31", "41"})
_LIST, _ENTERING, _LEAVING = "transfer_direction", "转入", "转出"


def acceptance_day(tree: Mapping[str, Any]) -> date | None:
    """The Beijing date of ``accepted_at``, for choosing the tables (crossing §3)."""
    try:
        moment = datetime.fromisoformat(str(tree.get("accepted_at")).upper())
        return moment.astimezone(CHINA).date() if moment.utcoffset() is not None else None
    except (ValueError, OverflowError):
        return None


def read_computed(reading: Reading) -> None:
    """What the gateway works out may be written, as `POST /v1/translate` shows it: it is not carried."""
    for path in reading.held:
        if path != "kind":
            reading.drop(path, "M22")


def read_received(reading: Reading) -> None:
    """A channel collects, it does not accept: the case begins at 10 (gateway §2, ADR 0028)."""
    reading.leaves["_state"] = Leaf(State.RECEIVED.value, None, None, "M13", TraceKind.DERIVED)


def read_transfer(reading: Reading) -> None:
    """The places of a transfer are the two of the case; a channel collects at the new one (ADR 0028)."""
    own, peer = reading.leaves.get("origin.division"), reading.leaves.get("target.division")
    leaving, entering = (reading.leaves.get(f"transfer.{end}_division") for end in ("from", "to"))
    if own is None or peer is None or leaving is None or entering is None:
        return
    if {own.value, peer.value} != {leaving.value, entering.value}:
        reading.refuse("transfer.to_division", "转出地与转入地应为 origin.division 与 target.division 这两处")
        return
    into_own = entering.value == own.value
    if not into_own and reading.sight.door:
        reading.refuse(
            "transfer.to_division",
            "转移申请在转入地收取：transfer.to_division 应等于 origin.division；在转出地请由经办机构直接提交",
        )
    if into_own and reading.is_absent("contact_letter.no"):
        reading.refuse("contact_letter.no", "转入地发起的申请必须附联系函")
    direction = _direction(reading.sight.tables, reading.sight.sender, entering=into_own)
    reading.leaves["_direction"] = Leaf(direction, None, None, "M15", TraceKind.DERIVED)
    reading.covered |= {"transfer.from_division", "transfer.to_division"}


def _direction(tables: Tables, region: str, *, entering: bool) -> str:
    """The key of ``transfer_direction`` for a transfer into this region or out of it, as it words them itself (M15)."""
    words = tables.codes(region, _LIST).reads.values()
    wanted = _ENTERING if entering else _LEAVING
    return next((row.key for row in words if wanted in {row.native, row.name}), "in" if entering else "out")


def read_certification(reading: Reading) -> None:
    """A certification is a finished act, accepted when it was made."""
    made, accepted = reading.leaves.get("certification.at"), reading.leaves.get("accepted_at")
    if made is not None and accepted is not None and made.value != accepted.value:
        reading.refuse("certification.at", "认证时间应与 accepted_at 相同")
    reading.covered.add("accepted_at")
    reading.leaves["_state"] = Leaf(State.CONCLUDED.value, None, None, "M13", TraceKind.DERIVED)


def read_case_number(reading: Reading) -> None:
    """An echoed number must be the case's own."""
    echoed, case = reading.taken("case_no"), reading.sight.case
    if echoed and case is not None and echoed != case.case_no:
        reading.refuse("case_no", "通办编号与地址中的办件不同，请核对", "9044")


def read_status(reading: Reading) -> None:
    """State and special procedure name one status together (crossing §5.1)."""
    state, special = reading.value("status.state"), reading.value("status.special")
    if state is None:
        return
    statuses = reading.sight.tables.hub("status")
    if (f"{state}|{special}" if special else state) not in statuses:
        path = "status.special" if special else "status.state"
        reading.refuse(path, "这个状态（与特别程序的组合）不能报告，请按规范码表 status 填写")
    if state in _EXPLAINED and reading.is_absent("status.reason"):
        reading.refuse("status.reason", "补正告知、不予受理、挂起补正和退件必须写明原因")
    before = f"{state}|{special}" if special else state
    reading.leaves["status.state"] = reading.leaves["status.state"]._replace(before=before)


def write_heads(writing: Writing) -> None:
    writing.give("case_no", writing.heads.case_no)
