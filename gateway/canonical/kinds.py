"""The closed sets of the canonical model: message kinds, states, roles, trace kinds."""

from __future__ import annotations

from enum import StrEnum


class Kind(StrEnum):
    """What a message is. Source: spec/gateway.md §4."""

    TRANSFER_APPLY = "transfer.apply"
    TRANSFER_SHEET = "transfer.sheet"
    UNEMPLOYMENT_CLAIM = "unemployment.claim"
    UNEMPLOYMENT_ANSWER = "unemployment.answer"
    CERTIFICATION_NOTICE = "certification.notice"
    GENERAL_APPLY = "general.apply"
    STATUS_REPORT = "status.report"
    MATERIAL_SUPPLEMENT = "material.supplement"
    CASE_WITHDRAW = "case.withdraw"
    CASE_RATING = "case.rating"

    @property
    def opens_case(self) -> bool:
        """Applications open a case; every other kind follows one up."""
        return self in _APPLICATIONS

    @property
    def label(self) -> str:
        """The Chinese name shown to people."""
        return _KIND_LABELS[self]


_APPLICATIONS = frozenset(
    {Kind.TRANSFER_APPLY, Kind.UNEMPLOYMENT_CLAIM, Kind.CERTIFICATION_NOTICE, Kind.GENERAL_APPLY}
)
_KIND_LABELS = {
    Kind.GENERAL_APPLY: "通用申请",
    Kind.TRANSFER_APPLY: "养老保险关系转移申请",
    Kind.TRANSFER_SHEET: "转移信息表",
    Kind.UNEMPLOYMENT_CLAIM: "失业保险金申领",
    Kind.UNEMPLOYMENT_ANSWER: "失业保险金申领答复",
    Kind.CERTIFICATION_NOTICE: "待遇资格认证",
    Kind.STATUS_REPORT: "办件状态",
    Kind.MATERIAL_SUPPLEMENT: "补正材料",
    Kind.CASE_WITHDRAW: "撤回",
    Kind.CASE_RATING: "评价",
}


class State(StrEnum):
    """Life-cycle states of a case. Source: spec/gateway.md §2 (codes), domain reference §5.2."""

    RECEIVED = "10"
    CORRECTION = "11"
    ACCEPTED = "20"
    DECLINED = "21"
    FORWARDED = "22"
    WITHDRAWN = "23"
    UNDELIVERED = "28"
    IN_REVIEW = "30"
    SUSPENDED_CORRECTION = "31"
    SUSPENDED_PROCEDURE = "32"
    INQUIRY = "33"
    CONCLUDED = "40"
    RETURNED = "41"
    SERVED = "50"
    RATED = "60"
    CLOSED = "90"

    @property
    def label(self) -> str:
        """The Chinese name shown to people and in the case view."""
        return _LABELS[self]


_LABELS = {
    State.RECEIVED: "收件",
    State.CORRECTION: "补正告知",
    State.ACCEPTED: "受理",
    State.DECLINED: "不予受理",
    State.FORWARDED: "转递",
    State.WITHDRAWN: "撤回",
    State.UNDELIVERED: "投递失败",
    State.IN_REVIEW: "审核",
    State.SUSPENDED_CORRECTION: "挂起·补正",
    State.SUSPENDED_PROCEDURE: "挂起·特别程序",
    State.INQUIRY: "协查",
    State.CONCLUDED: "办结·准予",
    State.RETURNED: "办结·不予",
    State.SERVED: "送达",
    State.RATED: "已评价",
    State.CLOSED: "归档",
}


class TraceKind(StrEnum):
    """How a value crossed. Source: spec/crossing.md §1."""

    EXACT = "exact"
    CONVERTED = "converted"
    DERIVED = "derived"
    LOSSY = "lossy"
    DROPPED = "dropped"
    WARNING = "warning"
