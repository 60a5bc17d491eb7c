"""A bad rating has been put right: what the agency did about it, on record, and counted from now on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from gateway.canonical.facts import BAD_FROM
from gateway.canonical.worktime import beijing_day
from gateway.errors import Refusal
from gateway.store.audit import Line
from gateway.store.performance import RECTIFIED, Folder
from gateway.store.performance_cases import facts_of_case

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine

    from gateway.exchange.door import Now
    from gateway.mapping.tables import Tables
    from gateway.store.audit import Audit
    from gateway.store.vault import Vault


class Yard(Protocol):
    """What the verb asks of the runtime."""

    @property
    def clock(self) -> Now: ...
    @property
    def engine(self) -> AsyncEngine: ...
    @property
    def vault(self) -> Vault: ...
    @property
    def audit(self) -> Audit: ...
    @property
    def tables(self) -> Tables: ...


async def rectified(rt: Yard, case_no: str, actor: str, reason: str) -> None:
    """Close the rectification of a case rated 4 or 5; ``reason`` says what was done.

    Errors: `LookupError` for an unknown case, `Refusal` 409 9022 when its rating is not bad or already put right.
    """
    today = beijing_day(rt.clock.now())
    async with rt.engine.begin() as connection:
        found = await facts_of_case(connection, case_no)
        if found is None:
            raise LookupError(case_no)
        if found.grade is None or found.grade < BAD_FROM:
            raise Refusal(409, "9022", "此件没有差评，无需整改")
        if found.bad_closed_on is not None:
            raise Refusal(409, "9022", "此件的差评已登记整改")
        after = {"grade": found.grade, "on": today.isoformat()}
        await rt.audit.write(connection, Line(actor, RECTIFIED, case_no, reason, after=after))
        case_id = found.id
    await Folder(rt.engine, rt.vault, rt.tables.calendar).renew(case_id)
