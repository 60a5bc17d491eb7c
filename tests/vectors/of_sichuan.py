"""The proof of SC-N (SHA-256, HMAC-SM3) as requests: good ones, and each altered in one place (pure)."""

from __future__ import annotations

import base64
from dataclasses import replace

from adapters.sichuan import region
from gateway.crypto.digest import hmac_sm3_hex, sha256_hex, sm3_hex
from tests.vectors.sent import TOKEN, Request, another_digit, worked


def seal(
    body: bytes, stamp: int, nonce: str, path: str = "/v1/sichuan/messages", token: str = TOKEN
) -> Request:
    written, secret = str(stamp), token.encode()
    headers = {
        "Content-Type": region.content_type,
        "x-tif-paasid": "sc-lemis-test",
        "x-tif-timestamp": written,
        "x-tif-nonce": nonce,
        "x-tif-signature": sha256_hex(f"{written}{token}{nonce}{written}".encode()),
        "x-body-sm3": hmac_sm3_hex(secret, f"{written}\n{nonce}\n".encode(), body),
    }
    return Request(path, headers, body, stamp)


def steps(request: Request) -> dict[str, str]:
    """What the two digests are made over."""
    stamp, nonce = request.headers.get("x-tif-timestamp", ""), request.headers.get("x-tif-nonce", "")
    if not stamp.isdecimal() or not nonce:
        return {}
    message = f"{stamp}\n{nonce}\n".encode() + request.body
    return {
        "signature_base": f"{stamp}{TOKEN}{nonce}{stamp}",
        "signature_sha256": sha256_hex(f"{stamp}{TOKEN}{nonce}{stamp}".encode()),
        "body_message_base64": base64.b64encode(message).decode(),
        "body_hmac_sm3": hmac_sm3_hex(TOKEN.encode(), message),
    }


BODY = '{"fwid":"tbzt0001","aac003":"张䶮·𠮷"}'.encode()
STAMP, NONCE = 1795420800, "4b1c9e7a2f"
GOOD = seal(BODY, STAMP, NONCE)


def keys() -> dict[str, str]:
    """One pair of id and token serves both directions."""
    return {"paasid": "sc-lemis-test", "token": TOKEN}


def cases():
    """(id, what is altered, Chinese, English, request)."""
    yield from _good()
    yield from _knowledge()
    yield from _headers()
    yield from _bodies()


def _good():
    for kind, request in worked(region):
        now = int(request.headers["x-tif-timestamp"])
        yield f"worked-{kind}", "", f"范例 {kind}", f"worked example {kind}", replace(request, now=now)
    yield "good", "", "最短的报文，含 UTF-8 姓名", "the shortest message, with a UTF-8 name", GOOD
    published = seal(b'{"fwid":"tbzt0001"}', 1795420800, "4b1c9e7a2f")
    yield "specification", "", "接口规范 §2 所印的例子", "the one printed in the specification, §2", published
    upper = {name: GOOD.headers[name].upper() for name in ("x-tif-signature", "x-body-sm3")}
    yield "good-upper-case", "", "十六进制大写也认", "hex in upper case is the same", GOOD.but(headers=upper)
    yield (
        "good-no-charset",
        "",
        "charset 可以不写",
        "the charset may be left out",
        GOOD.but(headers={"Content-Type": "application/json"}),
    )
    for seconds in (300, -300):
        yield (
            f"good-at-{seconds:+}",
            "",
            f"时钟相差恰 {seconds} 秒，仍在窗口内",
            f"clocks {seconds} s apart: just inside",
            GOOD.but(now=GOOD.now + seconds),
        )


def _knowledge():
    """What the receiver knows: its clock, the nonces it saw, whom it lets in."""
    for seconds, word, english in ((301, "过时", "stale"), (-301, "时间超前", "from the future")):
        yield f"time-{english.split()[-1]}", "now", word, english, GOOD.but(now=GOOD.now + seconds)
    yield (
        "nonce-used",
        "seen",
        "随机串在窗口内用过",
        "the nonce was used within the window",
        GOOD.but(seen=("4b1c9e7a2f",)),
    )
    yield (
        "caller-disabled",
        "enabled",
        "凭证正确，但调用方已停用",
        "a right proof of a caller that is switched off",
        GOOD.but(enabled=False),
    )


def _headers():
    for name in ("x-tif-paasid", "x-tif-timestamp", "x-tif-nonce", "x-tif-signature", "x-body-sm3"):
        yield f"missing-{name}", name, f"缺少 {name}", f"{name} is missing", GOOD.but(headers={name: None})
    yield (
        "unknown-caller",
        "x-tif-paasid",
        "调用方标识不对",
        "another caller id",
        GOOD.but(headers={"x-tif-paasid": "sc-lemis-tesu"}),
    )
    yield (
        "signature-digit",
        "x-tif-signature",
        "签名改一位",
        "one digit of the signature",
        GOOD.but(headers={"x-tif-signature": another_digit(GOOD.headers["x-tif-signature"])}),
    )
    yield (
        "timestamp-digit",
        "x-tif-timestamp",
        "时间戳改一秒，未重签",
        "another second, not signed again",
        GOOD.but(headers={"x-tif-timestamp": "1795420801"}),
    )
    yield (
        "timestamp-in-ms",
        "x-tif-timestamp",
        "时间戳写成毫秒",
        "milliseconds in place of seconds",
        replace(seal(BODY, STAMP * 1000, "4b1c9e7a2f"), now=GOOD.now),
    )
    yield (
        "nonce-changed",
        "x-tif-nonce",
        "随机串改动，未重签",
        "another nonce, not signed again",
        GOOD.but(headers={"x-tif-nonce": "4b1c9e7a2e"}),
    )
    yield (
        "nonce-too-short",
        "x-tif-nonce",
        "随机串不足 8 位",
        "a nonce of 7 characters",
        seal(BODY, STAMP, "4b1c9e7"),
    )
    yield (
        "wrong-token",
        "token",
        "用另一令牌签名",
        "signed with another token",
        seal(BODY, STAMP, NONCE, token="ANOTHER-TOKEN"),
    )
    spaced = seal(BODY, STAMP, NONCE, token=f"{TOKEN}\n")
    yield "token-with-newline", "token", "令牌末尾多了换行", "the token with a newline at its end", spaced


def _bodies():
    digest = GOOD.headers["x-body-sm3"]
    yield (
        "body-digest-digit",
        "x-body-sm3",
        "报文摘要改一位",
        "one digit of the body's digest",
        GOOD.but(headers={"x-body-sm3": another_digit(digest)}),
    )
    yield (
        "body-byte",
        "body",
        "报文改一个字节",
        "one byte of the body",
        GOOD.but(body=BODY.replace(b"tbzt0001", b"tbzt0002")),
    )
    yield (
        "body-space",
        "body",
        "报文末尾多一个空格",
        "a blank at the end of the body",
        GOOD.but(body=BODY + b" "),
    )
    yield (
        "body-plain-sm3",
        "x-body-sm3",
        "摘要没有用令牌（普通 SM3）",
        "a plain SM3 where the HMAC belongs",
        GOOD.but(headers={"x-body-sm3": sm3_hex(BODY)}),
    )
    unstamped = hmac_sm3_hex(TOKEN.encode(), BODY)
    yield (
        "body-without-stamp",
        "x-body-sm3",
        "HMAC 只算了报文，没有时间戳和随机串",
        "the HMAC over the body alone",
        GOOD.but(headers={"x-body-sm3": unstamped}),
    )
    sha = hmac_sm3_hex(TOKEN.encode(), f"{1795420800}4b1c9e7a2f".encode(), BODY)
    yield (
        "body-without-newlines",
        "x-body-sm3",
        "HMAC 的各部分之间没有换行",
        "no newlines between the HMAC's parts",
        GOOD.but(headers={"x-body-sm3": sha}),
    )
    yield (
        "charset-gbk",
        "Content-Type",
        "charset 写成 gbk",
        "the charset says gbk",
        GOOD.but(headers={"Content-Type": "application/json; charset=gbk"}),
    )
    yield (
        "type-text",
        "Content-Type",
        "内容类型写成 text/json",
        "text/json",
        GOOD.but(headers={"Content-Type": "text/json"}),
    )
