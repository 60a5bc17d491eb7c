"""The proof of CQ-N (SM3, SM2) as requests: good ones, and each altered in one place (pure)."""

from __future__ import annotations

import base64
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from adapters.chongqing import region
from gateway.crypto.digest import sm3_hex
from tests.vectors import sm2
from tests.vectors.sent import CLIENT, PRIVATE, PUBLIC, Request, another_digit, worked

BEIJING_H = 8


def numbers(body: bytes, who: str, digest: bytes | None = None) -> tuple[int, int]:
    """(r, s) of an SM2 signature; ``digest`` where something else is signed than the rules say."""
    made = sm2.sm3(sm2.za(sm2.public_point(PUBLIC[who])), body) if digest is None else digest
    return sm2.sign(sm2.private_number(PRIVATE[who]), made)


def signed(body: bytes, who: str, *, digest: bytes | None = None) -> bytes:
    """The same as DER."""
    return sm2.der(*numbers(body, who, digest))


def seal(body: bytes, now: int, who: str = "region") -> Request:
    headers = {
        "Content-Type": region.content_type,
        "X-CQ-CLIENTID": CLIENT[who],
        "X-CQ-SM3": sm3_hex(body),
        "X-CQ-SIGN": base64.b64encode(signed(body, who)).decode(),
    }
    return Request("/v1/chongqing/messages", headers, body, now, who)


def steps(request: Request) -> dict[str, str]:
    """Z of the signer, and the number that is signed."""
    z = sm2.za(sm2.public_point(PUBLIC[request.sender]))
    return {
        "body_sm3": sm3_hex(request.body),
        "sm2_za": z.hex(),
        "sm2_e": sm2.sm3(z, request.body).hex(),
    }


def sent_at(body: bytes) -> int:
    (written,) = re.findall(rb"<FSSJ>([^<]*)</FSSJ>", body)
    moment = datetime.strptime(written.decode("ascii"), "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
    return int((moment - timedelta(hours=BEIJING_H)).timestamp())


TEXT = (
    '<?xml version="1.0" encoding="GB18030"?>\n<PACKET><HEAD><BBH>1.0</BBH><FSF>CQ500103</FSF><JSF>CYTB</JSF>'
    "<JYM>ZT_TZ</JYM><LSH>CQ20261123160000000051</LSH><FSSJ>2026-11-23 16:00:00</FSSJ></HEAD>"
    "<BODY><BJXX><SBLSH>CQ50010320261123000051</SBLSH><BZ>张䶮、𠮷、㛃</BZ></BJXX></BODY></PACKET>"
)
BODY = TEXT.encode("gb18030")
GOOD = seal(BODY, sent_at(BODY))


def keys() -> dict[str, object]:
    """Each side has a pair of its own: SM2, for tests only."""
    found: dict[str, object] = {"signer_id": sm2.SIGNER_ID.decode()}
    for who in ("region", "gateway"):
        point = sm2.public_point(PUBLIC[who])
        found[who] = {
            "client_id": CLIENT[who],
            "public_key_pem": PUBLIC[who],
            "public_key_xy": f"{point[0]:064x}{point[1]:064x}",
            "private_key_pem": PRIVATE[who],
        }
    return found


def cases():
    """(id, what is altered, Chinese, English, request)."""
    yield from _good()
    yield from _knowledge()
    yield from _headers()
    yield from _digests()
    yield from _signatures()
    yield from _wrongly_written()


def _sign(value: bytes) -> dict[str, str]:
    return {"X-CQ-SIGN": base64.b64encode(value).decode()}


def _good():
    for kind, request in worked(region):
        yield (
            f"worked-{kind}",
            "",
            f"范例 {kind}",
            f"worked example {kind}",
            replace(request, now=sent_at(request.body)),
        )
    yield (
        "good",
        "",
        "短报文，姓名含 GBK 之外的字（GB18030 四字节）",
        "a short message with names beyond GBK (four-byte GB18030)",
        GOOD,
    )
    yield (
        "good-of-gateway",
        "",
        "网关签发的同一报文，用网关公钥验",
        "the same signed by the gateway: verify with its key",
        seal(BODY, GOOD.now, "gateway"),
    )
    yield (
        "good-upper-case",
        "",
        "十六进制大写也认",
        "hex in upper case is the same",
        GOOD.but(headers={"X-CQ-SM3": GOOD.headers["X-CQ-SM3"].upper()}),
    )
    spelt = {"Content-Type": 'Application/XML; Charset="gb18030"'}
    yield (
        "good-content-type",
        "",
        "内容类型不分大小写，charset 可加引号",
        "the content type in any letter case, quoted",
        GOOD.but(headers=spelt),
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
    """What the receiver knows: its clock, and whom it lets in."""
    for seconds, word, english in ((301, "过时", "stale"), (-301, "时间超前", "from the future")):
        yield f"time-{english.split()[-1]}", "now", word, english, GOOD.but(now=GOOD.now + seconds)
    yield (
        "caller-disabled",
        "enabled",
        "凭证正确，但调用方已停用",
        "a right proof of a caller that is switched off",
        GOOD.but(enabled=False),
    )


def _headers():
    for name in ("X-CQ-CLIENTID", "X-CQ-SM3", "X-CQ-SIGN"):
        yield f"missing-{name}", name, f"缺少 {name}", f"{name} is missing", GOOD.but(headers={name: None})
    yield (
        "unknown-caller",
        "X-CQ-CLIENTID",
        "调用方标识不对",
        "another caller id",
        GOOD.but(headers={"X-CQ-CLIENTID": "CYTB-TEST"}),
    )
    for name, written in (
        ("charset-utf8", "application/xml; charset=utf-8"),
        ("charset-gbk", "application/xml; charset=GBK"),
        ("charset-missing", "application/xml"),
        ("type-text", "text/xml; charset=GB18030"),
    ):
        yield (
            name,
            "Content-Type",
            f"内容类型写成 {written}",
            f"content type {written}",
            GOOD.but(headers={"Content-Type": written}),
        )


def _digests():
    digest = GOOD.headers["X-CQ-SM3"]
    yield (
        "digest-digit",
        "X-CQ-SM3",
        "摘要改一位",
        "one digit of the digest",
        GOOD.but(headers={"X-CQ-SM3": another_digit(digest)}),
    )
    yield (
        "body-byte",
        "body",
        "报文改一个字节",
        "one byte of the body",
        GOOD.but(body=BODY.replace(b"000051</SBLSH>", b"000052</SBLSH>")),
    )
    changed = BODY.replace(b"000051</SBLSH>", b"000052</SBLSH>")
    yield (
        "body-and-digest",
        "X-CQ-SIGN",
        "报文与摘要都换了，签名没换",
        "body and digest changed, the signature not",
        GOOD.but(body=changed, headers={"X-CQ-SM3": sm3_hex(changed)}),
    )
    utf8 = TEXT.encode()
    yield (
        "digest-of-utf8",
        "X-CQ-SM3",
        "对转成 UTF-8 的文本算摘要，不是原始字节",
        "the digest of the text in UTF-8, not of the bytes as sent",
        GOOD.but(headers={"X-CQ-SM3": sm3_hex(utf8)}),
    )


def _signatures():
    """A right form, over the wrong thing or by the wrong key."""
    other = base64.b64decode(GOOD.headers["X-CQ-SIGN"])
    yield (
        "sign-of-utf8",
        "X-CQ-SIGN",
        "对转成 UTF-8 的文本签名",
        "the signature over the text in UTF-8",
        GOOD.but(headers=_sign(signed(TEXT.encode(), "region"))),
    )
    yield (
        "sign-bit",
        "X-CQ-SIGN",
        "签名改一位",
        "one bit of the signature",
        GOOD.but(headers=_sign(other[:-1] + bytes([other[-1] ^ 1]))),
    )
    yield (
        "sign-other-key",
        "X-CQ-SIGN",
        "用另一把私钥签名",
        "signed with another key",
        GOOD.but(headers=_sign(signed(BODY, "gateway"))),
    )
    yield (
        "sign-without-z",
        "X-CQ-SIGN",
        "签名时没有算 Z（直接对 SM3 摘要签名）",
        "signed without Z, over the plain SM3 digest",
        GOOD.but(headers=_sign(signed(BODY, "region", digest=sm2.sm3(BODY)))),
    )
    alice = sm2.sm3(sm2.za(sm2.public_point(PUBLIC["region"]), b"ALICE123@YAHOO.COM"), BODY)
    yield (
        "sign-other-id",
        "X-CQ-SIGN",
        "签名时用了另一用户标识",
        "signed under another signer id",
        GOOD.but(headers=_sign(signed(BODY, "region", digest=alice))),
    )


def _wrongly_written():
    """The right signature in another form, and numbers no signature has."""
    other = base64.b64decode(GOOD.headers["X-CQ-SIGN"])
    r, s = numbers(BODY, "region")
    raw = r.to_bytes(32, "big") + s.to_bytes(32, "big")
    yield (
        "sign-raw",
        "X-CQ-SIGN",
        "签名是 r‖s 64 字节，不是 DER",
        "r and s as 64 bytes in place of DER",
        GOOD.but(headers=_sign(raw)),
    )
    yield (
        "sign-hex",
        "X-CQ-SIGN",
        "签名写成十六进制，不是 base64",
        "the signature in hex in place of base64",
        GOOD.but(headers={"X-CQ-SIGN": other.hex()}),
    )
    yield (
        "sign-empty",
        "X-CQ-SIGN",
        "签名是空的 DER 序列",
        "an empty DER sequence",
        GOOD.but(headers=_sign(b"\x30\x00")),
    )
    zero = sm2.der(0, s)
    yield "sign-r-zero", "X-CQ-SIGN", "r 为 0", "r is 0", GOOD.but(headers=_sign(zero))
    yield (
        "sign-s-n",
        "X-CQ-SIGN",
        "s 不小于群的阶",
        "s is not below the order of the group",
        GOOD.but(headers=_sign(sm2.der(r, s + sm2.N))),
    )
