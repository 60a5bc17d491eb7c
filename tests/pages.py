"""The pages of the repository and their fenced blocks, for every test that reads them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from docs.site.words import FENCE

ROOT = Path(__file__).parents[1]
PAGES = sorted(
    [
        *ROOT.glob("*.md"),
        *(ROOT / "docs").rglob("*.md"),
        *(ROOT / ".github").rglob("*.md"),
        *(ROOT / "adapters").glob("*.md"),
        *(ROOT / "mappings").glob("*.md"),
    ]
)
#: programs that go on until they are stopped
STAYS = re.compile(
    r"^(?:[A-Z_]+=\S+ )*\.venv/bin/(?:tongban (?:serve|simulate)|python -m gateway\.conformance\.simulator)\b"
)
#: Targets of make, and where continuous integration runs each: no block of a page need say it again.
TARGETS_RUN_BY = {
    "setup": ".ci/run",
    "check": "tests/contract/test_laws.py",
    "lint": ".ci/run",
    "types": ".ci/run",
    "contracts": ".ci/run",
    "test": ".ci/run",
    "demo": "tests/e2e/test_demo.py",
    "docs": "tests/documents/test_site.py",
    "run": "tests/e2e/test_serve.py",
    "bench": "tests/e2e/test_bench.py",
    "bench-full": "tests/e2e/test_bench.py",
    "chaos": "tests/crash/test_chaos.py",
}


@dataclass(frozen=True, slots=True)
class Block:
    """One fenced block: its language, its text, and why it is not run here (empty: it is)."""

    page: str
    line: int
    kind: str
    text: str
    elsewhere: str = ""

    @property
    def stays(self):
        return self.kind == "bash" and bool(STAYS.match(self.text))


def name_of(page):
    return page.relative_to(ROOT).as_posix() if page.is_relative_to(ROOT) else page.name


def blocks_of(page):
    """The blocks of a page, in order."""
    text = page.read_text(encoding="utf-8")
    found = []
    for block in FENCE.finditer(text):
        line = text[: block.start()].count("\n") + 1
        why = (block["why"] or "no reason given") if block["mark"] == "elsewhere" else _by_make(block)
        found.append(Block(name_of(page), line, block["kind"], block["text"], why))
    return found


def _by_make(block):
    """A block of nothing but targets of make is run where those are."""
    lines = [line.split("#")[0].strip() for line in block["text"].splitlines() if line.strip()]
    words = [line.split()[1:] for line in lines if line.startswith("make ")]
    if block["kind"] != "bash" or len(words) < len(lines) or not lines:
        return ""
    targets = [word for each in words for word in each if "=" not in word]
    return "、".join(dict.fromkeys(TARGETS_RUN_BY[target] for target in targets))


def same_without_words(text):
    """A block without comments and without what is said in it to people: what both languages must share."""
    bare = "\n".join(re.sub(r"(^|\s)#.*", "", line).rstrip() for line in text.splitlines())
    bare = re.sub(r'(--(?:reason|note|display)) (?:"[^"]*"|\S+)', r"\1 …", bare)
    # what a command says to its reader; what it writes into a file stays
    bare = re.sub(r"""echo (?:"[^"]*"|'[^']*')(?!\s*>)""", "echo …", bare)
    bare = bare.replace(".en/", "/").replace(".en ", " ").replace(".en\n", "\n")
    return bare.strip()
