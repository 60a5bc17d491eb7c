"""Worked messages as the store keeps them, each alone in its case (pure, no server)."""

from __future__ import annotations

import uuid

from crossings import APPLICATIONS, CONTEXT, DAY, MAPS, NOW, PAIR, REGIONS, SIDE, TABLES, edited

from gateway.canonical.kinds import Kind
from gateway.canonical.tracking import Clock, TrackedCase
from gateway.store.archive import KeptCase, KeptMessage
from gateway.store.records import CaseRecord, Person


def other(slug):
    return next(each for each in REGIONS if each != slug)


def record_of(kind):
    """The case a worked message belongs to."""
    context = CONTEXT.get(kind, {})
    case_no = context.get("case_no", "CYTB5101042026112300000099")
    origin = SIDE[kind] if kind in APPLICATIONS else "sichuan" if case_no[4:6] == "51" else "chongqing"
    places = {"sichuan": "510104", "chongqing": "500103"}
    numbers = {
        "sichuan": context.get("affair_code", "510104-20261123-000017"),
        "chongqing": context.get("sblsh", case_no),
    }
    case = TrackedCase(
        uuid.UUID(int=1),
        case_no,
        Kind.GENERAL_APPLY,
        origin,
        other(origin),
        numbers[origin],
        NOW,
        item=context.get("item", ""),
        scheme=context.get("scheme", ""),
        origin_division=places[origin],
        target_division=places[other(origin)],
        target_case_no=numbers[other(origin)],
        accepted_on=DAY,
        old_division=context.get("old_place", ""),
        claim_place=context.get("claim_place", ""),
        clock=Clock(started_on=DAY),
    )
    person = context.get("applicant", {})
    return CaseRecord(
        case, Person(person.get("name", ""), person.get("id_type", ""), person.get("id_no", ""))
    )


_OWN = {"BODY/BJXX/SBLSH": "CQ50010320261123000051", "BODY/BJXX/SLD": "重庆市渝中区"}
_IN_SICHUAN = "四川省成都市锦江区"
#: worked messages as the gateway writes them, turned into what their side would send itself
SENT = {
    "tbsy0001": {"affairCode": "510104-20261123-000051"},
    "YLZY_SQ": _OWN,
    "ZGRZ_TZ": {**_OWN, "BODY/YWXX/DYFFDMC": _IN_SICHUAN},
    "TY_SQ": {**_OWN, "BODY/YWXX/YSDMC": _IN_SICHUAN},
}


def body_of(kind, edits=None):
    region = REGIONS[SIDE[kind]]
    return region.render(edited(kind, {**SENT.get(kind, {}), **(edits or {})}), kind)


def kept(kind, body=None):
    """A worked message as the store keeps it, alone in its case."""
    message = KeptMessage(
        uuid.UUID(int=2),
        1,
        SIDE[kind],
        other(SIDE[kind]),
        MAPS.plans[SIDE[kind], kind].map.kind,
        kind,
        PAIR[kind],
        "accepted",
        TABLES.digest,
        NOW,
        body_of(kind) if body is None else body,
    )
    return KeptCase(record_of(kind), (message,))


def variant(kind, edits):
    return kept(kind, body_of(kind, edits))
