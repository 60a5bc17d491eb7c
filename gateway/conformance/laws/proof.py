"""Laws over the proof: what one side seals the other verifies, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from gateway.conformance.law import Breach
from gateway.conformance.laws.needs import stand_in_of
from gateway.conformance.laws.rulebook import CannotTell, holds
from gateway.conformance.pointing import bare, leaves, with_value
from gateway.conformance.subject import GATEWAY
from gateway.errors import Refusal
from gateway.region import Inbound

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gateway.canonical.rehearsal import Said
    from gateway.conformance.laws.rulebook import Tally
    from gateway.conformance.subject import Example, Subject

_NONCE = "0123456789abcdef"
#: Refusals of a proof (crossing §1 steps 2 to 4).
_BAD_PROOF = {401: frozenset({"9001", "9004"})}
_STALE, _OTHER_TYPE, _NOT_ALLOWED = "9002", "9031", "9010"


def _own(subject: Subject) -> list[tuple[Example, Said]]:
    """Worked messages the region sends itself."""
    stand_in = stand_in_of(subject)
    said = [(example, stand_in.adopt(example.body)) for example in subject.examples]
    return [(example, one) for example, one in said if not one.key.startswith(GATEWAY)]


@dataclass(frozen=True, slots=True)
class _Request:
    headers: Mapping[str, str]
    body: bytes

    @property
    def inbound(self) -> Inbound:
        return Inbound({name.lower(): value for name, value in self.headers.items()}, self.body)


def _request(subject: Subject, said: Said, now: datetime | None = None, own: Any = None) -> _Request:
    stand_in = stand_in_of(subject)
    headers, body = stand_in.request(said, own or subject.keys.own, now or subject.now, _NONCE)
    return _Request(headers, body)


def _refused(subject: Subject, request: _Request) -> tuple[int, str]:
    """Status and code with which a request is refused; (0, "") when it is not."""
    try:
        subject.region.verify(request.inbound, subject.keys.credentials, subject.now)
    except Refusal as refused:
        return refused.status, refused.code
    return 0, ""


@holds(
    "F01",
    "对端签发的请求网关认得，读出的内容就是所发的内容",
    "What the other side signs is verified, and opens as what was sent",
    "crossing §1",
)
def requests_are_verified(subject: Subject, tally: Tally) -> Iterator[Breach]:
    """Worked messages, signed anew, and what the stand-in says itself."""
    worked = [(example.name, said) for example, said in _own(subject)]
    said_now = [(p.about, p.said) for p in subject.passages if p.said and p.sender == subject.slug]
    for shown, said in (*worked, *said_now):
        tally()
        request = _request(subject, said)
        status, code = _refused(subject, request)
        if status:
            yield Breach(
                f"对端正确签发的 {said.native_kind} 被拒（{status} {code}）",
                f"请核对 {subject.where} 的 verify 与 simulated.request：请求头名、拼接次序、时间单位和摘要的字节须一致",
                path=f"{subject.where} verify",
                example=shown,
            )
            continue
        opened = subject.region.open(request.inbound)
        if (opened.key, opened.case_ref, opened.native_kind) != (said.key, said.case_ref, said.native_kind):
            yield Breach(
                f"{said.native_kind} 发出的流水号、办件编号或种类，读出后不同",
                f"请核对 {subject.where} 的 open 取值的路径和写法",
                path=f"{subject.where} open",
                example=shown,
            )


@holds(
    "F02", "发送时间读得准，时区和单位正确", "The time of sending is read to the second", "crossing §1 step 7"
)
def time_is_read(subject: Subject, tally: Tally) -> Iterator[Breach]:
    """Signed at several moments: each is read back, aware, within a second."""
    for example, said in _own(subject)[:3]:
        for moved in (timedelta(), timedelta(seconds=-301), timedelta(hours=7), timedelta(days=400)):
            tally()
            now = subject.now + moved
            opened = subject.region.open(_request(subject, said, now).inbound)
            at = opened.sent_at
            if at is None or at.tzinfo is None or abs((at - now).total_seconds()) > 1:
                off = (
                    "读不出"
                    if at is None
                    else "没有时区"
                    if at.tzinfo is None
                    else f"相差 {(at - now).total_seconds():.0f} 秒"
                )
                yield Breach(
                    f"签发于 {now:%Y-%m-%d %H:%M:%S} 的请求，发送时间{off}",
                    f"请核对 {subject.where} 中读时间的单位（秒或毫秒）和时区（北京时间 +08:00）",
                    path=f"{subject.where} open",
                    example=example.name,
                )
                break


@holds(
    "F03",
    "重发是同一条报文：流水号和内容摘要不变",
    "A repetition is the same message: key and digest stay",
    "gateway §5",
)
def repetition_is_the_same(subject: Subject, tally: Tally) -> Iterator[Breach]:
    """Proof and time are new with each attempt; what the message says is not."""
    for example, said in _own(subject):
        tally()
        one, other = (
            subject.region.open(_request(subject, said, subject.now + timedelta(seconds=s)).inbound)
            for s in (0, 540)
        )
        if (one.key, one.digest) != (other.key, other.digest):
            yield Breach(
                "九分钟后重发同一条报文，流水号或内容摘要变了，会被当作另一条",
                f"请让 {subject.where} 的 open 计算 digest 时不含发送时间，并让对端重发时不改流水号",
                path=f"{subject.where} open digest",
                example=example.name,
            )
    yield from _same_digests(subject, tally)


def _same_digests(subject: Subject, tally: Tally) -> Iterator[Breach]:
    """Each value that crosses is put otherwise, names also by one rare letter: no two may have one digest."""
    for example, said in _own(subject)[:3]:
        one, tree = subject.region.maps[said.native_kind], subject.region.parse(said.body).tree
        crossing = {bare(row.native) for row in one.rows if row.to and not row.to.startswith("_")}
        headers = _request(subject, said).inbound.headers
        known = {subject.region.open(Inbound(headers, said.body)).digest}
        for path, value in leaves(tree, one):
            if bare(path) not in crossing or not isinstance(value, str):
                continue
            # outside the basic plane, and only in the newest part of GB 18030: what a narrower code page merges
            for put in (f"{value}1", f"{value}\U00020000", f"{value}\U00020001"):
                tally()
                altered = with_value(tree, path, put, one.spelling.first_index)
                body = subject.region.render(altered, said.native_kind)
                digest = subject.region.open(Inbound(headers, body)).digest
                if digest in known:
                    yield Breach(
                        f"{said.native_kind} 的 {path} 不同的两条报文有相同的内容摘要，冲突（9061）无法发现",
                        f"请让 {subject.where} 的 open 对全部业务内容按原始字节（或 UTF-8）计算 digest",
                        path=f"{subject.where} open digest",
                        example=example.name,
                    )
                    return
                known.add(digest)


@holds(
    "F04",
    "改动一个字节、改动或缺少任一请求头、换用他人密钥，一律拒收",
    "A changed byte, a changed or missing header, a stranger's key are refused",
    "crossing §1 steps 2–3",
)
def bad_proofs_are_refused(subject: Subject, tally: Tally) -> Iterator[Breach]:
    """401 with 9001 or 9004."""
    for name, how, request in _forgeries(subject):
        tally()
        status, code = _refused(subject, request)
        if code not in _BAD_PROOF.get(status, ()):
            found = f"{status} {code}" if status else "收下了"
            yield Breach(
                f"{how}，应以 401（9001 或 9004）拒收，现为{found}",
                f"请在 {subject.where} 的 verify 中核验这一项，比较时用等时比较",
                path=f"{subject.where} verify",
                example=name,
            )


def _forgeries(subject: Subject) -> Iterator[tuple[str, str, _Request]]:
    """Worked messages whose proof does not hold: which, how, and the request."""
    stranger = subject.pair("stranger").own
    for example, said in _own(subject)[:3]:
        good = _request(subject, said)
        yield example.name, "报文改动一个字节", replace(good, body=_flipped(good.body))
        yield example.name, "报文末尾多一个空格", replace(good, body=good.body + b" ")
        yield example.name, "换用他人密钥", _request(subject, said, own=stranger)
        for name, value in good.headers.items():
            if name.lower() == "content-type":
                continue
            without = {n: v for n, v in good.headers.items() if n != name}
            yield example.name, f"缺少请求头 {name}", replace(good, headers=without)
            for how, put in (("为空", ""), ("被改动", _turned(value))):
                changed = {**good.headers, name: put}
                yield example.name, f"请求头 {name} {how}", replace(good, headers=changed)


def _flipped(body: bytes) -> bytes:
    """A digit of the body changed: still readable, only the proof can tell."""
    at = max(body.rfind(digit) for digit in b"0123456789")
    return (
        body[:at] + (b"1" if body[at : at + 1] != b"1" else b"2") + body[at + 1 :] if at >= 0 else body + b"0"
    )


def _turned(value: str) -> str:
    """Another value of the same length, in its own letters."""
    for at, letter in enumerate(value):
        if letter.isalnum():
            return value[:at] + ("1" if letter != "1" else "2") + value[at + 1 :]
    return f"{value}1"


@holds(
    "F05", "其他媒体类型或字符集以 415 拒收", "Another content type is refused with 415", "crossing §1 step 2"
)
def other_types_are_refused(subject: Subject, tally: Tally) -> Iterator[Breach]:
    """9031, before the proof is looked at."""
    for example, said in _own(subject)[:1]:
        good = _request(subject, said)
        for kind in (
            "text/plain",
            "application/octet-stream",
            "",
            "application/json; charset=gbk",
            "application/xml; charset=gbk",
        ):
            tally()
            headers = {n: v for n, v in good.headers.items() if n.lower() != "content-type"}
            status, code = _refused(subject, replace(good, headers={**headers, "content-type": kind}))
            if (status, code) != (415, _OTHER_TYPE):
                yield Breach(
                    f"Content-Type 为“{kind}”时应以 415 9031 拒收，现为{f'{status} {code}' if status else '收下了'}",
                    f"请在 {subject.where} 的 verify 中先核对媒体类型和字符集（应为 {subject.region.content_type}）",
                    path=f"{subject.where} verify",
                    example=example.name,
                )


@holds(
    "F06", "被停用的一方以 403 拒收", "A side that is switched off is refused with 403", "crossing §1 step 4"
)
def disabled_is_refused(subject: Subject, tally: Tally) -> Iterator[Breach]:
    """9010, after the proof held."""
    credentials = subject.keys.credentials if subject.stand_in else None
    if credentials is None or "enabled" not in type(credentials).model_fields:
        raise CannotTell("credentials 没有 enabled 这一项")
    off = credentials.model_copy(update={"enabled": False})
    for example, said in _own(subject)[:1]:
        tally()
        found = "收下了"
        try:
            subject.region.verify(_request(subject, said).inbound, off, subject.now)
        except Refusal as refused:
            found = f"{refused.status} {refused.code}"
        if found != f"403 {_NOT_ALLOWED}":
            yield Breach(
                f"enabled = false 时应以 403 9010 拒收，现为{found}",
                f"请在 {subject.where} 的 verify 末尾核对 credentials.enabled",
                path=f"{subject.where} verify",
                example=example.name,
            )


@holds("F09", "每种对证明的拒绝都写明了处理办法", "Every refusal of a proof has its remedy", "ADR 0019")
def refusals_are_explained(subject: Subject, tally: Tally) -> Iterator[Breach]:
    """What operators read when a connection test is refused."""
    given = {_refused(subject, request)[1] for _, _, request in _forgeries(subject)}
    for code in sorted(given - {""} | {_STALE, _NOT_ALLOWED}):
        tally()
        if not subject.region.proof_faults.get(code):
            yield Breach(
                f"proof_faults 没有 {code} 的处理办法",
                f"请在 {subject.where} 的 proof_faults 中用中文写明 {code} 该查什么",
                path=f"{subject.where} proof_faults {code}",
            )
