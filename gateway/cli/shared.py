"""What the commands share: options, exit codes, a runtime for the length of one command."""

from __future__ import annotations

import asyncio
import getpass
import json
import logging
import os
from contextlib import ExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn, TypeVar
from urllib.parse import quote

import typer

from gateway import log
from gateway.embedded import postgres, redis
from gateway.errors import CannotStart
from gateway.runtime import Runtime, configure
from gateway.store import engine

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Coroutine, Mapping

T = TypeVar("T")

#: gateway §7: 1 = refused, parked or findings; 2 = the command could not run.
FINDINGS, CANNOT_RUN = 1, 2

Config = Annotated[
    Path | None,
    typer.Option(
        "--config",
        "-c",
        help="配置文件 gateway.toml",
        dir_okay=False,
        envvar="TONGBAN_CONFIG",
        show_envvar=False,
    ),
]
By = Annotated[str, typer.Option("--by", help="操作人，记入审计；缺省为登录用户")]
Reason = Annotated[str, typer.Option("--reason", "-r", help="原因，记入审计")]


def actor(by: str) -> str:
    """How timeline and audit name who typed the command."""
    return f"staff:{by or getpass.getuser()}"


def stop(error: CannotStart) -> NoReturn:
    """Say why the command cannot run, one fault a line, and end with 2."""
    typer.echo(str(error), err=True)
    raise typer.Exit(CANNOT_RUN) from None


def finding(members: Mapping[str, Any]) -> None:
    """One finding: a JSON object on a line of stderr."""
    typer.echo(json.dumps(members, ensure_ascii=False), err=True)


def run(work: Coroutine[Any, Any, T]) -> T:
    """A command's coroutine, from start to end; what cannot start ends the command with 2."""
    log.configure(level=logging.WARNING)
    try:
        return asyncio.run(work)
    except CannotStart as error:
        stop(error)


@asynccontextmanager
async def opened(config: Path | None) -> AsyncIterator[Runtime]:
    """The runtime over the configured servers; embedded ones are those of the running gateway, or started."""
    settings = configure(config, os.environ)
    with ExitStack() as servers:
        urls = {
            "database_url": settings.database_url or embedded_postgres(settings.data_dir, servers),
            "redis_url": settings.redis_url or _redis(settings.data_dir, servers),
        }
        await engine.migrate(urls["database_url"])
        async with Runtime.open(settings.model_copy(update=urls), role="cli") as rt:
            yield rt


def embedded_postgres(data_dir: Path, servers: ExitStack) -> str:
    """The URL of the embedded server: the running gateway's, else one that ends with ``servers``."""
    try:
        server = postgres.start(data_dir)
    except CannotStart:
        try:  # a gateway is running on this folder: the fifth line of the pid file is its socket's folder
            lines = (data_dir / "postgres" / "data" / "postmaster.pid").read_text().splitlines()
        except OSError:
            lines = []
        if len(lines) < 5:
            raise
        return f"postgresql://postgres@/postgres?host={quote(lines[4], safe='/')}"
    servers.callback(server.stop)
    return server.url


def _redis(data_dir: Path, servers: ExitStack) -> str:
    try:
        server = redis.start(data_dir)
    except CannotStart:
        with suppress(OSError):  # a gateway is running on this folder
            return (data_dir / "redis" / "url").read_text().strip()
        raise
    servers.callback(server.stop)
    return server.url
