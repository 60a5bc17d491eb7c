"""How a simulated region misbehaves: by chance, or step by step as a script says."""

from __future__ import annotations

import json
import re
import tomllib
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path
    from random import Random


class Does(StrEnum):
    """What it does. The first eight to deliveries of the gateway, the last three to messages of its own."""

    DELAY = "delay"
    REFUSE = "refuse"
    ERROR = "error"
    HANG = "hang"
    CUT = "cut"
    GARBAGE = "garbage"
    REDIRECT = "redirect"
    FORGET = "forget"
    DUPLICATE = "duplicate"
    REORDER = "reorder"
    WRONG_PROOF = "wrong-proof"

    @property
    def is_own(self) -> bool:
        """Whether it is done to messages the region sends."""
        return self in _OWN

    @property
    def label(self) -> str:
        """What happens, in Chinese."""
        return _LABELS[self]


_OWN = frozenset({Does.DUPLICATE, Does.REORDER, Does.WRONG_PROOF})
_LABELS = {
    Does.DELAY: "延迟应答",
    Does.REFUSE: "拒收（422）",
    Does.ERROR: "答复 500",
    Does.HANG: "一直不应答",
    Does.CUT: "办理后断线",
    Does.GARBAGE: "回执读不懂",
    Does.REDIRECT: "重定向（307）",
    Does.FORGET: "忘记收过，重复办理",
    Does.DUPLICATE: "自己的报文发两次",
    Does.REORDER: "自己的报文次序颠倒",
    Does.WRONG_PROOF: "自己的报文凭证错误",
}
#: Seconds where none are said: a delay one notices, and a hang longer than the gateway waits.
_SECONDS = {Does.DELAY: 2.0, Does.HANG: 60.0}
_RATE = re.compile(r"([a-z-]+)=(0(?:\.\d+)?|1(?:\.0+)?)(?::(\d+(?:\.\d+)?)s?)?")


class BadFaults(ValueError):  # noqa: N818 - a word of the field, not a programming error
    """Faults or a script that cannot be understood; ``str`` says where and what is allowed."""


@dataclass(frozen=True, slots=True)
class Act:
    """One misdeed. Units: ``seconds`` of a delay or hang."""

    does: Does
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Rate:
    """A misdeed by chance: the share of messages it is done to."""

    act: Act
    share: float

    def as_json(self) -> dict[str, Any]:
        return {"does": self.act.does, "share": self.share, "seconds": self.act.seconds}


@dataclass(slots=True)
class Cue:
    """A step of a script: done to the ``nth`` message that fits, ``times`` in a row; ``kind`` empty fits all.

    ``kind`` is the kind of message, in the gateway's words (``general.apply``) or the region's own.
    """

    act: Act
    kind: str = ""
    nth: int = 1
    times: int = 1
    seen: int = 0

    def fits(self, *names: str) -> bool:
        """Counts a message; whether it is this step's turn."""
        if self.kind and self.kind not in names:
            return False
        self.seen += 1
        return self.nth <= self.seen < self.nth + self.times

    @property
    def done(self) -> bool:
        """Whether it has had its turns."""
        return self.seen >= self.nth + self.times - 1

    def as_json(self) -> dict[str, Any]:
        return {
            "do": self.act.does,
            "seconds": self.act.seconds,
            "kind": self.kind,
            "nth": self.nth,
            "times": self.times,
            "done": self.done,
        }


@dataclass(slots=True)
class Mischief:
    """Decides for each message what is done to it; the script goes before chance."""

    luck: Random = field(repr=False)
    rates: tuple[Rate, ...] = ()
    script: tuple[Cue, ...] = ()

    def with_a_delivery(self, *names: str) -> tuple[Act, ...]:
        """What is done to a delivery of the gateway; a delay may come with something else."""
        return self._drawn(names, frozenset(Does) - _OWN)

    def with_its_own(self, *names: str) -> frozenset[Does]:
        """What is done to a message the region sends; its place among others is `swaps`."""
        return frozenset(act.does for act in self._drawn(names, _OWN - {Does.REORDER}))

    def swaps(self) -> bool:
        """Whether the next two messages of a case change places; asked where there are two."""
        return bool(self._drawn((), {Does.REORDER}))

    def _drawn(self, names: tuple[str, ...], among: Collection[Does]) -> tuple[Act, ...]:
        scripted = [cue.act for cue in self.script if cue.act.does in among and cue.fits(*names)]
        by_chance = [
            rate.act for rate in self.rates if rate.act.does in among and self.luck.random() < rate.share
        ]
        return tuple(scripted or by_chance)

    def as_json(self) -> dict[str, Any]:
        """Rates and script, with what is done of it."""
        return {
            "rates": [rate.as_json() for rate in self.rates],
            "steps": [cue.as_json() for cue in self.script],
        }


def rates_of(written: str) -> tuple[Rate, ...]:
    """``delay=0.2:2s,refuse=0.1``. Errors: `BadFaults`."""
    found = []
    for part in filter(None, (each.strip() for each in written.split(","))):
        match = _RATE.fullmatch(part)
        if match is None:
            raise BadFaults(f"{part}: 应写成 名称=比例（0 到 1），可加 :秒数，如 delay=0.2:2s")
        does = _does(match[1])
        seconds = float(match[3]) if match[3] else _SECONDS.get(does, 0.0)
        found.append(Rate(Act(does, seconds), float(match[2])))
    return tuple(found)


def script_of(steps: Any, kinds: Collection[str]) -> tuple[Cue, ...]:
    """The list of steps of a script file or of the control address; ``kinds`` are the words for kinds.

    Errors: `BadFaults`.
    """
    if not isinstance(steps, list):
        raise BadFaults("step: 应为步骤的列表，每步有 do，可有 kind、nth、times、seconds")
    script = tuple(_cue(place, step) for place, step in enumerate(steps, 1))
    for place, cue in enumerate(script, 1):
        if cue.kind and cue.kind not in kinds:
            raise BadFaults(f"第 {place} 步: 没有报文种类 {cue.kind}；可用 {'、'.join(kinds)}")
        if cue.kind and cue.act.does is Does.REORDER:
            raise BadFaults(f"第 {place} 步: reorder 颠倒一个办件的下两条报文，不能指定 kind")
    return script


def read_script(file: Path, kinds: Collection[str]) -> tuple[Cue, ...]:
    """A script: TOML with ``[[step]]`` tables, or JSON with a list ``step``. Errors: `BadFaults`."""
    try:
        text = file.read_text(encoding="utf-8")
        tree = json.loads(text) if file.suffix == ".json" else tomllib.loads(text)
    except (OSError, ValueError) as error:
        raise BadFaults(f"{file.name}: 无法读取（{error}）") from None
    if not isinstance(tree, dict) or set(tree) != {"step"}:
        raise BadFaults(f"{file.name}: 应只有步骤的列表 step（TOML 写作 [[step]]）")
    return script_of(tree["step"], kinds)


def _cue(place: int, step: Any) -> Cue:
    if not isinstance(step, dict) or not set(step) <= {"do", "kind", "nth", "times", "seconds"}:
        raise BadFaults(f"第 {place} 步: 成员应为 do、kind、nth、times、seconds")
    does, kind = _does(step.get("do", "")), step.get("kind", "")
    nth, times, seconds = (
        step.get("nth", 1),
        step.get("times", 1),
        step.get("seconds", _SECONDS.get(does, 0.0)),
    )
    counts = all(type(n) is int and n >= 1 for n in (nth, times))
    if not counts or not isinstance(kind, str) or type(seconds) not in {int, float} or seconds < 0:
        raise BadFaults(f"第 {place} 步: nth、times 应为不小于 1 的整数，seconds 为秒数，kind 为文本")
    return Cue(Act(does, float(seconds)), kind, nth, times)


def _does(name: Any) -> Does:
    try:
        return Does(name)
    except ValueError:
        raise BadFaults(f"{name}: 没有这种行为；可用 {'、'.join(Does)}") from None
