"""Laws over the proof: what one side seals the other verifies, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from gateway.canonical.rehearsal import Said, Unheard
from gateway.conformance.law import Breach
from gateway.conformance.laws.rulebook import CannotTell, holds
from gateway.conformance.subject import GATEWAY
from gateway.errors import Refusal
from gateway.region import Inbound

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gateway.canonical.rehearsal import StandIn
    from gateway.conformance.laws.rulebook import Tally
    from gateway.conformance.subject import Example, Subject

_NONCE = "0123456789abcdef"
#: Refusals of a proof (crossing §1 steps 2 to 4).
_BAD_PROOF = {401: frozenset({"9001", "9004"})}
_STALE, _OTHER_TYPE, _NOT_ALLOWED = "9002", "9031", "9010"


def _stand_in(subject: Subject) -> StandIn:
    if subject.stand_in is None:
        raise CannotTell("没有模拟对端")
    return subject.stand_in


def _own(subject: Subject) -> list[tuple[Example, Said]]:
    """Worked messages the region sends itself."""
    stand_in = _stand_in(subject)
    said = [(example, stand_in.adopt(example.body)) for example in subject.examples]
    return [(example, one) for example, one in said if not one.key.startswith(GATEWAY)]


def _delivered(subject: Subject) -> list[Example]:
    """Worked messages the gateway sends the region."""
    open_ = subject.region.open
    return [example for example in subject.examples if open_(example.inbound).key.startswith(GATEWAY)]


@dataclass(frozen=True, slots=True)
class _Request:
    headers: Mapping[str, str]
    body: bytes

    @property
    def inbound(self) -> Inbound:
        return Inbound({name.lower(): value for name, value in self.headers.items()}, self.body)


def _request(subject: Subject, said: Said, now: datetime | None = None, own: Any = None) -> _Request:
    stand_in = _stand_in(subject)
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
    """Worked messages, signed anew."""
    for example, said in _own(subject):
        tally()
        request = _request(subject, said)
        status, code = _refused(subject, request)
        if status:
            yield Breach(
                f"对端正确签发的 {said.native_kind} 被拒（{status} {code}）",
                f"请核对 {subject.where} 的 verify 与 simulated.request：请求头名、拼接次序、时间单位和摘要的字节须一致",
                path=f"{subject.where} verify",
                example=example.name,
            )
            continue
        opened = subject.region.open(request.inbound)
        if (opened.key, opened.case_ref, opened.native_kind) != (said.key, said.case_ref, said.native_kind):
            yield Breach(
                f"{said.native_kind} 发出的流水号、办件编号或种类，读出后不同",
                f"请核对 {subject.where} 的 open 取值的路径和写法",
                path=f"{subject.where} open",
                example=example.name,
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
    changed = _own(subject)[:1]
    for example, said in changed:
        tally()
        tree = subject.region.parse(said.body).tree
        altered = replace(said, body=subject.region.render(_altered(tree), said.native_kind))
        one, other = (subject.region.open(_request(subject, s).inbound) for s in (said, altered))
        if one.digest == other.digest:
            yield Breach(
                "内容不同的两条报文有相同的内容摘要，冲突（9061）无法发现",
                f"请让 {subject.where} 的 open 对全部业务内容计算 digest",
                path=f"{subject.where} open digest",
                example=example.name,
            )


def _altered(tree: Any) -> Any:
    """The tree with the last text changed."""
    if isinstance(tree, dict):
        name = list(tree)[-1]
        return {**tree, name: _altered(tree[name])}
    if isinstance(tree, list):
        return [*tree[:-1], _altered(tree[-1])] if tree else tree
    return f"{tree}1" if isinstance(tree, str) else 1


@holds(
    "F04",
    "改动一个字节、改动或缺少任一请求头、换用他人密钥，一律拒收",
    "A changed byte, a changed or missing header, a stranger's key are refused",
    "crossing §1 steps 2–3",
)
def bad_proofs_are_refused(subject: Subject, tally: Tally) -> Iterator[Breach]:
    """401 with 9001 or 9004."""
    stranger = subject.pair("stranger").own
    for example, said in _own(subject)[:3]:
        good = _request(subject, said)
        forged: list[tuple[str, _Request]] = [
            ("报文改动一个字节", replace(good, body=_flipped(good.body))),
            ("报文末尾多一个空格", replace(good, body=good.body + b" ")),
            ("换用他人密钥", _request(subject, said, own=stranger)),
        ]
        for name, value in good.headers.items():
            if name.lower() == "content-type":
                continue
            without = {n: v for n, v in good.headers.items() if n != name}
            forged += [
                (f"缺少请求头 {name}", replace(good, headers=without)),
                (f"请求头 {name} 为空", replace(good, headers={**good.headers, name: ""})),
                (f"请求头 {name} 被改动", replace(good, headers={**good.headers, name: _turned(value)})),
            ]
        for how, request in forged:
            tally()
            status, code = _refused(subject, request)
            if code not in _BAD_PROOF.get(status, ()):
                found = f"{status} {code}" if status else "收下了"
                yield Breach(
                    f"{how}，应以 401（9001 或 9004）拒收，现为{found}",
                    f"请在 {subject.where} 的 verify 中核验这一项，比较时用等时比较",
                    path=f"{subject.where} verify",
                    example=example.name,
                )


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


@holds("F07", "网关签发的投递，对端认得", "What the gateway seals the other side hears", "gateway §5")
def deliveries_are_heard(subject: Subject, tally: Tally) -> Iterator[Breach]:
    """Also long after it was rendered: time and proof are those of the attempt."""
    stand_in, region = _stand_in(subject), subject.region
    for example in _delivered(subject):
        for late in (timedelta(), timedelta(days=2)):
            tally()
            now = subject.now + late
            rendered = region.render(region.parse(example.body).tree, example.kind)
            sealed = region.seal(rendered, example.kind, subject.keys.credentials, now, _NONCE)
            if sealed.path != f"{stand_in.inbox}/{example.kind}":
                yield Breach(
                    f"投递地址为 {sealed.path}，对端的收件地址为 {stand_in.inbox}/{example.kind}",
                    f"请让 {subject.where} 的 seal 与 stand_in.inbox 一致",
                    path=f"{subject.where} seal",
                    example=example.name,
                )
            headers = {name.lower(): value for name, value in sealed.headers.items()}
            try:
                heard = stand_in.hear(example.kind, headers, sealed.body, subject.keys.own, now)
            except Unheard as refusal:
                yield Breach(
                    f"网关签发的 {example.kind} 被对端拒收（{refusal.status} {refusal.code} {refusal.path} {refusal.text}）",
                    f"请核对 {subject.where} 的 seal 与 simulated.hear：请求头名、拼接次序、时间单位和摘要的字节须一致",
                    path=f"{subject.where} seal",
                    example=example.name,
                )
                continue
            opened = region.open(Inbound(headers, sealed.body))
            if (heard.key, heard.case_ref) != (opened.key, opened.case_ref):
                yield Breach(
                    f"{example.kind} 的流水号或办件编号，对端听到的与所发的不同",
                    f"请核对 {subject.where}/simulated.py 的 hear",
                    path=f"{subject.where}/simulated.py",
                    example=example.name,
                )


@holds(
    "F08",
    "时间窗之外和被改动的投递，对端拒收",
    "A stale or changed delivery is not heard",
    "crossing §1 step 7",
)
def stale_deliveries_are_not_heard(subject: Subject, tally: Tally) -> Iterator[Breach]:
    """The stand-in has to be as strict as the province: what it lets pass proves nothing."""
    stand_in, region, window = _stand_in(subject), subject.region, subject.region.window_s
    for example in _delivered(subject)[:3]:
        sealed = region.seal(example.body, example.kind, subject.keys.credentials, subject.now, _NONCE)
        headers = {name.lower(): value for name, value in sealed.headers.items()}
        tries = [
            (f"签发 {window + 60} 秒之后", headers, sealed.body, window + 60),
            (f"早于签发 {window + 60} 秒", headers, sealed.body, -window - 60),
            ("报文被改动", headers, sealed.body + b" ", 0),
            ("没有请求头", {}, sealed.body, 0),
        ]
        for how, with_, body, moved in tries:
            tally()
            status = 0
            try:
                stand_in.hear(
                    example.kind, with_, body, subject.keys.own, subject.now + timedelta(seconds=moved)
                )
            except Unheard as refusal:
                status = refusal.status
            if status != 401:
                yield Breach(
                    f"{how}的投递，对端应以 401 拒收，现为{status or '收下了'}",
                    f"请在 {subject.where}/simulated.py 的 hear 中核验证明和时间窗（{window} 秒）",
                    path=f"{subject.where}/simulated.py",
                    example=example.name,
                )


@holds("F09", "每种对证明的拒绝都写明了处理办法", "Every refusal of a proof has its remedy", "ADR 0019")
def refusals_are_explained(subject: Subject, tally: Tally) -> Iterator[Breach]:
    """What operators read when a connection test is refused."""
    for code in ("9001", "9004", _STALE, _NOT_ALLOWED):
        tally()
        if not subject.region.proof_faults.get(code):
            yield Breach(
                f"proof_faults 没有 {code} 的处理办法",
                f"请在 {subject.where} 的 proof_faults 中用中文写明 {code} 该查什么",
                path=f"{subject.where} proof_faults {code}",
            )
