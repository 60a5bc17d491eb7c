"""The shapes of the counters' answers, with Chinese descriptions and examples."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from gateway.web.schemas import Time, _Shape


class TallyPoint(_Shape):
    """一个时段的数量；用时为从收件到送达的秒数，由分段计数估算，没有送达或按来源、事项、类别筛选时为 null。"""

    at: Time
    accepted: int = Field(description="收件并受理", examples=[120])
    parked: int = Field(description="收件后挂起", examples=[3])
    ignored: int = Field(description="收件但不产生效果", examples=[1])
    delivered: int = Field(description="送达", examples=[118])
    retried: int = Field(description="投递未成、将重试的次数", examples=[4])
    refused: int = Field(description="被对方拒绝", examples=[0])
    dead: int = Field(description="转为死信", examples=[0])
    on_time: int = Field(description="期限内办结", examples=[36])
    overdue: int = Field(description="超期办结", examples=[1])
    p50_s: float | None = Field(description="用时的中位数，秒", examples=[0.12])
    p95_s: float | None = Field(description="用时的第 95 百分位，秒", examples=[0.4])
    mean_s: float | None = Field(description="平均用时，秒", examples=[0.15])


class Tallies(_Shape):
    """一条曲线和今天的合计。"""

    span: Literal["1h", "24h", "30d"] = Field(description="时段", examples=["24h"])
    step_s: int = Field(description="相邻两点的间隔，秒", examples=[3600])
    points: list[TallyPoint] = Field(description="由旧到新，最后一点是当前时段；没有发生的也在内")
    today: TallyPoint = Field(description="今天（北京时间）至今")
