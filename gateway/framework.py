"""What FastAPI is told wherever an application is made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

#: It answers what we wrote and nothing of its own, and tells nobody what it sees: it would hand messages of
#: exceptions, and so perhaps persons, to whatever collects them.
NOTHING_OF_ITS_OWN: Mapping[str, Any] = {
    "docs_url": None,
    "redoc_url": None,
    "openapi_url": None,
    "redirect_slashes": False,
    "telemetry": {
        "tracing": False,
        "metrics": False,
        "logs": False,
        "operation_spans": False,
        "auto_configure": False,
    },
}
