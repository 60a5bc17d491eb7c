"""The worked single values of the specification, each inside a whole message: value, outcome, code, path."""

from __future__ import annotations

import csv
from decimal import Decimal
from pathlib import Path

import pytest
from crossings import CONTEXT, TABLES, cross, value_at, worked

with (Path(__file__).parent / "vectors.csv").open(encoding="utf-8", newline="") as _file:
    VECTORS = list(csv.DictReader(_file))

SC, CQ = "sc_to_cq", "cq_to_sc"
BJXX, SQR, YWXX = "BODY/BJXX", "BODY/SQR", "BODY/YWXX"
SENDER = {SC: "sichuan", CQ: "chongqing"}

#: (field, direction) → message, where the value is put, where it comes out
PLAIN = {
    ("ethnic_group", SC): ("tbzy0001", "param.aac005", f"{SQR}/MZ"),
    ("ethnic_group", CQ): ("SYJ_SQ", f"{SQR}/MZ", "param.aac005"),
    ("sex", SC): ("tbzy0001", "param.aac004", f"{SQR}/XB"),
    ("sex", CQ): ("SYJ_SQ", f"{SQR}/XB", "param.aac004"),
    ("hukou", SC): ("tbzy0001", "param.aac009", f"{SQR}/HKXZ"),
    ("hukou", CQ): ("SYJ_SQ", f"{SQR}/HKXZ", "param.aac009"),
    ("channel", SC): ("tbzy0001", "accept_source", f"{BJXX}/SLQD"),
    ("channel", CQ): ("SYJ_SQ", f"{BJXX}/SLQD", "accept_source"),
    ("leaving_reason", SC): ("tbsy0001", "param.abc917", f"{YWXX}/SYYY"),
    ("leaving_reason", CQ): ("SYJ_SQ", f"{YWXX}/SYYY", "param.abc917"),
    ("money", SC): ("tbzy0002", "param.ic91[0].aae264", f"{YWXX}/NMX[1]/DNJZBJ"),
    ("money", CQ): ("YLZY_XXB", f"{YWXX}/NMX[1]/DNJZBJ", "param.ic91[0].aae264"),
    ("rate", SC): ("tbzy0002", "param.ic91[0].aaa041", f"{YWXX}/NMX[1]/GRBL"),
    ("rate", CQ): ("YLZY_XXB", f"{YWXX}/NMX[1]/GRBL", "param.ic91[0].aaa041"),
    ("months", SC): ("tbzy0002", "param.aae200", f"{YWXX}/STJFYS"),
    ("months", CQ): ("YLZY_XXB", f"{YWXX}/STJFYS", "param.aae200"),
    ("date", SC): ("tbzy0001", "param.aac006", f"{SQR}/CSRQ"),
    ("date", CQ): ("SYJ_SQ", f"{SQR}/CSRQ", "param.aac006"),
    ("month", SC): ("tbzy0002", "param.aac049", f"{YWXX}/SCCBNY"),
    ("month", CQ): ("YLZY_XXB", f"{YWXX}/SCCBNY", "param.aac049"),
    ("JFZZNY", CQ): ("YLZY_XXB", f"{YWXX}/JFZZNY", "param.aae031"),
    ("aae030", SC): ("tbzy0002", "param.aae030", f"{YWXX}/JFQSNY"),
    ("SJH", CQ): ("SYJ_SQ", f"{SQR}/SJH", "param.aac067"),
    ("aac067", SC): ("tbsy0001", "param.aac067", f"{SQR}/SJH"),
    ("aac003", SC): ("tbzy0001", "aac003", f"{SQR}/XM"),
}
#: fields of SC-N that are numbers: a quoted input is text all the same
NUMBERS = {"money", "rate", "months", "date", "month", "aae030"}


def said(row):
    """The input as the sender writes it."""
    text = row["input"]
    if text in {'""', "(empty element)"}:
        return ""
    if text == "(U+E863)":
        return "\ue863"
    if row["field"] in NUMBERS and row["direction"] == SC:
        return text.strip('"') if text.startswith('"') else Decimal(text)
    return text


def vectors(*rules, fields=None):
    rows = [
        row for row in VECTORS if row["rule"] in rules and (fields is None or row["field"].startswith(fields))
    ]
    assert rows
    return [pytest.param(row, id="-".join(row.values())) for row in rows]


def dated(kind, day):
    """The acceptance date of an application, put where its kind keeps it."""
    digits = day.replace("-", "")
    if kind == "tbrz0001":
        return {"param.bic162": int(digits), "param.aae036": f"{digits}101233"}
    if kind.startswith("tb"):
        return {"param.aae035": int(digits), "param.aae036": f"{digits}154210"}
    return {f"{BJXX}/SLSJ": f"{day} 09:28:40"}


def check(row, crossed, path_in, shown):
    """``shown``: what came out, as the vector writes it. Returns the trace entry of the value."""
    outcome, _, code = row["outcome"].partition(" ")
    if outcome in {"reject", "park"}:
        assert crossed.verdict == {"reject": "refused", "park": "parked"}[outcome]
        assert (code, path_in) in crossed.findings
        return
    assert crossed.verdict == "taken", crossed.findings
    assert shown(crossed) == row["output"]
    kinds = {entry["kind"] for entry in crossed.entries(path_in=path_in, rule=row["rule"])}
    # a plain carry needs no entry; what is carried in another form does
    assert outcome in kinds or (outcome == "exact" and not kinds)


def text_of(value):
    if value is None:
        return "(absent)"
    return str(value)


@pytest.mark.parametrize("row", [row for row in VECTORS if (row["field"], row["direction"]) in PLAIN])
def test_a_value_of_one_field_crosses_as_the_vector_says(row):
    kind, path_in, path_out = PLAIN[row["field"], row["direction"]]
    crossed = cross(kind, {path_in: said(row)})
    same_number = row["field"] in {"money", "rate"} and row["output"]

    def shown(crossed):
        found = crossed.at(path_out)
        return row["output"] if same_number and Decimal(found) == Decimal(row["output"]) else text_of(found)

    check(row, crossed, path_in, shown)


#: (rule, direction) → message, the parts of the composite, where they come out
COMPOSITES = {
    ("M2", SC): ("tbzy0002", ["param.aae140"], [f"{YWXX}/XZLX", f"{YWXX}/YLLX"]),
    ("M2", CQ): ("YLZY_XXB", [f"{YWXX}/XZLX", f"{YWXX}/YLLX"], ["param.aae140"]),
    ("M13", SC): (
        "tbzt0001",
        ["param.blzt", "param.tbcx"],
        [f"{BJXX}/BJZT", f"{BJXX}/TBCXZL", f"{BJXX}/BJJG"],
    ),
    ("M13", CQ): (
        "ZT_TZ",
        [f"{BJXX}/BJZT", f"{BJXX}/TBCXZL", f"{BJXX}/BJJG"],
        ["param.blzt", "param.tbcx"],
    ),
}
#: composites whose fault is in a later part than the first
FAULTY_PART = {"1|": 1, "2|1": 1, "挂起||": 1, "08|": 1}


@pytest.mark.parametrize("row", vectors("M2", "M13"))
def test_a_composite_word_crosses_as_a_whole(row):
    kind, ins, outs = COMPOSITES[row["rule"], row["direction"]]
    edits = {path: part or None for path, part in zip(ins, row["input"].split("|"), strict=True)}
    # whatever the scheme of the message, it is that of its case
    context = {name: value for name, value in CONTEXT[kind].items() if name != "scheme"}
    crossed = cross(kind, edits, context=context)
    path_in = ins[FAULTY_PART.get(row["input"], 0)]
    check(row, crossed, path_in, lambda crossed: "|".join(crossed.at(path) or "" for path in outs))


@pytest.mark.parametrize("row", vectors("M6"))
def test_a_base_crosses_as_the_vector_says(row):
    if row["direction"] == CQ:
        total, months = row["input"].split("/")
        path_in = f"{YWXX}/NMX[1]/NJFJS"
        crossed = cross("YLZY_XXB", {path_in: total, f"{YWXX}/NMX[1]/YS": months})

        def shown(crossed):
            base, exact = crossed.at("param.ic91[0].aae180"), crossed.at("param.ic91[0].yae181")
            return f"{base}" if exact is None else f"{base} + yae181 {exact}"
    else:
        product, _, exact = row["input"].partition(" + ")
        base, months = product.split("*")
        path_in = "param.ic91[0].aae180"
        edits = {path_in: Decimal(base), "param.ic91[0].aae202": int(months)}
        if exact:
            edits["param.ic91[0].yae181"] = Decimal(exact)
        crossed = cross("tbzy0002", edits)

        def shown(crossed):
            return crossed.at(f"{YWXX}/NMX[1]/NJFJS")

    check(row, crossed, path_in, shown)


@pytest.mark.parametrize("row", vectors("M7a"))
def test_an_accepted_time_crosses_as_the_vector_says(row):
    day, _, moment = row["input"].partition(" + ")
    crossed = cross("tbzy0001", {"param.aae035": int(day), "param.aae036": moment or None})
    path = "param.aae036" if moment else "param.aae035"
    if row["outcome"] == "converted":
        # with both given the time is an ordinary time: M7
        row = {**row, "rule": "M7"}
    check(row, crossed, path, lambda crossed: crossed.at(f"{BJXX}/SLSJ"))


@pytest.mark.parametrize("row", vectors("M8"))
def test_a_division_crosses_as_the_vector_says(row):
    if row["direction"] == SC:
        kind, path_in, path_out = "tbzy0001", "param.yac250", f"{YWXX}/ZCDMC"
    elif row["input"].startswith("四川"):
        kind, path_in, path_out = "SYJ_SQ", f"{YWXX}/CBDMC", "yab003"
    else:
        kind, path_in, path_out = "SYJ_SQ", f"{BJXX}/SLD", "param.aab299"
    crossed = cross(kind, {path_in: row["input"], **dated(kind, row["date"])})
    check(row, crossed, path_in, lambda crossed: crossed.at(path_out))


#: item → how an application for it is sent by either side
FORMS = {"tbzy": ("tbzy0001", "YLZY_SQ"), "tbsy": ("tbsy0001", "SYJ_SQ"), "tbty": ("tbty0001", "TY_SQ")}


def for_item(item, direction):
    """The application kind of an item, and the edits that make the worked one speak of it."""
    version = TABLES.items.versions(item)[-1]
    kind = FORMS[version.form][direction == CQ]
    scheme = version.schemes[0] if version.schemes else None
    if direction == SC:
        code = value_at(worked(kind), "itemCode").split("-", 1)[1]
        return kind, {"itemCode": f"{version.base_codes['sichuan']}-{code}", "param.aae140": scheme}
    word = TABLES.codes("chongqing", "scheme").write(scheme).native if scheme else "|"
    first, second = word.split("|")
    code = value_at(worked(kind), f"{BJXX}/SXBM")[:-12]
    return kind, {
        f"{BJXX}/SXBM": code + version.base_codes["chongqing"],
        f"{YWXX}/XZLX": first or None,
        f"{YWXX}/YLLX": second or None,
    }


@pytest.mark.parametrize("row", vectors("M9"))
def test_a_material_crosses_as_the_vector_says(row):
    sender = SENDER[row["direction"]]
    kind, edits = for_item(row["field"].removeprefix("material in "), row["direction"])
    word = next(
        code.native for code in TABLES.codes(sender, "material").reads.values() if code.key == row["input"]
    )
    path_in, path_out = "param.clist[0].clbm", "BODY/CLLB/CL[1]/CLBH"
    if row["direction"] == CQ:
        path_in, path_out = path_out, path_in
    crossed = cross(kind, {**edits, path_in: word, **dated(kind, row["date"])})
    if row["output"]:
        tail, rule = row["output"].split()
        assert crossed.at(path_out).endswith(tail.removeprefix("…"))
        row = {**row, "rule": rule, "output": crossed.at(path_out)}
    check(row, crossed, path_in, lambda crossed: crossed.at(path_out))


@pytest.mark.parametrize("row", vectors("M12"))
def test_the_limit_of_a_case_is_derived_as_the_vector_says(row):
    crossed = cross("tbzy0001", dated("tbzy0001", row["date"]))
    if row["outcome"] == "park 1007":
        assert ("1007", "itemCode") in crossed.findings
        return
    assert crossed.at(f"{BJXX}/CNSX") == row["output"]
    assert crossed.at(f"{BJXX}/CNSXDW") == "工作日"
    assert crossed.entry(path_out=f"{BJXX}/CNSX")["kind"] == "derived"


@pytest.mark.parametrize("row", vectors("M15"))
def test_the_viewpoint_is_turned_as_the_vector_says(row):
    if row["direction"] == SC:
        crossed = cross("tbzy0001", {"param.aac070": row["input"]})
        check(row, crossed, "param.aac070", lambda crossed: crossed.at(f"{YWXX}/ZYFX"))
        return
    edits = {
        f"{YWXX}/ZYFX": row["input"],
        f"{YWXX}/ZCDMC": "四川省成都市锦江区",
        f"{YWXX}/ZRDMC": "重庆市渝中区",
    }
    crossed = cross("YLZY_SQ", edits)
    check(row, crossed, f"{YWXX}/ZYFX", lambda crossed: crossed.at("param.aac070"))


@pytest.mark.parametrize("row", vectors("M16", fields="RZYXQZ"))
def test_a_certification_is_valid_as_long_as_the_vector_says(row):
    crossed = cross("tbrz0001", dated("tbrz0001", row["input"]))
    assert crossed.at(f"{YWXX}/RZYXQZ") == row["output"]
    assert crossed.entry(path_out=f"{YWXX}/RZYXQZ")["kind"] == "derived"


@pytest.mark.parametrize("row", vectors("M16", fields="SFDQJS"))
def test_periodic_settlement_is_derived_as_the_vector_says(row):
    kind, edits = for_item(row["field"].removeprefix("SFDQJS of "), SC)
    crossed = cross(kind, {**edits, **dated(kind, row["date"])})
    assert crossed.at(f"{YWXX}/SFDQJS") == row["output"]
    entry = crossed.entry(path_out=f"{YWXX}/SFDQJS")
    assert (entry["rule"], entry["kind"], entry["path_in"]) == ("M16", "derived", None)


@pytest.mark.parametrize("row", vectors("M17"))
def test_an_identity_number_crosses_as_the_vector_says(row):
    number = row["input"]
    crossed = cross("tbzy0001", {"aac002": number, "param.aac147": number})
    check(row, crossed, "param.aac147", lambda crossed: crossed.at(f"{SQR}/ZJHM"))


@pytest.mark.parametrize("row", vectors("M18"))
def test_an_identity_type_crosses_as_the_vector_says(row):
    if row["direction"] == SC:
        crossed = cross("tbzy0001", {"param.aac058": row["input"]})
        check({**row, "rule": "M1"}, crossed, "param.aac058", lambda crossed: crossed.at(f"{SQR}/ZJLX"))
        return
    kind, number = row["input"].split()
    crossed = cross("SYJ_SQ", {f"{SQR}/ZJLX": kind, f"{SQR}/ZJHM": number})

    def shown(crossed):
        written = crossed.at("param.aac147")
        assert crossed.at("aac002") == written
        code = crossed.at("param.aac058")
        return code if written == number else f"{code}, number {written}"

    check(row, crossed, f"{SQR}/ZJLX", shown)


def test_every_vector_is_run():
    run = {id(row) for row in VECTORS if (row["field"], row["direction"]) in PLAIN}
    run |= {
        id(param.values[0])
        for param in vectors("M2", "M6", "M7a", "M8", "M9", "M12", "M13", "M15", "M16", "M17", "M18")
    }
    assert len(run) == len(VECTORS) == 140
