"""Trials of proposed rules on stored cases: asked for in one process, worked in another, seen by all."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from sqlalchemy import text

from gateway.store.engine import nothing_else, single

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy import RowMapping
    from sqlalchemy.ext.asyncio import AsyncEngine

    from gateway.store.engine import Also

State = Literal["running", "done", "failed", "cancelled"]

#: No word from its process for so long: it is gone. Seconds.
SILENT_S = 30


@dataclass(frozen=True, slots=True)
class Trial:
    """One trial. ``report``: as `gateway.exchange.impact.Report.as_json`, also while it runs."""

    id: UUID
    digest: str
    against: str
    state: State
    started_at: datetime
    started_by: str
    ended_at: datetime | None
    total: int
    done: int
    report: Mapping[str, Any] | None

    @property
    def ended(self) -> bool:
        """Nothing changes any more."""
        return self.state != "running"


class Trials:
    """Keeps trials; the newest of a release is the one that is shown."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def begin(self, trial: Trial, *, also: Also = nothing_else) -> bool:
        """Keep a new one; False while another of the same release runs."""
        async with self._engine.begin() as connection:
            await connection.execute(_LOST)
            made = await connection.execute(
                _BEGIN,
                {
                    "id": trial.id,
                    "digest": trial.digest,
                    "against": trial.against,
                    "at": trial.started_at,
                    "by": trial.started_by,
                    "total": trial.total,
                },
            )
            if made.rowcount:
                await also(connection)
            return bool(made.rowcount)

    async def newest(self, digest: str) -> Trial | None:
        """The newest trial of a release; one whose process is silent counts as failed."""
        async with single(self._engine) as connection:
            await connection.execute(_LOST)
            found = (await connection.execute(_NEWEST, {"digest": digest})).mappings().first()
            return None if found is None else _trial(found)

    async def tell(
        self, trial_id: UUID, *, total: int, done: int, report: Mapping[str, Any], state: State = "running"
    ) -> bool:
        """Keep how far it is; False when it was cancelled meanwhile and need not go on."""
        values = {
            "id": trial_id,
            "total": total,
            "done": done,
            "state": state,
            "report": json.dumps(report, ensure_ascii=False),
        }
        async with single(self._engine) as connection:
            return bool((await connection.execute(_TELL, values)).rowcount)

    async def end(self, trial_id: UUID, state: State, *, also: Also = nothing_else) -> bool:
        """Cancelled or failed; False when it has ended already."""
        async with self._engine.begin() as connection:
            ended = await connection.execute(_END, {"id": trial_id, "state": state})
            if ended.rowcount:
                await also(connection)
            return bool(ended.rowcount)


def _trial(row: RowMapping) -> Trial:
    return Trial(**row)


_BEGIN = text(
    "INSERT INTO rule_trials (id, digest, against, state, started_at, started_by, beat_at, total)"
    " SELECT :id, :digest, :against, 'running', :at, :by, now(), :total"
    " WHERE NOT EXISTS (SELECT FROM rule_trials WHERE digest = :digest AND state = 'running')"
)
_NEWEST = text(
    "SELECT id, digest, against, state, started_at, started_by, ended_at, total, done, report"
    " FROM rule_trials WHERE digest = :digest ORDER BY started_at DESC LIMIT 1"
)
_TELL = text(
    "UPDATE rule_trials SET total = :total, done = :done, report = CAST(:report AS jsonb), state = :state,"
    " beat_at = now(), ended_at = CASE WHEN :state = 'running' THEN NULL ELSE now() END"
    " WHERE id = :id AND state = 'running'"
)
_END = text("UPDATE rule_trials SET state = :state, ended_at = now() WHERE id = :id AND state = 'running'")
_LOST = text(
    "UPDATE rule_trials SET state = 'failed', ended_at = now()"
    " WHERE state = 'running' AND beat_at < now() - make_interval(secs => :silent)"
).bindparams(silent=SILENT_S)
