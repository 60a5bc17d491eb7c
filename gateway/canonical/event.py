"""The canonical model: one frozen, strict value per message kind, in neither side's words.

Values: codes are hub keys, money and rates Decimal (元, share of 1), dates plain dates, months
``yyyy-MM``, times aware; divisions six digits. Source: spec gateway §4, crossing tables.
"""

from __future__ import annotations

import datetime as dt
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PlainSerializer

_CHINA = timezone(timedelta(hours=8))


def _aware(moment: datetime) -> datetime:
    if moment.utcoffset() is None:
        raise ValueError("a time needs its offset")
    return moment


Division = Annotated[str, Field(pattern=r"^\d{6}$")]
Month = Annotated[str, Field(pattern=r"^\d{4}-(0[1-9]|1[0-2])$")]
Moment = Annotated[
    datetime,
    AfterValidator(_aware),
    PlainSerializer(lambda t: t.astimezone(_CHINA).isoformat(), str, when_used="json"),
]
Money = Annotated[Decimal, Field(ge=0, le=Decimal("9999999999.99"), decimal_places=2)]
Rate = Annotated[Decimal, Field(ge=0, le=1)]
Months = Annotated[int, Field(ge=0, le=999)]


class Part(BaseModel):
    """A frozen part; unknown members and wrong types are errors."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", populate_by_name=True)


class Handler(Part):
    no: str | None = None
    name: str | None = None
    division: str | None = None


class Place(Part):
    division: Division


class Limit(Part):
    value: int = Field(ge=0)
    unit: str


class Applicant(Part):
    """Who applies; with ``type`` employer the person is the employer's agent."""

    name: str = Field(repr=False)
    id_type: str
    id_no: str = Field(repr=False)
    type: str | None = None
    local_person_no: str | None = Field(default=None, repr=False)
    sex: str | None = None
    nation: str | None = None
    birth_date: date | None = Field(default=None, repr=False)
    nationality: str | None = None
    hukou_type: str | None = None
    hukou_place: str | None = Field(default=None, repr=False)
    mobile: str | None = Field(default=None, repr=False)


class Employer(Part):
    name: str | None = None
    uscc: str | None = None


class Material(Part):
    """A material as issued and as what the receiver accepts it."""

    type: str
    accepted_as: str
    method: str
    licence_ref: str | None = None
    file_ref: str | None = None


class ContactLetter(Part):
    no: str
    bank: str | None = None
    bank_no: str | None = None
    acc_name: str | None = None
    acc_no: str | None = Field(default=None, repr=False)
    addr: str | None = None
    post: str | None = None
    tel: str | None = None


class Transfer(Part):
    from_division: Division
    to_division: Division


class Insured(Part):
    first_month: Month
    from_: date = Field(alias="from")
    to: date
    months: Months
    deemed_months: Months


class Year(Part):
    """A contribution year; ``division`` where it was paid, ``base`` monthly 元, ``base_total`` the exact sum over ``months``."""

    division: str | None = Field(default=None, pattern=r"^\d{6}$")
    year: int = Field(ge=1900, le=2099)
    from_month: Month
    to_month: Month
    months: int = Field(ge=1, le=12)
    base: Money
    base_total: Decimal = Field(ge=0)
    rate: Rate
    principal: Money
    interest: Money
    balance: Money


class Amounts(Part):
    before_1998: Money
    after_1998: Money
    current_year: Money
    account: Money
    pooled: Money
    total: Money


class Unemployment(Part):
    date: dt.date
    reason: str
    registered_on: dt.date | None = None
    claim_place: str


class Payment(Part):
    method: str
    bank: str | None = None
    acc_name: str | None = Field(default=None, repr=False)
    acc_no: str | None = Field(default=None, repr=False)


class Benefit(Part):
    scheme: str
    paid_months: Months
    total_months: Months
    entitled: int = Field(ge=1, le=24)
    remaining: int = Field(ge=1, le=24)
    avg_wage: Money
    monthly: Money
    from_: Month = Field(alias="from")
    to: Month
    remark: str | None = None


class Certification(Part):
    at: Moment
    method: str
    alive: str
    valid_to: date | None = None


class ExtraField(Part):
    name: str
    value: str = Field(repr=False)


class Status(Part):
    state: str
    special: str | None = None
    at: Moment
    reason: str | None = None


class Supplement(Part):
    at: Moment


class Withdrawal(Part):
    at: Moment
    reason: str


class Rating(Part):
    score: str
    text: str | None = None
    channel: str
    at: Moment


class Event(Part):
    """What every message has: its kind and the case it belongs to."""

    case_no: str | None = None
    origin_case_no: str | None = None
    handler: Handler | None = None

    def as_json(self) -> dict[str, Any]:
        """The canonical form of gateway §4: absent means no member."""
        return self.model_dump(mode="json", exclude_defaults=True, by_alias=True)

    def as_json_bytes(self) -> bytes:
        """The same, written."""
        return self.model_dump_json(exclude_defaults=True, by_alias=True).encode()


class Application(Event):
    """A message that opens a case (Submission)."""

    item: str
    channel: str
    origin: Place
    target: Place
    accepted_at: Moment
    applicant: Applicant
    scheme: str | None = None
    limit: Limit | None = None
    materials: tuple[Material, ...] = ()
    remark: str | None = None


class TransferApplication(Application):
    kind: Literal["transfer.apply"]
    transfer: Transfer
    contact_letter: ContactLetter | None = None
    periodic_settlement: str


class UnemploymentClaim(Application):
    kind: Literal["unemployment.claim"]
    employer: Employer | None = None
    unemployment: Unemployment
    payment: Payment


class CertificationNotice(Application):
    kind: Literal["certification.notice"]
    certification: Certification


class GeneralApplication(Application):
    kind: Literal["general.apply"]
    employer: Employer | None = None
    fields: tuple[ExtraField, ...] = ()


class SheetPerson(Part):
    name: str | None = Field(default=None, repr=False)
    id_no: str | None = Field(default=None, repr=False)


class InformationSheet(Event):
    kind: Literal["transfer.sheet"]
    applicant: SheetPerson | None = None
    scheme: str
    insured: Insured
    years: tuple[Year, ...] = Field(min_length=1, max_length=60)
    amounts: Amounts
    remark: str | None = None


class ClaimAnswer(Event):
    kind: Literal["unemployment.answer"]
    benefit: Benefit


class StatusChange(Event):
    kind: Literal["status.report"]
    status: Status


class MaterialSupplement(Event):
    kind: Literal["material.supplement"]
    supplement: Supplement
    materials: tuple[Material, ...] = Field(min_length=1)
    remark: str | None = None


class CaseWithdrawal(Event):
    kind: Literal["case.withdraw"]
    withdrawal: Withdrawal


class CaseRating(Event):
    kind: Literal["case.rating"]
    rating: Rating


MODELS: dict[str, type[Event]] = {
    "transfer.apply": TransferApplication,
    "transfer.sheet": InformationSheet,
    "unemployment.claim": UnemploymentClaim,
    "unemployment.answer": ClaimAnswer,
    "certification.notice": CertificationNotice,
    "general.apply": GeneralApplication,
    "status.report": StatusChange,
    "material.supplement": MaterialSupplement,
    "case.withdraw": CaseWithdrawal,
    "case.rating": CaseRating,
}


def event_of(kind: str, nested: dict[str, Any]) -> Event:
    """The frozen event of a nested canonical dict. Errors: pydantic's, a bug of a map, never of a sender."""
    return MODELS[kind].model_validate({"kind": kind, **nested})
