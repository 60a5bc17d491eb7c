"""One look at the store serves all pages that are told of a change, and none shows what was read before it."""

import asyncio
from types import SimpleNamespace

from gateway.dashboard.views.glance import Glance


class Counted:
    """Work that tells how often it was done."""

    def __init__(self):
        self.times = 0

    async def __call__(self):
        self.times += 1
        await asyncio.sleep(0)
        return self.times


async def test_pages_that_ask_together_share_one_answer():
    work, glance = Counted(), Glance(SimpleNamespace(told_at=0.0))
    answers = await asyncio.gather(*(glance._once("now", work) for _ in range(20)))
    assert answers == [1] * 20


async def test_what_was_read_before_a_change_is_read_again():
    hub = SimpleNamespace(told_at=0.0)
    work, glance = Counted(), Glance(hub)
    assert await glance._once("now", work) == 1
    hub.told_at = asyncio.get_running_loop().time() + 0.001
    assert await glance._once("now", work) == 2


async def test_an_answer_gets_old_without_any_change(monkeypatch):
    monkeypatch.setattr("gateway.dashboard.views.glance.FRESH_S", 0.0)
    work, glance = Counted(), Glance(SimpleNamespace(told_at=0.0))
    assert [await glance._once("now", work), await glance._once("now", work)] == [1, 2]
    assert await glance._once("other", work) == 3
