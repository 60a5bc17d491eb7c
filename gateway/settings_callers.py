"""Who may call by a bearer token: staff and systems of the JSON API, and the channels that collect cases."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, PositiveInt, model_validator

if TYPE_CHECKING:
    from collections.abc import Collection

#: What a bearer token may be allowed (gateway §1); ``cases:full`` unmasks and is audited.
SCOPES = ("cases", "cases:full", "items", "translate", "operate", "audit")

Hex64 = Annotated[str, Field(pattern=r"^[0-9a-fA-F]{64}$")]


class Section(BaseModel):
    """A frozen section; an unknown member is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


def hashed(raw: Any) -> Any:
    """A section whose ``token`` is replaced by its hash; one of the two must be given."""
    if not isinstance(raw, dict):
        return raw
    text, digest = raw.get("token"), raw.get("token_sha256")
    if (text is None) == (digest is None):
        raise ValueError("token（或 token_file）与 token_sha256 须且只能填写一项")
    if isinstance(text, str):
        if not text.strip():  # an empty file would be a credential nobody can hold
            raise ValueError("token 是空的，请填写令牌，或核对 token_file 的内容")
        return {**raw, "token_sha256": hashlib.sha256(text.encode()).hexdigest(), "token": None}
    return {**raw, "token_sha256": digest.lower()} if isinstance(digest, str) else raw


class ApiToken(Section):
    """A bearer token of the JSON API; only its hash is kept."""

    name: str = Field(min_length=1)
    token: str | None = Field(default=None, min_length=1, repr=False, exclude=True)
    token_sha256: Hex64 = Field(default="", repr=False, validate_default=False)
    scopes: frozenset[Literal[SCOPES]] = Field(min_length=1)  # type: ignore[valid-type]

    @model_validator(mode="before")
    @classmethod
    def _hash(cls, raw: Any) -> Any:
        return hashed(raw)


class ChannelCredential(Section):
    """One bearer token of a channel; several at once let it be changed without a gap."""

    token: str | None = Field(default=None, min_length=1, repr=False, exclude=True)
    token_sha256: Hex64 = Field(default="", repr=False, validate_default=False)
    #: codes of the outlets it may post for; absent: any
    outlets: frozenset[str] | None = Field(default=None, min_length=1)

    @model_validator(mode="before")
    @classmethod
    def _hash(cls, raw: Any) -> Any:
        return hashed(raw)


def one_holder_each(tokens: tuple[ApiToken, ...], channels: tuple[Channel, ...]) -> bool:
    """Whether no token is given to two: who has it must be told apart."""
    hashes = [token.token_sha256 for token in tokens]
    hashes += [each.token_sha256 for channel in channels for each in channel.credentials]
    return len(set(hashes)) == len(hashes)


class Channel(Section):
    """An acceptance point that is no region: a bank under 社银合作, a township window (ADR 0028)."""

    #: in logs, timelines and lists; never changes
    name: str = Field(pattern=r"^[a-z][a-z0-9-]{1,31}$")
    #: as people read it: the bank, the town
    title: str = Field(min_length=1, max_length=64)
    #: the region whose agencies it collects for: the origin of its cases
    side: str = Field(min_length=1)
    items: frozenset[str] = Field(min_length=1)
    #: divisions of the agencies it collects for, in full or by their first two or four digits
    divisions: frozenset[Annotated[str, Field(pattern=r"^([0-9]{2}){1,3}$")]] = Field(min_length=1)
    credentials: tuple[ChannelCredential, ...] = Field(min_length=1)
    #: messages it may hand in; absent: no limit
    per_minute: PositiveInt | None = None
    #: whether it may report what its agency decides, where that is the origin's to report (crossing §5.2)
    reports: bool = False


def channel_faults(channels: Any, slugs: Collection[str]) -> list[str]:
    """Channels as written whose side is none of the regions, or whose name is one of theirs."""
    known = "、".join(sorted(slugs))
    faults = []
    for index, each in enumerate(channels if isinstance(channels, list) else ()):
        side, name = (each.get("side"), each.get("name")) if isinstance(each, dict) else (None, None)
        if isinstance(side, str) and side not in slugs:
            faults.append(f"channels[{index}].side: 没有这个地区的适配器，请改正名称（现有：{known}）")
        if isinstance(name, str) and name in slugs:
            faults.append(f"channels[{index}].name: {name} 是一个地区的代号，请换一个名称")
    return faults
