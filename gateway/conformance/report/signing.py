"""Signs a report and says, later and elsewhere, whether it is still true."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Any

from gateway.conformance.report.model import canonical
from gateway.crypto.approval import load_verifier
from gateway.crypto.signing import BadKey

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.conformance.report.model import Report
    from gateway.crypto.approval import Signer, Verifier


def sign(report: Report, signer: Signer, public_pem: str) -> dict[str, str]:
    """The ``signature`` member: algorithm, hex SM3 of the key, the public key itself, base64 of the signature."""
    return {
        "algorithm": signer.verifier.algorithm,
        "key_id": signer.verifier.key_id,
        "public_key": public_pem.strip(),
        "value": base64.b64encode(signer.sign(canonical(report.as_json()))).decode("ascii"),
    }


def faults_of(
    members: Mapping[str, Any],
    *,
    trusted: Verifier | None,
    tables_digest: str,
    subject_digest: str,
    gateway: str,
) -> tuple[list[str], list[str]]:
    """What is wrong with a report, and what has changed since; Chinese sentences.

    ``trusted``: the key it has to be signed with; None takes the one inside, which proves only that nobody
    changed the report afterwards.
    """
    wrong, changed = list(_signature_faults(members, trusted)), []
    for name, now, label in (
        ("tables_digest", tables_digest, "规则表"),
        ("subject_digest", subject_digest, "适配器"),
        ("gateway", gateway, "网关版本"),
    ):
        if now and members.get(name) != now:
            changed.append(
                f"{label}与报告时不同（报告 {str(members.get(name))[:12]}，现在 {now[:12]}）：请重新检查"
            )
    return wrong, changed


def _signature_faults(members: Mapping[str, Any], trusted: Verifier | None) -> list[str]:
    signature = members.get("signature")
    if not isinstance(signature, dict):
        return ["报告没有签名：请用 tongban check region … --format json 重新出具"]
    try:
        verifier = trusted or load_verifier(str(signature.get("public_key", "")))
        value = base64.b64decode(str(signature.get("value", "")), validate=True)
    except (BadKey, binascii.Error, ValueError):
        return ["签名或其公钥不可读：报告可能被改动，请向出具方索取原件"]
    if trusted is not None and signature.get("key_id") != trusted.key_id:
        return ["报告由另一把密钥签名：请核对 --public-key 是否为出具方的公钥"]
    if not verifier.verify(value, canonical(dict(members))):
        return ["签名与内容不符：报告在签名之后被改动，请向出具方索取原件"]
    return []
