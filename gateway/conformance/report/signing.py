"""Signs a report and says, later and elsewhere, whether it is still true."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Any

from gateway.conformance.report.model import canonical, report_of
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
    Errors: `ValueError` for signed members that are no report's.
    """
    wrong, changed = list(_signature_faults(members, trusted)), []
    said = {name: value for name, value in members.items() if name != "signature"}
    if not wrong and report_of(members).as_json() != said:
        wrong.append("报告自相矛盾：结论或计数与逐条结果不符，不是 tongban 出具的，请向出具方索取原件")
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
        return ["报告没有签名：请用 tongban check region … --format json 重新出具（不加 --law）"]
    try:
        verifier = trusted or load_verifier(str(signature.get("public_key", "")))
        value = base64.b64decode(str(signature.get("value", "")), validate=True)
    except (BadKey, binascii.Error, ValueError):
        return ["签名或其公钥不可读：报告可能被改动，请向出具方索取原件"]
    if trusted is not None and signature.get("key_id") != trusted.key_id:
        return ["报告由另一把密钥签名：请核对 --public-key 是否为出具方的公钥"]
    told = (signature.get("algorithm"), signature.get("key_id"), signature.get("public_key"))
    if told != (verifier.algorithm, verifier.key_id, _pem_of(signature, verifier)):
        return ["签名所附的算法、公钥和公钥摘要不是同一把密钥的：报告被改动，请向出具方索取原件"]
    if not verifier.verify(value, canonical(dict(members))):
        return ["签名与内容不符：报告在签名之后被改动，请向出具方索取原件"]
    return []


def _pem_of(signature: Mapping[str, Any], verifier: Verifier) -> str | None:
    """The public key that is told, when it is the one that verifies; else None."""
    told = str(signature.get("public_key", ""))
    try:
        return told if load_verifier(told).key_id == verifier.key_id else None
    except (BadKey, ValueError):
        return None
