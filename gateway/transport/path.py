"""The way to a peer, one stretch after the other: name, TCP, TLS. Each says how long it took and what it met."""

from __future__ import annotations

import asyncio
import errno
import socket
import ssl
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from cryptography import x509

from gateway.transport.client import tls

if TYPE_CHECKING:
    from collections.abc import Sequence

#: A certificate that ends sooner is told of.
_SOON = timedelta(days=30)

#: OpenSSL's reasons why a chain is not believed, and what to do about each.
_CHAIN = {
    9: "证书尚未生效：检查本机时钟，或请对方核对证书",
    10: "证书已过期：请对方更换证书",
    18: "自签名证书：请对方换用可信机构签发的证书，或把其签发机构加入本机信任库（SSL_CERT_FILE）",
    19: "证书链的根不受信任：把签发机构加入本机信任库（SSL_CERT_FILE）",
    20: "找不到签发者：请对方在服务端补齐中间证书，或把签发机构加入本机信任库（SSL_CERT_FILE）",
    21: "证书链不完整：请对方在服务端补齐中间证书",
    62: "证书不是发给这个域名的：核对 base_url 的主机名，或请对方更换证书",
    64: "证书不是发给这个地址的：base_url 请写域名，或请对方更换证书",
}


@dataclass(frozen=True, slots=True)
class Place:
    """Where a ``base_url`` leads."""

    host: str
    port: int
    is_tls: bool

    @classmethod
    def of(cls, base_url: str) -> Place:
        """Errors: `ValueError` for a port that is none."""
        url = urlsplit(base_url)
        is_tls = url.scheme == "https"
        return cls(url.hostname or "", url.port or (443 if is_tls else 80), is_tls)


class Blocked(Exception):  # noqa: N818 - a word of the road
    """Here it does not go on. ``detail``: what was met; ``remedy``: what to do; both in Chinese."""

    def __init__(self, detail: str, remedy: str) -> None:
        super().__init__(detail)
        self.detail, self.remedy = detail, remedy


@dataclass(frozen=True, slots=True)
class Passed:
    """It goes on. ``warning``: what will become trouble, and what to do; empty when nothing."""

    detail: str
    warning: str = ""


async def resolve(place: Place) -> tuple[Passed, Sequence[str]]:
    """The addresses of the host. Errors: `Blocked`."""
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(place.host, place.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise Blocked(
            f"域名 {place.host} 无法解析（{type(error).__name__}）",
            "核对 base_url 的主机名；在本机用 nslookup 查询，检查 DNS 或 hosts 配置",
        ) from error
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    return Passed(f"{place.host} → {'、'.join(addresses)}"), addresses


async def connect(place: Place, addresses: Sequence[str]) -> Passed:
    """A TCP connection to one of the addresses, closed again. Errors: `Blocked`."""
    met = ""
    for address in addresses:
        try:
            _, writer = await asyncio.open_connection(address, place.port)
        except OSError as error:
            met = _met(error)
            continue
        await _close(writer)
        return Passed(f"{address} 端口 {place.port} 已连通")
    raise Blocked(f"{'、'.join(addresses)} 端口 {place.port} {met}", _TCP_REMEDIES.get(met, _OTHERWISE))


async def shake(place: Place) -> Passed:
    """A TLS handshake with the chain and the name checked. Errors: `Blocked`."""
    try:
        _, writer = await asyncio.open_connection(place.host, place.port, ssl=tls())
    except ssl.SSLCertVerificationError as error:
        shown = await _certificate(place)
        met = "证书不可信" if shown is None else f"证书不可信：{_words(shown)}"
        raise Blocked(
            met, _CHAIN.get(error.verify_code, f"请对方核对证书（{error.verify_message}）")
        ) from error
    except ssl.SSLError as error:
        raise Blocked(
            f"TLS 握手失败（{error.reason or type(error).__name__}）",
            "对方端口可能不是 https，或只支持过旧的 TLS 版本：核对 base_url 的协议和端口，请对方启用 TLS 1.2 以上",
        ) from error
    except OSError as error:
        raise Blocked(f"TLS 握手中断（{_met(error)}）", _OTHERWISE) from error
    session = writer.get_extra_info("ssl_object")
    version, raw = session.version(), session.getpeercert(binary_form=True)
    await _close(writer)
    certificate = x509.load_der_x509_certificate(raw)
    left = certificate.not_valid_after_utc - _now()
    warning = f"证书 {left.days} 天后到期：请对方尽快更换" if left < _SOON else ""
    return Passed(f"{version}，{_words(certificate)}", warning)


async def _certificate(place: Place) -> x509.Certificate | None:
    """What the server shows, believed or not: to say whose it is."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        _, writer = await asyncio.open_connection(place.host, place.port, ssl=context)
    except OSError:
        return None
    raw = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    await _close(writer)
    return x509.load_der_x509_certificate(raw) if raw else None


def _words(certificate: x509.Certificate) -> str:
    ends = certificate.not_valid_after_utc
    return (
        f"签发给 {_name(certificate.subject)}，签发者 {_name(certificate.issuer)}，有效期至 {ends:%Y-%m-%d}"
    )


def _name(name: x509.Name) -> str:
    common = name.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    return str(common[0].value) if common else name.rfc4514_string()


def _now() -> datetime:
    # Certificates are judged by the machine's time, as OpenSSL does, not by the gateway's clock.
    return datetime.fromtimestamp(time.time(), UTC)


_REFUSED, _UNREACHABLE, _SILENT = "拒绝连接", "不可达", "没有应答"
_TCP_REMEDIES = {
    _REFUSED: "主机在，但端口没有程序监听或被防火墙拒绝：核对 base_url 的端口，请对方确认服务已启动并放行本机地址",
    _UNREACHABLE: "没有到对方的路由：检查本机网络、专线和路由",
    _SILENT: "数据包被丢弃：检查两侧防火墙是否放行本机到对方端口",
}
_OTHERWISE = "检查两侧网络和防火墙，请对方查看其接入日志"


def _met(error: OSError) -> str:
    if isinstance(error, ConnectionRefusedError):
        return _REFUSED
    if isinstance(error, TimeoutError):
        return _SILENT
    if error.errno in (errno.ENETUNREACH, errno.EHOSTUNREACH):
        return _UNREACHABLE
    return type(error).__name__


async def _close(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with suppress(OSError):  # the other side may be quicker
        await writer.wait_closed()
