"""``tongban serve``: the whole gateway in one command, until SIGTERM or Ctrl-C.

Exit status: 0 after SIGTERM or Ctrl-C, 1 when it broke down, 2 when the configuration is unusable.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Annotated

import typer

from gateway import log
from gateway.cli.shared import FINDINGS, stop
from gateway.cli.stack import Stack
from gateway.errors import CannotStart
from gateway.runtime import configure

app = typer.Typer()


@app.command(help="运行整个网关，直到 SIGTERM 或 Ctrl-C")
def serve(
    config: Annotated[
        Path, typer.Option("--config", "-c", help="配置文件 gateway.toml", dir_okay=False)
    ] = Path("gateway.toml"),
) -> None:
    """启动整个网关（Web、投递、调度；未给地址时含内置 PostgreSQL 与 Redis），就绪后输出 ready <地址>。"""
    log.configure()
    try:
        stack = Stack(configure(config, os.environ), config)
        for ending in (signal.SIGTERM, signal.SIGINT):
            signal.signal(ending, lambda *_: stack.ask_stop())
        if stack.start():
            # The one line on stdout: programs wait for it.
            sys.stdout.write(f"ready {stack.url}\n")
            sys.stdout.flush()
        stack.wait()
    except CannotStart as error:
        stop(error)
    if stack.error is not None:
        sys.stderr.write(f"{type(stack.error).__name__}: {stack.error}\n")
        raise typer.Exit(FINDINGS)
