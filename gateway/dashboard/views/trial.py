"""The connection test as a stream: each step's line as it ends, the one that runs marked, and a verdict."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from gateway.dashboard.texts import N_
from gateway.exchange.probe import Finish, Name, Probe, Step
from gateway.transport.path import Place

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from gateway.dashboard.desk import Desk


#: The steps by name.
LABELS: Mapping[Name, str] = {
    Name.NAME: N_("域名解析"),
    Name.TCP: N_("TCP 连接"),
    Name.TLS: N_("TLS 与证书"),
    Name.HTTP: N_("HTTP 应答"),
    Name.PROOF: N_("调用凭证"),
    Name.RECEIPT: N_("回执"),
}

#: How a finished step is marked.
MARKS = {
    Finish.PASSED: ("good", "circle-check"),
    Finish.WARNED: ("wait", "alert-triangle"),
    Finish.FAILED: ("bad", "circle-x"),
}


def names(credentials: Any) -> list[Name]:
    """The steps that will be walked, in order; TLS only where the address asks for it."""
    is_tls = Place.of(credentials.base_url).is_tls
    return [name for name in Name if is_tls or name is not Name.TLS]


async def told(desk: Desk, slug: str) -> AsyncIterator[str]:
    """Events named by the step, its line as data; then ``verdict``, then ``done``."""
    rt = desk.rt
    to_come = names(rt.credentials[slug])
    test = Probe(rt.regions[slug], rt.credentials[slug], rt.clock.now, time.monotonic, nonce=rt.new_id().hex)
    walked: list[Step] = []
    yield _event(to_come[0].value, _line(desk, to_come[0], None, runs=True))
    async for step in test.steps():
        walked.append(step)
        yield _event(step.name.value, _line(desk, step.name, step))
        following = to_come[to_come.index(step.name) + 1 :][:1]
        if following and step.finish is not Finish.FAILED:
            yield _event(following[0].value, _line(desk, following[0], None, runs=True))
    yield _event("verdict", _text(desk, "routes/_verdict.html", worst=_worst(walked), labels=LABELS))
    yield _event("done", "")


def _worst(walked: list[Step]) -> Step:
    """The step to look at: the one that failed, else one with a warning, else the last."""
    for finish in (Finish.FAILED, Finish.WARNED):
        for step in walked:
            if step.finish is finish:
                return step
    return walked[-1]


def _line(desk: Desk, name: Name, step: Step | None, *, runs: bool = False) -> str:
    mark = MARKS[step.finish] if step else ("calm", "circle-dashed")
    return _text(desk, "routes/_step.html", name=name, step=step, runs=runs, mark=mark, labels=LABELS)


def _text(desk: Desk, template: str, **context: Any) -> str:
    return bytes(desk.part(template, **context).body).decode()


def _event(name: str, data: str) -> str:
    lines = "".join(f"data: {line}\n" for line in (data.splitlines() or [""]))
    return f"event: {name}\n{lines}\n"
