"""The tasks: a ring for one destination, for all, for maintenance, and an echo. The bell and the ear send their names."""

from __future__ import annotations

from celery import shared_task

from gateway.worker.app import hands


@shared_task(name="gateway.drain")  # type: ignore[untyped-decorator]
def drain(destination: str) -> None:
    """Ring for one destination."""
    hands().drain(destination)


@shared_task(name="gateway.sweep")  # type: ignore[untyped-decorator]
def sweep() -> None:
    """Ring for everything due, in case a ring was lost."""
    hands().sweep()


@shared_task(name="gateway.maintain")  # type: ignore[untyped-decorator]
def maintain() -> None:
    """Ring for maintenance of the store."""
    hands().maintain()


@shared_task(name="gateway.echo")  # type: ignore[untyped-decorator]
def echo() -> None:
    """Hear ourselves."""
    hands().heard()
