"""Masked views: the forms of gateway §2, wherever a trace carries a person."""

from __future__ import annotations

import pytest

from gateway.exchange.masking import Masker, mask_words
from gateway.regions import discover

ID, PHONE, ACCOUNT, NAME = "510104198803150011", "13800000001", "6228480402564890018", "张䶮"

MASKER = Masker.of(discover())


def entry(path_in, path_out, before, after):
    return {
        "path_in": path_in,
        "path_out": path_out,
        "rule": "M17",
        "kind": "converted",
        "before": before,
        "after": after,
    }


@pytest.mark.parametrize(
    ("path_in", "path_out", "value", "shown"),
    [
        ("aac003", "BODY/SQR/XM", NAME, "张*"),
        ("param.aac147", "BODY/SQR/ZJHM", ID, "5101**********0011"),
        ("BODY/SQR/ZJHM", "param.aac147", "H60000001", "H600*0001"),
        ("param.aac067", "BODY/SQR/SJH", PHONE, "138****0001"),
        ("param.aae010", "BODY/YWXX/ZH", ACCOUNT, "***************0018"),
        ("param.aae009", "BODY/YWXX/HM", NAME, "张*"),
        ("aae414", None, "王五", "王*"),
        ("aac001", None, "5101000123456", "*********3456"),
    ],
)
def test_a_person_in_the_trace_is_masked_by_its_path(path_in, path_out, value, shown):
    masked = MASKER.entry(entry(path_in, path_out, value, None if path_out is None else value))
    assert masked["before"] == shown
    assert masked["after"] == (None if path_out is None else shown)


def test_what_is_no_person_stays_as_it_crossed():
    converted = entry("param.aac070", "BODY/YWXX/ZYFX", "2", "转出")
    assert MASKER.entry(converted) == converted
    at = entry("param.aae036", "BODY/BJXX/SLSJ", "20261123154210", "2026-11-23 15:42:10")
    assert MASKER.entry(at) == at


def test_numbers_in_free_text_are_masked_and_ours_are_not():
    text = f"本人{ID}，电话{PHONE}，账号 {ACCOUNT}，办件 CYTB5101042026112300000017"
    assert mask_words(text) == (
        "本人5101**********0011，电话138****0001，账号 ***************0018，办件 CYTB5101042026112300000017"
    )


def test_a_value_at_a_path_nobody_knows_is_searched_for_numbers():
    assert MASKER.entry(entry("aac002", None, ID.replace("11", "1x"), None))["after"] is None
    assert MASKER.entry(entry("aac002", None, ID, None))["before"] == "5101**********0011"
