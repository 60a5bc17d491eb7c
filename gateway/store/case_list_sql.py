"""The statements of the operators' list of cases: every combination of filters reads few rows.

An index serves one order and the filters before it; a filter that it lacks is tried row by row, and one that hardly
any row passes reads them all. So whatever was not asked for is spelled out: an index holds item, state and both sides
before its order, and one probe for each combination there is (arms) takes the first rows of each, which are then
sorted together. Rare and missing combinations cost a probe each, and common ones a page each.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from sqlalchemy import TextClause, text

from gateway.canonical.kinds import State
from gateway.canonical.transitions import FINAL

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date, datetime

Sort = Literal["newest", "due"]
Resting = Literal["parked", "dead", "refused"]

#: States in which the clock of a case may run.
RUNNING = tuple(state for state in State if state not in FINAL)

#: The column a list is sorted by, and its direction; ties by case number in the same direction.
_ORDER: dict[Sort, tuple[str, str]] = {"newest": ("received_at", "DESC"), "due": ("due_on", "ASC")}
_TYPE = {"received": "timestamptz", "received_at": "timestamptz", "due": "date", "due_on": "date"}
_TURNED = {"DESC": "ASC", "ASC": "DESC"}

#: How a list by due date with a window of receipt is read: from the cases of the window, which are then sorted, or
#: along the due dates. What the planner thinks of it rests on the two being independent, which they are not at all.
Path = Literal["window", "due"]

#: Directions between two regions.
_TWO_WAYS = 2

#: Word for word what the partial indexes say, so that the planner sees that they serve.
_RUNNING = ", ".join(f"'{state}'" for state in RUNNING)
DUE_RUNS = f"due_on IS NOT NULL AND state IN ({_RUNNING})"
#: Of one channel, as its indexes say it. A channel has few cases among many, and each of its indexes holds those alone.
_CHANNEL = "(tracking ->> 'channel') = CAST(:channel AS text)"
_DIVISION = "CAST(:division AS text) IN (origin_division, target_division)"
#: Due before it was received, by the sender's own dates: so few that an index holds them all.
_EARLY = "due_on < CAST(received_at AT TIME ZONE 'Asia/Shanghai' AS date)"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a list shows; None and empty: any.

    ``channel``: the name of the channel that collected it. ``division`` is either side's; ``division_of`` the region it belongs to, if that is known. ``due_from`` and ``due_to`` (dates), ``received_from`` and ``received_to`` (aware)
    count themselves. ``resting``: a message of the case waits for staff in this way, because of ``code`` (a finding's,
    or the code its last attempt ended with). Sorted ``due``, or with a due date asked for, the list holds only cases
    whose clock runs.
    """

    origin: str | None = None
    target: str | None = None
    division: str | None = None
    division_of: str | None = None
    item: str | None = None
    channel: str | None = None
    states: tuple[State, ...] = ()
    due_from: date | None = None
    due_to: date | None = None
    received_from: datetime | None = None
    received_to: datetime | None = None
    resting: Resting | None = None
    code: str | None = None
    sort: Sort = "newest"

    @property
    def by_due(self) -> bool:
        """Whether the list goes by due date: a due date asked for is looked up in that order."""
        return self.sort == "due" or self.due_from is not None or self.due_to is not None

    @property
    def order(self) -> Sort:
        return "due" if self.by_due else "newest"

    def possible_states(self) -> tuple[State, ...]:
        states = self.states or tuple(State)
        return tuple(state for state in states if state in RUNNING) if self.by_due else states


@dataclass(frozen=True, slots=True)
class Place:
    """A place in a list: the sorted column's value and the case number."""

    key: date | datetime
    case_no: str


@dataclass(frozen=True, slots=True)
class Query:
    """A statement whose rows are ``key, case_no``, and its parameters."""

    statement: TextClause
    values: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Cut:
    """Which rows of a list: the next ``places`` of them after a place, or before it."""

    places: int
    place: Place | None = None
    backwards: bool = False
    #: False: any of them, for whoever only counts
    ordered: bool = True


def keys(
    wanted: Wanted,
    cut: Cut,
    pairs: Sequence[tuple[str, str]],
    *,
    flooded: bool = False,
    path: Path | None = None,
) -> Query:
    """The first rows of a list in its order, or, read backwards, the last before a place, nearest first.

    ``pairs``: the directions there are, (origin, target). ``flooded``: so much rests that the list is read from its
    cases, not from what rests. ``path``: None where there is only one.
    """
    column, direction = _ORDER[wanted.order]
    if cut.backwards:
        direction = _TURNED[direction]
    values = _values(wanted, cut, pairs)
    where = " AND ".join(_conditions(wanted, cut, column, direction, path))
    if wanted.channel is not None:
        where += f" AND {_CHANNEL}"
    order = f"{column} {direction}, case_no {direction}"
    if wanted.resting is not None:
        if not flooded:
            return Query(text(_from_resting(wanted, wanted.resting, column, where, order)), values)
        where += f" AND EXISTS ({_resting(wanted.resting, coded=bool(wanted.code))} AND d.case_id = cases.id)"
    if _is_open(wanted):
        return Query(
            text(f"SELECT {column} AS key, case_no FROM cases WHERE {where} ORDER BY {order} LIMIT :places"),  # noqa: S608
            values,
        )
    found = list(_arms(wanted, pairs, column, where, order if cut.ordered else "", path))
    # a case whose division is on both sides is one; who only counts need not wait for all to be sure of it
    arms = (" UNION " if cut.ordered else " UNION ALL ").join(found)
    if not found:
        arms = f"SELECT {column}, case_no FROM cases WHERE FALSE"  # noqa: S608
    sort = f"ORDER BY {order} " if cut.ordered else ""
    statement = f"SELECT {column} AS key, case_no FROM ({arms}) AS a {sort}LIMIT :places"  # noqa: S608
    return Query(text(statement), values)


def window(wanted: Wanted, most: int, pairs: Sequence[tuple[str, str]]) -> Query:
    """What a window of receipt holds of a list by due date, at most ``most``: it decides the path."""
    of_window = replace(wanted, sort="newest", due_from=None, due_to=None, states=wanted.possible_states())
    return keys(of_window, Cut(most, ordered=False), pairs)


def _is_open(wanted: Wanted) -> bool:
    """Whether nothing is asked for that the index of the newest, or of a channel's, would have to try row by row."""
    asked = (wanted.origin, wanted.target, wanted.division, wanted.item, wanted.states, wanted.resting)
    return not wanted.by_due and not any(asked)


def _values(wanted: Wanted, cut: Cut, pairs: Sequence[tuple[str, str]]) -> dict[str, Any]:
    there = [
        (origin, target)
        for origin, target in pairs
        if wanted.origin in {None, origin} and wanted.target in {None, target}
    ]
    return {
        "origin": wanted.origin,
        "target": wanted.target,
        "division": wanted.division,
        "item": wanted.item,
        "channel": wanted.channel,
        "states": [state.value for state in wanted.possible_states()],
        "origins": [origin for origin, _ in there],
        "targets": [target for _, target in there],
        "due_from": wanted.due_from,
        "due_to": wanted.due_to,
        "received_from": wanted.received_from,
        "received_to": wanted.received_to,
        "code": wanted.code,
        "key": None if cut.place is None else cut.place.key,
        "case_no": None if cut.place is None else cut.place.case_no,
        "places": cut.places,
    }


def _conditions(wanted: Wanted, cut: Cut, column: str, direction: str, path: Path | None) -> Iterator[str]:
    """What every row must be beyond item, state, sides and division."""
    yield DUE_RUNS if wanted.by_due else "TRUE"
    # with something added to it, no index of receipts serves
    received = "received_at + interval '0'" if path == "due" else "received_at"
    for name, sign in (("due_on", "due"), (received, "received")):
        if getattr(wanted, f"{sign}_from") is not None:
            yield f"{name} >= CAST(:{sign}_from AS {_TYPE[sign]})"
        if getattr(wanted, f"{sign}_to") is not None:
            yield f"{name} <= CAST(:{sign}_to AS {_TYPE[sign]})"
    if cut.place is not None:
        sign = "<" if direction == "DESC" else ">"
        yield f"({column}, case_no) {sign} (CAST(:key AS {_TYPE[column]}), CAST(:case_no AS text))"


def _arms(
    wanted: Wanted, pairs: Sequence[tuple[str, str]], column: str, where: str, order: str, path: Path | None
) -> Iterator[str]:
    """One for both sides, or, where a division is asked for, one for each side it may be on.

    A channel's cases are few and have indexes of their own: there a division is tried row by row.
    """
    runs = f" AND {DUE_RUNS}" if wanted.by_due else ""
    if path == "window":  # said otherwise than the indexes of due dates say it, so that none of them serves
        where = where.replace(DUE_RUNS, "due_on IS NOT NULL").replace("due_on", "(due_on + 0)")
        order = order.replace("due_on", "(due_on + 0)")
    if path == "due" and wanted.received_from is not None:
        begins = "CAST(CAST(:received_from AS timestamptz) AT TIME ZONE 'Asia/Shanghai' AS date)"
        asked = " AND ".join([where, *_equal(wanted), f"due_on < {begins}"])
        sort = f"ORDER BY {order}" if order else ""
        # taken whole, and by this alone: given more, the planner would hope for some other index
        yield (
            f"(WITH e AS MATERIALIZED (SELECT * FROM cases WHERE {_EARLY})"  # noqa: S608
            f" SELECT due_on, case_no FROM e WHERE {asked} {sort} LIMIT :places)"
        )
        where += f" AND due_on >= {begins}"
    if wanted.division is None or wanted.channel is not None:
        of = "TRUE" if wanted.channel is None else _CHANNEL
        if wanted.division is not None:
            where += f" AND {_DIVISION}"
        sides = " CROSS JOIN unnest(CAST(:origins AS text[]), CAST(:targets AS text[])) AS p(origin, target)"
        same = " AND origin = p.origin AND target = p.target"
        yield _arm(_items(wanted, of + runs), sides, same, column, where, order)
        return
    for side, other in (("origin", "target"), ("target", "origin")):
        own, others_own = getattr(wanted, side), getattr(wanted, other)
        if wanted.division_of is not None and (
            own not in {None, wanted.division_of} or others_own == wanted.division_of
        ):
            continue  # the division is on the other side
        here = f"{side}_division = CAST(:division AS text)"
        # what the division says of its own side, and two regions of the other one, is not tried row by row
        known = wanted.division_of is not None and len(pairs) <= _TWO_WAYS
        asked_too = () if known else (side, other)
        others = "".join(
            f" AND {each} = CAST(:{each} AS text)" for each in asked_too if getattr(wanted, each)
        )
        yield _arm(_items(wanted, here + runs), "", f" AND {here}{others}", column, where, order)


def _equal(wanted: Wanted) -> Iterator[str]:
    """The filters that an arm has in its index, for where no index has them."""
    equal = {
        "origin = CAST(:origin AS text)": wanted.origin,
        "target = CAST(:target AS text)": wanted.target,
        "item = CAST(:item AS text)": wanted.item,
        "state = ANY(CAST(:states AS text[]))": wanted.states,
        _DIVISION: wanted.division,
        _CHANNEL: wanted.channel,
    }
    return (condition for condition, value in equal.items() if value)


def _arm(items: str, sides: str, same: str, column: str, where: str, order: str) -> str:
    return f"""
    SELECT f.{column}, f.case_no FROM ({items}) AS i
     CROSS JOIN unnest(CAST(:states AS text[])) AS s(state){sides}
     CROSS JOIN LATERAL (
       SELECT {column}, case_no FROM cases
        WHERE item = i.item AND state = s.state{same} AND {where}
        {f"ORDER BY {order}" if order else ""} LIMIT :places) AS f"""  # noqa: S608


def _items(wanted: Wanted, where: str) -> str:
    """The item asked for, or every item there is: a probe each, by an index that begins with it."""
    if wanted.item is not None:
        return "SELECT CAST(:item AS text) AS item"
    return f"""
    WITH RECURSIVE t(item) AS (
      (SELECT item FROM cases WHERE {where} ORDER BY item LIMIT 1)
      UNION ALL
      SELECT (SELECT item FROM cases WHERE {where} AND item > t.item ORDER BY item LIMIT 1)
        FROM t WHERE t.item IS NOT NULL)
    SELECT item FROM t WHERE item IS NOT NULL"""  # noqa: S608


# -- what rests ------------------------------------------------------------------------------------------

#: One probe each: nothing of a message is older than its id, so that the months before are not looked into.
_LAST_CODE = (
    "(SELECT a.code FROM attempts a WHERE a.case_id = d.case_id AND a.message_id = d.id AND a.id >= d.id"
    " ORDER BY a.id DESC LIMIT 1)"
)
_FINDINGS = "(SELECT m.findings FROM messages m WHERE m.id = d.id LIMIT 1)"
_HAS_CODE = {
    "parked": f"{_FINDINGS} @> jsonb_build_array(jsonb_build_object('code', CAST(:code AS text)))",
    "dead": f"{_LAST_CODE} = CAST(:code AS text)",
    "refused": f"{_LAST_CODE} = CAST(:code AS text)",
}

#: How much rests in this way, counted up to ``most``.
COUNT_RESTING = text(
    "SELECT count(*) FROM (SELECT FROM deliveries WHERE state = :state"
    " AND state IN ('parked', 'dead', 'refused') LIMIT :most) AS r"
)


def _resting(state: Resting, *, coded: bool) -> str:
    # the state is a constant, so that the planner knows the partial index of resting rows serves
    code = f" AND {_HAS_CODE[state]}" if coded else ""
    return f"SELECT d.case_id FROM deliveries d WHERE d.state = '{state}'{code}"  # noqa: S608


def _from_resting(wanted: Wanted, state: Resting, column: str, where: str, order: str) -> str:
    """From what rests to its cases, a probe each; ``code`` is looked up last, in the order of the list.

    ``MATERIALIZED``: taken by itself, or the planner would read all deliveries in the order that saves it a sort.
    """
    conditions = " AND ".join([where, *_equal(wanted)])
    found = f"""
    SELECT c.* FROM (WITH d AS MATERIALIZED ({_resting(state, coded=False)}) SELECT DISTINCT case_id FROM d) AS r
     CROSS JOIN LATERAL (SELECT id, {column}, case_no FROM cases WHERE id = r.case_id AND {conditions} LIMIT 1) AS c
     ORDER BY {order}"""  # noqa: S608
    if wanted.code is None:
        return f"SELECT {column} AS key, case_no FROM ({found} LIMIT :places) AS f ORDER BY {order}"  # noqa: S608
    return f"""
    SELECT {column} AS key, case_no FROM ({found}) AS f
     WHERE EXISTS ({_resting(state, coded=True)} AND d.case_id = f.id) ORDER BY {order} LIMIT :places"""  # noqa: S608
