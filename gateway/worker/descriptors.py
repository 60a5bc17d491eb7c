"""Open files a worker may need: a call in flight is a connection, and a connection is a descriptor."""

from __future__ import annotations

import resource

from gateway.errors import CannotStart

#: Connections to PostgreSQL and Redis, Celery's own, the log, the tables, libraries that read when imported.
_OWN = 128


def provide(windows: int) -> None:
    """See that ``windows`` calls may be in flight; raises the soft limit, which is often 1024, when it can.

    Errors: `CannotStart` when the hard limit is too low: calls that find no descriptor look like a side that
    cannot be reached, and would open its breaker.
    """
    needed = windows + _OWN
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= needed:
        return
    if hard != resource.RLIM_INFINITY and hard < needed:
        raise CannotStart(
            f"delivery.window、delivery.windows: 同时进行 {windows} 个调用需要 {needed} 个文件描述符，"
            f"本进程至多 {hard} 个；请调小窗口，或提高上限（ulimit -Hn、systemd LimitNOFILE、容器 ulimits）"
        )
    resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))
