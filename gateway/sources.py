"""Where settings come from: a TOML file, the files it names, and environment variables laid over it."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from gateway.errors import CannotStart

#: Environment names that are no settings but notes from the supervisor to its processes.
RESERVED = frozenset({"TONGBAN_CLOCK_OFFSET_S", "TONGBAN_CONFIG"})

#: SHA-256 of the published test secrets: token texts, and public point or private number of the SM2 keys.
TEST_FINGERPRINTS = frozenset(
    {
        "5ee495556f808afb38ed8f14e3d680d0802b2ce9602d3978526a1bc169204890",
        "dc435c5b166488a8509d9a0a0ce21192c1a062a9e7e3ec83d2fc208c7e2b63bd",
        "a4305671761bf87d2e62a48f0371330a8a81836c1d634dc0a88056f534842c1f",
        "6e68fdd356461dc14f9593ad13f5a6dd07a4638a121a16104884e04475abfe63",
        "686504f75148a4d52ad161421a13dd4559a0d27a394aeed47531a41a7bd7c300",
        "ebbda1abfcbf5b4a3dbdafbba446cd9e1ef69f0fbc1de3170d00bcd8c9d2d95b",
    }
)

# A container platform sets these for a service that happens to be called "tongban".
_PLATFORM = re.compile(r"TONGBAN_(SERVICE_(HOST|PORT).*|PORT(_\d+_(TCP|UDP).*)?)")
_PEM = re.compile(r"-----BEGIN [A-Z ]+-----([A-Za-z0-9+/=\s]+)-----END")
_SCALAR = bytes.fromhex("0201010420")  # version 1, then a 32-byte octet string (RFC 5915)


@dataclass(slots=True)
class Gathered:
    """The tables as read, with every fault met on the way; ``unread`` are members whose file failed."""

    table: dict[str, Any]
    faults: list[str] = field(default_factory=list)
    unread: set[str] = field(default_factory=set)


def gather(
    path: Path | None, environ: Mapping[str, str], *, model: type[BaseModel], slugs: tuple[str, ...]
) -> Gathered:
    """File, then environment over it, then the texts of all ``*_file`` members.

    Errors: `CannotStart` when the file itself cannot be read; everything else is a fault in the list.
    """
    gathered = Gathered(read_toml(path) if path is not None else {})
    written = gathered.table.get("regions")
    known = slugs or (tuple(written) if isinstance(written, dict) else ())
    for name in sorted(environ):
        if name.startswith("TONGBAN_") and name not in RESERVED and not _PLATFORM.fullmatch(name):
            _overlay(gathered, name, environ[name], _place(name, model, known))
    gathered.table = _with_files(gathered, gathered.table, folder_of(path), "")
    return gathered


def regions_asked(
    path: Path | None, environ: Mapping[str, str], model: type[BaseModel]
) -> tuple[tuple[Path, ...], tuple[str, ...]]:
    """Folders to look for regions in, and the slugs that have a section; nothing is judged yet.

    Errors: `CannotStart` when the file cannot be read.
    """
    raw = gather(path, environ, model=model, slugs=()).table
    regions, written = raw.get("regions"), raw.get("regions_dirs")
    listed = written.split(os.pathsep) if isinstance(written, str) else written
    folders = [each for each in listed if isinstance(each, str)] if isinstance(listed, list) else []
    slugs = tuple(map(str, regions)) if isinstance(regions, Mapping) else ()
    return tuple(folder_of(path) / each for each in filter(None, folders)), slugs


def folder_of(path: Path | None) -> Path:
    """The folder paths in the configuration are relative to."""
    return path.resolve().parent if path is not None else Path.cwd()


def read_toml(path: Path) -> dict[str, Any]:
    """The file as nested tables. Errors: `CannotStart` naming the file and the line."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise CannotStart(f"{path.name}: 无法读取配置文件（{error.strerror}），请检查路径和权限") from None
    except UnicodeDecodeError:
        raise CannotStart(f"{path.name}: 配置文件须为 UTF-8 编码，请另存为 UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        raise CannotStart(f"{path.name}: 不是合法的 TOML（{error}），请改正该处") from None


def _place(name: str, model: type[BaseModel], slugs: tuple[str, ...]) -> tuple[str, ...] | None:
    """``TONGBAN_SERVER_PORT`` → ``("server", "port")``; None when there is no such member."""
    words = name.removeprefix("TONGBAN_").lower()
    if words in model.model_fields and words not in {"regions", "approval"}:
        return (words,)  # before the sections: some single members begin like one
    for group in ("regions", "approval"):
        if words.startswith(f"{group}_"):
            rest = words.removeprefix(f"{group}_")
            slug = next((slug for slug in slugs if rest.startswith(f"{slug}_")), rest.split("_")[0])
            member = rest.removeprefix(slug).removeprefix("_")
            return (group, slug, member) if member else None
    for key, info in model.model_fields.items():
        if words.removesuffix("_file") == key:
            return (words,)
        section = info.annotation
        if isinstance(section, type) and issubclass(section, BaseModel) and words.startswith(f"{key}_"):
            member = words.removeprefix(f"{key}_")
            return (key, member) if member.removesuffix("_file") in section.model_fields else None
    return None


def _overlay(gathered: Gathered, name: str, text: str, place: tuple[str, ...] | None) -> None:
    if place is None:
        gathered.faults.append(f"环境变量 {name}: 没有对应的配置项，请改正名称或删除")
        return
    *sections, member = place
    table = gathered.table
    for section in sections:
        inner = table.setdefault(section, {})
        if not isinstance(inner, dict):
            return  # the model names this fault: a section was expected
        table = inner
    twin = member.removesuffix("_file") if member.endswith("_file") else f"{member}_file"
    table.pop(twin, None)
    table[member] = _value(text)


def _value(text: str) -> Any:
    """Lists and tables are written as JSON; everything else is the text, converted by its field."""
    if text[:1] not in {"[", "{"}:
        return text
    try:
        return json.loads(text)
    except ValueError:
        return text


def _with_files(gathered: Gathered, table: Mapping[str, Any], folder: Path, at: str) -> dict[str, Any]:
    """The same table with every ``member_file`` replaced by ``member``, the text of that file."""
    read: dict[str, Any] = {}
    for key, value in table.items():
        path = f"{at}.{key}" if at else key
        if isinstance(value, Mapping):
            read[key] = _with_files(gathered, value, folder, path)
        elif isinstance(value, list):
            read[key] = [
                _with_files(gathered, entry, folder, f"{path}[{index}]")
                if isinstance(entry, Mapping)
                else entry
                for index, entry in enumerate(value)
            ]
        elif key.endswith("_file") and isinstance(value, str):
            member = key.removesuffix("_file")
            if member in table:
                gathered.faults.append(f"{path}: 与 {member} 只能填写一项")
            read[member] = _file_text(gathered, folder / value, path)
        else:
            read[key] = value
    return read


def _file_text(gathered: Gathered, file: Path, path: str) -> str:
    try:
        return file.read_text(encoding="utf-8").strip()
    except OSError as error:
        gathered.faults.append(
            f"{path}: 无法读取文件（{error.strerror}），请检查路径；相对路径从配置文件所在目录算起"
        )
    except UnicodeDecodeError:
        gathered.faults.append(f"{path}: 文件须为 UTF-8 文本")
    gathered.unread.add(path.removesuffix("_file"))
    return ""


def published_secrets(value: Any, path: str = "") -> Iterator[str]:
    """The paths at which a published test key or token stands."""
    match value:
        case str():
            if not TEST_FINGERPRINTS.isdisjoint(_fingerprints(value)):
                yield path
        case Mapping():
            for key, member in value.items():
                yield from published_secrets(member, f"{path}.{key}" if path else key)
        case list():
            for index, member in enumerate(value):
                yield from published_secrets(member, f"{path}[{index}]")


def _fingerprints(text: str) -> Iterator[str]:
    yield text.lower()  # a token given by its hash
    yield hashlib.sha256(text.encode()).hexdigest()
    for pem in _PEM.findall(text):
        try:
            der = base64.b64decode("".join(pem.split()))
        except binascii.Error:
            continue
        # Both a public key and a PKCS#8 private key end with the public point.
        yield hashlib.sha256(der[-65:]).hexdigest()
        at = der.find(_SCALAR)
        if at >= 0:
            yield hashlib.sha256(der[at + 5 : at + 37]).hexdigest()
