"""Laws over the gateway's deliveries: sealed here, heard by the stand-in."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from itertools import islice
from typing import TYPE_CHECKING

from gateway.canonical.rehearsal import Unheard
from gateway.conformance.judge import accident
from gateway.conformance.law import Breach
from gateway.conformance.laws.needs import stand_in_of
from gateway.conformance.laws.rulebook import holds
from gateway.conformance.passages import deliveries
from gateway.conformance.subject import GATEWAY
from gateway.region import Inbound

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gateway.conformance.laws.rulebook import Tally
    from gateway.conformance.subject import Subject

_NONCE = "0123456789abcdef"


@holds("F07", "网关签发的投递，对端认得", "What the gateway seals the other side hears", "gateway §5")
def deliveries_are_heard(subject: Subject, tally: Tally) -> Iterator[Breach]:
    """Also long after it was rendered: time and proof are those of the attempt."""
    stand_in, region = stand_in_of(subject), subject.region
    told: set[tuple[int, str, str]] = set()
    for name, kind, body in deliveries(subject):
        for late in (timedelta(), timedelta(days=2)):
            tally()
            now = subject.now + late
            rendered = region.render(region.parse(body).tree, kind)
            sealed = region.seal(rendered, kind, subject.keys.credentials, now, _NONCE)
            # one address for all kinds: the kind is in the message, and the stand-in finds it there
            in_path = "" if sealed.path == stand_in.inbox else kind
            if in_path and sealed.path != f"{stand_in.inbox}/{kind}":
                yield Breach(
                    f"投递地址为 {sealed.path}，对端的收件地址为 {stand_in.inbox}/{kind}",
                    f"请让 {subject.where} 的 seal 与 stand_in.inbox 一致",
                    path=f"{subject.where} seal",
                    example=name,
                )
            headers = {name.lower(): value for name, value in sealed.headers.items()}
            try:
                heard = stand_in.hear(in_path, headers, sealed.body, subject.keys.own, now)
            except Unheard as refusal:
                said = (refusal.status, refusal.code, refusal.path)
                if said in told:
                    continue
                told.add(said)
                yield Breach(
                    f"网关签发的 {kind} 被对端拒收（{refusal.status} {refusal.code} {refusal.path} {refusal.text}）",
                    _mend(subject, refusal),
                    path=f"{subject.where} seal",
                    example=name,
                )
                continue
            except Exception as error:  # noqa: BLE001 - whatever it trips over is told once
                if (0, kind, type(error).__name__) not in told:
                    told.add((0, kind, type(error).__name__))
                    yield _tripped(subject, kind, error, name)
                continue
            opened = region.open(Inbound(headers, sealed.body))
            if (heard.key, heard.case_ref) != (opened.key, opened.case_ref):
                yield Breach(
                    f"{kind} 的流水号或办件编号，对端听到的与所发的不同",
                    f"请核对 {subject.where}/simulated.py 的 hear",
                    path=f"{subject.where}/simulated.py",
                    example=name,
                )


def _mend(subject: Subject, refusal: Unheard) -> str:
    """A proof is mended where it is made, a form where it is written."""
    if refusal.status in {401, 403, 415}:
        return f"请核对 {subject.where} 的 seal 与 simulated.hear：请求头名、拼接次序、时间单位和摘要的字节须一致"
    return (
        f"请核对 {subject.where}/maps 写 {refusal.path} 的地方（先看 R-F15、R-F19），与 simulated.hear 要求的成员；"
        "报文种类不符时，核对地址与报文里的种类"
    )


def _tripped(subject: Subject, kind: str, error: Exception, name: str) -> Breach:
    """The stand-in reads what the interface promises: a member it misses was not written."""
    found = accident(error, subject.where)
    what = f" {error}" if isinstance(error, KeyError) else ""
    return Breach(
        f"网关写出的 {kind} 模拟对端读不懂（{type(error).__name__}{what}，{found.path}）",
        f"请先改正编号更小的要求；仍不懂时核对 {subject.where}/maps 写 {kind} 的路径，与 simulated.hear 取值的路径",
        path=found.path,
        example=name,
    )


@holds(
    "F08",
    "时间窗之外和被改动的投递，对端拒收",
    "A stale or changed delivery is not heard",
    "crossing §1 step 7",
)
def stale_deliveries_are_not_heard(subject: Subject, tally: Tally) -> Iterator[Breach]:
    """The stand-in has to be as strict as the province: what it lets pass proves nothing."""
    stand_in, region, window = stand_in_of(subject), subject.region, subject.region.window_s
    for name, kind, body in islice(deliveries(subject), 3):
        sealed = region.seal(body, kind, subject.keys.credentials, subject.now, _NONCE)
        headers = {name.lower(): value for name, value in sealed.headers.items()}
        tries = [
            (f"签发 {window + 60} 秒之后", headers, sealed.body, window + 60),
            (f"早于签发 {window + 60} 秒", headers, sealed.body, -window - 60),
            ("报文被改动", headers, sealed.body + b" ", 0),
            ("没有请求头", {}, sealed.body, 0),
        ]
        for how, with_, sent, moved in tries:
            tally()
            status = 0
            try:
                stand_in.hear(kind, with_, sent, subject.keys.own, subject.now + timedelta(seconds=moved))
            except Unheard as refusal:
                status = refusal.status
            except Exception:  # noqa: BLE001, S112 - F07 tells what it trips over
                continue
            if status != 401:
                yield Breach(
                    f"{how}的投递，对端应以 401 拒收，现为{status or '收下了'}",
                    f"请在 {subject.where}/simulated.py 的 hear 中核验证明和时间窗（{window} 秒），"
                    f"或更正 {subject.where}/__init__.py 的 window_s",
                    path=f"{subject.where}/simulated.py",
                    example=name,
                )
        for moved in (window - 5, 5 - window) if _heard(subject, kind, headers, sealed.body, 0) else ():
            tally()
            if _heard(subject, kind, headers, sealed.body, moved):
                continue
            yield Breach(
                f"离签发 {abs(moved)} 秒的投递，在时间窗 {window} 秒之内，对端却拒收",
                f"请核对 {subject.where}/__init__.py 的 window_s 与 simulated.py 的 hear：时间窗须一致",
                path=f"{subject.where}/__init__.py window_s",
                example=name,
            )


def _heard(subject: Subject, kind: str, headers: Mapping[str, str], body: bytes, moved: int) -> bool:
    """Whether the stand-in hears a delivery so many seconds after it was sealed; F07 tells what it trips over."""
    now = subject.now + timedelta(seconds=moved)
    with suppress(Exception):
        stand_in_of(subject).hear(kind, headers, body, subject.keys.own, now)
        return True
    return False


@holds(
    "F25",
    "随机串写进每次投递，从每个请求中读出，重放才认得出",
    "Nonces are sealed and opened, so that a replay can be told",
    "crossing §1 step 7",
)
def nonces_are_carried(subject: Subject, tally: Tally) -> Iterator[Breach]:
    """A region without nonces has none in its requests; what is said of it is then nothing."""
    stand_in, region = stand_in_of(subject), subject.region
    chance = subject.chance("nonces")
    ones, others = (f"{chance.getrandbits(64):016x}" for _ in range(2))
    for example in subject.examples[:5]:
        said = stand_in.adopt(example.body)
        sent = [stand_in.request(said, subject.keys.own, subject.now, nonce) for nonce in (ones, others)]
        tally()
        if said.key.startswith(GATEWAY) or not all(map(_holds, sent, (ones, others))):
            continue
        for (headers, body), nonce in zip(sent, (ones, others), strict=True):
            small = {name.lower(): value for name, value in headers.items()}
            if region.open(Inbound(small, body)).nonce != nonce:
                yield Breach(
                    f"对端的 {said.native_kind} 带有随机串，open 没有原样读出，重放认不出来",
                    f"请在 {subject.where} 的 open 中把请求的随机串读作 nonce",
                    path=f"{subject.where} open nonce",
                    example=example.name,
                )
                return
        sealed = [
            region.seal(example.body, said.native_kind, subject.keys.credentials, subject.now, nonce)
            for nonce in (ones, others)
        ]
        if not all(map(_holds, ((one.headers, one.body) for one in sealed), (ones, others))):
            yield Breach(
                "网关的投递没有带上交给 seal 的随机串，对方会把不同的投递当作重放",
                f"请在 {subject.where} 的 seal 中使用参数 nonce",
                path=f"{subject.where} seal nonce",
                example=example.name,
            )
            return


def _holds(request: tuple[Mapping[str, str], bytes], nonce: str) -> bool:
    """Whether a request says this nonce, in a header or in its body."""
    headers, body = request
    return any(nonce in value for value in headers.values()) or nonce.encode() in body
