"""The rules of the crossing in canonical words: what both regions' messages must fulfil (pure)."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import TYPE_CHECKING

from gateway.canonical.identifiers import birth_date, citizen_id_fault, sex_key, uscc_ok
from gateway.canonical.kinds import Kind, TraceKind
from gateway.canonical.worktime import add_months
from gateway.mapping.fieldmap import ITEM

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.mapping.fieldmap import Reading
    from gateway.mapping.items import ItemVersion

CITIZEN, HONG_KONG, MACAO = "01", "04", "05"
MATERIAL_KINDS, RESULT, SETTLEMENT = frozenset({"material", "result"}), "result", "settlement"
POOLED_SHARE = Decimal("0.12")
UNITS = {"工作日": "workday", "日": "day", "月": "month"}
NO_RULE = "没有在受理日生效的互认规则，报文已挂起；补充规则后即可放行"


def apply_rules(reading: Reading, form: str) -> None:
    """Check and complete a reading. Source: crossing §2 to §4; adds findings, derived leaves, warnings."""
    for rule in _BY_KIND[reading.kind]:
        rule(reading)
    if reading.kind.opens_case:
        _item(reading, form)


# --- person (M16, M17, M18) ---


def _identity(reading: Reading) -> None:
    leaf, id_type = reading.leaves.get("applicant.id_no"), reading.value("applicant.id_type")
    if leaf is None or leaf.path is None:
        return
    number = leaf.value
    if id_type in {HONG_KONG, MACAO}:
        number = number.upper()
    elif id_type == CITIZEN:
        number = number.replace("x", "X")
        reason = citizen_id_fault(number)
        if reason is not None:
            reading.refuse(leaf.path, reason)
            return
    if number != leaf.value:
        rule = "M17" if id_type == CITIZEN else "M18"
        reading.leaves["applicant.id_no"] = leaf._replace(value=number, rule=rule, kind=TraceKind.CONVERTED)
    if id_type == CITIZEN:
        _from_number(reading, number)


def _from_number(reading: Reading, number: str) -> None:
    for name, meant in (("applicant.birth_date", birth_date(number)), ("applicant.sex", sex_key(number))):
        said = reading.value(name)
        if said is not None and said != meant:
            reading.warn(name, "M17")
        elif reading.is_absent(name):
            reading.derive(name, meant, "M16", source="applicant.id_no")


def _uscc(reading: Reading) -> None:
    code = reading.value("employer.uscc")
    if code is not None and not uscc_ok(code):
        reading.warn("employer.uscc", "M20")


# --- item (M2, M12, M16, M21) ---


def _item(reading: Reading, form: str) -> None:
    item = reading.value("item")
    if item is None:
        return
    items, on = reading.sight.tables.items, reading.sight.on
    if any(version.form != form for version in items.versions(item)):
        reading.refuse(reading.path("item"), "事项与报文种类不符，请用该事项对应的报文提交", ITEM)
    version = items.version(item, on)
    if version is None:
        reading.park(
            reading.path("item"), "1007", "受理日没有生效的事项版本，报文已挂起；请核对受理日期或事项目录"
        )
    else:
        _opened(reading, item)
        _allowed(reading, version)
        _limit(reading, version)
    if reading.kind is Kind.TRANSFER_APPLY:
        _settlement(reading, item)
    if reading.kind is Kind.CERTIFICATION_NOTICE:
        _certification_rule(reading, item)
    recognise_materials(reading, item)


def _opened(reading: Reading, item: str) -> None:
    """No version of the item is in force for crossing while a side's guide keeps it closed."""
    sight = reading.sight
    if not sight.tables.guides.is_open(item, sight.on, (sight.sender, sight.receiver)):
        reading.park(
            reading.path("item"),
            "1007",
            "该事项在受理日尚未开通跨省办理，报文已挂起；两地指南一致并开通后即可放行",
        )


def _allowed(reading: Reading, version: ItemVersion) -> None:
    scheme, applicant = reading.value("scheme"), reading.value("applicant.type")
    if scheme is not None and version.schemes and scheme not in version.schemes:
        reading.refuse(reading.path("scheme"), "该事项不办理这一险种，请核对事项或险种", ITEM)
    if applicant is not None and applicant not in version.applicants:
        reading.refuse(reading.path("applicant.type"), "该事项不受理这一类申请人，请核对申请人类型", ITEM)


def _limit(reading: Reading, version: ItemVersion) -> None:
    if reading.kind is Kind.CERTIFICATION_NOTICE:  # a finished act has no limit
        return
    value, unit = version.promised.value, UNITS[version.promised.unit]
    for name, promised in (("value", value), ("unit", unit)):
        claimed = reading.value(f"_claimed.{name}")
        if claimed is not None and claimed != promised:
            reading.mark_lossy(f"_claimed.{name}")
        reading.derive(f"limit.{name}", promised, "M12")


def _settlement(reading: Reading, item: str) -> None:
    sight = reading.sight
    rule = sight.tables.rules.find(
        frozenset({SETTLEMENT}),
        "periodic_settlement",
        issued_by=sight.sender,
        accepted_by=sight.receiver,
        item=item,
        on=sight.on,
    )
    settled = "false" if rule is None else "true"
    if reading.value("_settlement") not in {None, settled}:
        reading.mark_lossy("_settlement")
    reading.derive("periodic_settlement", settled, "M16")


def _certification_rule(reading: Reading, item: str) -> None:
    sight = reading.sight
    rule = sight.tables.rules.find(
        frozenset({RESULT}),
        "certification",
        issued_by=sight.sender,
        accepted_by=sight.receiver,
        item=item,
        on=sight.on,
    )
    if rule is None:
        reading.park(reading.path("item"), "1002", NO_RULE)


def recognise_materials(reading: Reading, item: str) -> None:
    """What the receiver accepts for each material issued (crossing §3.3). Errors: park 1002."""
    sight = reading.sight
    for number in range(reading.counts.get("materials", 0)):
        issued = reading.leaves.get(f"materials[{number}].type")
        if issued is None:
            continue
        rule = sight.tables.rules.find(
            MATERIAL_KINDS,
            issued.value,
            issued_by=sight.sender,
            accepted_by=sight.receiver,
            item=item,
            on=sight.on,
        )
        if rule is None:
            reading.park(issued.path or "", "1002", NO_RULE)
            continue
        kind = TraceKind.CONVERTED if rule.accepted_as == rule.subject else TraceKind.LOSSY
        accepted = issued._replace(value=rule.accepted_as, rule=rule.rule_id, kind=kind)
        reading.leaves[f"materials[{number}].accepted_as"] = accepted
        reading.covered.add(f"materials[{number}].type")


def _case_materials(reading: Reading) -> None:
    if reading.sight.case is not None:
        recognise_materials(reading, reading.sight.case.item)


# --- the kinds ---


def _employer(reading: Reading) -> None:
    if reading.value("applicant.type") != "employer":
        return
    for name in ("employer.name", "employer.uscc"):
        if reading.is_absent(name):
            reading.refuse(reading.path(name), "申请人为单位时必须填写单位名称和统一社会信用代码")


def valid_to(certified_on: date) -> date:
    """Twelve months, day clamped, less a day (crossing M16): 2028-02-29 → 2029-02-27."""
    return add_months(certified_on, 12) - timedelta(days=1)


def _certification(reading: Reading) -> None:
    moment = reading.value("certification.at")
    lasts = None
    if moment is not None and reading.value("certification.alive") == "1":
        lasts = valid_to(moment.date())
        reading.derive("certification.valid_to", lasts, "M16", source="certification.at")
    if "_valid_to" in reading.leaves and reading.value("_valid_to") != lasts:
        reading.mark_lossy("_valid_to")


def _same_case(reading: Reading) -> None:
    """The sheet is about the case's person and scheme (crossing §4.2)."""
    case = reading.sight.case
    if case is None:
        return
    for name, meant in (
        ("applicant.id_no", case.applicant.get("id_no")),
        ("applicant.name", case.applicant.get("name")),
        ("scheme", case.scheme),
    ):
        leaf = reading.leaves.get(name)
        if leaf is None or not meant:
            continue
        if _capital(name, leaf.value) != _capital(name, meant):
            reading.refuse(leaf.path or name, "与办件申请时的内容不一致，请核对是否为同一办件")


def _capital(name: str, written: str) -> str:
    """Small letters of an identity number are no difference (crossing M17, M18)."""
    return written.upper() if name == "applicant.id_no" else written


def _sheet(reading: Reading) -> None:
    amounts = [reading.value(f"amounts.{n}") for n in ("before_1998", "after_1998", "current_year")]
    account, pooled, total = (reading.value(f"amounts.{n}") for n in ("account", "pooled", "total"))
    if account is not None and None not in amounts and account != sum(amounts):
        reading.refuse(reading.path("amounts.account"), "个人账户转移额应等于三项账户累计之和")
    if None not in (account, pooled, total) and total != account + pooled:
        reading.refuse(reading.path("amounts.total"), "转移总额应等于个人账户转移额与统筹转移额之和")
    start, end = reading.value("insured.from"), reading.value("insured.to")
    if start is not None and end is not None and start > end:
        reading.refuse(reading.path("insured.to"), "缴费终止不能早于缴费开始")
    _years(reading)


def _years(reading: Reading) -> None:
    rows = range(reading.counts.get("years", 0))
    for row in rows:
        first, last, months = (
            reading.value(f"years[{row}].{n}") for n in ("from_month", "to_month", "months")
        )
        if first is None or last is None:
            continue
        if first > last:
            reading.refuse(reading.path(f"years[{row}].to_month"), "本行终止月不能早于起始月")
        elif months is not None and months > _span(first, last):
            reading.refuse(reading.path(f"years[{row}].months"), "本行月数超过起止月之间的月数")
    for before, row in pairwise(rows):
        last, first = reading.value(f"years[{before}].to_month"), reading.value(f"years[{row}].from_month")
        if last is not None and first is not None and first <= last:
            reading.refuse(reading.path(f"years[{row}].from_month"), "年度明细应按时间升序且互不重叠")
    counted = [reading.value(f"years[{row}].months") for row in rows]
    insured = reading.value("insured.months")
    if insured is not None and None not in counted and sum(counted) > insured:
        reading.refuse(reading.path("insured.months"), "年度明细月数之和超过实际缴费月数")
    _look_at_sums(reading, rows)


def _look_at_sums(reading: Reading, rows: range) -> None:
    """The 12 % share and the running balance are for staff only: a warning, never a refusal."""
    if reading.refused:
        return
    base = sum(
        (
            reading.value(f"years[{row}].base_total")
            for row in rows
            if reading.value(f"years[{row}].year") >= 1998
        ),
        Decimal(0),
    )
    if (base * POOLED_SHARE).quantize(Decimal("0.01")) != reading.value("amounts.pooled"):
        reading.warn("amounts.pooled", "M3")
    for before, row in pairwise(rows):
        grown = reading.value(f"years[{before}].balance")
        grown += reading.value(f"years[{row}].principal") + reading.value(f"years[{row}].interest")
        if grown != reading.value(f"years[{row}].balance"):
            reading.warn(f"years[{row}].balance", "M3")


def _span(first: str, last: str) -> int:
    """Months from ``2026-12`` to ``2028-04``, both included."""
    return (int(last[:4]) - int(first[:4])) * 12 + int(last[5:]) - int(first[5:]) + 1


def ceiling(total_months: int) -> int:
    """Most months of benefit by months contributed (crossing §4.4); below 12 none."""
    if total_months < 12:
        return 0
    return 12 if total_months < 60 else 18 if total_months < 120 else 24


def _benefit(reading: Reading) -> None:
    paid, total, entitled, remaining = (
        reading.value(f"benefit.{n}") for n in ("paid_months", "total_months", "entitled", "remaining")
    )
    scheme, first, last = (reading.value(f"benefit.{n}") for n in ("scheme", "from", "to"))
    if scheme is not None and scheme != "210":
        reading.refuse(reading.path("benefit.scheme"), "失业保险金答复的险种只能是失业保险")
    if None not in (paid, total) and paid > total:
        reading.refuse(reading.path("benefit.paid_months"), "本次缴费月数不能大于累计缴费月数")
    if total is not None and total < 12:
        reading.refuse(reading.path("benefit.total_months"), "累计缴费不足 12 个月，不能享受失业保险金")
    elif None not in (total, entitled) and entitled > ceiling(total):
        reading.refuse(reading.path("benefit.entitled"), "应享受月数超过累计缴费月数对应的上限")
    if None not in (entitled, remaining) and remaining > entitled:
        reading.refuse(reading.path("benefit.remaining"), "剩余可享受月数不能大于应享受月数")
    if None not in (first, last, remaining) and _span(first, last) != remaining:
        reading.refuse(reading.path("benefit.to"), "起止年月之间的月数（含首尾）应等于剩余可享受月数")


_APPLICANT: tuple[Callable[[Reading], None], ...] = (_identity, _uscc)
_BY_KIND: dict[Kind, tuple[Callable[[Reading], None], ...]] = {
    Kind.TRANSFER_APPLY: _APPLICANT,
    Kind.TRANSFER_SHEET: (_same_case, _sheet),
    Kind.UNEMPLOYMENT_CLAIM: _APPLICANT,
    Kind.UNEMPLOYMENT_ANSWER: (_benefit,),
    Kind.CERTIFICATION_NOTICE: (*_APPLICANT, _certification),
    Kind.GENERAL_APPLY: (*_APPLICANT, _employer),
    Kind.STATUS_REPORT: (),
    Kind.MATERIAL_SUPPLEMENT: (_case_materials,),
    Kind.CASE_WITHDRAW: (),
    Kind.CASE_RATING: (),
}
