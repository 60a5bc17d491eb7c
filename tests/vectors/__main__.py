"""python -m tests.vectors: writes docs/vectors/*.json anew; --check only says what would change.

Nothing is left to chance: two runs on the same code and tables write the same bytes. Exit status: 1 when --check
finds a difference.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

TESTS = Path(__file__).parents[1]
PLACE = TESTS.parent / "docs" / "vectors"
# the tests import each other's builders by their bare names
sys.path.insert(0, str(TESTS))


def made() -> dict[str, bytes]:
    """Every published file: name → bytes."""
    from tests.vectors import blocks, crossed, proofs  # noqa: PLC0415 - the path above comes first

    files = {"sm.json": blocks.document(), "crossing.json": crossed.document()}
    files |= {f"proof-{slug}.json": proofs.document(slug) for slug in proofs.OF}
    return {name: crossed.bytes_of(document) for name, document in files.items()}


def drifted() -> list[str]:
    """Files whose published bytes are not what would be made now."""
    return [
        name
        for name, written in made().items()
        if not (PLACE / name).is_file() or (PLACE / name).read_bytes() != written
    ]


def parser() -> argparse.ArgumentParser:
    """The command line."""
    line = argparse.ArgumentParser(prog="python -m tests.vectors", description=__doc__)
    line.add_argument("--check", action="store_true", help="write nothing")
    return line


def main() -> int:
    """Write, or compare."""
    if parser().parse_args().check:
        for name in (found := drifted()):
            print(f"docs/vectors/{name} would change: python -m tests.vectors, and say why in the commit")
        return 1 if found else 0
    PLACE.mkdir(exist_ok=True)
    for name, written in made().items():
        (PLACE / name).write_bytes(written)
        print(f"docs/vectors/{name}  {len(written):,} bytes")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
