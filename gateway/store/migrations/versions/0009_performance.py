"""Indicators: the facts of each case, what is added up of them, and how far the folding has come."""

from __future__ import annotations

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_COUNTED = (
    *("received", "supplemented", "reworked", "parked_s", "decided", "first_time", "concluded", "timed"),
    *(
        "on_time",
        "clocked",
        "workdays",
        "rated",
        "stars",
        "bad",
        "closed",
        "closed_days",
        "open",
        "provisional",
    ),
)
_DATED = {
    "received": ("received_on", ""),
    "decided": ("decided_on", ""),
    "ended": ("ended_on", ""),
    "rated": ("rated_on", " WHERE rated_on IS NOT NULL"),
    "due": ("due_on", " WHERE is_open AND due_on IS NOT NULL"),
}
_DDL = (
    """
    CREATE TABLE case_facts (
      case_id uuid PRIMARY KEY, case_no text NOT NULL, item text NOT NULL,
      origin text NOT NULL, origin_division text NOT NULL, target text NOT NULL, target_division text NOT NULL,
      received_on date NOT NULL, is_open boolean NOT NULL, due_on date, provisional boolean NOT NULL,
      decided_on date, first_time boolean NOT NULL, ended_on date, ending text NOT NULL, workdays integer,
      supplements smallint NOT NULL, parks smallint NOT NULL, parked_s bigint NOT NULL,
      rated_on date, grade smallint, bad_closed_on date)
    """,
    *(
        f"CREATE INDEX case_facts_{side}_{name} ON case_facts ({side}_division, {column}, case_id){where}"
        for name, (column, where) in _DATED.items()
        for side in ("origin", "target")
    ),
    f"""
    CREATE TABLE performance (
      width text NOT NULL CHECK (width IN ('day', 'month')), side text NOT NULL CHECK (side IN ('origin', 'target')),
      bucket date NOT NULL, region text NOT NULL, division text NOT NULL, item text NOT NULL,
      {", ".join(f"{name} bigint NOT NULL" for name in _COUNTED)},
      PRIMARY KEY (width, side, bucket, region, division, item))
    WITH (fillfactor = 80)
    """,
    # What is overdue is looked for in all months there ever were: few of them still hold anything open.
    "CREATE INDEX performance_open ON performance (width, side, bucket) WHERE open > 0",
    """
    CREATE TABLE performance_marks (
      name text PRIMARY KEY, after uuid NOT NULL, laps integer NOT NULL DEFAULT 0,
      folded_until timestamptz NOT NULL)
    """,
    # What came before is found by the walk through all cases; an hour, so that nobody falls between the two.
    """
    INSERT INTO performance_marks (name, after, folded_until) VALUES
      ('events', uuidv7(interval '-1 hour'), now() - interval '1 hour'),
      ('cases', '00000000-0000-0000-0000-000000000000', now())
    """,
)


def upgrade() -> None:
    for statement in _DDL:
        op.execute(statement)


def downgrade() -> None:
    for table in ("performance_marks", "performance", "case_facts"):
        op.execute(f"DROP TABLE {table}")
