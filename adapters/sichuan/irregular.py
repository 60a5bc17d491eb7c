"""What no row of an SC-N map can say, both ways. Sources: SC-N §6, crossing §2 to §5."""

from __future__ import annotations

from datetime import date, datetime, time
from decimal import ROUND_HALF_UP, Decimal

from gateway.canonical.kinds import TraceKind
from gateway.errors import Finding
from gateway.mapping.amounts import MAX_MONEY
from gateway.mapping.converters import no_row
from gateway.mapping.fieldmap import Fault, Held, Leaf, Reading, TraceEntry, Writing
from gateway.mapping.times import CHINA

SLUG = "sichuan"
CENT = Decimal("0.01")
#: special-procedure codes that may stand with blzt 08 (crossing §5.1); 4 stands with 06
SUSPENDING = frozenset({"1", "2", "3", "5"})
GATEWAY_HANDLER = ("CYTB", "川渝通办网关")


# --- heads ---


def read_key(reading: Reading) -> None:
    """The prefix of aaz002 tells the directions apart (SC-N §2)."""
    key = reading.taken("aaz002")
    if reading.sight.door and key and key.startswith("TB"):
        reading.refuse("aaz002", "以 TB 开头的业务日志号只由通办网关使用，请改用 SC 开头的日志号")


def read_new_case(reading: Reading) -> None:
    """Serials that begin with 9 are minted by the gateway (crossing §3.1)."""
    number = reading.taken("affairCode")
    if number is None:
        return
    if number[16:17] == "9":
        reading.refuse("affairCode", "以 9 开头的办件顺序号只由通办网关编制，请使用本系统的办件编号")
    reading.leaves["origin_case_no"] = Leaf(number, None, number, "M22", TraceKind.EXACT)


def read_item(reading: Reading) -> None:
    """The first segment of itemCode decides (crossing M21)."""
    written = reading.taken("itemCode")
    if written is None:
        return
    item = reading.sight.tables.items.by_code(SLUG, written.split("-", 1)[0])
    if item is None:
        reading.park("itemCode", "1005", "事项目录中没有这个事项编码，报文已挂起；请核对事项编码或补充目录")
        return
    reading.put("item", item, "itemCode", "M21")


def read_own_division(reading: Reading) -> None:
    """aab301 repeats yab003."""
    own, repeated = reading.spelt("origin.division"), reading.taken("param.aab301")
    if own is not None and repeated is not None and repeated != own:
        reading.refuse("param.aab301", "本机构区划应与经办机构区划 yab003 一致")


def read_accepted(reading: Reading) -> None:
    """Accepted time: aae036, else aae035 at midnight (crossing M7a)."""
    day: date | None = reading.taken("param.aae035")
    moment: datetime | None = reading.taken("param.aae036")
    if moment is not None:
        if day is not None and moment.date() != day:
            reading.refuse("param.aae036", "受理时间的日期应与受理日期 aae035 相同")
        reading.put("accepted_at", moment, "param.aae036", "M7")
    elif day is not None:
        midnight = datetime.combine(day, time(), CHINA)
        reading.put("accepted_at", midnight, "param.aae035", "M7a", TraceKind.LOSSY)


def read_state(reading: Reading) -> None:
    """aae035 is the acceptance, but for a tbty0001 that is only received (crossing §3.1)."""
    received_only = reading.taken("param.sjbz") == "1"
    state = "10" if received_only else "20"
    reading.leaves["_state"] = Leaf(state, None, None, "M13", TraceKind.DERIVED)
    reading.drop("param.sjbz", "M13")


def read_identity(reading: Reading) -> None:
    """aac002 repeats param.aac147, but for a small x (crossing M17)."""
    repeated, number = reading.taken("aac002"), reading.value("applicant.id_no")
    if repeated is not None and number is not None and _capital(repeated) != _capital(number):
        reading.refuse("aac002", "社会保障号码应与证件号码 param.aac147 一致")


def _capital(number: str) -> str:
    return number.replace("x", "X")


def read_case_number(reading: Reading) -> None:
    """An echoed cytbh must be the case's own (crossing §3.1)."""
    echoed, case = reading.taken("cytbh"), reading.sight.case
    if echoed and case is not None and echoed != case.case_no:
        reading.refuse("cytbh", "通办编号属于另一办件，请核对 cytbh 与 affairCode", "9044")


def write_heads(writing: Writing) -> None:
    heads = writing.heads
    writing.give("aaz002", heads.key)
    writing.give("affairCode", heads.case_ref)
    writing.give("cytbh", heads.case_no)


def write_application_heads(writing: Writing) -> None:
    """ItemCode = base-{yab003}000000-000-uscc-1-00 of the receiving agency (crossing M21)."""
    tables, division = writing.sight.tables, writing.value("target.division")
    agency = tables.agencies.of(division)
    base = tables.items.code_of(writing.value("item"), SLUG)
    if agency is not None and base is not None:
        written = f"{base}-{division}000000-000-{agency.uscc}-1-00"
        writing.say("itemCode", written, "item", "M21")
    writing.give("aae011", GATEWAY_HANDLER[0])
    writing.give("aae414", GATEWAY_HANDLER[1])
    writing.give("aac001", "")
    writing.also("aac002", writing.value("applicant.id_no"), "applicant.id_no")
    writing.give("param.aab301", division)


def write_accepted(writing: Writing) -> None:
    moment: datetime | None = writing.value("accepted_at")
    if moment is None:
        return
    local = moment.astimezone(CHINA)
    writing.say("param.aae036", local.strftime("%Y%m%d%H%M%S"), "accepted_at", "M7")
    writing.also("param.aae035", int(local.strftime("%Y%m%d")), "accepted_at")


# --- materials (M9) ---


def read_materials(reading: Reading) -> None:
    """Clmc and dzzz are display and repetition: dropped, traced when they say something else."""
    words = reading.sight.tables.codes(SLUG, "material")
    for number in range(reading.counts.get("materials", 0)):
        base = f"param.clist[{number}]"
        issued = reading.leaves.get(f"materials[{number}].type")
        row = words.read(issued.before) if issued and issued.before else None
        if row is not None and reading.taken(f"{base}.clmc") != row.name:
            reading.drop(f"{base}.clmc", "M9")
        electronic = reading.taken(f"{base}.dzzz") == "1"
        method = reading.value(f"materials[{number}].method")
        reading.drop(f"{base}.dzzz", "M9", lossy=electronic != (method == "e_licence"))


def write_materials(writing: Writing) -> None:
    words = writing.sight.tables.codes(SLUG, "material")
    for number in range(writing.counts.get("materials", 0)):
        base = f"param.clist[{number}]"
        row = words.write(writing.value(f"materials[{number}].accepted_as") or "")
        if row is not None:
            writing.give(f"{base}.clmc", row.name)
        electronic = writing.value(f"materials[{number}].method") == "e_licence"
        writing.give(f"{base}.dzzz", "1" if electronic else "0")


# --- tbzy0001 ---


def read_transfer(reading: Reading) -> None:
    """aac070 is Sichuan's view: 2 into yab003, 1 out of it into yac250 (crossing M15)."""
    direction = reading.value("_direction")
    own, peer = reading.leaves.get("origin.division"), reading.leaves.get("target.division")
    new_place = {"in": reading.spelt("origin.division"), "out": reading.spelt("target.division")}.get(
        direction or ""
    )
    if new_place is not None and reading.taken("param.aab299") != new_place:
        reading.refuse("param.aab299", "转入地区划应为：转入时等于 yab003，转出时等于 param.yac250")
    reading.drop("param.aab299", "M15")
    if direction == "in" and reading.is_absent("contact_letter.no"):
        reading.refuse("param.lxh", "转入地发起的申请必须附联系函")
    if direction and own is not None and peer is not None:
        old, new = (peer, own) if direction == "in" else (own, peer)
        reading.leaves["transfer.from_division"] = old
        reading.leaves["transfer.to_division"] = new
        reading.covered |= {"origin.division", "target.division"}
    name = reading.taken("param.yac256")
    place = reading.sight.tables.divisions.by_code(peer.value, reading.sight.on) if peer else ""
    if name is not None and (isinstance(place, str) or name != place.full_name):
        reading.drop("param.yac256", "M8")
    reading.drop("param.yac251", "M8")


def write_transfer(writing: Writing) -> None:
    into_own = (writing.value("transfer.to_division") or "").startswith("51")
    own, peer = writing.value("target.division"), writing.value("origin.division")
    place = writing.sight.tables.divisions.by_code(peer, writing.sight.on)
    writing.give("param.aab299", own if into_own else peer)
    if not isinstance(place, str):
        writing.derive("param.yac256", place.full_name, "M8", "origin.division")
    agency = writing.sight.tables.agencies.of(peer)
    if agency is not None:
        writing.derive("param.yac251", agency.name, "M8", "origin.division")
    writing.derive("param.aae173", "10", "M22")
    writing.used |= {"transfer.from_division", "transfer.to_division"}


# --- tbzy0002 ---


def read_years(reading: Reading) -> None:
    """Months lie within their year; the yearly sum is exact when yae181 says so (crossing M6)."""
    case = reading.sight.case
    for number in range(reading.counts.get("years", 0)):
        base, to = f"param.ic91[{number}]", f"years[{number}]"
        year = reading.value(f"{to}.year")
        if year is not None and year > 2099:
            reading.refuse(f"{base}.aae001", "年度应在 1900 至 2099 之间")
        for native, name in (("aae041", "from_month"), ("aae042", "to_month")):
            month = reading.value(f"{to}.{name}")
            if month is not None and year is not None and month[:4] != str(year):
                reading.refuse(f"{base}.{native}", "年月应在本行年度 aae001 之内")
        if case is not None and reading.value(f"{to}.division") != case.old_place:
            reading.mark_lossy(f"{to}.division")
        _read_base(reading, base, to)


def _read_base(reading: Reading, base: str, to: str) -> None:
    monthly, total = reading.taken(f"{base}.aae180"), reading.taken(f"{base}.yae181")
    months = reading.value(f"{to}.months")
    if monthly is None or months is None:
        return
    if total is None and monthly * months > MAX_MONEY:
        reading.refuse(f"{base}.aae180", "月缴费基数乘以月数超过 12 位（分），请核对后重新提交")
    elif total is not None and (total / months).quantize(CENT, ROUND_HALF_UP) != monthly:
        reading.refuse(f"{base}.yae181", "年缴费基数合计除以月数（四舍五入到分）应等于 aae180")
    reading.put(f"{to}.base", monthly, f"{base}.aae180", "M6")
    source = f"{base}.aae180" if total is None else f"{base}.yae181"
    reading.put(f"{to}.base_total", monthly * months if total is None else total, source, "M6")
    reading.covered.add(f"{to}.base_total")


def write_years(writing: Writing) -> None:
    for number in range(writing.counts.get("years", 0)):
        base, to = f"param.ic91[{number}]", f"years[{number}]"
        monthly, total = writing.value(f"{to}.base"), writing.value(f"{to}.base_total")
        exact = monthly * writing.value(f"{to}.months") == total
        kind = TraceKind.CONVERTED if exact else TraceKind.LOSSY
        writing.say(f"{base}.aae180", monthly, f"{to}.base", "M6", kind)
        writing.used.add(f"{to}.base_total")
        if not exact:
            writing.give(f"{base}.yae181", total)


def read_period(reading: Reading) -> None:
    """The other side only says months: other days than the first and the last are lost (M7b)."""
    first, last = reading.value("insured.from"), reading.value("insured.to")
    if first is not None and first.day != 1:
        reading.mark_lossy("insured.from")
    if last is not None and last != last_day(last):
        reading.mark_lossy("insured.to")


def last_day(day: date) -> date:
    following = date(day.year + day.month // 12, day.month % 12 + 1, 1)
    return date.fromordinal(following.toordinal() - 1)


def write_sheet(writing: Writing) -> None:
    """Settlement interest is already inside aic089."""
    interest = writing.leaves.get("_settlement_interest")
    if interest is not None:
        entry = TraceEntry(interest.path, "param.aic089", "M3", TraceKind.LOSSY, interest.before, None)
        writing.trace.append(entry)
        writing.used.add("_settlement_interest")


# --- tbsy0001, tbrz0001 ---


def read_contract_end(reading: Reading) -> None:
    end = reading.taken("param.abc916")
    reading.drop("param.abc916", "M7", lossy=end != reading.value("unemployment.date"))


def write_contract_end(writing: Writing) -> None:
    lost: date | None = writing.value("unemployment.date")
    if lost is not None:
        writing.derive("param.abc916", int(lost.strftime("%Y%m%d")), "M7", "unemployment.date")


def read_certification(reading: Reading) -> None:
    """bic162 repeats the date of aae036; a certification is a finished act."""
    leaf, day = reading.leaves.get("certification.at"), reading.taken("param.bic162")
    if leaf is not None:
        if day is not None and leaf.value.date() != day:
            reading.refuse("param.bic162", "认证日期应等于认证时间 aae036 的日期")
        reading.leaves["accepted_at"] = leaf
        reading.covered.add("accepted_at")
    reading.leaves["_state"] = Leaf("40", None, None, "M13", TraceKind.DERIVED)


def write_certification(writing: Writing) -> None:
    moment: datetime = writing.value("certification.at")
    writing.give("param.bic162", int(moment.astimezone(CHINA).strftime("%Y%m%d")))
    writing.used.add("accepted_at")


# --- tbzt0001 (M13) ---


def read_status(reading: Reading) -> None:
    """Blzt with tbcx names the state; unknown words park, impossible pairs are refused."""
    held = reading.held.get("param.blzt")
    if held is None:
        return
    word, special = held.value, reading.taken("param.tbcx")
    tables = reading.sight.tables
    if word not in tables.codes(SLUG, "status").words():
        reading.park("param.blzt", "1006", "办件状态代码不在状态码表中，报文已挂起")
    known = special is None or tables.codes(SLUG, "special_procedure").read(special) is not None
    if not _pair_stands(word, special, known=known):
        reading.refuse(
            "param.tbcx", "特别程序：blzt 为 08 时必填 1、2、3、5 之一，为 06 时只可填 4，其他状态不填"
        )
    elif not known:
        reading.park("param.tbcx", "1006", "特别程序代码不在码表中，报文已挂起")
    row = tables.codes(SLUG, "status").read(f"{word}|{special or ''}")
    if row is None:
        return
    before = word if special is None else f"{word}|{special}"
    reading.held["param.blzt"] = Held(word, before)
    state, _, procedure = row.key.partition("|")
    kind = TraceKind.LOSSY if row.one_way else TraceKind.CONVERTED
    reading.put("status.state", state, "param.blzt", "M13", kind)
    if procedure:
        reading.put("status.special", procedure, "param.tbcx", "M13", kind)
        reading.covered.add("status.special")
    if state in {"11", "21", "31", "41"} and reading.is_absent("status.reason"):
        reading.refuse("param.blyy", "补正告知、不予受理、挂起补正和退件必须写明原因")


def _pair_stands(word: str, special: str | None, *, known: bool) -> bool:
    """Whether the two may stand together; a special code no table knows may be any."""
    if special is None:
        return word != "08"
    if word == "08":
        return special in SUSPENDING or not known
    return word == "06" and (special == "4" or not known)


def write_status(writing: Writing) -> None:
    state, special = writing.value("status.state"), writing.value("status.special")
    row = writing.sight.tables.codes(SLUG, "status").write(f"{state}|{special}" if special else state)
    if row is None:
        raise_for(writing, "status.state")
        return
    writing.compose(("param.blzt", "param.tbcx"), row, "status.state", "M13")


def raise_for(writing: Writing, canonical: str) -> None:
    """Park: this side has no word for the state."""
    fault: Fault = no_row("status")
    path = writing.leaves[canonical].path or canonical
    writing.findings.append(Finding(path, "1006", fault.text, fault.level))
