"""What processes use, read from /proc: processor time, memory, and what of the machine was somebody else's."""

from __future__ import annotations

import os
import threading
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_TICK_S = 1 / os.sysconf("SC_CLK_TCK")
#: How often the memory is looked at while a round runs; a look costs some milliseconds.
_LOOK_S = 1.0


def cpu_seconds(pids: Mapping[str, int]) -> dict[str, float]:
    """Processor time of each part so far, with its children, living and gone."""
    return {name: sum(map(_spent, _family(pid))) for name, pid in pids.items()}


def memory_mb(pids: Mapping[str, int]) -> dict[str, float]:
    """Proportional memory (PSS) of each part with its children. Units: MB.

    Memory shared on purpose is a part of its own (``… shared``): of PostgreSQL these are the buffers, which fill
    up to their fixed size whatever is stored.
    """
    used: dict[str, float] = {}
    for name, pid in pids.items():
        own = shared = 0
        for each in _family(pid):
            held = _rollup(each)
            shared += held.get("Pss_Shmem", 0)
            own += held.get("Pss", 0) - held.get("Pss_Shmem", 0)
        used[name] = round(own / 1e3, 1)
        if shared > 10_000:
            used[f"{name} shared"] = round(shared / 1e3, 1)
    return used


class Peak:
    """The most memory each part had while it was watched, and the machine's time that was not the parts'."""

    def __init__(self, pids: Mapping[str, int]) -> None:
        self._pids, self.mb = dict(pids), memory_mb(pids)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        self._look()

    def _watch(self) -> None:
        while not self._over.wait(_LOOK_S):
            self._look()

    def _look(self) -> None:
        for name, now in memory_mb(self._pids).items():
            self.mb[name] = max(now, self.mb.get(name, 0.0))


class Machine:
    """How busy the machine was between two moments, and with what."""

    def __init__(self, pids: Mapping[str, int]) -> None:
        self._pids = dict(pids)
        self._before, self._busy, self._all = cpu_seconds(pids), *_machine()

    def spent(self) -> dict[str, float]:
        """Processor seconds of each part since then."""
        after = cpu_seconds(self._pids)
        return {name: after[name] - self._before[name] for name in after}

    def shares(self) -> dict[str, float]:
        """Percent of the machine: ``busy`` in all, and ``others``: programs that are no part of the round."""
        busy, whole = _machine()
        whole = max(whole - self._all, _TICK_S)
        ours = sum(self.spent().values())
        busy -= self._busy
        return {"busy": round(100 * busy / whole), "others": round(100 * max(0.0, busy - ours) / whole)}


def _machine() -> tuple[float, float]:
    ticks = [int(word) for word in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
    return (sum(ticks) - ticks[3] - ticks[4]) * _TICK_S, sum(ticks) * _TICK_S


def _family(pid: int) -> Iterator[int]:
    yield pid
    with suppress(OSError):
        for thread in Path(f"/proc/{pid}/task").iterdir():
            with suppress(OSError):
                for child in (thread / "children").read_text().split():
                    yield from _family(int(child))


def _spent(pid: int) -> float:
    with suppress(OSError):
        # behind the name, which may hold anything: utime, stime, and those of children that were waited for
        words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return sum(map(int, words[11:15])) * _TICK_S
    return 0.0


def _rollup(pid: int) -> dict[str, int]:
    with suppress(OSError):
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
        return {line.split(":")[0]: int(line.split()[1]) for line in lines}
    return {}
