"""The textbook's door: a synchronous FastAPI endpoint, one transaction, one task."""

from __future__ import annotations

import json
import os
from contextlib import asynccontextmanager
from datetime import UTC
from typing import TYPE_CHECKING, Annotated

import anyio
from fastapi import Depends, FastAPI, Request, Response
from sqlalchemy import select

from bench.baseline.shop import (
    BOOK,
    CREDENTIALS,
    Case,
    Event,
    Nonce,
    Session,
    encrypted,
    indexed,
    now,
)
from bench.baseline.work import deliver
from gateway.canonical.worktime import beijing_day
from gateway.exchange import casework, translate
from gateway.exchange.crossing import bodies_of
from gateway.mapping.fieldmap import Sight
from gateway.region import Inbound, Outcome, Receipt
from gateway.store.records import Part

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    # forty threads, the default, only fight for the interpreter
    anyio.to_thread.current_default_thread_limiter().total_tokens = int(
        os.environ.get("BASELINE_WEB_THREADS", "8")
    )
    yield


app = FastAPI(lifespan=lifespan)


async def body_of(request: Request) -> bytes:
    return await request.body()


@app.post("/v1/{slug}/messages")
def take(slug: str, request: Request, body: Annotated[bytes, Depends(body_of)]) -> Response:
    origin, target, moment = BOOK.regions[slug], BOOK.regions[BOOK.maps.routes.sole[slug]], now()
    instant = moment.replace(tzinfo=UTC)
    inbound = Inbound(dict(request.headers), body)
    origin.verify(inbound, CREDENTIALS[slug], instant)
    opened = origin.open(inbound)
    plan = BOOK.maps.reader(slug, opened.native_kind)
    assert plan is not None
    with Session() as session:
        known = session.scalar(select(Case).where(Case.origin == slug, Case.key == opened.key))
        if known is not None:
            return Response(known.receipt, 202, media_type=origin.content_type)
        if opened.nonce:
            session.add(Nonce(origin=slug, nonce=opened.nonce))
        case = Case(
            origin=slug,
            target=target.slug,
            key=opened.key,
            digest=opened.digest,
            origin_case_no=opened.case_ref,
            state="20",
            raw=encrypted(body),
            received_at=moment,
        )
        session.add(case)
        session.flush()
        today = beijing_day(instant)
        sight = Sight(BOOK.tables, slug, slug, target.slug, translate.acceptance_day(plan, opened, today))
        reading = translate.read(plan, opened, sight)
        case.case_no = f"CYTB{casework.origin_division(reading, origin)}{today:%Y%m%d}{case.id:08d}"
        division = reading.value("target.division")
        heads = translate.heads_of(
            key=target.message_key(case.id, instant),
            case_no=case.case_no,
            case_ref=target.mint_case_no(division, today, case.id) or case.case_no,
            division=division or f"{target.division_prefix}0000",
            now=instant,
        )
        there = Sight(BOOK.tables, target.slug, slug, target.slug, sight.on)
        rendered = translate.write(BOOK.maps.writer(target.slug, reading.kind), reading, there, heads)
        bodies = bodies_of(target, reading, rendered, case.case_no)
        case.canonical, case.trace = encrypted(bodies[Part.CANONICAL]), encrypted(bodies[Part.TRACE])
        case.rendered, case.native_kind = encrypted(bodies[Part.RENDERED]), rendered.native_kind
        person = casework.person_of(reading)
        case.person = encrypted(json.dumps([person.name, person.id_type, person.id_no]).encode())
        case.citizen_index = indexed(person.id_no)
        given = Receipt(
            Outcome.ACCEPTED, 202, case_ref=opened.case_ref, case_no=case.case_no, sender=opened.sender
        )
        case.receipt = origin.receipt(given, origin.message_key(case.id, instant), instant)
        session.add(Event(case_id=case.id, kind="application", at=moment))
        answer, case_id = case.receipt, case.id
        session.commit()
    deliver.delay(case_id)
    return Response(answer, 202, media_type=origin.content_type)
