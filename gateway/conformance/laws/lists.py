"""The law over code lists as a whole: both directions say the same, and no word stands for another's meaning."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

from gateway.conformance.law import Breach
from gateway.conformance.laws.rulebook import CannotTell, holds

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gateway.conformance.laws.rulebook import Tally
    from gateway.conformance.subject import Subject
    from gateway.mapping.codelist import CodeList, CodeRow


#: Lists whose words depend on who speaks: what one side calls 转入 is 转出 to the other (crossing M15).
_BY_VIEW = frozenset({"transfer_direction"})


@holds(
    "F26",
    "码表收发一致：写出的代码读回来还是它，名称不是另一代码的名称",
    "Code lists say the same both ways, and no word has another's name",
    "crossing M1",
)
def lists_agree_with_themselves(subject: Subject, tally: Tally) -> Iterator[Breach]:
    """Two rows changed places is a mistake no example may show; a note in the row says that it is none."""
    lists = {name: one for (slug, name), one in subject.tables.lists.items() if slug == subject.slug}
    if not lists:
        raise CannotTell("本地区没有码表")
    for name, words in lists.items():
        tally(len(words.reads) + len(words.writes))
        yield from _other_ways(subject, words)
        explained = _explained(subject, name)
        for row in words.reads.values():
            if row.line not in explained and name not in _BY_VIEW:
                yield from _misnamed(subject, words, row)


def _other_ways(subject: Subject, words: CodeList) -> Iterator[Breach]:
    """A key that has a word of its own and is written as another's."""
    own: Mapping[str, CodeRow] = {row.key: row for row in words.reads.values()}
    for key, row in words.writes.items():
        back = words.read(row.native)
        if key in own and back is not None and back.key != key:
            place = f"{subject.code_file(words.name)}:{row.line}"
            yield Breach(
                f"码表 {words.name} 的规范代码“{key}”由“{own[key].native}”读入，却写作“{row.native}”，"
                f"而“{row.native}”读作“{back.key}”",
                f"请核对 {place} 与第 {own[key].line} 行的 native、key 和 direction，使收发一致",
                path=place,
            )


def _misnamed(subject: Subject, words: CodeList, row: CodeRow) -> Iterator[Breach]:
    meanings = subject.tables.hub(words.name).meanings
    keys = {meaning: key for key, meaning in meanings.items()}
    for word in dict.fromkeys((row.name, row.native)):
        other = keys.get(word)
        if other is not None and other != row.key and meanings.get(row.key) != word:
            place = f"{subject.code_file(words.name)}:{row.line}"
            yield Breach(
                f"码表 {words.name} 的“{row.native}”（{row.name}）读作“{row.key}”（{meanings.get(row.key)}），"
                f"而“{word}”是“{other}”的名称",
                f"请把 {place} 的 key 改为“{other}”；若接口确是如此，请在 note 写明原因",
                path=place,
            )
            return


def _explained(subject: Subject, name: str) -> frozenset[int]:
    """Lines of a list whose note says something."""
    text = subject.files.get(f"codes/{subject.slug}/{name}.csv", b"").decode("utf-8", "replace")
    rows = csv.DictReader(io.StringIO(text))
    return frozenset(number for number, row in enumerate(rows, 2) if row.get("note"))
