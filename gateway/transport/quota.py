"""How many messages a side may hand in, counted over all web processes: a token bucket in Redis, taken in lots."""

from __future__ import annotations

import asyncio
import math
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import redis.asyncio
import structlog
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from gateway.limits import Limiter

if TYPE_CHECKING:
    from datetime import datetime

#: Tokens taken at once are at most those of so many seconds, and kept no longer: what one process keeps, others lack.
_LOT_S = 1.0
_LARGEST_LOT = 64

#: While Redis is away the door must not pay the time limit for each message.
_PATIENCE_S = 0.3
_REST_AFTER_FAILURE_S = 1.0

# KEYS[1] the bucket; ARGV: size, tokens per second, wanted. Gives the tokens granted, and the microseconds until
# there is one. By the time of Redis, one for all processes. A bucket nobody asks for is full again and forgotten.
_TAKE = """
local size, per_s, wanted = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local now = redis.call('TIME')
now = now[1] + now[2] / 1000000
local kept = redis.call('HMGET', KEYS[1], 'left', 'at')
local left = size
if kept[1] then
  left = math.min(size, tonumber(kept[1]) + math.max(0, now - tonumber(kept[2])) * per_s)
end
local granted = math.min(wanted, math.floor(left))
left = left - granted
redis.call('HSET', KEYS[1], 'left', string.format('%.6f', left), 'at', string.format('%.6f', now))
redis.call('PEXPIRE', KEYS[1], math.ceil(size / per_s * 1000) + 1000)
if granted > 0 then return {granted, 0} end
return {0, math.ceil((1 - left) / per_s * 1000000)}
"""

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Lot:
    """Tokens taken and not yet used. The next lot is twice as large if this one is used up in its time, else one."""

    left: int = 0
    until: float = 0.0
    size: int = 1
    asking: asyncio.Lock = field(default_factory=asyncio.Lock)

    def grown(self, largest: int, *, now: float) -> int:
        """How many to take now: a door with few callers takes one for each, and nothing is left to lapse."""
        self.size = max(1, min(self.size * 2, largest)) if now < self.until else 1
        return self.size


@dataclass(slots=True)
class Quota:
    """``per_minute`` messages at once and as many again over a minute, of one side at all doors together.

    None: no limit. While Redis is away each process counts alone, by the same rule: more may come in then, never
    fewer, because a lost counter is no reason to turn a case away.
    """

    per_minute: int | None
    redis_url: str = field(repr=False)
    _lots: dict[str, _Lot] = field(default_factory=dict)
    _alone: Limiter = field(init=False)
    _away_until: float = 0.0
    _client: redis.asyncio.Redis | None = None

    def __post_init__(self) -> None:
        self._alone = Limiter(self.per_minute)

    async def allow(self, slug: str, now: datetime) -> int | None:
        """None when the message may come in; else whole seconds after which it may (``Retry-After``)."""
        if self.per_minute is None:
            return None
        lot = self._lots.setdefault(slug, _Lot())
        # One at a time asks for all who come meanwhile, or a crowd would take a lot each.
        async with lot.asking:
            return await self._from(lot, slug, now, self.per_minute)

    async def close(self) -> None:
        """Leave; unused tokens are lost."""
        if self._client is not None:
            await self._client.aclose()

    async def _from(self, lot: _Lot, slug: str, now: datetime, per_minute: int) -> int | None:
        ticks = time.monotonic()
        if lot.left > 0 and ticks < lot.until:
            lot.left -= 1
            return None
        if ticks < self._away_until:
            return self._alone.allow(slug, now)
        try:
            granted, wait_us = await self._take(slug, lot, per_minute)
        except (redis.RedisError, OSError) as error:
            self._away_until = ticks + _REST_AFTER_FAILURE_S
            _log.warning("quota_counts_alone", cause=type(error).__name__)
            return self._alone.allow(slug, now)
        if granted == 0:
            return max(1, math.ceil(wait_us / 1e6))
        lot.left, lot.until = granted - 1, time.monotonic() + _LOT_S
        return None

    async def _take(self, slug: str, lot: _Lot, per_minute: int) -> tuple[int, int]:
        if self._client is None:
            self._client = redis.asyncio.Redis.from_url(
                self.redis_url,
                socket_timeout=_PATIENCE_S,
                socket_connect_timeout=_PATIENCE_S,
                retry=Retry(NoBackoff(), 1),
            )
        per_s = per_minute / 60
        wanted = lot.grown(min(_LARGEST_LOT, int(per_s * _LOT_S)), now=time.monotonic())
        granted, wait_us = await self._client.eval(_TAKE, 1, f"quota:{slug}", per_minute, per_s, wanted)
        return int(granted), int(wait_us)
