"""`tongban playground`: the page on which messages are tried, on this machine alone; no database, no Redis."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import Annotated, Any

import typer
import uuid_utils.compat
import uvicorn

from gateway import log
from gateway.cli.shared import CANNOT_RUN, Config, stop
from gateway.dashboard.playground.app import HOME, alone
from gateway.dashboard.playground.ground import Local
from gateway.errors import CannotStart
from gateway.mapping.load import PACKAGED
from gateway.runtime import configure, rulebook

app = typer.Typer()
_HOST = "127.0.0.1"


@app.command()
def playground(
    port: Annotated[int, typer.Option(min=0, max=65535, help="端口；0 为任一空闲端口")] = 8088,
    tables: Annotated[
        list[Path] | None, typer.Option(help="规则表目录或工作簿，可给多个；页面上可逐个选用，第一个为缺省")
    ] = None,
    config: Config = None,
) -> None:
    """本机试译页面：粘贴报文，看问题在哪一行、会变成什么；不需要数据库，不保存任何内容。"""
    log.configure(level=40)
    try:
        settings = configure(config, os.environ, offline=True)
        words = [str(each) for each in tables or ()] or [str(settings.tables_dir or PACKAGED)]
        ground = Local.of(
            rulebook(settings, os.environ), uuid_utils.compat.uuid7, words, settings.calendar_until
        )
    except CannotStart as error:
        stop(error)
    listening = _listening(port)
    typer.echo(f"试译页面：http://{_HOST}:{listening.getsockname()[1]}{HOME}（Ctrl-C 结束）")
    options: dict[str, Any] = {"log_config": None, "access_log": False, "server_header": False}
    server = uvicorn.Server(uvicorn.Config(alone(ground, settings.playground.link_days), **options))
    server.run(sockets=[listening])


def _listening(port: int) -> socket.socket:
    """Bound before anything is promised: the address printed is one that answers."""
    listening = socket.socket()
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((_HOST, port))
    except OSError as error:
        listening.close()
        typer.echo(f"端口 {port} 无法使用（{error.strerror}），请用 --port 换一个", err=True)
        raise typer.Exit(CANNOT_RUN) from None
    listening.listen(128)
    return listening
