"""``python -m docs.site``: builds the site into ``site/``; 1 when a page is not as it must be."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from docs.site.build import CannotBuild, build
from docs.site.gather import ROOT


def parser() -> argparse.ArgumentParser:
    """The command line."""
    line = argparse.ArgumentParser(prog="python -m docs.site", description=__doc__)
    line.add_argument("--output", type=Path, default=ROOT / "site", help="where the HTML goes")
    line.add_argument("--pages", type=Path, default=ROOT / ".pages", help="where the pages are gathered")
    return line


def main() -> None:
    """Build, and say what there is."""
    asked = parser().parse_args()
    began = time.monotonic()
    try:
        lacking = build(asked.output.resolve(), asked.pages.resolve())
    except CannotBuild as error:
        sys.exit(str(error))
    pages = len(list(asked.output.rglob("*.html")))
    print(f"{pages} pages in {time.monotonic() - began:.1f} s: {asked.output / 'index.html'}")  # noqa: T201 - its answer
    if lacking:
        print("no English of their own yet: " + " ".join(lacking))  # noqa: T201


if __name__ == "__main__":
    main()
