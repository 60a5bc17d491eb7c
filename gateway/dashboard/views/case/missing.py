"""What a parked message lacks: which field, which word, in which table, and where to add it (pure)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol
from urllib.parse import urlencode

from gateway.dashboard.texts import N_

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gateway.mapping.explain import FieldLine
    from gateway.store.case_file import FiledMessage

_INDEX = re.compile(r"\[\d+\]")

#: What a code of crossing §1 says is missing, and the folder of tables it is missing from.
_LACKS: Mapping[str, tuple[str, str]] = {
    "1001": (N_("码表缺少一行"), "codes/{region}/{code_list}.csv"),
    "1002": (N_("缺少受理日有效的互认规则"), "recognition/"),
    "1003": (N_("区划表缺少或未生效"), "places/"),
    "1004": (N_("区划已撤销，承接区划不唯一"), "places/"),
    "1005": (N_("事项目录缺少这个编码"), "codes/{region}/items.csv"),
    "1006": (N_("状态码表缺少这个用语"), "codes/{region}/{code_list}.csv"),
    "1007": (N_("事项在受理日没有生效的版本，或未开通"), "items/"),
}
_OTHER = N_("内容与办件现状不符")


@dataclass(frozen=True, slots=True)
class Missing:
    """One thing a message waits for. ``value`` is a code word, never a person's; ``table`` "" when none helps."""

    code: str
    what: str
    path: str
    name: str
    value: str
    text: str
    table: str
    address: str


def missing(
    message: FiledMessage, line_of: Callable[[str, str, str | None], FieldLine | None]
) -> tuple[Missing, ...]:
    """What the findings of a parked message say."""
    return tuple(_missing(message, finding, line_of) for finding in message.findings)


class Lack(NamedTuple):
    """What a code at a path says is missing, the table it is missing from ("" for none), and the field."""

    what: str
    table: str
    line: FieldLine | None


class Ends(Protocol):
    """Who sends what to whom: as much of a message as this needs."""

    @property
    def region(self) -> str: ...
    @property
    def native_kind(self) -> str: ...
    @property
    def destination(self) -> str: ...
    @property
    def out_kind(self) -> str: ...


def lack(
    message: Ends, code: str, path: str, line_of: Callable[[str, str, str | None], FieldLine | None]
) -> Lack:
    """What a finding that parks a message waits for."""
    own = line_of(message.region, message.native_kind, path)
    line = own or line_of(message.destination, message.out_kind, path)
    region = message.region if own or not line else message.destination
    what, table = _LACKS.get(code, (_OTHER, ""))
    if "{code_list}" in table:
        table = table.format(region=region, code_list=line.code_list) if line and line.code_list else "codes/"
    else:
        table = table.format(region=region)
    return Lack(what, table, line)


def _missing(
    message: FiledMessage,
    finding: Mapping[str, str],
    line_of: Callable[[str, str, str | None], FieldLine | None],
) -> Missing:
    code, path, value = finding["code"], finding["path"], finding.get("value", "")
    what, table, line = lack(message, code, path, line_of)
    return Missing(
        code=code,
        what=what,
        path=path,
        name=line.name if line else "",
        value=value,
        text=finding["text"],
        table=table,
        address=_address(message, code, path, value) if table else "",
    )


def _address(message: FiledMessage, code: str, path: str, value: str) -> str:
    """The page where the row is written, with what is known of it."""
    cause = f"{code}:{_INDEX.sub('[]', path)}" + (f"={value}" if value else "")
    known = {"cause": cause, "region": message.region, "kind": message.native_kind, "sample": str(message.id)}
    return f"/ops/rules/missing?{urlencode(known)}"
