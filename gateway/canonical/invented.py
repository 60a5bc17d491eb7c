"""Invented people and figures that keep every rule: check digits, sums, ceilings."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from random import Random

#: Areas that are practically not issued: no real person has such a number.
UNISSUED = ("510100", "500100")

_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_SURNAMES = "王李张刘陈杨赵黄周吴徐孙马朱胡林郭何高罗"
# Letters beyond GBK and the dot of names cross too.
_GIVEN = (
    *("䶮", "𠮷", "㛃", "秀英", "建国", "磊", "静", "敏", "丽华", "强", "晓明", "雨桐", "子涵", "国庆"),
    *("志刚", "文博", "佳怡", "思源", "玉兰", "光荣"),
)
#: What the forms of single items ask beyond the common fields; every other item is asked `_ANY_EXTRAS`.
_EXTRAS = {
    "injury_remote_treatment": (("异地居住地址", "示例路2号"), ("拟就医机构", "示例医院")),
    "assistive_device": (("配置项目", "下肢假肢"), ("拟配置机构", "示例康复中心")),
    "injury_determination": (
        ("事故时间", "2026-10-12 08:30"),
        ("事故地点", "示例工地3号楼"),
        ("伤害部位", "左手"),
    ),
    "capacity_appraisal": (("鉴定类别", "初次鉴定"), ("工伤认定决定书编号", "示例工认〔2026〕3号")),
    "normal_retirement": (
        ("参加工作时间", "1986-07"),
        ("拟退休时间", "2026-12"),
        ("养老金领取方式", "银行代发"),
    ),
    "survivor_benefit": (
        ("死亡时间", "2026-10-01"),
        ("与死者关系", "配偶"),
        ("供养亲属", "示例甲"),
        ("供养亲属", "示例乙"),
    ),
    "personal_data_change": (("变更项目", "联系电话"), ("变更前", "13800000008"), ("变更后", "13800000009")),
    "employee_resident_conversion": (("转换方向", "居民转职工"),),
    "public_employee_conversion": (("转换方向", "机关转企业"),),
    "military_pension_transfer": (("退役方式", "自主就业"), ("军龄（月）", "96")),
    "card_application": (("制卡银行", "示例银行"), ("领卡方式", "邮寄"), ("邮寄地址", "示例街5号 <2栋> A&B")),
    "card_replacement": (("补换原因", "损坏"), ("领卡方式", "窗口自取")),
    "card_loss": (("挂失方式", "正式挂失"),),
    "resident_pension_registration": (("缴费档次", "2000元"), ("是否困难群体", "否")),
    "flexible_worker_registration": (("缴费基数档次", "60%"), ("缴费方式", "按月")),
    "insured_proof_employer": (("证明起止", "2025-01 至 2026-10"), ("打印份数", "2")),
    "job_introduction": (("求职意向", "缝纫工\n家政服务"), ("期望月薪", "4500")),
}
_ANY_EXTRAS = (("办理方式", "川渝通办"), ("用途说明", "异地办理，材料由受理地核验"))
_REMARKS = (None, None, None, "申请人行动不便，请电话联系", "䶮、𠮷、㛃等字请按原样登记", "已当面核验")
#: id types of the shared list that are no citizen's, and how their numbers look
_FOREIGN = (("04", "H60000001"), ("05", "M60000002"), ("08", "E00000003"), ("07", "CHN000001010101"))
_DOTTED = ("吉克·木呷", "阿依·古丽", "沙马·拉且", "扎西·达瓦")


@dataclass(frozen=True, slots=True)
class Person:
    """Someone who does not exist, with a number whose check digit holds."""

    name: str = field(repr=False)
    id_no: str = field(repr=False)
    born: date
    male: bool
    mobile: str = field(repr=False)
    #: key of the shared list ``id_type``
    id_type: str = "01"


@dataclass(frozen=True, slots=True)
class Form:
    """What a general application says beyond person, place and materials."""

    extras: tuple[tuple[str, str], ...]
    remark: str | None


@dataclass(frozen=True, slots=True)
class Year:
    """One row of a contribution record. Units: 分; ``base`` is the sum over ``months``."""

    year: int
    first: int
    last: int
    base: int
    principal: int
    interest: int
    balance: int

    @property
    def months(self) -> int:
        return self.last - self.first + 1


@dataclass(frozen=True, slots=True)
class Record:
    """A contribution record whose sums hold. Units: 分; the rate of every year is 8 %."""

    years: tuple[Year, ...]

    @property
    def months(self) -> int:
        return sum(year.months for year in self.years)

    @property
    def account(self) -> int:
        return self.years[-1].balance

    @property
    def pooled(self) -> int:
        return sum(year.base for year in self.years) * 12 // 100


@dataclass(frozen=True, slots=True)
class Benefit:
    """An answer to a claim, within its ceilings. Units: months, 分; ``first`` and ``last`` are (year, month)."""

    total: int
    entitled: int
    wage: int
    monthly: int
    first: tuple[int, int]
    last: tuple[int, int]


def person(chance: Random, *, youngest: int, oldest: int, on: date) -> Person:
    """A person between two ages (years) on a day."""
    born = on - timedelta(days=chance.randint(youngest * 366, oldest * 365))
    order = chance.randint(1, 998)
    digits = f"{chance.choice(UNISSUED)}{born:%Y%m%d}{order:03d}"
    name = (
        chance.choice(_DOTTED) if chance.random() < 0.1 else chance.choice(_SURNAMES) + chance.choice(_GIVEN)
    )
    mobile = f"1380000{chance.randint(0, 9999):04d}"
    return Person(name, digits + _check_digit(digits), born, male=order % 2 == 1, mobile=mobile)


def anyone(chance: Random, *, on: date) -> Person:
    """An adult of any kind of papers; mostly a citizen."""
    who = person(chance, youngest=18, oldest=75, on=on)
    if chance.random() > 0.06:
        return who
    id_type, number = chance.choice(_FOREIGN)
    return replace(who, id_type=id_type, id_no=number)


def form(chance: Random, item: str) -> Form:
    """The fields an item's form asks for, filled in."""
    extras = _EXTRAS.get(item, _ANY_EXTRAS) if chance.random() < 0.9 else ()
    return Form(extras, chance.choice(_REMARKS))


def record(chance: Random, until: int) -> Record:
    """A record that ends with December of year ``until``."""
    years: list[Year] = []
    balance = 0
    for year in range(until - chance.randint(0, 9), until + 1):
        first = chance.randint(1, 12) if not years else 1
        # now and then a sum that the months do not divide (crossing M6)
        base = chance.randint(3500, 21_000) * 100 * (13 - first) + (chance.random() < 0.1) * 5
        principal, interest = (base * 8 + 50) // 100, balance * 4 // 100
        balance += principal + interest
        years.append(Year(year, first, 12, base, principal, interest, balance))
    return Record(tuple(years))


def benefit(chance: Random, on: date) -> Benefit:
    """A benefit that starts with the month after ``on``."""
    total = chance.randint(12, 300)
    ceiling = 12 if total < 60 else 18 if total < 120 else 24
    entitled = chance.randint(max(1, ceiling - 9), ceiling)
    start = on.year * 12 + on.month
    end = start + entitled - 1
    wage = chance.randint(4200, 16_000) * 100
    monthly = chance.choice((168_000, 189_000, 216_000))
    return Benefit(total, entitled, wage, monthly, (start // 12, start % 12 + 1), (end // 12, end % 12 + 1))


def _check_digit(digits: str) -> str:
    """GB 11643-1999, ISO 7064 MOD 11-2."""
    return "10X98765432"[sum(int(d) * w for d, w in zip(digits, _WEIGHTS, strict=True)) % 11]
