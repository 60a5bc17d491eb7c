"""What the demo prepares for whoever opens the dashboard: people who sign in, and something to mend."""

from __future__ import annotations

import csv
import secrets
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gateway.cli.shared import opened
from gateway.exchange import accounts
from gateway.mapping.load import PACKAGED

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

#: Rows that a real pair of systems meets sooner or later without: (list, key). Cases that need them are parked.
_GAPS = (("certification_method", "03"), ("leaving_reason", "6302"))
_ACTOR = "staff:demo"


@dataclass(frozen=True, slots=True)
class Guest:
    """Somebody who may sign in to the demo."""

    name: str
    display: str
    roles: tuple[str, ...]


GUESTS = (
    Guest("demo", "演示·操作员", ("operator", "auditor")),
    Guest("second", "演示·审批人", ("approver",)),
)


def password_of(home: Path) -> str:
    """One for everybody in this demo; kept with its data."""
    kept = home / "password.txt"
    if not kept.exists():
        kept.touch(mode=0o600)
        kept.write_text(f"tong-ban-{secrets.token_hex(4)}", "utf-8")
    return kept.read_text("utf-8")


async def welcome(config: Path, password: str) -> None:
    """Accounts for the guests, unless a kept data folder has them."""
    async with opened(config) as rt:
        for guest in GUESTS:
            if await rt.staff.find(guest.name) is None:
                await accounts.add(
                    rt, guest.name, guest.display, guest.roles, password, second_factor=False, actor=_ACTOR
                )


def tables_with_gaps(home: Path, slugs: Sequence[str]) -> Path:
    """A copy of the packaged tables in which each side's words lack a row."""
    folder = home / "tables"
    shutil.copytree(PACKAGED, folder, dirs_exist_ok=True)
    for (name, key), slug in zip(_GAPS, slugs, strict=False):
        file = folder / "codes" / slug / f"{name}.csv"
        with file.open(encoding="utf-8", newline="") as read:
            heading, *rows = csv.reader(read)
        with file.open("w", encoding="utf-8", newline="") as write:
            kept = [row for row in rows if row[heading.index("key")] != key]
            csv.writer(write, lineterminator="\n").writerows([heading, *kept])
    return folder
