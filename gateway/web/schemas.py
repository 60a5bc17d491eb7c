"""The shapes of the JSON API's answers, with Chinese descriptions and examples: the source of its OpenAPI."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field


class _Shape(BaseModel):
    model_config = ConfigDict(extra="forbid")


CaseNo = Annotated[
    str,
    Field(
        description="通办编号：CYTB + 来源区划 + 收件日 + 8 位序号", examples=["CYTB5101042026112300000017"]
    ),
]
Division = Annotated[
    str | None, Field(description="六位行政区划代码；尚不可知时为 null", examples=["510104"])
]
Time = Annotated[str, Field(description="北京时间，RFC 3339", examples=["2026-11-23T15:42:10+08:00"])]
Day = Annotated[str, Field(description="日期 yyyy-MM-dd", examples=["2026-11-30"])]


class Finding(_Shape):
    """一处问题。"""

    path: str = Field(description="报文中的路径，按发送方的写法", examples=["param.aac147"])
    code: str = Field(description="四位代码", examples=["9043"])
    text: str = Field(description="说明及处理办法", examples=["身份证号码校验位不正确，请核对"])


class Problem(_Shape):
    """错误说明（RFC 9457）。"""

    type: str = Field(description="urn:tongban:problem: 加 code", examples=["urn:tongban:problem:not-found"])
    title: str = Field(description="错误类别", examples=["没有找到"])
    status: int = Field(description="HTTP 状态码", examples=[404])
    detail: str = Field(description="原因及处理办法", examples=["没有这个办件，请核对通办编号"])
    code: str = Field(description="稳定的错误代码", examples=["not-found"])
    findings: list[Finding] | None = Field(default=None, description="全部问题（如有）")
    instance: str | None = Field(default=None, description="内部错误的编号，请提供给运维人员")


class Side(_Shape):
    """办件的一方。"""

    region: str = Field(description="地区代号", examples=["{origin}"])
    division: Division
    case_no: str | None = Field(description="该方使用的办件编号", examples=["510104-20261123-000017"])


class StateShape(_Shape):
    """办件状态。"""

    code: str = Field(description="状态代码", examples=["22"])
    name: str = Field(description="状态名称", examples=["转递"])


class Limit(_Shape):
    """时限。"""

    value: int = Field(description="数值；0 为即办", examples=[5])
    unit: str = Field(description="单位：工作日、日、月", examples=["工作日"])


class Applicant(_Shape):
    """申请人；没有 cases:full 权限时脱敏。"""

    name: str = Field(description="姓名", examples=["张*"])
    id_type: str = Field(description="证件类型（规范代码）", examples=["01"])
    id_no: str = Field(description="证件号码", examples=["5101**********0011"])


class TimelineEntry(_Shape):
    """办件经过的一步。"""

    at: Time
    kind: str = Field(description="事件类别", examples=["delivery"])
    from_state: str | None = Field(description="此前状态", examples=["20"])
    to_state: str = Field(description="此后状态", examples=["22"])
    actor: str = Field(description="地区代号、gateway、staff:姓名或 channel:渠道", examples=["gateway"])
    note: str = Field(description="备注", examples=["YLZY_SQ"])


class TraceEntry(_Shape):
    """一个字段如何过界。"""

    path_in: str | None = Field(description="来文路径", examples=["param.aac070"])
    path_out: str | None = Field(description="发文路径", examples=["BODY/YWXX/ZYFX"])
    rule: str = Field(description="规则编号", examples=["M15"])
    kind: Literal["exact", "converted", "derived", "lossy", "dropped", "warning"] = Field(
        description="方式", examples=["converted"]
    )
    before: str | None = Field(description="来文值", examples=["2"])
    after: str | None = Field(description="发文值", examples=["转出"])


class CaseLine(_Shape):
    """列表中的一个办件。"""

    case_no: CaseNo
    origin: Side
    target: Side
    item: str | None = Field(description="事项", examples=["pension_transfer"])
    state: StateShape
    due_on: Day | None
    received_at: Time


Light = Annotated[
    Literal["green", "amber", "red"] | None,
    Field(
        description="时限灯：已用八成或只剩一个工作日为 amber，超期为 red；未起算、即办或已办结为 null",
        examples=["green"],
    ),
]


class LegShape(_Shape):
    """一个环节的时限，从上一环节结束之日起算。"""

    leg: int = Field(description="环节序号", examples=[2])
    name: str = Field(description="环节名称", examples=["转出地传送信息表"])
    region: str = Field(description="由哪个地区办理", examples=["{target}"])
    limit: Limit
    started_on: Day | None
    ended_on: Day | None
    due_on: Day | None
    due_provisional: bool = Field(description="期限是否按未公布的工作日历暂算", examples=[False])
    light: Light


class Outlet(_Shape):
    """收件网点（窗口）。"""

    code: str = Field(description="网点编号", examples=["0440200123"])
    name: str = Field(description="网点名称", examples=["锦江支行"])


class Agency(_Shape):
    """委托收取的经办机构。"""

    division: Division
    name: str | None = Field(description="名称；尚不可知时为 null", examples=["锦江区社会保险事业管理局"])


class CollectedAt(_Shape):
    """由哪个渠道的哪个网点代哪个经办机构收取。"""

    channel: str = Field(description="渠道代号", examples=["bank"])
    organisation: str = Field(description="收取机构", examples=["示例银行"])
    outlet: Outlet
    agency: Agency
    reference: str | None = Field(description="收取方自己的业务流水号", examples=["W20261123000017"])
    text: str = Field(
        description="一句话说明", examples=["由 示例银行 锦江支行 代 锦江区社会保险事业管理局 收取"]
    )


class Collected(_Shape):
    """渠道提交的报文已可靠保存。"""

    case_no: CaseNo
    outcome: Literal["accepted", "parked", "ignored"] = Field(
        description="accepted 已收；parked 挂起待人工，findings 为原因；ignored 存档但不产生效果",
        examples=["accepted"],
    )
    state: StateShape
    code: str | None = Field(default=None, description="ignored 的四位代码", examples=["1102"])
    text: str | None = Field(
        default=None, description="ignored 的说明", examples=["该状态已登记，已存档，办件状态不变"]
    )
    findings: list[Finding] | None = Field(default=None, description="挂起的原因")


class ToldMessage(_Shape):
    """办理地发来的一条报文。"""

    seq: int = Field(description="办件内的次序", examples=[3])
    kind: str = Field(description="报文类别", examples=["status.report"])
    received_at: Time
    message: dict[str, Any] = Field(
        description="规范模型；姓名、证件号码和账号脱敏",
        examples=[{"kind": "status.report", "status": {"state": "20", "at": "2026-11-24T09:00:00+08:00"}}],
    )


class ToldPage(_Shape):
    """办理地发给收件渠道的全部报文，按先后。"""

    messages: list[ToldMessage]


class CaseView(CaseLine):
    """一个办件的全部情况。"""

    collected_at: CollectedAt | None = Field(default=None, description="仅收件渠道收取的办件有此项")

    kind: str = Field(description="申请类别", examples=["transfer.apply"])
    accepted_at: Time | None
    due_provisional: bool = Field(description="期限是否按未公布的工作日历暂算", examples=[False])
    remaining: Limit | None = Field(default=None, description="挂起期间剩余的时限")
    light: Light
    legal_due_on: str | None = Field(
        description="法定时限的到期日；承诺时限的见 due_on", examples=["2027-01-25"]
    )
    legs: list[LegShape] | None = Field(default=None, description="各环节的时限（仅转移接续）")
    parked: bool = Field(description="申请报文是否挂起待人工", examples=[False])
    applicant: Applicant
    timeline: list[TimelineEntry] = Field(description="经过，按先后")
    trace: list[TraceEntry] = Field(description="字段留痕，按报文先后")


class CasePage(_Shape):
    """一页办件，收件时间新的在前。"""

    cases: list[CaseLine]
    next: str | None = Field(description="下一页的 after；没有下一页时为 null", examples=[None])


class ParkedLine(_Shape):
    """一条挂起的报文。"""

    id: str = Field(description="报文编号", examples=["0193b2b0-0000-7000-8000-123456789012"])
    region: str = Field(description="发送方", examples=["{origin}"])
    message_key: str = Field(description="报文的业务流水号", examples=["SC202611230000017"])
    kind: str = Field(description="报文类别", examples=["transfer.apply"])
    case_no: CaseNo
    findings: list[Finding] = Field(description="缺少的码表行或规则")
    received_at: Time


class ParkedPage(_Shape):
    """一页挂起的报文。"""

    parked: list[ParkedLine]
    next: str | None = Field(description="下一页的 after；没有下一页时为 null", examples=[None])


class ParkedGroup(_Shape):
    """等待同一行码表或同一条规则的报文。"""

    code: str = Field(description="四位代码", examples=["1001"])
    path: str = Field(description="报文中的路径，序号略为 []", examples=["param.aac005"])
    value: str | None = Field(description="没有对应行的代码或用语；不是代码时为 null", examples=["77"])
    region: str = Field(description="发送方", examples=["{origin}"])
    text: str = Field(description="说明及处理办法", examples=["码表没有这个值对应的行，报文已挂起"])
    messages: int = Field(description="报文数", examples=[42])
    agencies: list[str] = Field(description="发送机构的区划", examples=[["510104"]])
    first_seen_at: Time
    last_seen_at: Time
    sample_id: str = Field(
        description="其中最早的报文编号", examples=["0193b2b0-0000-7000-8000-123456789012"]
    )


class ParkedGroups(_Shape):
    """一页挂起原因，报文多的在前。"""

    groups: list[ParkedGroup]
    next: str | None = Field(description="下一页的 after；没有下一页时为 null", examples=[None])


class Released(_Shape):
    """挂起的报文已重新处理。"""

    id: str = Field(description="报文编号", examples=["0193b2b0-0000-7000-8000-123456789012"])
    status: Literal["released"] = Field(description="结果", examples=["released"])
    case_no: CaseNo


class ItemVersion(BaseModel):
    """事项的一个版本；另有各地区的基本编码 `<地区>_base_code`。"""

    model_config = ConfigDict(extra="allow")

    item: str = Field(description="事项代号", examples=["pension_transfer"])
    name: str = Field(description="名称", examples=["企业职工基本养老保险关系转移接续申请"])
    form: str = Field(description="报文类别前四位", examples=["tbzy"])
    kind: str = Field(description="业务类别", examples=["transfer"])
    schemes: list[str] = Field(description="险种", examples=[["110"]])
    applicants: list[str] = Field(description="申请人类型", examples=[["person"]])
    legal_limit: Limit
    promised_limit: Limit
    effective_from: Day
    effective_to: Day | None
    mode: str = Field(description="办理方式", examples=["全程网办"])
    materials: list[str] = Field(description="所需材料", examples=[["id_card"]])


class ItemPage(_Shape):
    """某日有效的事项。"""

    items: list[ItemVersion]


class ItemView(ItemVersion):
    """一个事项及其全部版本，旧的在前。"""

    versions: list[ItemVersion]


class NativeBody(_Shape):
    """对方格式的报文。"""

    region: str = Field(description="接收地区", examples=["{target}"])
    content_type: str = Field(description="内容类型", examples=["application/xml; charset=GB18030"])
    encoding: Literal["base64"] = Field(description="body 的编码", examples=["base64"])
    body: str = Field(description="将要发送的字节", examples=["PD94bWwg…"])


class Translation(_Shape):
    """试译结果；不保存、不脱敏。"""

    kind: str = Field(description="报文类别", examples=["transfer.apply"])
    item: str = Field(description="事项", examples=["pension_transfer"])
    case_no: CaseNo
    canonical: dict[str, Any] = Field(
        description="规范模型", examples=[{"kind": "transfer.apply", "scheme": "110"}]
    )
    native: NativeBody
    trace: list[TraceEntry]


class Health(_Shape):
    """存活或就绪。"""

    status: Literal["ok", "ready"] = Field(description="状态", examples=["ok"])
