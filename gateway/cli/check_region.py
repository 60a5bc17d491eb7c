"""`tongban check region`."""

from __future__ import annotations

import typer

app = typer.Typer(add_completion=False)


@app.command()
def region(subject: str) -> None:
    """."""
    typer.echo(subject)
