"""The textbook's worker: one task per case, a shared client, a commit per case."""

from __future__ import annotations

import os
import secrets
from datetime import UTC

import httpx
from celery import Celery

from bench.baseline.shop import BOOK, CREDENTIALS, REDIS_URL, Case, Event, Session, decrypted, now
from gateway.region import Taken

celery = Celery("baseline", broker=REDIS_URL)
celery.conf.update(
    task_ignore_result=True,
    task_acks_late=True,
    worker_prefetch_multiplier=int(os.environ.get("BASELINE_PREFETCH", "8")),
    # above the longest wait, as a task that waits longer is given to a second worker
    broker_transport_options={"visibility_timeout": 6 * 3600},
)


class NotTaken(Exception):  # noqa: N818 - the answer of a peer
    """The other side answered, but did not take it."""


client = httpx.Client(timeout=30, limits=httpx.Limits(max_connections=16))


# as Celery's guide advises: twice the wait each time, with jitter
@celery.task(
    autoretry_for=(httpx.HTTPError, NotTaken), retry_backoff=5, retry_backoff_max=14400, max_retries=12
)
def deliver(case_id: int) -> None:
    with Session() as session:
        case = session.get_one(Case, case_id)
        region, own = BOOK.regions[case.target], CREDENTIALS[case.target]
        assert case.rendered is not None
        assert case.native_kind is not None
        moment = now()
        signed = region.seal(
            decrypted(case.rendered), case.native_kind, own, moment.replace(tzinfo=UTC), secrets.token_hex(12)
        )
        url = str(own.base_url).rstrip("/") + signed.path  # type: ignore[attr-defined]
        answer = client.post(url, content=signed.body, headers=dict(signed.headers))
        if region.read_reply(answer.status_code, answer.content).taken is not Taken.DELIVERED:
            raise NotTaken(answer.status_code)
        case.state = "22"
        session.add(Event(case_id=case.id, kind="delivery", at=moment))
        session.commit()
