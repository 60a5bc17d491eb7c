"""What a report says, and its canonical form, over which it is signed."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from gateway.canonical.worktime import BEIJING
from gateway.conformance.law import Breach, Law, Level, Result, Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Version of the shape of the JSON report; raised when a member changes its meaning.
FORMAT = "tongban-conformance/1"
_TEXTS = ("kind", "subject", "name", "gateway", "tables_digest", "subject_digest")


@dataclass(frozen=True, slots=True)
class Report:
    """The outcome of one check.

    ``kind`` is ``region`` or ``endpoint``; ``subject`` the slug, or the URL without its query; ``name`` what
    people call it; ``at`` aware; ``tables_digest`` is that of every translation (hex SHA-256),
    ``subject_digest`` hex SM3 of the adapter's files. ``seed`` repeats the generated messages.
    """

    kind: str
    subject: str
    level: Level
    at: datetime
    gateway: str
    tables_digest: str
    subject_digest: str
    results: tuple[Result, ...]
    name: str = ""
    seed: int = 0

    @property
    def held(self) -> bool:
        """Whether no law is broken."""
        return not any(result.breaches for result in self.results)

    def count(self, verdict: Verdict) -> int:
        """How many laws came out so."""
        return sum(result.verdict is verdict for result in self.results)

    @property
    def word(self) -> str:
        """The outcome in words; what was not looked at is never passed over."""
        if not self.held:
            return "有不满足的要求"
        left = self.count(Verdict.SKIPPED)
        return f"没有不满足的要求，{left} 条未检查" if left else "全部满足"

    @property
    def tried(self) -> int:
        """Cases looked at, over all laws."""
        return sum(result.tried for result in self.results)

    @property
    def took_s(self) -> float:
        """Seconds the laws took together, of the milliseconds that are written."""
        return sum(map(_took_ms, self.results)) / 1000

    def as_json(self) -> dict[str, Any]:
        """The members of the JSON report, without its signature."""
        return {
            "format": FORMAT,
            "kind": self.kind,
            "subject": self.subject,
            "name": self.name,
            "level": self.level.value,
            "at": self.at.astimezone(BEIJING).isoformat(timespec="seconds"),
            "gateway": self.gateway,
            "tables_digest": self.tables_digest,
            "subject_digest": self.subject_digest,
            "seed": self.seed,
            "held": self.held,
            "counts": {
                "laws": len(self.results),
                **{verdict.value: self.count(verdict) for verdict in Verdict},
                "tried": self.tried,
            },
            "results": [_result(result) for result in self.results],
        }


def _result(result: Result) -> dict[str, Any]:
    law = result.law
    return {
        "id": law.id,
        "title": law.title,
        "title_en": law.title_en,
        "level": law.level.value,
        "source": law.source,
        "verdict": result.verdict.value,
        "tried": result.tried,
        # whole numbers: the same text in every language that computes the signature
        "took_ms": _took_ms(result),
        "skipped": result.skipped,
        "breaches": [
            {"sentence": b.sentence, "remedy": b.remedy, "path": b.path, "example": b.example}
            for b in result.breaches
        ],
    }


def _took_ms(result: Result) -> int:
    return round(result.took_s * 1000)


def report_of(members: Mapping[str, Any]) -> Report:
    """The report that `Report.as_json` wrote. Errors: `ValueError` for members that are no report's."""
    try:
        return Report(
            results=tuple(map(_result_of, members["results"])),
            level=Level(members["level"]),
            at=datetime.fromisoformat(members["at"]),
            seed=int(members["seed"]),
            **{name: str(members[name]) for name in _TEXTS},
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"缺少成员或写法不对（{type(error).__name__} {error}）") from error


def _result_of(members: Mapping[str, Any]) -> Result:
    law = Law(
        members["id"], members["title"], members["title_en"], Level(members["level"]), members["source"]
    )
    breaches = tuple(Breach(**breach) for breach in members["breaches"])
    return Result(law, breaches, members["tried"], members["took_ms"] / 1000, members["skipped"])


def canonical(members: dict[str, Any]) -> bytes:
    """The bytes that are signed: UTF-8 JSON, members sorted by name, no white space, no ``signature``."""
    signed = {name: value for name, value in members.items() if name != "signature"}
    return json.dumps(signed, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
