"""Faults of one line, put into a copy of adapter and tables: each is caught by a law that names the place."""

from __future__ import annotations

import importlib
import shutil
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

from gateway.conformance.law import Level
from gateway.conformance.loading import Asked, check

ROOT = Path(__file__).parents[2]


class Fault(NamedTuple):
    """One line changed: in which file, from what, to what; the law that has to find it, and what it names."""

    what: str
    slug: str
    file: str
    old: str
    new: str
    law: str
    names: str
    level: Level = Level.FULL


FAULTS = [
    Fault(
        "a code is renamed",
        "sichuan",
        "mappings/codes/sichuan/hukou.csv",
        "10,10,非农业户口",
        "13,10,非农业户口",
        "R-B15",
        "mappings/codes/sichuan/hukou.csv",
    ),
    Fault(
        "a code means another key",
        "sichuan",
        "mappings/codes/sichuan/id_type.csv",
        "01,01,居民身份证,both",
        "01,02,居民身份证,read",
        "R-B16",
        "mappings/codes/sichuan/id_type.csv:2",
    ),
    Fault(
        "two codes have the same key",
        "sichuan",
        "mappings/codes/sichuan/sex.csv",
        "1,1,男性",
        "1,2,男性",
        "R-B07",
        "mappings/codes/sichuan/sex.csv:",
    ),
    Fault(
        "a path in a map",
        "sichuan",
        "adapters/sichuan/maps/blocks.py",
        '"param.aac006"',
        '"param.aac060"',
        "R-B09",
        "adapters/sichuan/maps/blocks.py:",
    ),
    Fault(
        "another converter",
        "chongqing",
        "adapters/chongqing/maps/unemployment.py",
        '"unemployment.date", iso_date, need=True',
        '"unemployment.date", xml_text(20), need=True',
        "R-B20",
        "adapters/chongqing/maps/unemployment.py:",
    ),
    Fault(
        "another canonical path",
        "chongqing",
        "adapters/chongqing/maps/unemployment.py",
        '"payment.bank"',
        '"payment.bank_name"',
        "R-B10",
        "adapters/chongqing/maps/unemployment.py:",
    ),
    Fault(
        "a reason is missing from the notes",
        "sichuan",
        "adapters/sichuan/fields.csv",
        "核对：报文流水号，只用于去重和分辨方向，不转递",
        "",
        "R-B10",
        "fields.csv",
    ),
    Fault(
        "a receipt says another code",
        "sichuan",
        "adapters/sichuan/wire.py",
        '{"recode": "-1" if refused else "1"',
        '{"recode": "-1" if refused else "0"',
        "R-F10",
        "adapters/sichuan receipt",
    ),
    Fault(
        "a receipt names the case elsewhere",
        "chongqing",
        "adapters/chongqing/wire.py",
        '"CYTBH": given.case_no',
        '"TBBH": given.case_no',
        "R-F10",
        "通办编号",
    ),
    Fault(
        "a header has another name",
        "sichuan",
        "adapters/sichuan/wire.py",
        '"x-tif-nonce": nonce',
        '"x-tif-nonse": nonce',
        "R-B18",
        "x-tif-nonse",
    ),
    Fault(
        "milliseconds for seconds",
        "sichuan",
        "adapters/sichuan/wire.py",
        "datetime.fromtimestamp(int(stamp), UTC)",
        "datetime.fromtimestamp(int(stamp) / 1000, UTC)",
        "R-F02",
        "单位",
    ),
    Fault(
        "another time zone",
        "chongqing",
        "adapters/chongqing/wire.py",
        "CHINA = timezone(timedelta(hours=8))",
        "CHINA = timezone(timedelta(hours=7))",
        "R-F02",
        "时区",
    ),
    Fault(
        "the body is not proven",
        "sichuan",
        "adapters/sichuan/wire.py",
        'if not digest.same_hex(headers["x-body-sm3"], expected):',
        "if not digest.same_hex(expected, expected):",
        "R-F04",
        "adapters/sichuan verify",
    ),
    Fault(
        "any charset will do",
        "chongqing",
        "adapters/chongqing/wire.py",
        'if kind != "application/xml" or charset != "gb18030":',
        'if kind != "application/xml":',
        "R-F05",
        "charset=gbk",
    ),
    Fault(
        "too many requests is final",
        "chongqing",
        "adapters/chongqing/wire.py",
        "status not in {408, 425, 429}",
        "status not in {408, 425}",
        "R-F12",
        "429",
    ),
    Fault(
        "the digest holds the time of sending",
        "chongqing",
        "adapters/chongqing/wire.py",
        "content = text[start.start() : ends[-1].end()] if start and ends else text",
        "content = text",
        "R-F03",
        "digest",
    ),
    Fault(
        "a case number without its day",
        "sichuan",
        "adapters/sichuan/wire.py",
        'return f"{division}-{day:%Y%m%d}-9{serial:05d}"',
        'return f"{division}-20260101-9{serial:05d}"',
        "R-B05",
        "mint_case_no",
    ),
    Fault(
        "a key without its serial",
        "sichuan",
        "adapters/sichuan/wire.py",
        "{serial % 10**10:010d}",
        "{0:010d}",
        "R-B04",
        "message_key",
    ),
    Fault(
        "a field need not be there",
        "sichuan",
        "adapters/sichuan/maps/blocks.py",
        'code("channel", "[0-9]{2}"), need=True',
        'code("channel", "[0-9]{2}")',
        "R-F24",
        "adapters/sichuan/maps/blocks.py:",
    ),
    Fault(
        "a time is written without its seconds",
        "sichuan",
        "adapters/sichuan/irregular.py",
        'writing.say("param.aae036", local.strftime("%Y%m%d%H%M%S")',
        'writing.say("param.aae036", local.strftime("%Y%m%d%H%M")',
        "R-F15",
        "param.aae036",
    ),
    Fault(
        "a value is lost in silence",
        "sichuan",
        "adapters/sichuan/irregular.py",
        '    reading.drop("param.sjbz", "M13")\n',
        "",
        "R-B17",
        "param.sjbz",
    ),
    Fault(
        "a map with a word nobody knows",
        "sichuan",
        "adapters/sichuan/maps/__init__.py",
        "",
        "import gateway.nothing\n",
        "R-B00",
        "adapters/sichuan/maps/__init__.py:",
    ),
    Fault(
        "a schema that is no JSON",
        "sichuan",
        "adapters/sichuan/schema.json",
        '"$defs": {',
        '"$defs": {,',
        "R-B00",
        "adapters/sichuan/schema.json",
    ),
    Fault(
        "a parser that trips",
        "sichuan",
        "adapters/sichuan/wire.py",
        'native_kind=_formed(_KIND, text_at(tree, "fwid")),',
        'native_kind=tree["fwid"],',
        "R-H01",
        "adapters/sichuan/wire.py:",
        Level.HOSTILE,
    ),
    Fault(
        "a refusal that quotes",
        "sichuan",
        "adapters/sichuan/irregular.py",
        '"社会保障号码应与证件号码 param.aac147 一致"',
        'f"社会保障号码 {repeated} 应与证件号码一致"',
        "R-H06",
        "aac002",
        Level.HOSTILE,
    ),
]


@contextmanager
def installed(copy):
    """The copy's adapters in the place of ours."""
    ours = {name: module for name, module in sys.modules.items() if name.partition(".")[0] == "adapters"}
    for name in ours:
        del sys.modules[name]
    sys.path.insert(0, str(copy))
    importlib.invalidate_caches()
    try:
        yield
    finally:
        sys.path.remove(str(copy))
        for name in [name for name in sys.modules if name.partition(".")[0] == "adapters"]:
            del sys.modules[name]
        sys.modules.update(ours)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.what.replace(" ", "-"))
def test_a_seeded_fault_is_caught_by_a_law_that_names_it(fault, tmp_path):
    skip = shutil.ignore_patterns("__pycache__")
    for folder in ("adapters", "mappings"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=skip)
    file = tmp_path / fault.file
    text = file.read_text(encoding="utf-8")
    assert fault.old in text
    file.write_text(text.replace(fault.old, fault.new, 1), encoding="utf-8")
    with installed(tmp_path):
        found = check(Asked(fault.slug, fault.level, tmp_path / "mappings", only=frozenset({fault.law})))
    broken = {result.law.id: result.breaches for result in found.results if result.breaches}
    assert fault.law in broken, list(broken)
    said = [f"{b.sentence} {b.remedy} {b.path}" for b in broken[fault.law]]
    assert any(fault.names in one for one in said), said
