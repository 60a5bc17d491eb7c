"""Addresses of the operators' list of cases: every way of asking that could be slow, the missing ones too."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

#: What nothing ends with, so that all that rests is looked through.
_NO_CODE = "1999"


def addresses(case: Mapping[str, Any], today: date) -> dict[str, str]:
    """Question → path below the gateway; ``case`` is a row of ``cases``, whose values are asked for.

    Pages beyond the first are reached by following ``rel="next"`` and ``rel="prev"`` of what is answered.
    """
    item, division = case["item"], case["origin_division"]
    day = {"received_from": _ago(today, 22), "received_to": _ago(today, 21)}
    questions: dict[str, dict[str, str]] = {
        "list: all": {},
        "list: of a side": {"origin": case["origin"]},
        "list: of an item": {"item": item},
        "list: of a division, either side": {"division": division},
        "list: under way": {"state": "running"},
        "list: an item nobody sends that way": {"item": item, "origin": case["target"]},
        "list: state, item, division, day": {"state": "31", "item": item, "division": division, **day},
        "list: older than 90 days": {"state": "running", "older": "90"},
        "list: due first": {"sort": "due"},
        "list: overdue": {"due": "overdue"},
        "list: overdue, of an item": {"due": "overdue", "item": item},
        "list: overdue, of a division": {"due": "overdue", "division": division},
        "list: overdue, received in three months": {
            "due": "overdue",
            "received_from": _ago(today, 150),
            "received_to": _ago(today, 60),
        },
        "list: due soon": {"due": "soon"},
        "list: parked": {"resting": "parked"},
        "list: parked, item, division, day": {"resting": "parked", "item": item, "division": division, **day},
        "list: parked, of a cause nobody has": {"resting": "parked", "code": _NO_CODE},
        "list: dead, of a cause nobody has": {"resting": "dead", "code": _NO_CODE},
        "list: parked, due first": {"resting": "parked", "sort": "due"},
    }
    return {name: f"/ops/cases?{urlencode(query)}" for name, query in questions.items()}


def _ago(today: date, days: int) -> str:
    return (today - timedelta(days=days)).isoformat()
