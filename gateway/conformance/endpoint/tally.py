"""A law of a live server before it is bound to a region, and what is noted while it is tried."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gateway.conformance.law import Breach, Law

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Mapping

    from gateway.conformance.endpoint.bench import Answer, Bench
    from gateway.conformance.law import Level

#: Breaches of one law that are kept; the rest say the same again.
_MOST = 20


def byte_for_byte(answer: Answer, remedy: str) -> str:
    """What to mend where good bytes, oddly written, were not taken: their proof comes before what they say."""
    if answer.status != 401:
        return remedy
    return (
        "凭证要对收到的每一个字节验：不先去掉首尾的空白和换行，不换行尾，不转成字符串再转回，长的循环读到读完；"
        "同一把密钥的别的报文都验得过（见 E-B02）"
    )


@dataclass(slots=True)
class Tally:
    """What one law has tried and found. ``source`` is the clause it is quoted by."""

    source: str
    tried: int = 0
    breaches: list[Breach] = field(default_factory=list)
    skipped: str = ""

    def broken(self, sentence: str, remedy: str, *, path: str = "", example: str = "") -> None:
        """Note one way the law is broken."""
        if len(self.breaches) < _MOST:
            self.breaches.append(Breach(sentence, remedy, path, example))

    def skip(self, why: str) -> None:
        """Nothing could be tried, and why; kept only while nothing was."""
        self.skipped = why

    def taken(self, answer: Answer, remedy: str) -> bool:
        """A message that has to be taken."""
        self.tried += 1
        if not answer.taken:
            self.broken(
                f"发送：{answer.what}。应答：{answer.said}。按 {self.source} 应受理：HTTP 202 和受理回执。",
                remedy,
                path=answer.path,
                example=answer.example,
            )
        return answer.taken

    def refused(self, answer: Answer, status: int, codes: Collection[str], remedy: str) -> bool:
        """A request that has to be refused so; a status without a readable code is the receipts' law."""
        self.tried += 1
        fits = answer.status == status and (not answer.code or answer.code in {*codes, str(status)})
        if not fits:
            codes_ = "或".join(sorted(codes))
            self.broken(
                f"发送：{answer.what}。应答：{answer.said}。按 {self.source} 应拒收：HTTP {status}，代码 {codes_}。",
                remedy,
                path=answer.path,
                example=answer.example,
            )
        return fits


@dataclass(frozen=True, slots=True)
class Demand:
    """A law of a live server. ``topic`` is one of the region's clauses, ``also`` a clause for every region.

    ``needs``: ``"good"`` a message the server takes, ``"probes"`` what the region declares for probing,
    ``"door"`` a listening door.
    """

    id: str
    title: str
    title_en: str
    level: Level
    topic: str
    also: str
    check: Callable[[Bench, Tally], Awaitable[None]]
    needs: frozenset[str] = frozenset({"good"})

    def law(self, clauses: Mapping[str, str]) -> Law:
        """The law as it is cited for one region."""
        source = "、".join(filter(None, (clauses.get(self.topic, ""), self.also)))
        return Law(self.id, self.title, self.title_en, self.level, source)
