"""A process kept alive: bound to its parent's life, restarted with back-off, stopped in order."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

#: One that lived so long starts anew at once; shorter lives are spaced out.
_SETTLED_S = 10.0
_FIRST_WAIT_S = 0.1
_LONGEST_WAIT_S = 5.0

# PR_SET_PDEATHSIG (1) with SIGKILL (9), then the command in place of this process. Whatever such an end leaves
# undone is healed by leases and the sweep; an orphan that goes on beside its successor is not. Not a
# ``preexec_fn``: that runs between fork and exec of a process with threads.
_BOUND = (
    "import ctypes, os, sys; ctypes.CDLL(None).prctl(1, 9); "
    "os.getppid() == int(sys.argv[1]) or os._exit(1); os.execv(sys.argv[2], sys.argv[2:])"
)

_log = structlog.get_logger(__name__)


class Child:
    """One of the supervisor's processes; its output goes to ``logs`` / ``<name>.log``.

    All methods are to be called from one thread, and that thread must live as long as the process: Linux
    counts the death of the thread that started it as the death of its parent.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        env: Mapping[str, str],
        logs: Path,
        fds: tuple[int, ...] = (),
    ) -> None:
        self.name, self.log = name, logs / f"{name}.log"
        #: short lives in a row, and the status of the last one
        self.falls, self.status = 0, 0
        self.env = dict(env)
        self._command, self._fds = list(command), fds
        self._process: subprocess.Popen[bytes] | None = None
        self._asked: subprocess.Popen[bytes] | None = None
        self._born = self._due = 0.0

    @property
    def pid(self) -> int | None:
        """The process id while it runs."""
        process = self._process
        return process.pid if process is not None and process.poll() is None else None

    @property
    def age_s(self) -> float:
        """Seconds since it was started."""
        return time.monotonic() - self._born

    def start(self) -> None:
        """Start it now."""
        self._born = time.monotonic()
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 - our own programs, no shell
                _bound(self._command),
                env=self.env,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                pass_fds=self._fds,
                process_group=0,  # Ctrl-C is for the supervisor, which stops all in order
            )

    def tend(self) -> None:
        """Start it again if it died and its time has come."""
        now, process = time.monotonic(), self._process
        if process is not None:
            if process.poll() is None:
                return
            self._bury(process, now)
        if now >= self._due:
            self.start()

    def _bury(self, process: subprocess.Popen[bytes], now: float) -> None:
        self._process, self.status = None, process.returncode
        self.falls = 0 if now - self._born > _SETTLED_S else self.falls + 1
        wait = min(_FIRST_WAIT_S * 2 ** max(0, self.falls - 1), _LONGEST_WAIT_S)
        self._due = now + wait
        _log.warning("process_died", process=self.name, status=self.status, again_in_s=wait)

    def ask_stop(self) -> None:
        """SIGTERM, once, if it runs: a second one may mean "now" to a program that is ending in order."""
        process = self._process
        if process is not None and process is not self._asked and process.poll() is None:
            process.terminate()
        self._asked = process

    def stop(self, patience_s: float) -> None:
        """SIGTERM, and after ``patience_s`` SIGKILL, to it and all it started. May be called twice."""
        self.ask_stop()
        process, self._process = self._process, None
        if process is None:
            return
        try:
            process.wait(patience_s)
        except subprocess.TimeoutExpired:
            _log.warning("process_killed", process=self.name, waited_s=patience_s)
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def last_words(self, lines: int = 15) -> str:
        """The end of its log."""
        with suppress(OSError), self.log.open("rb") as log:
            log.seek(max(0, self.log.stat().st_size - 8192))
            return "\n".join(log.read().decode(errors="replace").splitlines()[-lines:])
        return ""


def stop_all(children: Sequence[Child], patience_s: float) -> None:
    """Stop them side by side: together they have the patience that one has."""
    until = time.monotonic() + patience_s
    for child in children:
        child.ask_stop()
    for child in children:
        child.stop(max(0.0, until - time.monotonic()))


def _bound(command: list[str]) -> list[str]:
    if sys.platform != "linux":
        return command
    return [sys.executable, "-I", "-S", "-c", _BOUND, str(os.getpid()), *command]


def is_running(pid: int) -> bool:
    """Whether a process we did not start runs; one that is dead but not yet collected does not."""
    try:
        with suppress(PermissionError):  # another account's, and so alive
            os.kill(pid, 0)
    except ProcessLookupError:
        return False
    with suppress(OSError):
        # "pid (name) state …": the name may hold anything, so look behind its last bracket
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in {"Z", "X"}
    return True
