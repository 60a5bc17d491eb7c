"""The command line in this process."""

from __future__ import annotations

import logging

from typer.testing import CliRunner

from gateway.cli.main import app


def invoke(*words, **given):
    """One run; what it does to the logs of the process is undone. ``given`` as `CliRunner.invoke` takes it."""
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    result = CliRunner().invoke(app, [str(word) for word in words], **given)
    root.handlers[:] = before
    root.setLevel(level)
    return result
