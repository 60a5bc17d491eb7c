"""The spellings of Newland: its texts, and times with their offset. Everything else is shared."""

from __future__ import annotations

import re
from datetime import datetime

from gateway.mapping import converters as shared
from gateway.mapping.converters import Converter, spelt
from gateway.mapping.fieldmap import Fault
from gateway.mapping.times import CHINA

#: Any text of at most so many characters, without white space at its ends.
text = shared.json_text

_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\+08:00")


def _read(written: str, _: object) -> datetime:
    try:
        return datetime.fromisoformat(written)
    except ValueError:
        raise Fault("不是真实的日期时间，请核对后重新提交") from None


#: ``2026-11-23T15:42:10+08:00`` ↔ an aware time. Form: 9042; a day that does not exist: 9043.
moment = Converter(
    "time with offset",
    "M7",
    spelt(_TIME),
    "应为带 +08:00 时区的时间，例如 2026-11-23T15:42:10+08:00",
    read=_read,
    write=lambda t, _: t.astimezone(CHINA).isoformat(timespec="seconds"),
)
