"""A set of tables by the word a command names it with: a folder, a workbook, the packaged one, a release."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from gateway.errors import CannotStart
from gateway.mapping.load import PACKAGED as PACKAGED_FOLDER
from gateway.mapping.load import files_of, inspect, tables_of
from gateway.mapping.release import BadSet, digest_of, unpack
from gateway.mapping.workbook import BadWorkbook, from_workbook

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gateway.mapping.sheet import Fault
    from gateway.mapping.tables import Tables

#: The words that are no path: the set that came with the product, the set the gateway uses today.
PACKAGED, ACTIVE = "packaged", "active"

_DIGEST = re.compile(r"[0-9a-f]{8,64}")


@dataclass(frozen=True, slots=True)
class TableSet:
    """The files of a set, by name below its folder with ``/``; ``name`` is how it was asked for."""

    name: str
    files: Mapping[str, bytes] = field(repr=False)
    digest: str

    def faults(self) -> list[Fault]:
        """Every broken law, by file and line; the names are those below the folder."""
        return inspect(self.files)[1]

    def tables(self, calendar_until: int | None = None) -> Tables:
        """The set made runnable. Errors: `CannotStart` with every fault as ``name/file:line: sentence``."""
        return tables_of(self.files, calendar_until, where=self.name)


def table_set(name: str, files: Mapping[str, bytes]) -> TableSet:
    """A set of these files."""
    return TableSet(name, files, digest_of(files))


def packaged(brought: Mapping[str, bytes] | None = None) -> TableSet:
    """The set that came with the product, with the tables further regions bring."""
    return table_set(PACKAGED, files_of(PACKAGED_FOLDER) | dict(brought or {}))


def of_content(name: str, content: bytes) -> TableSet:
    """The set of a stored release. Errors: `CannotStart`."""
    try:
        return table_set(name, unpack(content))
    except BadSet as error:
        raise CannotStart(f"{name}: {error}") from error


def is_stored(word: str) -> bool:
    """Whether a word names what only the store knows: ``active``, or the beginning of a digest.

    A folder or workbook of such a name is meant by ``./name``.
    """
    return word == ACTIVE or (_DIGEST.fullmatch(word) is not None and not Path(word).exists())


def local(word: str, whole: Callable[[Path], Mapping[str, bytes]] = files_of) -> TableSet:
    """A set that needs no store: ``packaged``, a folder, an .xlsx workbook. Errors: `CannotStart`.

    ``whole`` reads a folder with the tables further regions bring; a workbook has them itself.
    """
    if word == PACKAGED:
        return table_set(PACKAGED, whole(PACKAGED_FOLDER))
    path = Path(word)
    if path.is_dir():
        return table_set(word, whole(path))
    if path.suffix.lower() != ".xlsx":
        raise CannotStart(
            f"{word}: 不是规则表目录、.xlsx 工作簿或已入库版本的摘要（至少 8 位十六进制），也不是 packaged、active"
        )
    try:
        return table_set(word, from_workbook(path.read_bytes()))
    except OSError as error:
        raise CannotStart(f"{word}: 无法读取（{error.strerror}），请检查路径和权限") from error
    except BadWorkbook as error:
        listed = "\n".join(f"  {fault}" for fault in error.faults)
        raise CannotStart(f"{word}: 工作簿有 {len(error.faults)} 处无法读取：\n{listed}") from error
