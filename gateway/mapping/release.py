"""A release: one set of tables with its digest, its first day, and the signatures of all sides over both."""

from __future__ import annotations

import base64
import binascii
import hashlib
import io
import zipfile
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import date, datetime

    from gateway.crypto.approval import Verifier

#: Far above any set of tables; what is larger is no set of ours.
_MOST_BYTES, _MOST_FILES = 64 * 1024 * 1024, 4096
#: The first day a zip archive can name: equal tables give equal archives.
_NO_TIME = (1980, 1, 1, 0, 0, 0)


class BadSet(ValueError):  # noqa: N818 - a word of the field
    """Bytes that are no packed set of tables."""


class Consent(StrEnum):
    """What brings an activated release into force: the sides' signatures, or, without keys, persons."""

    SIGNED = "signed"  # every side's signature
    TWO_PEOPLE = "two-people"  # confirmed by another person than who proposed it
    ALONE = "alone"  # confirmed, perhaps by who proposed it: for demonstrations
    NEVER = "never"  # no stored release is used


@dataclass(frozen=True, slots=True)
class Approval:
    """One side's consent: ``signature`` (raw bytes) over `statement`; ``key_id``: hex SM3 of the public key."""

    key_id: str
    algorithm: str
    signature: bytes = field(repr=False)
    at: datetime
    by: str


@dataclass(frozen=True, slots=True)
class Release:
    """A set of tables under its digest. ``content``: the archive made by `pack`."""

    digest: str
    content: bytes = field(repr=False)
    effective_from: date
    note: str
    created_at: datetime
    created_by: str
    approvals: Mapping[str, Approval] = field(default_factory=dict)
    activated_at: datetime | None = None
    retired_at: datetime | None = None
    confirmed_by: str | None = None

    def files(self) -> dict[str, bytes]:
        """The tables by name. Errors: `BadSet`."""
        return unpack(self.content)


def digest_of(files: Mapping[str, bytes]) -> str:
    """Hex SHA-256 over name, length and bytes of every file, in the order of the names."""
    digest = hashlib.sha256()
    for name, content in sorted(files.items()):
        digest.update(f"{name}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()


def statement(digest: str, effective_from: date) -> bytes:
    """The exact bytes each side signs: three ASCII lines, each ended by LF.

    Shape: ``tongban-mappings-release-v1``, the hex digest, the first day as ``2026-12-01``.
    """
    return f"tongban-mappings-release-v1\n{digest}\n{effective_from.isoformat()}\n".encode("ascii")


def pack(files: Mapping[str, bytes]) -> bytes:
    """An archive that depends on names and bytes alone (zip, stored, sorted, no times)."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for name, content in sorted(files.items()):
            entry = zipfile.ZipInfo(name, _NO_TIME)
            entry.create_system = 3
            archive.writestr(entry, content)
    return out.getvalue()


def unpack(content: bytes) -> dict[str, bytes]:
    """The tables of an archive. Errors: `BadSet` for whatever `pack` does not make."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = archive.infolist()
            if len(entries) > _MOST_FILES or sum(entry.file_size for entry in entries) > _MOST_BYTES:
                raise BadSet("规则表内容过大")
            files = {entry.filename: archive.read(entry) for entry in entries}
    except (zipfile.BadZipFile, NotImplementedError, OSError, EOFError) as error:
        raise BadSet("规则表内容无法读取") from error
    if len(files) != len(entries):
        raise BadSet("规则表内容中有重名的文件")
    return files


def faults_of(release: Release, approvers: Mapping[str, Verifier]) -> Iterator[str]:
    """Why a release may not be used, one Chinese sentence each; none when it may.

    ``approvers``: the public key of every side. The digest is computed anew from the content.
    """
    try:
        actual = digest_of(release.files())
    except BadSet as error:
        yield str(error)
        return
    if actual != release.digest:
        yield f"内容与摘要不符（实为 {actual[:12]}…）：规则表被改动过"
    yield from unsigned(release, approvers)


def unsigned(release: Release, approvers: Mapping[str, Verifier]) -> Iterator[str]:
    """Which sides' consent is missing or does not hold, one Chinese sentence each; needs no content."""
    said = statement(release.digest, release.effective_from)
    for region, verifier in sorted(approvers.items()):
        approval = release.approvals.get(region)
        if approval is None:
            yield f"{region} 尚未批准"
        elif not verifier.verify(approval.signature, said):
            yield f"{region} 的签名无法用其公钥验证"


def signature_text(signature: bytes) -> str:
    """A signature as kept and shown: base64."""
    return base64.b64encode(signature).decode("ascii")


def signature_of(text: str) -> bytes:
    """The reverse of `signature_text`; ``b""``, which verifies nothing, for anything else."""
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        return b""
