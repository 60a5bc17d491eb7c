"""Spellings that name divisions of more than one region: which are right depends on the regions in force.

A map declares them without a prefix; they are bound, like code lists, when it is compiled.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from gateway.mapping.converters import Converter, matching, place_code, place_name

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gateway.mapping.tables import Tables

    #: Region slug → the first two digits of its divisions, of every region in force.
    Prefixes = Mapping[str, str]


def peer_code() -> Converter:
    """A division of another region ↔ the same, resolved as by `place_code`. Errors: 9042, park 1003/1004."""
    return _bound(place_code(), lambda peers, _: place_code(*peers))


def peer_name(*, most: int = 128) -> Converter:
    """The full name of a division of another region ↔ its code, as `place_name`. Errors: 9043, park 1003/1004."""
    return _bound(place_name(most=most), lambda peers, _: place_name(*peers, most=most))


def any_name(*, most: int = 128) -> Converter:
    """The full name of a division of any region in force ↔ its code. Errors: 9043, park 1003/1004."""
    return _bound(place_name(most=most), lambda _, every: place_name(*every, most=most))


def any_code() -> Converter:
    """A six-digit division of any region in force, carried verbatim. Errors: 9042."""
    return _bound(
        matching("[0-9]{6}", "应为六位区划代码"),
        lambda _, every: matching(_spelt("", every, 4), f"应为 {' 或 '.join(every)} 开头的六位区划代码"),
    )


def case_number(hint: str, *, own: str = "") -> Converter:
    """The gateway's number of a case (``CYTB``, the origin's division, 16 digits), or one of an ``own`` pattern.

    Errors: 9042 with ``hint``, also for a number whose division is of no region in force.
    """
    before = f"{own}|CYTB" if own else "CYTB"
    return _bound(
        matching(f"{before}[0-9]{{22}}", hint), lambda _, every: matching(_spelt(before, every, 20), hint)
    )


def _spelt(before: str, prefixes: tuple[str, ...], digits: int) -> str:
    return f"{before}(?:{'|'.join(prefixes)})[0-9]{{{digits}}}"


def _bound(unbound: Converter, made: Callable[[tuple[str, ...], tuple[str, ...]], Converter]) -> Converter:
    def bind(_: Tables, region: str, prefixes: Prefixes) -> Converter:
        every = tuple(sorted(prefixes.values()))
        peers = tuple(sorted(prefix for slug, prefix in prefixes.items() if slug != region))
        return made(peers, every)

    return replace(unbound, bind=bind, quick=None)
