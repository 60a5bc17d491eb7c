"""Identity numbers, credit codes and how personal values are shown: check, read, mask."""

from __future__ import annotations

import re
from datetime import date
from operator import mul

_CITIZEN_ID = re.compile(r"[0-9]{17}[0-9X]")
_CITIZEN_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CITIZEN_CHECK = "10X98765432"

_USCC_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_USCC_VALUES = {char: value for value, char in enumerate(_USCC_ALPHABET)}
_USCC_WEIGHTS = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)


def citizen_id_fault(number: str) -> str | None:
    """Why a citizen number (GB 11643) is refused, in Chinese without the number; None = good.

    Shape: 18 characters, ``x`` already upper-cased. The area prefix is never checked: it says where
    and when the number was issued, codes have been reused and abolished since (domain §0 fact 3).
    Source: crossing M17.
    """
    if len(number) == 15 and number.isascii() and number.isdigit():
        return "是 15 位旧号码：请先换成 18 位公民身份号码"
    if not _CITIZEN_ID.fullmatch(number):
        return "应为 18 位公民身份号码：前 17 位为数字，末位为数字或 X"
    if _real_date(number[6:14]) is None:
        return "号码中的出生日期不存在：请核对第 7 至 14 位"
    if _citizen_check(number) != number[17]:
        return "校验码不符：请核对号码"
    return None


def _citizen_check(number: str) -> str:
    # map stops at the 17 weights; the digits are ASCII, so "0" is taken off once for all of them
    total = sum(map(mul, number.encode(), _CITIZEN_WEIGHTS)) - ord("0") * sum(_CITIZEN_WEIGHTS)
    return _CITIZEN_CHECK[total % 11]


def _real_date(digits: str) -> date | None:
    """A day on which someone may have been born: no one was before 1800, or will be after 2199."""
    try:
        born = date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        return None
    return born if 1800 <= born.year <= 2199 else None


def birth_date(number: str) -> date:
    """The birth date in a good citizen number (digits 7 to 14); `ValueError` for a bad one."""
    found = _real_date(number[6:14])
    if found is None:
        raise ValueError("not a citizen number")
    return found


def sex_key(number: str) -> str:
    """Key of the code list ``sex`` from a good citizen number: 17th digit odd = ``1`` male, even = ``2``."""
    return "1" if int(number[16]) % 2 else "2"


def uscc_ok(code: str) -> bool:
    """Whether a uniform social credit code (GB 32100-2015) has the right form and check character."""
    if len(code) != 18 or any(char not in _USCC_VALUES for char in code):
        return False
    total = sum(map(mul, map(_USCC_VALUES.__getitem__, code), _USCC_WEIGHTS))
    return _USCC_ALPHABET[(31 - total % 31) % 31] == code[17]


def mask_name(name: str) -> str:
    """``张䶮`` → ``张*`` (gateway §2)."""
    return f"{name[:1]}*" if name else ""


def mask_id(number: str) -> str:
    """First and last four characters of an identity number; a number of eight or fewer shows nothing."""
    return _masked(number, head=4, tail=4)


def mask_phone(number: str) -> str:
    """``13800000001`` → ``138****0001``; a number of seven or fewer shows nothing."""
    return _masked(number, head=3, tail=4)


def mask_account(number: str) -> str:
    """The last four characters of an account; one of four or fewer shows nothing."""
    return _masked(number, head=0, tail=4)


def _masked(value: str, *, head: int, tail: int) -> str:
    hidden = len(value) - head - tail
    if hidden <= 0:
        return "*" * len(value)
    return f"{value[:head]}{'*' * hidden}{value[-tail:]}"
