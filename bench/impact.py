"""How many stored cases a study of proposed tables looks at in a second: `python -m bench.impact`.

One process, one core, processor seconds; reading and decryption are not in the figures (the command tells them
apart). A case here is an application with its follow-ups, 2.4 messages, half of each side's format.
"""

from __future__ import annotations

import sys
import time
from dataclasses import replace
from pathlib import Path

from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from crossings import REGIONS, TABLES
from replays import kept

from gateway.exchange.impact import Study
from gateway.mapping.codelist import CodeList
from gateway.store.archive import KeptCase

CASES_PER_ROUND, ROUNDS = 500, 8
#: an application and what follows it
STORIES = (
    ("tbty0001", "ZT_TZ", "tbbz0001"),
    ("TY_SQ", "tbzt0001"),
    ("tbzy0001", "ZT_TZ", "YLZY_XXB"),
    ("tbrz0001",),
    ("SYJ_SQ", "tbsy0002", "tbzt0001"),
)


def cases() -> list[KeptCase]:
    """The stories as stored, each under the case its follow-ups belong to."""
    told = []
    for story in STORIES:
        alone = [kept(kind) for kind in story]
        told.append(KeptCase(alone[-1].record, tuple(each.messages[0] for each in alone)))
    return told * (CASES_PER_ROUND // len(STORIES))


def without(region: str, name: str, word: str):
    """The tables without one word of a list."""
    known = TABLES.codes(region, name)
    reads = {native: row for native, row in known.reads.items() if native != word}
    changed = CodeList(region, name, reads, known.writes, known.parts)
    return replace(TABLES, lists={**TABLES.lists, (region, name): changed})


CHANGES = {
    "nothing": TABLES,
    "a word no stored case uses (民族 56)": without("sichuan", "ethnic_group", "56"),
    "a word one case in five uses (民族 07)": without("sichuan", "ethnic_group", "07"),
    "the calendar: every message translated, none differs": replace(
        TABLES, calendar=replace(TABLES.calendar, published_until=TABLES.calendar.published_until - 1)
    ),
    "a word three cases in five use (性别 1)": without("sichuan", "sex", "1"),
}


def main() -> None:
    """Print the table."""
    table = Table("change", "cases/s", "messages/s", "translated", "cases changed", title="impact")
    stored = cases()
    for name, proposed in CHANGES.items():
        study = Study(REGIONS, TABLES, proposed)
        for case in stored[:20]:
            study.look_at(case)
        quickest = min(_seconds(study, stored) for _ in range(ROUNDS))
        report = study.report
        per_case = report.messages / report.cases
        table.add_row(
            name,
            f"{len(stored) / quickest:,.0f}",
            f"{len(stored) * per_case / quickest:,.0f}",
            f"{1 - report.untouched / report.messages:.0%}",
            f"{report.changed_cases / report.cases:.0%}",
        )
    Console(width=120).print(table)


def _seconds(study: Study, stored: list[KeptCase]) -> float:
    began = time.process_time()
    for case in stored:
        study.look_at(case)
    return time.process_time() - began


if __name__ == "__main__":
    main()
