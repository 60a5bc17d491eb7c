"""The unknown word of a parked message is kept for the groups, unless a person wrote it there."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from gateway.exchange import translate
from gateway.exchange.casework import kept_findings
from gateway.mapping.fieldmap import Sight
from gateway.mapping.load import PACKAGED, load_tables
from gateway.regions import discover

REGIONS = discover()
TABLES = load_tables(PACKAGED, 2026)
MAPS = translate.compile_maps(REGIONS, TABLES)
WORKED = Path(__file__).parents[2] / "adapters" / "chongqing" / "examples" / "SYJ_SQ.native.xml"


def kept(**words):
    """The kept findings of the worked application with other words in its elements."""
    document = WORKED.read_bytes().decode("gb18030")
    for element, word in words.items():
        start = document.index(f"<{element}>") + len(element) + 2
        document = document[:start] + word + document[document.index(f"</{element}>") :]
    region = REGIONS["chongqing"]
    opened = region.parse(document.encode("gb18030"))
    plan = MAPS.reader("chongqing", "SYJ_SQ")
    sight = Sight(TABLES, "chongqing", "chongqing", "sichuan", date(2026, 11, 23), door=False)
    return kept_findings(translate.read(plan, opened, sight))


def test_an_unknown_code_is_kept_with_its_word():
    (found,) = kept(MZ="试验族")
    assert (found["code"], found["path"], found["value"]) == ("1001", "BODY/SQR/MZ", "试验族")


def test_a_material_without_a_rule_is_kept_with_its_code():
    (found,) = kept(CLBH="8f1c0a52-0000-4000-8000-000000000025")
    assert (found["code"], found["value"]) == ("1002", "8f1c0a52-0000-4000-8000-000000000025")


@pytest.mark.parametrize("word", ["13800000001", "身份证510100198803150179"])
def test_a_number_of_a_person_is_never_kept(word):
    (found,) = kept(MZ=word[:20])
    assert "value" not in found


@pytest.mark.parametrize("word", ["欧阳测试", "欧阳", "本人欧阳测试"])
def test_a_name_or_a_part_of_it_is_never_kept(word):
    (found,) = kept(XM="欧阳测试", HM="欧阳测试", MZ=word)
    assert (found["code"], "value" in found) == ("1001", False)


def test_other_findings_are_kept_without_a_word():
    (found,) = kept(CBDMC="某某县")
    assert (found["code"], "value" in found) == ("1003", False)
