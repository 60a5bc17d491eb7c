"""`tongban migrate`: bring the database to this version's shape, before its processes start."""

from __future__ import annotations

import os

import typer

from gateway.cli.shared import Config, run, stop
from gateway.errors import CannotStart
from gateway.runtime import configure
from gateway.store import engine

app = typer.Typer()


@app.command()
def migrate(config: Config = None) -> None:
    """将 database_url 指向的数据库升级到本版本的结构；可重复执行，可多处同时执行。"""
    try:
        url = configure(config, os.environ, offline=True).database_url
    except CannotStart as error:
        stop(error)
    if url is None:
        stop(CannotStart("database_url: 未填写；内置数据库由 tongban serve 启动时自动升级，无需此命令"))
    run(engine.migrate(url))
    typer.echo("数据库结构已是最新")
