"""``/ops/rules``: releases of the tables, what is in them, how the two sides' guides agree, mending what is missing."""

from __future__ import annotations

from gateway.dashboard.pages.rules import alignment, browse, compare, coverage, missing, releases, trial

ROUTERS = tuple(page.router for page in (releases, trial, missing, browse, compare, coverage, alignment))
