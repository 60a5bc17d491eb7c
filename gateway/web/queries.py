"""Query parameters of the JSON API: unknown ones and values out of range are errors (gateway §1, §2)."""

from __future__ import annotations

import re
from datetime import date, datetime, time
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from gateway.canonical.kinds import State
from gateway.web.openapi import REGIONS
from gateway.web.views import BEIJING

# A "+" in a query string arrives as a blank when the sender did not escape it.
_LOST_PLUS = re.compile(r"(?<=\d) (?=\d\d:?\d\d$)")


def _absent(value: Any) -> Any:
    return None if value == "" else value


def _start(value: Any) -> Any:
    return _moment(value, last=False)


def _end(value: Any) -> Any:
    return _moment(value, last=True)


def _moment(value: Any, *, last: bool) -> Any:
    """An aware moment; a day is its first moment in Beijing, as an end its last."""
    if not isinstance(value, str) or not value:
        return None
    try:
        on = date.fromisoformat(value) if len(value) == 10 else None
        at = (
            datetime.fromisoformat(_LOST_PLUS.sub("+", value)) if on is None else datetime.combine(on, time())
        )
    except ValueError:
        raise ValueError("须为 yyyy-MM-dd 或带时区的时间，例如 2026-11-23T15:42:10+08:00") from None
    if not 1900 <= at.year < 2900:
        raise ValueError("年份须在 1900 至 2899 之间")
    if on is not None:
        return datetime.combine(on, time.max if last else time.min, BEIJING)
    if at.tzinfo is None:
        raise ValueError("时间须带时区，例如 2026-11-23T15:42:10+08:00")
    return at


# PostgreSQL has no place for NUL in a text, and no number of ours has a control character.
_Word = Annotated[str, Field(max_length=200, pattern=r"^[^\x00-\x1f]*$")]
_YEARS = r"^(19|2[0-8])[0-9]{2}-"
_DAY_OR_TIME = WithJsonSchema(
    {
        "oneOf": [
            {"type": "string", "format": "date", "pattern": _YEARS},
            {"type": "string", "format": "date-time", "pattern": _YEARS},
        ],
        "example": "2026-11-23",
    }
)
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def _written(value: Any) -> Any:
    """Only as text: a number would be taken for seconds since 1970."""
    if not isinstance(value, str) or not _DAY.fullmatch(value):
        raise ValueError("须为 yyyy-MM-dd")
    return value


#: a day, as JSON and queries write it
Day = Annotated[date, BeforeValidator(_written)]
_Code = Annotated[str, Field(pattern=r"^\d{6}$")]
_Text = Annotated[_Word | None, BeforeValidator(_absent)]
#: the document lists them; what is not among them is answered in words
_Slug = Annotated[str, Field(json_schema_extra={"enum": REGIONS})]
_Region = Annotated[_Slug | None, BeforeValidator(_absent)]
_Division = Annotated[_Code | None, BeforeValidator(_absent)]


class _Query(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)


class NoQuery(_Query):
    """For requests that take none."""


class PageQuery(_Query):
    """Keyset paging."""

    limit: Annotated[int, Field(ge=1, le=200)] = Field(default=50, description="每页条数，1–200")
    after: _Text = Field(default=None, description="上一页返回的 next")


class DeliveryQuery(PageQuery):
    """Filters of the list of open deliveries."""

    state: Annotated[
        Literal["behind", "ready", "sending", "parked", "dead", "refused"] | None, BeforeValidator(_absent)
    ] = Field(default=None, description="只看这种状态", examples=["dead"])
    destination: _Text = Field(default=None, description="只看这个去向", examples=["{target}"])


class CaseQuery(PageQuery):
    """Filters of the case list."""

    region: _Region = Field(default=None, description="来源地区", examples=["{origin}"])
    division: _Division = Field(default=None, description="来源地区划（六位代码）", examples=["510104"])
    item: _Text = Field(default=None, description="事项代号", examples=["pension_transfer"])
    state: Annotated[State | None, BeforeValidator(_absent)] = Field(
        default=None, description="状态代码", examples=["22"]
    )
    channel: _Text = Field(default=None, description="收件渠道的代号（配置中的 name）", examples=["bank"])
    origin_case_no: _Text = Field(
        default=None, description="来源地的办件编号", examples=["510104-20261123-000017"]
    )
    received_from: Annotated[datetime | None, BeforeValidator(_start), _DAY_OR_TIME] = Field(
        default=None,
        description="收件不早于（日期或带时区的时间，含）",
        examples=["2026-11-23"],
    )
    received_to: Annotated[datetime | None, BeforeValidator(_end), _DAY_OR_TIME] = Field(
        default=None, description="收件不晚于（日期或带时区的时间，含）", examples=["2026-11-23"]
    )


class TallyQuery(_Query):
    """Which curve."""

    span: Literal["1h", "24h", "30d"] = Field(
        default="1h",
        description="时段：1h 每分钟一点，24h 每小时一点，30d 每天一点（北京时间）",
        examples=["24h"],
    )
    origin: _Text = Field(default=None, description="报文的发送地区", examples=["{origin}"])
    destination: _Text = Field(default=None, description="报文的接收地区", examples=["{target}"])
    item: _Text = Field(default=None, description="事项代号", examples=["pension_transfer"])
    kind: _Text = Field(default=None, description="报文类别", examples=["transfer.apply"])


class ItemQuery(_Query):
    """The day whose versions are shown."""

    on: Annotated[Day | None, BeforeValidator(_absent)] = Field(
        default=None, description="日期，缺省为今天（北京时间）", examples=["2026-11-23"]
    )


class ExplainQuery(_Query):
    """Time travel: another day, another set of tables."""

    on: Annotated[Day | None, BeforeValidator(_absent)] = Field(
        default=None, description="按这一天有效的行重译，缺省为受理日", examples=["2026-11-23"]
    )
    set_: _Text = Field(
        default=None,
        alias="set",
        description="按这套表重译：active、packaged 或已入库版本的摘要，缺省为现用的",
        examples=["active"],
    )


class TranslateQuery(_Query):
    """The frame of a dry run."""

    sender: _Word = Field(alias="from", description="报文的发送地区，或收件渠道的代号", examples=["{origin}"])
    context: Annotated[str | None, BeforeValidator(_absent)] = Field(
        default=None, description="办件上下文：JSON 对象的 URL 安全 base64，不带填充"
    )
    target_division: _Division = Field(
        default=None, description="接收机构的区划（六位代码）", examples=["500103"]
    )
