"""Who may look: bearer tokens from the settings or the store, with scopes (gateway §1)."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from gateway.exchange.collect import Collector
from gateway.web.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from gateway.runtime import Runtime

#: What a channel may do: post its cases and read them, and read the catalogue; nothing of anybody else's.
COLLECTING = "collect"
_OF_A_CHANNEL = frozenset({COLLECTING, "items"})

#: A scope that brings another with it.
_IMPLIED = {"cases": "cases:full"}

_bearer = HTTPBearer(auto_error=False, scheme_name="bearer", description="网关签发的访问令牌")


@dataclass(frozen=True, slots=True)
class Caller:
    """The holder of a token; ``collector`` when it is a channel's."""

    name: str
    scopes: frozenset[str]
    collector: Collector | None = field(default=None, repr=False)

    def may(self, scope: str) -> bool:
        return scope in self.scopes or _IMPLIED.get(scope) in self.scopes

    @property
    def actor(self) -> str:
        """How timeline and audit name the caller."""
        return f"channel:{self.name}" if self.collector else f"staff:{self.name}"


def runtime(request: Request) -> Runtime:
    """The runtime the application was opened with, its tables those of this moment until the answer."""
    found: Runtime = request.app.state.runtime
    return found.pinned()


async def caller(rt: Runtime, token: str) -> Caller | None:
    """Who holds this token; None when nobody does."""
    digest = hashlib.sha256(token.encode()).hexdigest()
    found = None
    for known in rt.settings.tokens:  # all of them, so that the time tells nothing
        if hmac.compare_digest(known.token_sha256, digest):
            found = Caller(known.name, frozenset(known.scopes))
    for channel in rt.settings.channels:
        for credential in channel.credentials:
            if hmac.compare_digest(credential.token_sha256, digest):
                found = Caller(channel.name, _OF_A_CHANNEL, Collector.of(channel, credential.outlets))
    if found is not None:
        return found
    stored = await rt.tokens.find(digest)
    return None if stored is None else Caller(stored.name, frozenset(stored.scopes))


def needs(scope: str, *others: str) -> Any:
    """A dependency: the caller, who holds ``scope`` or one of the ``others``. Errors: 401 ``unauthorized``, 403 ``forbidden``."""

    async def check(
        rt: Annotated[Any, Depends(runtime)],
        given: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
    ) -> Caller:
        found = await caller(rt, given.credentials) if given is not None and given.credentials else None
        if found is None:
            raise Problem(
                "unauthorized",
                "请在 Authorization 请求头中提供有效的 Bearer 令牌",
                headers={"WWW-Authenticate": 'Bearer realm="tongban"'},
            )
        if not any(map(found.may, (scope, *others))):
            raise Problem("forbidden", f"该令牌没有 {scope} 权限，请向管理员申请")
        return found

    checked: Callable[..., Awaitable[Caller]] = check
    return Depends(checked)
