"""`tongban check report`."""

from __future__ import annotations

import typer

app = typer.Typer(add_completion=False)


@app.command()
def report(subject: str) -> None:
    """."""
    typer.echo(subject)
