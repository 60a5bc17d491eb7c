"""The measured pages of the documents: written by their programs, with the same figures in both languages."""

from __future__ import annotations

import re
from pathlib import Path

from bench import desk
from bench.page import LANGUAGES
from tests.chaos import page
from tests.chaos.plan import KINDS

REFERENCE = Path(__file__).parents[2] / "docs/reference"


def rows(text):
    """Cells of every row of every table, without headings."""
    cells = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| ")]
    return [row for row in cells if row not in (["Figure", "Value"], ["Fault", "Dealt"])]


def test_the_page_of_the_chaos_is_what_its_program_writes():
    english = (REFERENCE / "chaos.en.md").read_text(encoding="utf-8")
    (ran,) = re.findall(r"^`(?:make|CHAOS_SEED).*$", english, re.MULTILINE)
    told = rows(english)
    figures, faults = told[: len(page.FIGURES)], told[len(page.FIGURES) :]
    assert [name for name, _ in figures] == list(page.FIGURES)
    for ending, in_english in ((".md", False), (".en.md", True)):
        written = page.text(ran, figures, faults, english=in_english)
        assert (REFERENCE / f"chaos{ending}").read_text(encoding="utf-8") == written, (
            "write it by the program"
        )


def test_every_kind_of_fault_has_its_chinese():
    assert len({page.in_chinese(kind) for kind in KINDS}) == len(KINDS)


def test_the_page_of_the_bench_has_the_same_tables_in_both_languages():
    chinese, english = (
        (REFERENCE / f"benchmark{ending}").read_text(encoding="utf-8") for ending in LANGUAGES
    )
    assert rows(desk.in_english(chinese)) == rows(english)
    assert len(rows(english)) > 60
    assert not any(title in english for title in desk.PAGES)
