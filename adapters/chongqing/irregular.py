"""What no row of a CQ-N map can say, both ways. Sources: CQ-N §2 to §6, crossing §2 to §5."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

from gateway.canonical.kinds import TraceKind
from gateway.errors import Finding
from gateway.mapping.amounts import in_fen
from gateway.mapping.converters import no_row
from gateway.mapping.fieldmap import Fault, Held, Leaf, Reading, Writing

SLUG, PREFIX = "chongqing", "50"
CENT = Decimal("0.01")
GATEWAY = "CYTB"
BJXX, SQR, YWXX = "BODY/BJXX", "BODY/SQR", "BODY/YWXX"
WAITING = "待办理"
FINISHED, PASSED, FAILED = "已办结", "认证通过", "认证未通过"
RESULTS = frozenset({PASSED, FAILED})
FIRST_STATES = {WAITING: "10", "已受理": "20"}


# --- heads ---


def read_heads(reading: Reading) -> None:
    """FSF, JSF and the prefix of LSH tell the directions apart (CQ-N §3, crossing §7 "heads")."""
    if not reading.sight.door:
        return
    if (reading.taken("HEAD/LSH") or "").startswith("TB"):
        reading.refuse("HEAD/LSH", "以 TB 开头的流水号只由通办网关使用，请改用 CQ 开头的流水号")
    if reading.taken("HEAD/FSF") == GATEWAY:
        reading.refuse("HEAD/FSF", "发送方应为 CQ 加本方区划代码，CYTB 只由通办网关使用")
    if reading.taken("HEAD/JSF") not in {None, GATEWAY}:
        reading.refuse("HEAD/JSF", "发给网关的报文，接收方应为 CYTB")


def read_new_case(reading: Reading) -> None:
    """A case that starts here carries Chongqing's own number (crossing §3.1)."""
    path = f"{BJXX}/SBLSH"
    number = reading.taken(path)
    if number is None:
        return
    if number.startswith(GATEWAY):
        reading.refuse(path, "新办件应使用本系统 CQ 开头的申办流水号，CYTB 编号只由通办网关编制")
    reading.leaves["origin_case_no"] = Leaf(number, None, number, "M22", TraceKind.EXACT)


def read_item(reading: Reading) -> None:
    """The last 12 characters of SXBM decide (crossing M21)."""
    path = f"{BJXX}/SXBM"
    written = reading.taken(path)
    if written is None:
        return
    item = reading.sight.tables.items.by_code(SLUG, written[-12:])
    if item is None:
        reading.park(path, "1005", "事项目录中没有这个事项编码，报文已挂起；请核对事项编码或补充目录")
        return
    reading.put("item", item, path, "M21")


def read_channel(reading: Reading) -> None:
    if reading.is_absent("channel"):
        reading.derive("channel", "gateway", "M1")


def read_state(reading: Reading) -> None:
    """An application is waiting or accepted; other known words do not open a case (crossing §3.1)."""
    path = f"{BJXX}/BJZT"
    word = reading.taken(path)
    if word is None:
        return
    state = FIRST_STATES.get(word)
    if state is not None:
        reading.leaves["_state"] = Leaf(state, None, None, "M13", TraceKind.DERIVED)
    elif _known(reading, word):
        reading.refuse(path, "申请报文的办件状态只能是“待办理”或“已受理”")
    else:
        reading.park(path, "1006", "办件状态用语不在状态码表中，报文已挂起")


def _known(reading: Reading, word: str) -> bool:
    return word in reading.sight.tables.codes(SLUG, "status").words()


def read_promised(reading: Reading) -> None:
    """A limit and its unit stand together (crossing §7 "heads")."""
    value, unit = reading.is_absent("_claimed.value"), reading.is_absent("_claimed.unit")
    if value != unit:
        missing = "CNSX" if value else "CNSXDW"
        reading.refuse(f"{BJXX}/{missing}", "承诺时限与承诺时限单位应同时填写或同时不填")


def write_heads(writing: Writing) -> None:
    heads = writing.heads
    writing.give("HEAD/FSF", GATEWAY)
    writing.give("HEAD/JSF", f"CQ{heads.division}")
    writing.give("HEAD/LSH", heads.key)
    writing.give("HEAD/FSSJ", heads.written_at)
    writing.give(f"{BJXX}/SBLSH", heads.case_ref)


def write_application_heads(writing: Writing) -> None:
    """SXBM = uscc + level of the receiving agency + base code (crossing M21)."""
    tables, item = writing.sight.tables, writing.value("item")
    agency = tables.agencies.of(writing.value("target.division"))
    base = tables.items.code_of(item, SLUG)
    if agency is not None and base is not None:
        writing.say(f"{BJXX}/SXBM", f"{agency.uscc}{agency.level}{base}", "item", "M21")
    writing.also(f"{BJXX}/SXMC", tables.items.name_of(item, SLUG), "item")
    writing.give(f"{BJXX}/BJZT", WAITING)


# --- person (M17, M18) ---


def read_identity(reading: Reading) -> None:
    """ZJLX C stands for two types, told apart by the first letter of the number (crossing M18)."""
    held = reading.held.get(f"{SQR}/ZJLX")
    if held is None:
        return
    words = reading.sight.tables.codes(SLUG, "id_type")
    letter = (reading.value("applicant.id_no") or "")[:1].upper()
    row = words.read(f"{held.value}^{letter}") if held.value == "C" else words.read(held.value)
    if row is None:
        fault = no_row("id_type")
        reading.park(f"{SQR}/ZJLX", fault.code, fault.text)
        return
    kind = TraceKind.LOSSY if row.one_way else TraceKind.CONVERTED
    reading.put("applicant.id_type", row.key, f"{SQR}/ZJLX", "M18" if held.value == "C" else "M1", kind)


def write_identity(writing: Writing) -> None:
    row = writing.sight.tables.codes(SLUG, "id_type").write(writing.value("applicant.id_type") or "")
    if row is None:
        _unsaid(writing, "applicant.id_type", "1001", no_row("id_type"))
        return
    rule = "M18" if row.native == "C" else "M1"
    kind = TraceKind.LOSSY if row.one_way else TraceKind.CONVERTED
    writing.say(f"{SQR}/ZJLX", row.native, "applicant.id_type", rule, kind)


def _unsaid(writing: Writing, canonical: str, code: str, fault: Fault) -> None:
    leaf = writing.leaves.get(canonical)
    writing.findings.append(
        Finding((leaf.path if leaf else None) or canonical, code, fault.text, fault.level)
    )


# --- scheme (M2) ---


def read_scheme(reading: Reading, to: str = "scheme") -> None:
    """XZLX and YLLX name one scheme together (crossing M2)."""
    first, second = reading.held.get(f"{YWXX}/XZLX"), reading.taken(f"{YWXX}/YLLX")
    if first is None:
        if second is not None:
            reading.refuse(f"{YWXX}/YLLX", "养老类型不能单独填写，请同时填写险种类型")
        return
    if first.value == "1" and second is None:
        reading.refuse(f"{YWXX}/YLLX", "险种类型为 1 时必须填写养老类型")
        return
    if first.value != "1" and second is not None:
        reading.refuse(f"{YWXX}/YLLX", "只有险种类型为 1 时才可填写养老类型，请删除")
        return
    row = reading.sight.tables.codes(SLUG, "scheme").read(f"{first.value}|{second or ''}")
    if row is None:
        fault = no_row("scheme")
        reading.park(f"{YWXX}/{'YLLX' if second else 'XZLX'}", fault.code, fault.text)
        return
    path = f"{YWXX}/XZLX"
    reading.held[path] = Held(first.value, first.value if second is None else f"{first.value}|{second}")
    reading.put(to, row.key, path, "M2", TraceKind.LOSSY if row.one_way else TraceKind.CONVERTED)


def read_benefit_scheme(reading: Reading) -> None:
    read_scheme(reading, "benefit.scheme")


def write_scheme(writing: Writing, source: str = "scheme") -> None:
    key = writing.value(source)
    if key is None:
        return
    row = writing.sight.tables.codes(SLUG, "scheme").write(key)
    if row is None:
        _unsaid(writing, source, "1001", no_row("scheme"))
        return
    writing.compose((f"{YWXX}/XZLX", f"{YWXX}/YLLX"), row, source, "M2")


def write_benefit_scheme(writing: Writing) -> None:
    write_scheme(writing, "benefit.scheme")


# --- materials (M9) ---


def read_materials(reading: Reading) -> None:
    words = reading.sight.tables.codes(SLUG, "material")
    for number in range(reading.counts.get("materials", 0)):
        issued = reading.leaves.get(f"materials[{number}].type")
        row = words.read(issued.before) if issued and issued.before else None
        path = f"BODY/CLLB/CL[{number + 1}]/CLMC"
        if row is not None and reading.taken(path) != row.name:
            reading.drop(path, "M9")


def write_materials(writing: Writing) -> None:
    words = writing.sight.tables.codes(SLUG, "material")
    for number in range(writing.counts.get("materials", 0)):
        row = words.write(writing.value(f"materials[{number}].accepted_as") or "")
        if row is not None:
            writing.give(f"BODY/CLLB/CL[{number + 1}]/CLMC", row.name)


# --- YLZY_SQ ---


def read_transfer(reading: Reading) -> None:
    """ZYFX is Chongqing's view: 转入 means into Chongqing (crossing M15, §4.1)."""
    direction = reading.value("_direction")
    leaving, entering = (
        reading.leaves.get("transfer.from_division"),
        reading.leaves.get("transfer.to_division"),
    )
    if direction is None:
        return
    into_own = direction == "out"  # the key of the list is the other side's view (spec note M15)
    if into_own and reading.is_absent("contact_letter.no"):
        reading.refuse(f"{YWXX}/LXH", "转入地发起的申请必须附联系函")
    own, peer = (entering, leaving) if into_own else (leaving, entering)
    if own is not None and not own.value.startswith(PREFIX):
        reading.refuse(own.path or "", "转移方向与转出地、转入地不符：这一处应为本方区划")
    if peer is not None and peer.value.startswith(PREFIX):
        reading.refuse(peer.path or "", "转移方向与转出地、转入地不符：这一处应为对方区划")
    if own is None or peer is None:
        return
    reading.leaves["origin.division"], reading.leaves["target.division"] = own, peer
    reading.covered |= {"transfer.from_division", "transfer.to_division"}
    accepting = reading.leaves.get("_accepting")
    if accepting is not None and accepting.value != own.value:
        reading.mark_lossy("_accepting")


# --- YLZY_XXB ---


def read_case(reading: Reading) -> None:
    """The sheet names neither person nor place: both are the case's (crossing §4.2)."""
    case = reading.sight.case
    if case is None:
        return
    for member, rule in (("id_no", "M17"), ("name", "M20")):
        if case.applicant.get(member):
            reading.derive(f"applicant.{member}", case.applicant[member], rule)
    for number in range(reading.counts.get("years", 0)):
        if case.old_place:
            reading.derive(f"years[{number}].division", case.old_place, "M8")


def read_years(reading: Reading) -> None:
    for number in range(reading.counts.get("years", 0)):
        base, to = f"{YWXX}/NMX[{number + 1}]", f"years[{number}]"
        year = reading.value(f"{to}.year")
        for native, name in (("QSY", "from_month"), ("ZZY", "to_month")):
            month = reading.taken(f"{base}/{native}")
            if month is not None and year is not None:
                reading.put(f"{to}.{name}", f"{year}-{month}", f"{base}/{native}", "M7")
        total, months = reading.taken(f"{base}/NJFJS"), reading.value(f"{to}.months")
        if total is not None and months:
            monthly = (total / months).quantize(CENT, ROUND_HALF_UP)
            reading.put(f"{to}.base", monthly, f"{base}/NJFJS", "M6")
            reading.put(f"{to}.base_total", total, f"{base}/NJFJS", "M6")
            reading.covered.add(f"{to}.base_total")
    interest, after = reading.value("_settlement_interest"), reading.value("amounts.after_1998")
    if interest is not None and after is not None and interest > after:
        reading.refuse(f"{YWXX}/QSLX", "清算利息已含在 GRZH1998H 中，不能大于它")


def write_years(writing: Writing) -> None:
    for number in range(writing.counts.get("years", 0)):
        base, to = f"{YWXX}/NMX[{number + 1}]", f"years[{number}]"
        for native, name in (("QSY", "from_month"), ("ZZY", "to_month")):
            writing.say(f"{base}/{native}", writing.value(f"{to}.{name}")[5:], f"{to}.{name}", "M7")
        try:
            total = in_fen(writing.value(f"{to}.base_total"))
        except Fault as fault:
            path = writing.leaves[f"{to}.base"].path or ""
            writing.findings.append(Finding(path, fault.code, fault.text, fault.level))
            continue
        writing.say(f"{base}/NJFJS", total, f"{to}.base", "M6")
        writing.used.add(f"{to}.base_total")


def write_sheet_state(writing: Writing) -> None:
    writing.derive(f"{BJXX}/BJZT", "已转出", "M13")


# --- ZGRZ_TZ ---


def read_certification(reading: Reading) -> None:
    """A certification is a finished act: its words must agree with each other (crossing §4.5)."""
    certified, accepted = reading.leaves.get("certification.at"), reading.leaves.get("accepted_at")
    if certified is not None and accepted is not None and certified.value != accepted.value:
        reading.refuse(f"{YWXX}/RZSJ", "认证时间应与受理时间 SLSJ 相同")
    reading.covered.add("accepted_at")
    if reading.taken(f"{BJXX}/BJZT") not in {None, FINISHED}:
        reading.refuse(f"{BJXX}/BJZT", f"认证通知的办件状态只能是“{FINISHED}”")
    alive, result = reading.value("certification.alive"), reading.taken(f"{BJXX}/BJJG")
    fitting = RESULTS if alive is None else {_result(alive)}
    if result is not None and result not in fitting:
        reading.refuse(f"{BJXX}/BJJG", "办结结果应与生存状态一致：健在为“认证通过”，其余为“认证未通过”")
    reading.drop(f"{BJXX}/BJJG", "M13")
    reading.leaves["_state"] = Leaf("40", None, None, "M13", TraceKind.DERIVED)


def _result(alive: str) -> str:
    return PASSED if alive == "1" else FAILED


def write_certification(writing: Writing) -> None:
    writing.give("HEAD/JSF", "CQ500000")
    writing.give(f"{BJXX}/BJZT", FINISHED)
    writing.derive(
        f"{BJXX}/BJJG", _result(writing.value("certification.alive")), "M13", "certification.alive"
    )


# --- ZT_TZ (M13) ---


def read_status(reading: Reading) -> None:
    """BJZT, TBCXZL and BJJG name one state together (crossing §5.1)."""
    word = reading.taken(f"{BJXX}/BJZT")
    if word is None:
        return
    special, result = reading.taken(f"{BJXX}/TBCXZL"), reading.taken(f"{BJXX}/BJJG")
    _check_words(reading, word, special, result)
    row = reading.sight.tables.codes(SLUG, "status").read(f"{word}|{special or ''}|{result or ''}")
    if row is None:
        return
    written = f"{word}|{special or ''}|{result or ''}".rstrip("|")
    reading.held[f"{BJXX}/BJZT"] = Held(word, written)
    state, _, procedure = row.key.partition("|")
    kind = TraceKind.LOSSY if row.one_way else TraceKind.CONVERTED
    reading.put("status.state", state, f"{BJXX}/BJZT", "M13", kind)
    if procedure:
        reading.put("status.special", procedure, f"{BJXX}/TBCXZL", "M13", kind)
        reading.covered.add("status.special")
    if state in {"11", "21", "31", "41"} and reading.is_absent("status.reason"):
        reading.refuse(f"{BJXX}/ZFHTHYY", "待补正、不予受理、挂起补正和退件必须写明原因")


def _check_words(reading: Reading, word: str, special: str | None, result: str | None) -> None:
    tables = reading.sight.tables
    if not _known(reading, word):
        reading.park(f"{BJXX}/BJZT", "1006", "办件状态用语不在状态码表中，报文已挂起")
    known = special is None or tables.codes(SLUG, "special_procedure").read(special) is not None
    if not _procedure_stands(word, special, known=known):
        reading.refuse(f"{BJXX}/TBCXZL", "特别程序：挂起时必填（协查除外），办理中只可填协查，其他状态不填")
    elif not known:
        reading.park(f"{BJXX}/TBCXZL", "1006", "特别程序用语不在码表中，报文已挂起")
    if (word == FINISHED) != (result is not None) or result in RESULTS:
        reading.refuse(f"{BJXX}/BJJG", "办结结果与“已办结”同填，且只能是“准予”或“不予”")
    elif result is not None and result not in tables.codes(SLUG, "status").words(2):
        reading.park(f"{BJXX}/BJJG", "1006", "办结结果用语不在码表中，报文已挂起")


def _procedure_stands(word: str, special: str | None, *, known: bool) -> bool:
    """Whether the two may stand together; a special procedure no table knows may be any."""
    if special is None:
        return word != "挂起"
    if word == "挂起":
        return special != "协查"
    return word == "办理中" and (special == "协查" or not known)


def write_status(writing: Writing) -> None:
    state, special = writing.value("status.state"), writing.value("status.special")
    row = writing.sight.tables.codes(SLUG, "status").write(f"{state}|{special}" if special else state)
    if row is None:
        _unsaid(writing, "status.state", "1006", no_row("status"))
        return
    writing.compose((f"{BJXX}/BJZT", f"{BJXX}/TBCXZL", f"{BJXX}/BJJG"), row, "status.state", "M13")
