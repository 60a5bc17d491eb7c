"""`gateway.toml` and the environment, read once into one frozen value; nobody else reads either."""

from __future__ import annotations

import base64
import binascii
import ipaddress
import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal

from pydantic import (
    AwareDatetime,
    BaseModel,
    Field,
    PositiveFloat,
    PositiveInt,
    ValidationError,
    field_validator,
    model_validator,
)

from gateway.crypto.approval import load_verifier
from gateway.crypto.signing import BadKey
from gateway.errors import CannotStart
from gateway.setting_faults import sentences
from gateway.settings_callers import ApiToken, Channel, Section, channel_faults, one_holder_each
from gateway.sources import folder_of, gather, published_secrets


class Server(Section):
    """Where the web process listens."""

    host: str = "127.0.0.1"
    port: int = Field(default=8080, ge=0, le=65535)
    #: how many web processes ``tongban serve`` runs on the one socket
    web_processes: PositiveInt = 1

    @property
    def is_loopback(self) -> bool:
        """True when only this machine can reach it."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False


class Delivery(Section):
    """How messages are sent. Units: seconds, but for ``window`` (calls in flight) and ``rerun_alone_up_to``."""

    schedule_s: tuple[float, ...] = Field(default=(5, 30, 120, 600, 1800, 3600, 7200, 14400), min_length=1)
    give_up_s: PositiveFloat = 259_200
    timeout_s: PositiveFloat = 30
    #: a claim outlives one call: when absent, timeout and a margin for settling
    lease_s: PositiveFloat | None = None
    window: PositiveInt = 64
    #: by destination, where another window is agreed or needed
    windows: Mapping[str, PositiveInt] = Field(default_factory=dict)
    sweep_s: PositiveFloat = 5
    #: messages a bulk rerun may hold without a second person
    rerun_alone_up_to: PositiveInt = 100
    #: how many worker processes ``tongban serve`` runs; each has the window
    worker_processes: PositiveInt = 1

    @field_validator("schedule_s")
    @classmethod
    def _waits(cls, waits: tuple[float, ...]) -> tuple[float, ...]:
        if any(wait < 0 for wait in waits):
            raise ValueError("每个等待时间都须大于等于 0 秒")
        return waits

    @model_validator(mode="after")
    def _lease(self) -> Delivery:
        if self.lease_s is not None and self.lease_s <= self.timeout_s:
            raise ValueError("lease_s 须大于 timeout_s，否则未超时的投递会被他人重发")
        return self

    @property
    def lease(self) -> float:
        """Seconds a claimed delivery belongs to its worker."""
        return self.lease_s if self.lease_s is not None else self.timeout_s + 15

    def window_of(self, destination: str) -> int:
        """Calls in flight to this destination, in each worker process."""
        return self.windows.get(destination, self.window)


class Metrics(Section):
    """Where a worker or beat started by itself shows ``/metrics`` and ``/healthz``; no port: nowhere."""

    host: str = "127.0.0.1"
    port: int | None = Field(default=None, ge=0, le=65535)


class Limits(Section):
    """``per_minute``: messages a side may hand in; absent: no limit (gateway §6)."""

    per_minute: PositiveInt | None = None


class Retention(Section):
    """How long each kind is kept. Months count from the end of the month in which something came.

    Floors: a message key is remembered 180 days at least (crossing §1); a message outlives its bytes and its
    key, as both are read through it. Cases and the audit are never dropped.
    """

    bodies_months: int = Field(default=36, ge=6)
    messages_months: int = Field(default=120, ge=12)
    events_months: int = Field(default=120, ge=12)
    attempts_months: int = Field(default=120, ge=12)
    receipts_days: int = Field(default=400, ge=180)
    #: partitions made ahead of the current month
    months_ahead: int = Field(default=3, ge=1, le=24)

    @model_validator(mode="after")
    def _messages_last(self) -> Retention:
        if self.messages_months < self.bodies_months:
            raise ValueError("messages_months 不得小于 bodies_months：报文内容要通过报文记录查找")
        if self.messages_months * 28 < self.receipts_days:
            raise ValueError("messages_months 须长于 receipts_days：重复提交时的回执保存在报文记录中")
        return self


class Dashboard(Section):
    """The operators' pages at ``/ops``: who gets in, for how long, and by what."""

    enabled: bool = True
    #: a session nobody works in ends after so long, every session after ``session_hours``
    idle_minutes: PositiveInt = 30
    session_hours: PositiveInt = 12
    #: of an account that may only look, so that a wall is not signed out each night; idling still ends it
    wall_days: PositiveInt = 30
    #: attempts in a row that failed, after which an account rests for ``lock_minutes``
    lock_after: int = Field(default=5, ge=3, le=20)
    lock_minutes: PositiveInt = 15
    #: ``optional`` only where nobody else can reach the gateway
    second_factor: Literal["required", "optional"] = "required"
    #: absent: yes, unless the gateway listens on loopback
    secure_cookie: bool | None = None


class Playground(Section):
    """``/playground``, where a message is tried and nothing kept: for whom, and how long a link can be opened.

    ``staff``: whoever is signed in at ``/ops``; ``open``: everybody, only where nobody else can reach the gateway.
    """

    access: Literal["staff", "open", "off"] = "staff"
    link_days: int = Field(default=7, ge=1, le=90)


class Keys(Section):
    """The master key (32 bytes, hex or base64); absent: a file made under ``data_dir`` at first start."""

    master_key: str | None = Field(default=None, repr=False)
    algorithm: Literal["aes-256-gcm", "sm4-gcm"] = "aes-256-gcm"

    @field_validator("master_key")
    @classmethod
    def _length(cls, text: str | None) -> str | None:
        if text is not None and len(decode_key(text)) != 32:
            raise ValueError(
                "须为 32 字节的主密钥，写成 64 位十六进制或 base64（可用 openssl rand -hex 32 生成）"
            )
        return text


class Approver(Section):
    """The key by which a side approves releases of the tables: Ed25519 or SM2, PEM."""

    public_key: str

    @field_validator("public_key")
    @classmethod
    def _usable(cls, pem: str) -> str:
        try:
            load_verifier(pem)
        except BadKey as error:
            raise ValueError(f"{error}；须为 Ed25519 或 SM2 公钥") from None
        return pem


class Rules(Section):
    """What brings a stored release of the tables into force where no side has a key (no ``[approval]``).

    ``two-people``: another person with the right to approve than who proposed it confirms it in the dashboard;
    ``alone``: one person may; ``never``: only the tables of ``tables_dir`` are used.
    """

    without_keys: Literal["two-people", "alone", "never"] = "two-people"


class ClockStart(Section):
    """For tests only: what the gateway's clock shows at its start."""

    now: AwareDatetime | None = None


class Settings(Section):
    """All of ``gateway.toml``. ``regions`` stays as written: each region's own model reads its section."""

    data_dir: Path = Path("data")
    tables_dir: Path | None = None
    #: further folders with regions: ``adapters/<slug>/`` and ``mappings/codes/<slug>/`` in each
    regions_dirs: tuple[Path, ...] = ()
    calendar_until: int | None = Field(default=None, ge=2000, le=2200)
    database_url: str | None = Field(default=None, repr=False)
    redis_url: str | None = Field(default=None, repr=False)
    server: Server = Server()
    regions: Mapping[str, Mapping[str, Any]] = Field(default_factory=dict, repr=False)
    tokens: tuple[ApiToken, ...] = ()
    channels: tuple[Channel, ...] = ()
    delivery: Delivery = Delivery()
    limits: Limits = Limits()
    retention: Retention = Retention()
    dashboard: Dashboard = Dashboard()
    playground: Playground = Playground()
    metrics: Metrics = Metrics()
    keys: Keys = Keys()
    clock: ClockStart = ClockStart()
    #: by region; when given, only releases approved by every side are used
    approval: Mapping[str, Approver] = Field(default_factory=dict)
    rules: Rules = Rules()

    @field_validator("regions_dirs", mode="before")
    @classmethod
    def _folders(cls, written: Any) -> Any:
        """In the environment: as ``PATH`` is written, or a JSON array."""
        return tuple(filter(None, written.split(os.pathsep))) if isinstance(written, str) else written

    @field_validator("tokens", "channels")
    @classmethod
    def _names(cls, callers: tuple[Any, ...]) -> tuple[Any, ...]:
        if len({caller.name for caller in callers}) != len(callers):
            raise ValueError("name 不得重复")
        return callers

    @model_validator(mode="after")
    def _holders(self) -> Settings:
        if not one_holder_each(self.tokens, self.channels):
            raise ValueError("tokens, channels: 同一令牌用在了两处，请为每个持有者另造一个")
        return self

    @property
    def cookie_is_secure(self) -> bool:
        """Whether the cookie of a session is sent over TLS only."""
        wanted = self.dashboard.secure_cookie
        return not self.server.is_loopback if wanted is None else wanted


def decode_key(text: str) -> bytes:
    """The bytes of a key written as hex or base64; ``b""`` when it is neither."""
    with suppress(ValueError):
        return bytes.fromhex(text)
    with suppress(binascii.Error, ValueError):
        return base64.b64decode(text, validate=True)
    return b""


def load(
    path: Path | None,
    environ: Mapping[str, str],
    *,
    sections: Mapping[str, type[BaseModel]] | None = None,
) -> Settings:
    """Settings from a file (or none) and the environment, which wins.

    ``sections``: the model of each region's section; with it, the set of regions must agree too.
    Errors: `CannotStart` with one line per fault, each naming the key and what to do, never a value.
    """
    gathered = gather(path, environ, model=Settings, slugs=tuple(sections or ()))
    raw, faults = gathered.table, gathered.faults
    invalid = list(_region_faults(raw.get("regions"), sections)) if sections is not None else []
    invalid += _approval_faults(raw.get("approval"), sections) if sections is not None else []
    invalid += _window_faults(raw.get("delivery"), sections) if sections is not None else []
    invalid += channel_faults(raw.get("channels"), sections) if sections is not None else []
    settings = None
    try:
        settings = Settings.model_validate(raw)
    except ValidationError as error:
        invalid += sentences(error, "")
    # A member whose file could not be read has been named already.
    faults += [fault for fault in invalid if fault.split(":")[0] not in gathered.unread]
    if settings is not None and not settings.server.is_loopback:
        faults += [_TEST_KEY.format(path=place) for place in published_secrets(raw)]
        faults += [_ONE_FACTOR] if settings.dashboard.second_factor == "optional" else []
        faults += [_FOR_ALL] if settings.playground.access == "open" else []
    if faults or settings is None:
        raise CannotStart("\n".join(faults))
    folder = folder_of(path)
    tables = folder / settings.tables_dir if settings.tables_dir else None
    others = tuple(folder / each for each in settings.regions_dirs)
    return settings.model_copy(
        update={"data_dir": folder / settings.data_dir, "tables_dir": tables, "regions_dirs": others}
    )


def _region_faults(regions: Any, sections: Mapping[str, type[BaseModel]]) -> Iterator[str]:
    written = regions if isinstance(regions, Mapping) else {}
    for slug in sorted(set(written) - set(sections)):
        yield f"regions.{slug}: 没有这个地区的适配器，请改正名称（现有：{'、'.join(sorted(sections))}）或删除"
    for slug, model in sorted(sections.items()):
        if slug not in written:
            yield f"regions.{slug}: 缺少该地区的配置段，请补充 [regions.{slug}]"
            continue
        try:
            model.model_validate(written[slug])
        except ValidationError as error:
            yield from sentences(error, f"regions.{slug}")


def _approval_faults(approval: Any, sections: Mapping[str, type[BaseModel]]) -> list[str]:
    """Either every side approves, or there is no approval at all."""
    if not isinstance(approval, Mapping) or not approval:
        return []
    return [
        f"approval.{slug}: 没有这个地区的适配器，请改正名称或删除"
        for slug in sorted(set(approval) - set(sections))
    ] + [
        f"approval.{slug}: 缺少该地区的批准公钥，请补充 public_key_file"
        for slug in sorted(set(sections) - set(approval))
    ]


def _window_faults(delivery: Any, sections: Mapping[str, type[BaseModel]]) -> list[str]:
    windows = delivery.get("windows") if isinstance(delivery, Mapping) else None
    return [
        f"delivery.windows.{slug}: 没有这个地区的适配器，请改正名称（现有：{'、'.join(sorted(sections))}）或删除"
        for slug in sorted(set(windows if isinstance(windows, Mapping) else ()) - set(sections))
    ]


_TEST_KEY = "{path}: 这是公开的测试密钥，只能在 server.host 为本机回环地址时使用，请换成正式密钥"

_ONE_FACTOR = (
    "dashboard.second_factor: optional 只能在 server.host 为本机回环地址时使用，请改为 required 或删除该项"
)

_FOR_ALL = "playground.access: open 只能在 server.host 为本机回环地址时使用，请改为 staff 或 off"
