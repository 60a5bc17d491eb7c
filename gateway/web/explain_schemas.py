"""The shapes of an explanation, with Chinese descriptions and examples: a source of the OpenAPI document."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from gateway.web.schemas import CaseNo, Day, Finding


class _Shape(BaseModel):
    model_config = ConfigDict(extra="forbid", populate_by_name=True)


class ExplainedValue(_Shape):
    """对方报文中的一个值，或没有转递的一个值。"""

    path_in: str | None = Field(description="来文路径；由网关编制或派生的为 null", examples=["param.aac005"])
    name_in: str | None = Field(description="来文字段名称", examples=["民族"])
    path_out: str | None = Field(description="发文路径；没有转递的为 null", examples=["BODY/SQR/MZ"])
    name_out: str | None = Field(description="发文字段名称", examples=["民族"])
    kind: Literal["exact", "converted", "derived", "lossy", "dropped", "warning", "minted", "with_other"] = (
        Field(description="方式；minted 编制，with_other 与另一项一并写出", examples=["converted"])
    )
    kind_label: str = Field(description="方式的中文名", examples=["换写"])
    before: str | None = Field(description="来文值", examples=["07"])
    after: str | None = Field(description="发文值", examples=["彝族"])
    rule: str = Field(description="规则编号", examples=["M1"])
    rule_text: str = Field(description="规则内容", examples=["代码：在码表中按发送方的写法找到公共代码"])
    rows: list[dict[str, Any]] = Field(
        description="所依据的表行：表、行号及内容；互认规则带依据和起止日期",
        examples=[[{"table": "codes/…/ethnic_group.csv", "line": 8, "native": "07", "key": "07"}]],
    )


class MessageTables(_Shape):
    """报文转换所用的规则表。"""

    digest: str = Field(description="摘要", examples=["3f5a…"])
    kept: bool = Field(description="是否仍保存；否则表行按现用的表引用", examples=[True])


class KeptFinding(Finding):
    """挂起的一个原因，以及没有对应行的值。"""

    value: str | None = Field(
        default=None, description="表中没有的词；疑似个人数据的不保存，也就没有", examples=["88"]
    )


class ExplainedMessage(_Shape):
    """一条报文的逐值说明。"""

    seq: int = Field(description="在办件中的次序", examples=[1])
    from_: str = Field(alias="from", description="发送地区", examples=["{origin}"])
    to: str = Field(description="接收地区", examples=["{target}"])
    kind: str = Field(description="报文类别", examples=["transfer.apply"])
    native_kind: str = Field(description="来文种类", examples=["tbzy0001"])
    out_kind: str = Field(description="发文种类", examples=["YLZY_SQ"])
    outcome: str = Field(description="accepted、parked 或 ignored", examples=["accepted"])
    tables: MessageTables
    item_version: dict[str, Any] | None = Field(
        description="受理日有效的事项版本：生效日期、承诺时限和依据",
        examples=[{"item": "pension_transfer", "effective_from": "2024-01-01"}],
    )
    findings: list[KeptFinding] = Field(description="挂起的原因")
    values: list[ExplainedValue] = Field(description="按发文次序；没有转递的在后")


class TravelChange(_Shape):
    """重译会有的一处不同。"""

    aspect: Literal["verdict", "value", "material", "deadline"] = Field(
        description="处理结果、值、材料或时限", examples=["value"]
    )
    path: str = Field(description="发文路径；整条报文为空", examples=["BODY/BJXX/CNSX"])
    name: str | None = Field(description="字段名称", examples=["承诺时限"])
    before: str | None = Field(description="原来", examples=["5"])
    after: str | None = Field(description="重译后", examples=["3"])
    rule: str = Field(description="重译所依据的规则", examples=["M12"])
    rule_before: str | None = Field(description="原来所依据的规则", examples=["M12"])


class TravelMessage(_Shape):
    """一条报文重译的结果。"""

    seq: int = Field(description="在办件中的次序", examples=[1])
    native_kind: str = Field(description="来文种类", examples=["tbzy0001"])
    before: str = Field(description="原来的处理结果", examples=["转递"])
    after: str = Field(description="重译的处理结果", examples=["挂起 1002 param.clist[0].clbm"])
    changes: list[TravelChange] = Field(description="不同之处；没有则为空")


class Travel(_Shape):
    """按另一天或另一套表重译会有的不同；不改变办件。"""

    on: str | None = Field(description="按哪一天；null 为受理日", examples=["2021-11-30"])
    tables: str = Field(description="规则表摘要", examples=["3f5a…"])
    messages: list[TravelMessage] = Field(description="按报文先后")


class Explanation(_Shape):
    """一个办件的逐字段说明。"""

    case_no: CaseNo
    item: str | None = Field(description="事项", examples=["pension_transfer"])
    accepted_on: Day | None
    messages: list[ExplainedMessage] = Field(description="按报文先后")
    travel: Travel | None = Field(default=None, description="给出 on 或 set 时的重译结果")
