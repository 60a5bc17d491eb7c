"""The shapes of the operators' API: what they send, what they are shown, with Chinese descriptions."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field

from gateway.exchange.rerun import MOST
from gateway.web.openapi import REGIONS
from gateway.web.schemas import CaseNo, Time


class _Shape(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)


def _said(words: str) -> str:
    if not words.strip():
        raise ValueError("须写明原因，记入审计")
    return words.strip()


def _written(value: object) -> object:
    if not isinstance(value, str) or value.isdecimal():
        raise ValueError("时间须带时区，例如 2026-11-23T15:42:10+08:00")
    return value


Why = Annotated[
    str,
    # before what follows: bounds that come after a function are kept, and left out of the document
    Field(
        description="原因，记入审计",
        examples=["对方通知今晚升级"],
        max_length=500,
        pattern=r"^[^\x00-\x08\x0b-\x1f]*$",
        json_schema_extra={"pattern": r"^[^\x00-\x08\x0b-\x1f]*[^\s\x00-\x1f][^\x00-\x08\x0b-\x1f]*$"},
    ),
    AfterValidator(_said),
]
Word = Annotated[str, Field(max_length=200, pattern=r"^[^\x00-\x1f]*$")]
MessageId = Annotated[str, Field(description="报文编号", examples=["01900000-0000-7000-8000-000000000000"])]
Slug = Annotated[str, Field(description="地区代号", examples=["{target}"])]
NativeKind = Annotated[str, Field(description="报文类别，按接收方的写法", examples=["YLZY_SQ"])]


#: only as text: a number would be taken for seconds since 1970
Moment = Annotated[AwareDatetime, BeforeValidator(_written)]


class Reasoned(_Shape):
    """只需原因的操作。"""

    reason: Why


class PaceRequest(Reasoned):
    """对一个去向的投递节奏，各投递进程合计；两项都不写即取消限制。"""

    per_second: float | None = Field(
        default=None,
        strict=True,
        gt=0,
        le=10_000,
        description="每秒最多开始的调用数；缺省不限",
        examples=[20],
    )
    concurrency: int | None = Field(
        default=None, strict=True, ge=1, le=100_000, description="同时进行的调用数；缺省不限", examples=[8]
    )


class Acted(_Shape):
    """已执行。"""

    id: MessageId
    status: Literal["retrying", "cancelled"] = Field(
        description="retrying 将再次投递，cancelled 已取消", examples=["retrying"]
    )


class DeliveryLine(_Shape):
    """一条未结束的投递。"""

    id: MessageId
    case_no: CaseNo
    destination: Slug
    kind: NativeKind
    state: str = Field(description="ready、behind、sending、parked、dead、refused", examples=["dead"])
    attempt: int = Field(description="已尝试次数", examples=[9])
    due_at: str | None = Field(
        description="下次投递的时间；不再自动投递时为 null", examples=["2026-11-23T15:42:10+08:00"]
    )
    last_error: str = Field(
        description="最近一次的原因（号码已遮蔽）", examples=["connect ConnectionRefusedError"]
    )


class DeliveryPage(_Shape):
    """未结束的投递，先到的在前。"""

    deliveries: list[DeliveryLine] = Field(description="本页")
    next: str | None = Field(
        description="下一页的 after；没有下一页时为 null", examples=["01900000-0000-7000-8000-000000000000"]
    )


class PaceShape(_Shape):
    """投递节奏，各投递进程合计。"""

    per_second: float | None = Field(description="每秒调用数；null 不限", examples=[20])
    concurrency: int | None = Field(description="同时进行的调用数；null 不限", examples=[8])


class PausedShape(_Shape):
    """谁、何时、为何暂停。"""

    at: Time
    by: str = Field(description="操作人", examples=["staff:zhang"])
    reason: str = Field(description="原因", examples=["对方通知今晚升级"])


class PeerShape(_Shape):
    """一个去向。"""

    slug: Slug
    name: str = Field(description="地区名称", examples=["重庆市"])
    paused: PausedShape | None = Field(description="暂停信息；未暂停时为 null")
    pace: PaceShape
    breaker: Literal["closed", "open"] = Field(
        description="open：因连续连不上而暂缓，每次只试一件", examples=["closed"]
    )
    breaker_at: str | None = Field(
        description="断路器最近一次变化的时间", examples=["2026-11-23T15:42:10+08:00"]
    )
    last_ok_at: str | None = Field(description="最近一次送达的时间", examples=["2026-11-23T15:42:10+08:00"])
    last_error_at: str | None = Field(
        description="最近一次失败的时间", examples=["2026-11-23T15:40:00+08:00"]
    )
    last_error: str = Field(description="最近一次失败的原因代码", examples=["timeout"])
    waiting_s: float | None = Field(
        description="最早一件到期投递已等待的秒数；没有到期的为 null", examples=[12.5]
    )


class PeerList(_Shape):
    """全部去向。"""

    peers: list[PeerShape] = Field(description="按代号排列")


class StepShape(_Shape):
    """连接测试的一步。"""

    name: Literal["name", "tcp", "tls", "http", "proof", "receipt"] = Field(
        description="步骤", examples=["tls"]
    )
    label: str = Field(description="步骤名称", examples=["TLS 与证书"])
    finish: Literal["passed", "warned", "failed"] = Field(
        description="passed 通过，warned 有隐患，failed 失败", examples=["passed"]
    )
    took_ms: float = Field(description="耗时（毫秒）", examples=[12.3])
    detail: str = Field(description="看到的情况", examples=["TLSv1.3"])
    remedy: str = Field(description="怎么办；无需处理时为空", examples=[""])


class ProbeResult(_Shape):
    """连接测试的结果；失败的一步之后不再继续。"""

    ok: bool = Field(description="没有失败的步骤", examples=[True])
    steps: list[StepShape] = Field(description="各步骤，按顺序")


class RerunFilter(_Shape):
    """选哪些报文：一种状态，其余条件都要符合。"""

    state: Literal["dead", "refused", "parked"] = Field(
        description="dead 死信、refused 被拒（再次投递），parked 挂起（按现在的表放行）", examples=["dead"]
    )
    destination: Annotated[Word, Field(json_schema_extra={"enum": REGIONS})] | None = Field(
        default=None, description="去向", examples=["{target}"]
    )
    kind: Word | None = Field(
        default=None, description="报文类别：规范名称或接收方的写法", examples=["YLZY_SQ"]
    )
    item: Word | None = Field(default=None, description="事项代号", examples=["pension_transfer"])
    cause: Word | None = Field(
        default=None,
        description="原因代码：最近一次投递的代码；挂起的为 findings 中的代码",
        examples=["timeout"],
    )
    since: Moment | None = Field(
        default=None, description="收件不早于（含）", examples=["2026-11-23T00:00:00+08:00"]
    )
    until: Moment | None = Field(
        default=None, description="收件不晚于（含）", examples=["2026-11-23T23:59:59+08:00"]
    )
    case_nos: list[Word] = Field(default_factory=list, max_length=1000, description="只限这些通办编号")


class RerunRequest(Reasoned):
    """批量重办。"""

    filter: RerunFilter
    dry_run: bool = Field(default=False, strict=True, description="只试算，不执行", examples=[True])
    cap: int = Field(
        default=1000, strict=True, ge=1, le=MOST, description="至多多少条，先到的在前", examples=[1000]
    )
    per_second: float = Field(
        default=10, strict=True, gt=0, le=200, description="每秒重办条数", examples=[10]
    )


class ChosenShape(_Shape):
    """会被重办的一条报文。"""

    id: MessageId
    case_no: CaseNo
    destination: Slug
    kind: NativeKind
    state: str = Field(description="现在的状态", examples=["dead"])
    cause: str = Field(description="原因代码", examples=["timeout"])


class CauseShape(_Shape):
    """一种原因的条数。"""

    cause: str = Field(description="原因代码", examples=["timeout"])
    messages: int = Field(description="条数", examples=[42])


class RerunPreview(_Shape):
    """试算结果；什么也没有改动。"""

    messages: int = Field(description="会重办的条数", examples=[42])
    capped: bool = Field(description="是否还有超出上限的", examples=[False])
    needs_approval: bool = Field(description="是否须第二人批准", examples=[False])
    causes: list[CauseShape] = Field(description="按原因，多的在前")
    sample: list[ChosenShape] = Field(description="最先的几条")


class RerunShape(_Shape):
    """一次批量重办。"""

    id: str = Field(description="重办编号", examples=["01900000-0000-7000-8000-000000000000"])
    state: Literal["unapproved", "running", "paused", "settling", "done", "cancelled"] = Field(
        description="待批准、进行中、已暂停、等待结果、完成、已取消", examples=["running"]
    )
    filter: dict[str, object] = Field(description="条件", examples=[{"state": "dead"}])
    reason: str = Field(description="原因", examples=["对方已恢复"])
    created_at: Time
    created_by: str = Field(description="发起人", examples=["staff:zhang"])
    needs_approval: bool = Field(description="是否须第二人批准", examples=[False])
    approved_by: str | None = Field(description="批准人", examples=["staff:li"])
    per_second: float = Field(description="每秒条数", examples=[10])
    total: int = Field(description="总条数", examples=[42])
    tried: int = Field(description="已重办条数", examples=[17])
    capped: bool = Field(description="是否有超出上限而未列入的", examples=[False])
    finished_at: str | None = Field(description="结束时间", examples=["2026-11-23T15:42:10+08:00"])


class RerunList(_Shape):
    """批量重办，新的在前。"""

    reruns: list[RerunShape] = Field(description="本页")
    next: str | None = Field(
        description="下一页的 after；没有下一页时为 null", examples=["01900000-0000-7000-8000-000000000000"]
    )


class ChangeShape(_Shape):
    """同样变化的报文数。"""

    before_state: str = Field(description="重办前的状态", examples=["dead"])
    before_cause: str = Field(description="重办前的原因代码", examples=["timeout"])
    after_state: str = Field(
        description="重办后：delivered、dead、refused、parked、cancelled、gone；untried 未办，under_way 未有结果",
        examples=["delivered"],
    )
    after_cause: str = Field(description="重办后的代码", examples=["0000"])
    messages: int = Field(description="条数", examples=[40])


class ItemShape(_Shape):
    """一条报文的前后对照。"""

    n: int = Field(description="次序：按办件，再按办件内的先后", examples=[1])
    id: MessageId
    case_no: CaseNo
    destination: Slug
    kind: NativeKind
    before_state: str = Field(description="重办前的状态", examples=["dead"])
    before_cause: str = Field(description="重办前的原因代码", examples=["timeout"])
    result: str | None = Field(
        description="tried 已重办，still_parked 仍缺表行，skipped 已被他人处理，failed 出错；未办为 null",
        examples=["tried"],
    )
    after_state: str | None = Field(description="重办后的状态；未有结果时为 null", examples=["delivered"])
    after_cause: str | None = Field(description="重办后的代码", examples=["0000"])


class RerunView(RerunShape):
    """一次批量重办，及其结果对照。"""

    changes: list[ChangeShape] = Field(description="结果对照，按变化归并")
    items: list[ItemShape] = Field(description="逐条对照，一页")
    next: str | None = Field(description="逐条对照下一页的 after；没有时为 null", examples=["50"])
