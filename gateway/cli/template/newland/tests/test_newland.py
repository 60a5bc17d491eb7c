# ruff: noqa: INP001 - run by pytest, imported by nobody
"""What 新省 still lacks, one test a law and one an open decision; each fails with what to do next."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from gateway import regions
from gateway.conformance.law import Level
from gateway.conformance.laws.catalogue import LAWS
from gateway.conformance.laws.decided import UNDECIDED, undecided
from gateway.conformance.loading import Asked, check
from gateway.mapping.load import PACKAGED

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gateway.conformance.law import Breach, Law, Result

SLUG = "newland"
HOME = Path(__file__).parents[3]
if SLUG not in regions.sources() and (HOME / regions.PACKAGE).is_dir():
    regions.look_in([HOME])


@cache
def results() -> dict[str, Result]:
    """Every law, checked once."""
    return {result.law.id: result for result in check(Asked(SLUG, Level.FULL)).results}


def said(breaches: Iterable[Breach]) -> str:
    """What is wrong, where, and what to do next."""
    return "\n".join(f"{one.sentence}\n  位置 {one.path}\n  改法 {one.remedy}" for one in breaches)


@pytest.mark.parametrize(
    "law",
    [law for law in LAWS if Level.FULL.includes(law.level) and law.id != UNDECIDED],
    ids=lambda law: law.id,
)
def test_the_region_holds(law: Law) -> None:
    """One law; the sentences of its breaches are the reason of failure."""
    breaches = results()[law.id].breaches
    if breaches:
        pytest.fail(f"{law.id} {law.title}\n{said(breaches)}", pytrace=False)


@pytest.mark.parametrize(
    "breach", [*undecided(SLUG, regions.table_files(PACKAGED, (SLUG,)))], ids=lambda one: one.path
)
def test_this_is_decided(breach: Breach) -> None:
    """An open decision: to be taken, and its mark deleted."""
    pytest.fail(said([breach]), pytrace=False)
