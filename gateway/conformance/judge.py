"""Checks the laws one after another; whatever an adapter does, there is a result for each."""

from __future__ import annotations

import re
import time
import traceback
from typing import TYPE_CHECKING

from gateway.conformance.law import Breach, Result
from gateway.conformance.laws.rulebook import CannotTell, Tally
from gateway.conformance.subject import BadKeys
from gateway.errors import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from gateway.conformance.law import Law, Level
    from gateway.conformance.laws.rulebook import Rule
    from gateway.conformance.subject import Subject

#: Breaches of one law that are kept: an adapter that is wrong everywhere needs no longer list.
MOST = 50
_UNHEARD_OF = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
#: Exceptions whose words are the program's own, never a message's.
_OWN_WORDS = (AttributeError, ImportError, NameError, SyntaxError, TypeError)


def judge(
    subject: Subject, rules: Iterable[Rule], level: Level, tell: Callable[[Law], None] = lambda _: None
) -> tuple[Result, ...]:
    """The results in the order of the rules, those above ``level`` left out. ``tell`` hears of each law begun."""
    results = []
    for rule in rules:
        if not level.includes(rule.law.level):
            continue
        tell(rule.law)
        reason = subject.region.exempt.get(rule.law.id)
        results.append(
            Result(rule.law, skipped=f"已声明例外：{reason}") if reason else _checked(rule, subject)
        )
    return tuple(results)


def _checked(rule: Rule, subject: Subject) -> Result:
    began, tally, found = time.perf_counter(), Tally(), []
    skipped = ""
    try:
        told: set[tuple[str, str]] = set()
        for breach in rule.check(subject, tally):
            if (breach.sentence, breach.path) in told:
                continue  # the same of another example
            told.add((breach.sentence, breach.path))
            found.append(printable(breach))
            if len(found) == MOST:
                break
    except CannotTell as reason:
        skipped = str(reason)
    except Exception as error:  # noqa: BLE001 - an adapter under test may raise anything
        found.append(accident(error, subject.where))
    return Result(rule.law, tuple(found), tally.tried, time.perf_counter() - began, skipped)


def printable(breach: Breach) -> Breach:
    """The same without what no report can hold: control characters, lone surrogates."""
    texts = (breach.sentence, breach.remedy, breach.path, breach.example)
    return Breach(*(_UNHEARD_OF.sub("\ufffd", text) for text in texts))


def accident(error: Exception, where: str) -> Breach:
    """An exception nobody expected, with the place in the adapter it came from."""
    if isinstance(error, Refusal):
        return Breach(
            f"查到一半，有报文被拒收（{error.code} {error.text}）",
            f"请先改正 R-B12 和 R-B15 所说的；都满足时，请核对 {where} 的 open、parse 和 render：自己写出的报文自己要读得懂",
            path=where,
        )
    if isinstance(error, BadKeys):
        return Breach(
            f"模拟对端给出的密钥与 Credentials 的成员不合：{error}",
            f"请让 {where}/simulated.py 的 pair 与 {where}/wire.py 的 Credentials 成员一致",
            path=f"{where}/simulated.py",
        )
    words = f"（{error}）" if isinstance(error, _OWN_WORDS) else ""
    said = f"抛出了 {type(error).__name__}{words}，而只可抛出 Refusal"
    frames = traceback.extract_tb(error.__traceback__)
    own = [place for frame in frames if (place := below(f"{where}/", frame.filename, frame.lineno))]
    if own and "/simulated.py:" in own[-1]:
        return Breach(
            f"模拟对端抛出了 {type(error).__name__}{words}，而只可抛出 Unheard",
            f"请改正 {own[-1]}：这里写出或读懂报文时出错",
            path=own[-1],
        )
    if own:
        return Breach(
            f"适配器{said}",
            f"请在 {own[-1]} 处理这种输入：读不懂的报文用 Refusal 说明原因，其余错误须改正",
            path=own[-1],
        )
    others = [
        place
        for frame in frames
        for root in ("adapters/", "gateway/")
        if (place := below(root, frame.filename, frame.lineno))
    ]
    place = others[-1] if others else ""
    return Breach(
        f"{place or '检查'}{said}",
        f"请核对 {where} 交给它的值的类型：日期、时间、金额、整数各用其转换读出（先看 R-B20）",
        path=place,
    )


def below(root: str, file: str, line: int | None) -> str:
    """``adapters/x/wire.py:12`` for a line of a file in a folder, "" for one elsewhere."""
    _, found, after = file.rpartition(f"/{root}")
    return f"{root}{after}:{line}" if found else ""
