"""Whether a report is of all laws of its level: one of a part is shown, never signed or given a badge."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.conformance.endpoint.catalogue import LAWS as OF_ENDPOINTS
from gateway.conformance.laws.catalogue import LAWS as OF_REGIONS

if TYPE_CHECKING:
    from gateway.conformance.report.model import Report


def lacking(report: Report) -> tuple[str, ...]:
    """Ids of the laws that belong to the report's level and are not in it. Errors: `ValueError` for another kind."""
    match report.kind:
        case "region":
            due = [law.id for law in OF_REGIONS if report.level.includes(law.level)]
        case "endpoint":
            due = [law.id for law in OF_ENDPOINTS if report.level.includes(law.level)]
        case _:
            raise ValueError(f"kind“{report.kind}”")
    shown = {result.law.id for result in report.results}
    return tuple(id_ for id_ in due if id_ not in shown)
