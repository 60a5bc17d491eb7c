"""What both embedded servers share: the handle, the lock on their folder, a line of their log."""

from __future__ import annotations

import fcntl
import os
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from gateway.errors import CannotStart

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True)
class Server:
    """A running server: its ``url`` works from any process of this user; ``stop()`` may be called twice.

    ``adopted``: it was found running on the same folder, left over by a parent that died.
    """

    url: str = field(repr=False)
    adopted: bool
    stop: Callable[[], None]


class FolderLock:
    """One owner per data folder; the lock ends with the process, however that ends."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._file = os.open(folder / ".owner.lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._file)
            raise CannotStart(
                f"数据目录 {folder} 正由另一个进程使用：请先停止它，或换一个 data_dir"
            ) from None

    @property
    def held(self) -> bool:
        """False once released: the folder may be somebody else's by now."""
        return self._file >= 0

    def release(self) -> None:
        """Let the next owner in."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


def wheel_folder(package: str) -> Path:
    """Where a wheel's files are, without running its code: only its programs are used."""
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise CannotStart(
            f"缺少 Python 包 {package}：请重新安装依赖，或在配置中给出 database_url 与 redis_url"
        )
    return Path(spec.origin).parent


def last_words(log: Path) -> str:
    """The end of a server's start-up log, for the sentence that says why it did not start."""
    try:
        return log.read_text(errors="replace").strip()[-500:]
    except OSError:
        return "（没有日志）"
