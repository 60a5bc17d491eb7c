"""What is written down outside of the gateway: an append-only file of lines, one for everything seen."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

#: The lines, by ``e``:
#:   send     side case key word n          an attempt to hand a message in
#:   told     side case key word outcome code case_no   a receipt, believed
#:   put_off  side case key word status code readable   not now: 503, 429, a stale proof
#:   lost     side case key word            a receipt that its sender claims not to have seen
#:   differs  side case key word            a repeat was given another receipt than the first one
#:   gave_up  side case key word            no receipt, and no more attempts
#:   heard    side case key word            a delivery that took effect (the first under its key)
#:   again    side key                      a delivery under a key that had taken effect
#:   turned   side case key word            refused at the other side, as the plan wanted
#:   unheard  side code path                refused at the other side, and nobody wanted it
#:   end      side case state role case_no  how a side holds a case when all is quiet
#:   fault    what                          a blow of the plan
Line = dict[str, Any]


class Book:
    """Writes lines as they happen; ``t`` is the monotonic clock all processes of a machine share."""

    def __init__(self, file: Path) -> None:
        self._file = file.open("a", encoding="utf-8", buffering=1 << 16)

    def note(self, e: str, **line: Any) -> None:
        self._file.write(
            json.dumps({"t": round(time.monotonic(), 4), "e": e, **line}, ensure_ascii=False) + "\n"
        )

    def flush(self) -> None:
        self._file.flush()


def read(file: Path) -> Iterator[Line]:
    """Every line, in the order written."""
    with file.open(encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)
