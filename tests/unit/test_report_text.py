"""A report in a terminal: Chinese is broken where Chinese may be, and no line is left half empty."""

from datetime import UTC, datetime
from itertools import pairwise

import pytest
from rich.cells import cell_len

from gateway.conformance.law import Breach, Law, Level, Result
from gateway.conformance.report import Report
from gateway.conformance.report.text import breaks, plain

SENTENCE = (
    "发送：POST /gw/cq/TY_SQ，一条正确的报文：通用申请（TY_SQ）。应答：HTTP 401，代码 9002，“拒收：时间不在窗口内”。"
    "按 chongqing §6、crossing §4 应受理：HTTP 202 和受理回执。"
)


def lines_of(text, width):
    return [text[start:end] for start, end in pairwise([0, *breaks(text, width), len(text)])]


@pytest.mark.parametrize("width", [20, 33, 76, 106])
def test_a_sentence_fills_its_lines_and_loses_nothing(width):
    lines = lines_of(SENTENCE, width)
    assert "".join(lines) == SENTENCE
    widths = [cell_len(line.rstrip()) for line in lines]
    assert max(widths) <= width
    # a word of Latin letters goes whole to the next line, a closing mark takes the letter before it along
    assert min(widths[:-1]) > width - 16
    assert not any(line[0] in "，。；：、）”" for line in lines)
    assert not any(line.rstrip()[-1] in "（“" for line in lines)
    assert all(line.strip() for line in lines)


def test_what_has_no_place_to_break_is_broken_all_the_same():
    assert lines_of("x" * 25, 10) == ["x" * 10, "x" * 10, "x" * 5]
    assert lines_of("短", 10) == ["短"]
    assert breaks("", 10) == []


def test_a_report_for_a_file_has_no_line_that_ends_in_space():
    law = Law("R-B01", "地区完整地声明自己", "A region declares itself completely", Level.BASIC, "§4")
    at = datetime(2026, 11, 26, 1, tzinfo=UTC)
    broken = Result(law, (Breach(SENTENCE, "改用北京时间"),), 1, 0.1)
    report = Report(
        *("region", "sichuan", Level.BASIC, at, "0.1.0", "a" * 64, "b" * 64), results=(broken,), name="四川省"
    )
    lines = plain(report).splitlines()
    assert any("POST /gw/cq/TY_SQ，一条" in line for line in lines)
    assert [line for line in lines if line != line.rstrip()] == []
    assert max(map(cell_len, lines)) <= 110
