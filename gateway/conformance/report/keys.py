"""The key a report is signed with: a given one, or one made once and kept beside the master key."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from gateway.crypto import signing
from gateway.crypto.approval import Signer, load_signer

if TYPE_CHECKING:
    from pathlib import Path

#: File name of the key below the data folder.
NAME = "report.key"


@dataclass(frozen=True, slots=True)
class ReportKey:
    """A signer with its public key as PEM text."""

    signer: Signer
    public_pem: str


def load(pem: str) -> ReportKey:
    """Ed25519 or SM2, from PKCS#8 PEM text. Errors: `BadKey`."""
    signer = load_signer(pem)
    if signer.verifier.algorithm == "sm2":
        return ReportKey(signer, signing.public_pem(signing.load_private(pem).public))
    key = load_pem_private_key(pem.encode("ascii"), None)
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return ReportKey(signer, public.decode("ascii"))


def kept(folder: Path) -> ReportKey:
    """The key below ``folder``, made when there is none (Ed25519, mode 0600). Errors: `OSError`, `BadKey`."""
    file = folder / NAME
    if not file.exists():
        _make(file)
    return load(file.read_text(encoding="ascii"))


def _make(file: Path) -> None:
    """Written aside and linked into place, so that nobody reads half a key."""
    pem = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    file.parent.mkdir(parents=True, exist_ok=True)
    aside = file.with_name(f"{file.name}.{os.getpid()}")
    try:
        with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
            out.write(pem)
        with suppress(FileExistsError):
            os.link(aside, file)
    finally:
        aside.unlink(missing_ok=True)
