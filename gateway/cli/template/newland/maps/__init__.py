"""The field maps, by kind of message: each declared once and run in both directions.

Kinds that have no map here (transfers, unemployment, certification) are not taken by this side: the gateway parks
them whole. A kind is added by a map, its part of ``schema.json``, its rows in ``fields.csv`` and an example.
"""

from __future__ import annotations

from .follow_ups import RATING, SUPPLEMENT, WITHDRAW
from .general import APPLY
from .status import STATUS

ALL = {each.native_kind: each for each in (APPLY, STATUS, SUPPLEMENT, WITHDRAW, RATING)}
