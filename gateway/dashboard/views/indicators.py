"""The indicators: what each is called, of what it is made, which way is better, and the ranking by it."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

from gateway.canonical.facts import Counts
from gateway.dashboard.texts import N_

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

#: Below so many cases an indicator says nothing about an agency: shown greyed, and ranked last.
FEW = 10


@dataclass(frozen=True, slots=True)
class Indicator:
    """A quotient of two counts.

    ``unit``: ``percent``, ``days`` or ``stars``; ``rising``: higher is better. ``opens``: the measure its exceptions
    are listed by, ``exceptions``: how many those are. Texts are Chinese and translated where they are shown.
    """

    key: str
    name: str
    numerator: str
    denominator: str
    unit: str
    rising: bool
    opens: str
    opens_text: str
    definition: str

    def value(self, counts: Counts) -> float | None:
        """None when there is nothing to divide by."""
        whole = getattr(counts, self.denominator)
        return getattr(counts, self.numerator) / whole if whole else None

    def sample(self, counts: Counts) -> int:
        """The cases it is made of."""
        return int(getattr(counts, self.denominator))

    def exceptions(self, counts: Counts) -> int:
        """How many cases its list holds."""
        if self.unit != "percent":
            return self.sample(counts)
        part = int(getattr(counts, self.numerator))
        return self.sample(counts) - part if self.rising else part


INDICATORS: tuple[Indicator, ...] = (
    Indicator(
        "on_time",
        N_("按时办结率"),
        "on_time",
        "timed",
        "percent",
        rising=True,
        opens="late",
        opens_text=N_("超期办结"),
        definition=N_(
            "在到期日当天或之前办结的件数 ÷ 有到期日的办结件数（准予、不予）。按办结日计入；到期日已扣除挂起日。"
        ),
    ),
    Indicator(
        "workdays",
        N_("平均办理工作日"),
        "workdays",
        "clocked",
        "days",
        rising=False,
        opens="concluded",
        opens_text=N_("办结件"),
        definition=N_("受理次日起到办结日的工作日之和（扣除挂起日）÷ 经过受理的办结件数。按办结日计入。"),
    ),
    Indicator(
        "first_time",
        N_("一次受理率"),
        "first_time",
        "decided",
        "percent",
        rising=True,
        opens="not_first",
        opens_text=N_("非一次受理"),
        definition=N_(
            "受理前没有补正告知、也没有被不予受理的件数 ÷ 作出受理或不予受理决定的件数。按决定日计入。"
        ),
    ),
    Indicator(
        "supplement",
        N_("补正率"),
        "supplemented",
        "received",
        "percent",
        rising=False,
        opens="supplemented",
        opens_text=N_("有补正"),
        definition=N_("至今至少有一次补正（受理前补正告知或受理后挂起补正）的件数 ÷ 收件数。按收件日计入。"),
    ),
    Indicator(
        "rework",
        N_("映射返工率"),
        "reworked",
        "received",
        "percent",
        rising=False,
        opens="reworked",
        opens_text=N_("缺映射滞留"),
        definition=N_(
            "至今至少有一件报文因规则表缺行而滞留的件数 ÷ 收件数。按收件日计入；原因在规则表，不在机构。"
        ),
    ),
    Indicator(
        "stars",
        N_("平均评分"),
        "stars",
        "rated",
        "stars",
        rising=True,
        opens="rated",
        opens_text=N_("评价"),
        definition=N_("评分之和 ÷ 评价件数，非常满意 5 分，非常不满意 1 分。按评价日计入。"),
    ),
    Indicator(
        "closure",
        N_("差评整改率"),
        "closed",
        "bad",
        "percent",
        rising=True,
        opens="unclosed",
        opens_text=N_("差评未整改"),
        definition=N_(
            "已登记整改的差评（不满意、非常不满意）件数 ÷ 差评件数。按评价日计入；用时为评价日到登记整改日的平均自然日。"
        ),
    ),
)
#: What fills a bar, by unit.
_WHOLE = {"percent": 1.0, "days": 20.0, "stars": 5.0}
#: Width of a bar's field in the ranking, pixels.
BAR_PX = 34


@dataclass(frozen=True, slots=True)
class Shown:
    """One indicator of one line as it is drawn: figures written the same in both languages, without a locale's cost.

    ``text`` empty: there is nothing to show. ``opens``: the measure its list is asked for, empty when that would be.
    """

    text: str
    sample: str
    few: bool
    bar: float
    opens: str
    exceptions: str


def shown(each: Indicator, counts: Counts) -> Shown:
    """As the page draws it."""
    value, sample = each.value(counts), each.sample(counts)
    if value is None:
        return Shown("", "0", few=True, bar=0, opens="", exceptions="0")
    text = {"percent": f"{value * 100:.1f}%", "days": f"{value:,.1f}", "stars": f"{value:.2f}"}[each.unit]
    exceptions = each.exceptions(counts)
    return Shown(
        text=text,
        sample=f"{sample:,}",
        few=sample < FEW,
        bar=round(BAR_PX * min(1.0, value / _WHOLE[each.unit]), 1),
        opens=each.opens if exceptions else "",
        exceptions=f"{exceptions:,}",
    )


BY_KEY: Mapping[str, Indicator] = {each.key: each for each in INDICATORS}


@dataclass(frozen=True, slots=True)
class Ranked:
    """A line of the ranking. ``place``: None where the sample is too small to be ranked."""

    key: str
    name: str
    region: str
    divisions: tuple[str, ...]
    counts: Counts
    place: int | None = None


def summed(parts: Iterable[Counts]) -> Counts:
    """Counts added up."""
    total = [0] * len(fields(Counts))
    for each in parts:
        for index, field in enumerate(fields(Counts)):
            total[index] += getattr(each, field.name)
    return Counts(*total)


def ranked(lines: Sequence[Ranked], by: Indicator, *, best_first: bool) -> list[Ranked]:
    """By one indicator, equal values sharing a place; what has too few cases comes after, largest sample first."""
    enough = [each for each in lines if by.sample(each.counts) >= FEW]
    few = [each for each in lines if by.sample(each.counts) < FEW]

    def value(line: Ranked) -> float:
        return by.value(line.counts) or 0.0

    enough.sort(
        key=lambda each: (-value(each) if by.rising else value(each), -by.sample(each.counts), each.key)
    )
    places: list[Ranked] = []
    for index, each in enumerate(enough, start=1):
        tied = places and value(places[-1]) == value(each)
        place = places[-1].place if tied else index
        places.append(Ranked(each.key, each.name, each.region, each.divisions, each.counts, place))
    few.sort(key=lambda each: (-by.sample(each.counts), each.key))
    return [*(places if best_first else reversed(places)), *few]
