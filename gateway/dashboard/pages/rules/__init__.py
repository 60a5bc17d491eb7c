"""``/ops/rules``: releases of the tables, what is in them, how the two sides' guides agree, and mending what is missing."""

from __future__ import annotations

from fastapi import APIRouter

from gateway.dashboard.pages.rules import alignment, browse, compare, coverage, missing, releases, trial

router = APIRouter()
for _page in (releases, trial, missing, browse, compare, coverage, alignment):
    router.include_router(_page.router)
