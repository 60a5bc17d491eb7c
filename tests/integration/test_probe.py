"""The connection test against real servers: each way to fail is named with what to do, and nothing takes effect."""

from __future__ import annotations

import asyncio
import ipaddress
import ssl
import time
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from itertools import count

import httpx
import pytest
import uvicorn
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from ports import free_port

from gateway.conformance.books import Place
from gateway.conformance.errands import Errands
from gateway.conformance.script import PLAIN
from gateway.conformance.simulator import Faults, Simulator, new_keys, stand_in_of
from gateway.exchange.probe import Finish, Name, Probe
from gateway.mapping.load import PACKAGED, load_tables
from gateway.region import Inbound
from gateway.regions import discover
from gateway.transport.client import tls

REGIONS = discover()


def moment():
    return datetime.now(UTC)  # noqa: TID251 - certificates are judged by the machine's time


NOW = moment()
SC_REFUSES = b'{"recode":"-1","message":"9042 \xe7\xbc\xba\xe5\xb0\x91\xe5\xbf\x85\xe5\xa1\xab\xe9\xa1\xb9","aaz002":"SC1"}'


def region_of(slug, base_url, **changes):
    section, own = new_keys(slug)
    region = REGIONS[slug]
    return region, region.credentials(base_url=base_url, **section | changes), own


async def steps_to(base_url, slug="sichuan", credentials=None, ahead=timedelta(), timeout_s=5.0):
    region, made, _ = region_of(slug, base_url)
    test = Probe(region, credentials or made, lambda: moment() + ahead, time.monotonic, "a" * 32, timeout_s)
    return [step async for step in test.steps()]


def failed(steps, name, *words):
    assert [step.finish for step in steps[:-1]].count(Finish.FAILED) == 0
    last = steps[-1]
    assert (last.name, last.finish) == (name, Finish.FAILED), last
    for word in words:
        assert word in last.detail + last.remedy
    assert last.remedy


@asynccontextmanager
async def listening(answer, context=None):
    """A server that reads a request and answers these bytes, or does as it is told."""

    async def serve(reader, writer):
        if callable(answer):
            await answer(reader, writer)
        else:
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
            await reader.readexactly(length)
            writer.write(answer)
            await writer.drain()

    serving = []

    async def quietly(reader, writer):
        serving.append(asyncio.current_task())
        # a step that only knocks leaves in the middle
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            await serve(reader, writer)
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()

    server = await asyncio.start_server(quietly, "127.0.0.1", 0, ssl=context)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await asyncio.gather(*serving)


def http(status, body=b"", **headers):
    lines = [f"HTTP/1.1 {status} X", f"content-length: {len(body)}", "connection: close"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


# -- the whole way ---------------------------------------------------------------------------------


@asynccontextmanager
async def simulated(slug):
    """A simulated side on a real port; its base URL, the gateway's credentials and its doors."""
    region, _, _ = region_of(slug, "http://side")
    section, own = new_keys(slug)
    stand_in, serials = stand_in_of(slug), count(10_000_000)
    prefixes = {each.slug: each.division_prefix for each in REGIONS.values()}
    place = Place(
        stand_in=stand_in,
        keys=stand_in.keys(own),
        errands=Errands(load_tables(PACKAGED, 2026), prefixes, slug),
        gateway_url="http://127.0.0.1:9",
        clock=moment,
        nonce=lambda: str(next(serials)),
        worked={},
        worked_people=frozenset(),
    )
    side = Simulator(place, habits=PLAIN, faults=Faults(), seed=1, rate=0, limit=0)
    server = uvicorn.Server(uvicorn.Config(side.app(), port=0, log_config=None, access_log=False))
    running = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
        await asyncio.sleep(0.01)
    url = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    try:
        yield url, region.credentials(base_url=url, **section), section
    finally:
        server.should_exit = True
        await running


@pytest.mark.parametrize("slug", sorted(REGIONS))
async def test_a_good_side_passes_every_step_and_has_taken_nothing_in(slug):
    async with simulated(slug) as (url, credentials, _):
        steps = await steps_to(url, slug, credentials)
        assert [step.finish for step in steps] == [Finish.PASSED] * 5
        assert [step.name for step in steps] == [
            Name.NAME,
            Name.TCP,
            Name.HTTP,
            Name.PROOF,
            Name.RECEIPT,
        ]
        assert "904" in steps[-1].detail
        assert all(step.took_s >= 0 and step.detail and not step.remedy for step in steps)
        async with httpx.AsyncClient(base_url=url, trust_env=False) as doors:
            assert (await doors.get("/sim/effects")).json() == {"effects": []}
            assert (await doors.get("/sim/cases")).json() == {"cases": []}


@pytest.mark.parametrize("slug", sorted(REGIONS))
async def test_keys_the_side_does_not_know_are_told_as_proof_refused(slug):
    async with simulated(slug) as (url, _, section):
        other, _ = new_keys(slug)
        secret = "token" if "token" in section else "private_key"
        wrong = REGIONS[slug].credentials(base_url=url, **section | {secret: other[secret]})
        failed(await steps_to(url, slug, wrong), Name.PROOF, "9001")


@pytest.mark.parametrize("slug", sorted(REGIONS))
async def test_a_clock_out_of_the_window_is_told_as_such(slug):
    async with simulated(slug) as (url, credentials, _):
        steps = await steps_to(url, slug, credentials, ahead=timedelta(minutes=10))
        failed(steps, Name.PROOF, "9002", "时钟")


@pytest.mark.parametrize("slug", sorted(REGIONS))
async def test_a_blank_message_is_readable_and_of_a_known_kind_and_names_no_message_and_no_case(slug):
    region, credentials, _ = region_of(slug, "http://side")
    sealed = region.seal(region.blank.body, region.blank.native_kind, credentials, NOW, "b" * 16)
    opened = region.open(Inbound({k.lower(): v for k, v in sealed.headers.items()}, sealed.body))
    assert (opened.native_kind, opened.key, opened.case_ref) == (region.blank.native_kind, "", "")
    assert opened.native_kind in region.maps
    assert opened.sent_at is not None


# -- name and TCP ----------------------------------------------------------------------------------


async def test_a_name_nobody_knows():
    failed(await steps_to("http://no-such-side.invalid"), Name.NAME, "no-such-side.invalid", "DNS")


async def test_a_port_where_nobody_listens():
    steps = await steps_to(f"http://127.0.0.1:{free_port()}")
    failed(steps, Name.TCP, "拒绝连接", "防火墙")
    assert steps[0].finish is Finish.PASSED


# -- TLS -------------------------------------------------------------------------------------------


def certificate(subject, key, issuer=None, signer=None, *, days=90, began=-2, host="127.0.0.1", ca=False):
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, subject)])
    alternative = x509.IPAddress(ipaddress.ip_address(host)) if host[0].isdigit() else x509.DNSName(host)
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(issuer.subject if issuer else name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW + timedelta(days=began))
        .not_valid_after(NOW + timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([alternative]), critical=False)
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    if signer is not None:
        builder = builder.add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False
        )
    return builder.sign(signer or key, hashes.SHA256())


@pytest.fixture
def authority(tmp_path, monkeypatch):
    """A certificate authority this machine believes; makes server contexts."""
    root_key = ec.generate_private_key(ec.SECP256R1())
    root = certificate("Test Root", root_key, ca=True, days=3650, began=-30)
    file = tmp_path / "root.pem"
    file.write_bytes(root.public_bytes(serialization.Encoding.PEM))
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    tls.cache_clear()

    def context(*, self_signed=False, **options):
        key = ec.generate_private_key(ec.SECP256R1())
        made = certificate("side", key, *(() if self_signed else (root, root_key)), **options)
        chain = tmp_path / "side.pem"
        chain.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
            + made.public_bytes(serialization.Encoding.PEM)
        )
        server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        server.load_cert_chain(chain)
        return server

    yield context
    tls.cache_clear()


async def test_a_believed_certificate_passes_with_its_end_shown(authority):
    async with listening(http(422, SC_REFUSES), authority()) as port:
        steps = await steps_to(f"https://127.0.0.1:{port}")
    assert [step.finish for step in steps] == [Finish.PASSED] * 6
    shown = steps[2].detail
    assert "TLSv1.3" in shown
    assert "Test Root" in shown
    assert f"{NOW + timedelta(days=90):%Y-%m-%d}" in shown


async def test_a_certificate_that_ends_soon_is_told_of_and_the_test_goes_on(authority):
    async with listening(http(422, SC_REFUSES), authority(days=7)) as port:
        steps = await steps_to(f"https://127.0.0.1:{port}")
    assert steps[2].finish is Finish.WARNED
    assert "到期" in steps[2].remedy
    assert steps[-1].finish is Finish.PASSED


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({"days": -1}, "过期"),
        ({"days": 9, "began": 5}, "尚未生效"),
        ({"self_signed": True}, "自签名"),
        ({"host": "192.0.2.1"}, "这个地址"),
    ],
)
async def test_a_certificate_that_is_not_believed_says_why_and_whose_it_is(authority, options, word):
    async with listening(http(422, SC_REFUSES), authority(**options)) as port:
        failed(await steps_to(f"https://127.0.0.1:{port}"), Name.TLS, word, "签发给 side")


async def test_a_certificate_of_an_unknown_authority(authority, monkeypatch, tmp_path):
    context = authority()
    key = ec.generate_private_key(ec.SECP256R1())
    other = tmp_path / "other.pem"
    other.write_bytes(certificate("Other", key, ca=True).public_bytes(serialization.Encoding.PEM))
    monkeypatch.setenv("SSL_CERT_FILE", str(other))
    tls.cache_clear()
    async with listening(http(422, SC_REFUSES), context) as port:
        failed(await steps_to(f"https://127.0.0.1:{port}"), Name.TLS, "签发者", "SSL_CERT_FILE")


async def test_https_asked_of_a_port_that_speaks_plain_http(authority):
    async def plain(reader, writer):
        await reader.read(10)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await writer.drain()

    async with listening(plain) as port:
        failed(await steps_to(f"https://127.0.0.1:{port}"), Name.TLS, "协议和端口")


# -- HTTP, proof, receipt --------------------------------------------------------------------------


async def test_a_port_that_does_not_speak_http():
    async with listening(b"220 mail.example ESMTP\r\n") as port:
        failed(await steps_to(f"http://127.0.0.1:{port}"), Name.HTTP, "不是可读的 HTTP")


async def test_a_line_that_breaks_before_the_answer():
    async with listening(b"") as port:
        failed(await steps_to(f"http://127.0.0.1:{port}"), Name.HTTP, "断开")


async def test_a_side_that_takes_the_call_and_never_answers():
    async def silent(reader, writer):
        await reader.read(-1)  # until the caller has lost patience

    async with listening(silent) as port:
        failed(await steps_to(f"http://127.0.0.1:{port}", timeout_s=0.4), Name.HTTP, "没有在时限内应答")


@pytest.mark.parametrize(("status", "word"), [(301, "跳转"), (404, "路径前缀"), (429, "过载"), (503, "过载")])
async def test_a_status_that_is_no_answer_to_a_message(status, word):
    async with listening(http(status)) as port:
        failed(await steps_to(f"http://127.0.0.1:{port}"), Name.HTTP, str(status), word)


async def test_a_gateway_before_the_side_that_refuses_without_a_receipt():
    async with listening(http(403, b"<html>forbidden</html>")) as port:
        failed(await steps_to(f"http://127.0.0.1:{port}"), Name.PROOF, "403", "放行")


@pytest.mark.parametrize("status", [200, 422])
async def test_a_receipt_nobody_can_read(status):
    async with listening(http(status, b"<html>welcome</html>")) as port:
        failed(await steps_to(f"http://127.0.0.1:{port}"), Name.RECEIPT, "读不懂回执", "SC-N v1")


async def test_a_side_that_takes_a_message_without_anything_in_it_is_warned_of():
    async with listening(http(202, b'{"recode":"1","message":"","aaz002":"SC1"}')) as port:
        steps = await steps_to(f"http://127.0.0.1:{port}")
    assert (steps[-1].name, steps[-1].finish) == (Name.RECEIPT, Finish.WARNED)


async def test_a_peers_clock_far_from_ours_is_warned_of():
    late = format_datetime(moment() - timedelta(seconds=200), usegmt=True)
    async with listening(http(422, SC_REFUSES, date=late)) as port:
        steps = await steps_to(f"http://127.0.0.1:{port}")
    assert (steps[2].name, steps[2].finish) == (Name.HTTP, Finish.WARNED)
    assert "双方时钟相差约 20" in steps[2].detail


async def test_steps_come_one_by_one_as_they_end():
    async def slow(reader, writer):
        await reader.read(10)
        await told.wait()  # the step before
        writer.write(http(422, SC_REFUSES))

    told, steps = asyncio.Event(), []
    async with listening(slow) as port:
        region, credentials, _ = region_of("sichuan", f"http://127.0.0.1:{port}")
        async for step in Probe(region, credentials, moment, time.monotonic, "a" * 32).steps():
            steps.append(step)
            if step.name is Name.TCP:
                told.set()
    finishes = {step.name: step.finish for step in steps}
    assert finishes[Name.TCP] is finishes[Name.HTTP] is Finish.PASSED


def test_every_step_has_a_name_in_chinese():
    assert all(name.label != name.value for name in Name)
