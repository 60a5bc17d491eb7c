"""What the form of the playground holds, in both directions: bytes exactly as they were given, text as typed."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, field, replace
from datetime import date
from typing import TYPE_CHECKING, Any

from starlette.datastructures import UploadFile

from gateway.dashboard.desk import Refused
from gateway.dashboard.texts import N_
from gateway.exchange.dry_run import MEMBERS
from gateway.formats import gb18030
from gateway.formats.layout import laid_out
from gateway.formats.positions import locate

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request

    from gateway.dashboard.playground.visit import Visit
    from gateway.region import Region

#: A message is no longer than at the door.
LONGEST = 1 << 20
#: The whole form: the message once as base64 or as typed, once as a file.
LONGEST_FORM = 3 << 20

TOO_LONG = N_("报文超过 1 MiB：网关的接口也不接收这么长的报文，请拆分或删减后再试")
NO_DAY = N_("受理日应写成 2026-11-23 的样子，请改正或清空")
NO_RULES = N_("没有这一版规则表：它可能已不在库，请从列表中另选一版")
NO_REGION = N_("没有这个地区，请从列表中选择发送方")

#: Of the applicant, in the context of a follow-up.
PERSON = ("name", "id_type", "id_no")


@dataclass(frozen=True, slots=True)
class Filled:
    """The form. ``raw``: the bytes of a file whose text is ``text``; "" texts are left open."""

    text: str = field(default="", repr=False)
    raw: bytes | None = field(default=None, repr=False)
    sender: str = ""
    rules: str = ""
    on: str = ""
    #: asked only to set the message out line by line
    lays_out: bool = False
    context: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def raw64(self) -> str:
        """The bytes as the form carries them along."""
        return "" if self.raw is None else base64.b64encode(self.raw).decode()

    @property
    def day(self) -> date | None:
        """The day to judge by. Errors: `ValueError`."""
        return date.fromisoformat(self.on) if self.on else None

    def body(self) -> bytes:
        """The bytes to try: a file's own while its text stands as it was, else the text as its side encodes it."""
        if self.raw is not None:
            return self.raw
        return gb18030.encode(self.text) if self._is_xml else self.text.encode("utf-8", "surrogatepass")

    def laid_out(self) -> Filled:
        """The same message with a line for every value; its bytes are no longer those of a file."""
        text = laid_out(self.text, is_xml=self._is_xml)
        return self if text == self.text else replace(self, text=text, raw=None)

    @property
    def _is_xml(self) -> bool:
        return self.text.lstrip("\ufeff \t\r\n").startswith("<")

    def as_json(self) -> dict[str, Any]:
        """What a link carries."""
        kept = {"sender": self.sender, "rules": self.rules, "on": self.on, "context": self.context}
        message = {"raw": self.raw64} if self.raw is not None else {"text": self.text}
        return {name: value for name, value in (message | kept).items() if value}


def of_bytes(body: bytes, **rest: Any) -> Filled:
    """A message as bytes, shown as text."""
    return Filled(text=text_of(body), raw=body, **rest)


def of_json(content: Mapping[str, Any]) -> Filled:
    """What a link carried."""
    rest = {name: content[name] for name in ("sender", "rules", "on", "context") if name in content}
    if "raw" in content:
        return of_bytes(base64.b64decode(content["raw"]), **rest)
    return Filled(text=content.get("text", ""), **rest)


def text_of(body: bytes) -> str:
    """Bytes as their side reads them, as far as they are text."""
    return locate(body, is_xml=body.lstrip()[:1] == b"<").text


async def filled(visit: Visit) -> Filled:
    """The form of a request. Errors: `Refused`."""
    form = await read(visit.request)
    given = {name: value for name, value in form.items() if isinstance(value, str)}
    text = given.get("message", "").replace("\r\n", "\n").replace("\r", "\n")
    raw = _bytes(given.get("raw", ""))
    if raw is not None and text_of(raw).replace("\0", "\ufffd") != text.replace("\0", "\ufffd"):
        raw = None  # the text was changed after the file had been read; a page holds no NUL, but its stand-in
    upload = form.get("file")
    if isinstance(upload, UploadFile) and upload.size:
        raw = await upload.read()
        text = text_of(raw)
    await form.close()
    found = Filled(
        text=text,
        raw=raw,
        sender=given.get("sender", ""),
        rules=given.get("rules", ""),
        on=given.get("on", "").strip(),
        lays_out="layout" in given,
        context=_context(given, visit.ground.regions),
    )
    if len(found.body()) > LONGEST:
        raise Refused(413, visit.say(TOO_LONG))
    return found


async def read(request: Request) -> Any:
    """The fields of a form; longer ones than usual, as a message is one. Read once a request."""
    return await request.form(max_files=1, max_fields=40, max_part_size=LONGEST_FORM)


def _bytes(written: str) -> bytes | None:
    try:
        return base64.b64decode(written, validate=True) if written else None
    except (binascii.Error, ValueError):
        return None


def names(regions: Mapping[str, Region]) -> tuple[str, ...]:
    """The members of a context a form asks for, but for the applicant (spec/gateway.md §4)."""
    own = tuple(dict.fromkeys(region.context_name for region in regions.values()))
    first = ("case_no", *own, "accepted_on", "item", "scheme", "old_place", "claim_place", "target_division")
    return tuple(name for name in first if name in MEMBERS or name in own)


def _context(given: Mapping[str, str], regions: Mapping[str, Region]) -> dict[str, Any]:
    found: dict[str, Any] = {
        name: given[f"c-{name}"].strip() for name in names(regions) if given.get(f"c-{name}", "").strip()
    }
    person = {name: given[f"p-{name}"].strip() for name in PERSON if given.get(f"p-{name}", "").strip()}
    return found | ({"applicant": person} if person else {})
