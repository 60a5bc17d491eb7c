"""Try proposed tables on stored cases in a process of its own: its work never holds up a door.

python -m gateway.exchange.trial: takes one order as JSON on its standard input (secrets are neither on its
command line nor in its environment), works at low priority and tells the store how far it is.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Literal
from uuid import UUID

from gateway import regions as regions_
from gateway.errors import CannotStart
from gateway.exchange.impact import Study
from gateway.mapping.load import PACKAGED
from gateway.mapping.sets import TableSet, of_content, table_set
from gateway.store import engine as engines
from gateway.store.archive import Archive
from gateway.store.sets import TableSets
from gateway.store.trials import Trials
from gateway.store.vault import Vault

if TYPE_CHECKING:
    from pathlib import Path

#: Cases between two words to the store: a cancelled trial ends after so many.
_BATCH = 100
#: Beside people's work, not before it.
_NICE = 10


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be tried. ``against``: the digest in force; ``folder``: where it is when it is no release."""

    trial_id: str
    digest: str
    against: str
    last: int
    folder: str
    calendar_until: int | None
    database_url: str = field(repr=False)
    master_key: str = field(repr=False)
    algorithm: Literal["aes-256-gcm", "sm4-gcm"] = "aes-256-gcm"
    #: in force there, and the folders they were found in beside the product's
    regions: tuple[str, ...] = ()
    regions_dirs: tuple[str, ...] = ()


def start(order: Order) -> subprocess.Popen[bytes]:
    """Begin the process; it goes on by itself, also when this one ends. Whoever starts it waits for its end."""
    process = subprocess.Popen(
        [sys.executable, "-m", "gateway.exchange.trial"],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    assert process.stdin is not None  # noqa: S101 - asked for
    with process.stdin as told:
        told.write(json.dumps(asdict(order)).encode())
    return process


async def work(order: Order) -> None:
    """Replay the newest cases under both sets, telling after each batch; ends early when cancelled."""
    engine = engines.create(order.database_url, name="tongban-trial", pool_size=2)
    trials, trial_id = Trials(engine), UUID(order.trial_id)
    try:
        vault = Vault(bytes.fromhex(order.master_key), engine, algorithm=order.algorithm)
        await vault.open()
        archive = Archive(engine, vault)
        study = await _study(order, TableSets(engine))
        total = min(order.last, await archive.count(order.last))
        going = await trials.tell(trial_id, total=total, done=0, report=study.report.as_json())
        async for batch in archive.newest(total, batch=_BATCH):
            if not going:
                return
            for case in batch:
                study.look_at(case)
            report = study.report
            going = await trials.tell(trial_id, total=total, done=report.cases, report=report.as_json())
        report = study.report
        await trials.tell(trial_id, total=total, done=report.cases, report=report.as_json(), state="done")
    except Exception:
        await trials.end(trial_id, "failed")
        raise
    finally:
        await engine.dispose()


async def _study(order: Order, sets: TableSets) -> Study:
    regions_.look_in(map(type(PACKAGED), order.regions_dirs))
    now, then = [await _set(order, sets, digest) for digest in (order.against, order.digest)]
    until = order.calendar_until
    return Study(regions_.discover(order.regions), now.tables(until), then.tables(until))


async def _set(order: Order, sets: TableSets, digest: str) -> TableSet:
    release = await sets.one(digest)
    if release is not None:
        return of_content(digest[:12], release.content)
    found = table_set(digest[:12], regions_.table_files(_folder(order), order.regions))
    if found.digest != digest:
        raise CannotStart("规则表目录在启动后被改动过：请重新启动网关")
    return found


def _folder(order: Order) -> Path:
    return type(PACKAGED)(order.folder) if order.folder else PACKAGED


def main() -> None:
    """One order, from start to end."""
    order: dict[str, Any] = json.load(sys.stdin)
    os.nice(_NICE)
    asyncio.run(work(Order(**order)))


if __name__ == "__main__":
    main()
