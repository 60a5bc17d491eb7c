"""Who may look: bearer tokens from the settings or the store, with scopes (gateway §1)."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from gateway.web.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from gateway.runtime import Runtime

#: A scope that brings another with it.
_IMPLIED = {"cases": "cases:full"}

_bearer = HTTPBearer(auto_error=False, scheme_name="bearer", description="网关签发的访问令牌")


@dataclass(frozen=True, slots=True)
class Caller:
    """The holder of a token."""

    name: str
    scopes: frozenset[str]

    def may(self, scope: str) -> bool:
        return scope in self.scopes or _IMPLIED.get(scope) in self.scopes

    @property
    def actor(self) -> str:
        """How timeline and audit name this person."""
        return f"staff:{self.name}"


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
    if found is not None:
        return found
    stored = await rt.tokens.find(digest)
    return None if stored is None else Caller(stored.name, frozenset(stored.scopes))


def needs(scope: str) -> Any:
    """A dependency: the caller, who holds ``scope``. Errors: 401 ``unauthorized``, 403 ``forbidden``."""

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
        if not found.may(scope):
            raise Problem("forbidden", f"该令牌没有 {scope} 权限，请向管理员申请")
        return found

    checked: Callable[..., Awaitable[Caller]] = check
    return Depends(checked)
