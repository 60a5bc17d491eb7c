"""Cases for the operators' list: stored as they are, invented of every kind, and asked for in every way."""

import random
from datetime import date, timedelta

from sqlalchemy import text
from store_builders import NOW, new_case, new_id

from gateway.canonical.kinds import State
from gateway.store import rows
from gateway.store.case_list import Wanted
from gateway.store.case_list_sql import RUNNING

DAY = timedelta(days=1)
TODAY = date(2026, 11, 23)
ITEMS = ("pension_transfer", "unemployment_benefit", "card_loss")
SIDES = {"sichuan": ("510104", "510105"), "chongqing": ("500103", "500105")}


async def put(rt, cases, *, person=None):
    """Store cases as they are; of ``person`` when one is given."""
    await rt.vault.prepare([case.id for case in cases])
    written = []
    for case in cases:
        sealed, index = rt.vault.seal_person(case.id, person)
        written.append({**rows.columns(case), "person": sealed, "citizen_index": index})
    names = list(written[0])
    values = ", ".join("CAST(:tracking AS jsonb)" if name == "tracking" else f":{name}" for name in names)
    async with rt.engine.begin() as connection:
        await connection.execute(
            text(f"INSERT INTO cases ({', '.join(names)}, last_seq, last_event) VALUES ({values}, 1, 1)"),
            written,
        )


async def rest(rt, case, state, code="1001"):
    """Let a message of a case wait for staff."""
    which = {"id": new_id(), "case": case.id, "no": case.case_no, "state": state}
    async with rt.engine.begin() as connection:
        await connection.execute(
            text(
                "INSERT INTO deliveries (id, case_id, case_no, seq, destination, kind, native_kind, state, rendered)"
                " VALUES (:id, :case, :no, 1, 'chongqing', 'transfer.apply', 'x', :state, true)"
            ),
            which,
        )
        await connection.execute(
            text(
                "INSERT INTO messages (id, case_id, seq, region, destination, kind, native_kind, out_kind,"
                " idempotency_key, digest, outcome, findings, tables_digest, received_at, receipt_status, receipt)"
                " VALUES (:id, :case, 1, 'sichuan', 'chongqing', 'transfer.apply', 'x', 'x', :no, 'd', 'parked',"
                " jsonb_build_array(jsonb_build_object('code', CAST(:code AS text), 'text', '没有对应的代码',"
                " 'path', 'p')), 't', now(), 202, '')"
            ),
            which | {"code": code},
        )


def invented(number, seed=7):
    """Cases of every kind: some sides, items and states are common, some rare, some missing."""
    dice, lots = random.Random(seed), random.Random(seed)
    for n in range(number):
        origin, target = dice.choice([("sichuan", "chongqing")] * 4 + [("chongqing", "sichuan")])
        received = NOW - timedelta(minutes=dice.randrange(60 * 24 * 40))
        state = dice.choice([State("50")] * 6 + list(RUNNING))
        yield new_case(
            origin=origin,
            target=target,
            origin_case_no=f"own-{n:04d}",
            origin_division=dice.choice(SIDES[origin]),
            target_division=dice.choice(SIDES[target]),
            item=dice.choice([ITEMS[0]] * 5 + list(ITEMS)),
            channel=lots.choice(["", "", "", "bank", "town"]),
            collected={"outlet": "01", "outlet_name": "网点", "organisation": "示例银行", "agency": ""},
            state=state,
            received_at=received,
            due_on=dice.choice([None, received.date() + dice.randrange(-3, 20) * DAY]),
        )


def expected(kept, wanted):
    """The same by reading everything."""

    def fits(case):
        resting = kept["resting"].get(case.id)
        return (
            wanted.origin in {None, case.origin}
            and wanted.target in {None, case.target}
            and wanted.division in {None, case.origin_division, case.target_division}
            and wanted.item in {None, case.item}
            and wanted.channel in {None, case.channel}
            and (not wanted.states or case.state in wanted.states)
            and (not wanted.by_due or (case.due_on is not None and case.state in RUNNING))
            and (wanted.due_from is None or case.due_on >= wanted.due_from)
            and (wanted.due_to is None or case.due_on <= wanted.due_to)
            and (wanted.received_from is None or case.received_at >= wanted.received_from)
            and (wanted.received_to is None or case.received_at <= wanted.received_to)
            and (wanted.resting is None or (resting is not None and resting[0] == wanted.resting))
            and (wanted.code is None or (resting is not None and resting[1] == wanted.code))
        )

    found = [case for case in kept["cases"] if fits(case)]
    if wanted.by_due:
        return [case.case_no for case in sorted(found, key=lambda case: (case.due_on, case.case_no))]
    return [
        case.case_no
        for case in sorted(found, key=lambda case: (case.received_at, case.case_no), reverse=True)
    ]


def asked(number, seed=11):
    """Combinations of filters, the impossible ones too."""
    dice, lots = random.Random(seed), random.Random(seed)

    def maybe(share, *values):
        return dice.choice(values) if dice.random() < share else None

    for _ in range(number):
        since, until = sorted(NOW - dice.randrange(45) * DAY for _ in range(2))
        resting = maybe(0.25, "parked", "dead", "refused")
        division = maybe(0.3, "510104", "500103", "519999")
        yield Wanted(
            origin=maybe(0.3, *SIDES),
            target=maybe(0.2, *SIDES),
            division=division,
            division_of=division and maybe(0.7, {"51": "sichuan", "50": "chongqing"}[division[:2]]),
            item=maybe(0.3, *ITEMS, "nothing"),
            channel=lots.choice([None] * 6 + ["bank", "town", "nobody"]),
            states=tuple(dice.sample(list(State), dice.choice([1, 3]))) if dice.random() < 0.3 else (),
            due_from=maybe(0.15, TODAY - 20 * DAY, TODAY),
            due_to=maybe(0.15, TODAY - DAY, TODAY + 5 * DAY),
            received_from=maybe(0.25, since),
            received_to=maybe(0.25, until),
            resting=resting,
            code=maybe(0.5, "1001", "1002", "1999") if resting == "parked" else None,
            sort=dice.choice(["newest", "newest", "due"]),
        )
