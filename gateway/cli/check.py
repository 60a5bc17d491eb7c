"""`tongban check`: configuration, keys, tables, messages, and whether the others can be reached (gateway §7)."""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import urlsplit

import typer
from sqlalchemy import text

from gateway.canonical.worktime import beijing_day
from gateway.cli.check_channels import channel_faults
from gateway.cli.shared import CANNOT_RUN, FINDINGS, Config, finding
from gateway.errors import CannotStart, Finding, Level, Refusal
from gateway.exchange import translate
from gateway.exchange.whose import whose
from gateway.mapping.fieldmap import CaseContext, Sight
from gateway.runtime import Rulebook, configure, credentials_of, master_key, queue_usable, rulebook
from gateway.settings import Settings
from gateway.store import engine

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from gateway.region import Opened

app = typer.Typer()

_PATIENCE_S = 3.0

#: Message keys of the gateway begin so in every format; the prefix tells the directions apart.
OURS = "TB"


@dataclass(frozen=True, slots=True)
class Found:
    """One finding: ``about`` configuration, tables, message or reach; ``level`` error or warning."""

    about: str
    text: str
    level: str = "error"
    path: str = ""
    code: str = ""
    file: str = ""

    def as_json(self) -> dict[str, str]:
        members = {name: getattr(self, name) for name in ("about", "level", "file", "path", "code", "text")}
        return {name: value for name, value in members.items() if value}


@app.command(
    epilog="一致性检查另有：tongban check region 地区、tongban check endpoint --region 地区、tongban check report 报告（各有 --help）。"
)
def check(
    files: Annotated[list[Path] | None, typer.Argument(help="要检查的报文文件", metavar="[FILE]...")] = None,
    config: Config = None,
    strict: Annotated[bool, typer.Option("--strict", help="警告（例如对方连不通）也算问题")] = False,  # noqa: FBT002 - a flag
) -> None:
    """检查配置、密钥、规则表、报文及连通性；每个问题一行 JSON（标准错误）。0 无问题，1 有问题，2 无法检查。"""
    unreadable = [
        file for file in (*(files or ()), *([config] if config else ())) if not os.access(file, os.R_OK)
    ]
    for file in unreadable:
        typer.echo(f"{file}: 无法读取，请检查路径和权限", err=True)
    if unreadable:
        raise typer.Exit(CANNOT_RUN)
    found = list(_all(config, files or []))
    for each in found:
        finding(each.as_json())
    if any(each.level == "error" or strict for each in found):
        raise typer.Exit(FINDINGS)
    typer.echo("检查通过" if not found else f"检查通过，另有 {len(found)} 处警告")


def _all(config: Path | None, files: Iterable[Path]) -> Iterator[Found]:
    settings = Settings()
    try:
        settings = configure(config, os.environ, offline=config is None)
    except CannotStart as error:
        yield from (Found("configuration", line) for line in str(error).splitlines())
    else:
        yield from _keys(settings)
    try:
        book = rulebook(settings, os.environ)
    except CannotStart as error:
        yield from (Found("tables", line.strip()) for line in str(error).splitlines())
        return
    for path, said in channel_faults(settings, book):
        yield Found("configuration", said, path=path)
    for file in files:
        yield from _message(book, file)
    if config is not None and settings.regions:
        yield from asyncio.run(_reach(settings, book))


def _keys(settings: Settings) -> Iterator[Found]:
    file = settings.data_dir / "master.key"
    if settings.keys.master_key is not None or not file.exists():
        return
    try:
        master_key(settings)
    except (CannotStart, OSError) as error:
        yield Found("configuration", str(error))
        return
    if file.stat().st_mode & 0o077:
        yield Found(
            "configuration", f"{file.name} 可被其他账户读取，请执行 chmod 600", path="keys.master_key"
        )


# --- messages ---


def _message(book: Rulebook, file: Path) -> Iterator[Found]:
    """What the schema and the value rules of its region say; what would park it is a warning."""
    body = file.read_bytes()
    region, opened, refused, _ = whose(book.regions, body)
    if region is None or opened is None:
        text_ = refused.text if refused else "不是任何地区的报文"
        yield Found("message", f"无法识别：{text_}", file=str(file), code=refused.code if refused else "9041")
        return
    plan = book.maps.plans[region.slug, opened.native_kind]
    today = beijing_day(book.clock.now())
    on = translate.acceptance_day(plan, opened, today)
    routes = book.maps.routes
    receiver = routes.sole[region.slug]
    case = None
    if not plan.map.kind.opens_case:
        case = CaseContext(opened.gateway_ref, "", on, receiver, region.slug, {})
    sight = Sight(book.tables, region.slug, region.slug, receiver, on, case=case, door=False)
    try:
        findings = tuple(translate.read(plan, opened, sight, routes).findings)
    except Refusal as error:
        findings = error.findings
    for each in findings:
        if _counts(each, opened, follows_up=case is not None):
            level = "error" if each.level is Level.REFUSE else "warning"
            yield Found("message", each.text, level=level, path=each.path, code=each.code, file=str(file))


def _counts(each: Finding, opened: Opened, *, follows_up: bool) -> bool:
    """Not all can be judged: a follow-up lacks its case, and what we send ourselves only has a schema."""
    if opened.key.startswith(OURS):
        return each.code == "9042"
    return each.level is Level.REFUSE or not follows_up


# --- reach ---


async def _reach(settings: Settings, book: Rulebook) -> list[Found]:
    checks: list[Any] = [
        _peer(slug, getattr(section, "base_url", ""))
        for slug, section in credentials_of(settings, book.regions).items()
    ]
    if settings.database_url is not None:
        checks.append(_store(settings.database_url))
    if settings.redis_url is not None:
        checks.append(_queue(settings.redis_url))
    return [each for each in await asyncio.gather(*checks) if each is not None]


async def _peer(slug: str, base_url: str) -> Found | None:
    url = urlsplit(base_url)
    tls = url.scheme == "https"
    try:
        async with asyncio.timeout(_PATIENCE_S):
            port = url.port or (443 if tls else 80)
            _, writer = await asyncio.open_connection(url.hostname, port, ssl=tls or None)
            writer.close()
    except (OSError, ValueError) as error:
        remedy = "请检查 base_url、网络、防火墙" + ("和对方证书" if tls else "")
        return Found(
            "reach", f"连不通（{type(error).__name__}），{remedy}", "warning", f"regions.{slug}.base_url"
        )
    return None


async def _store(url: str) -> Found | None:
    pool = engine.create(url, name="tongban-check", pool_size=1)
    try:
        async with asyncio.timeout(_PATIENCE_S), engine.single(pool) as connection:
            await connection.execute(text("SELECT 1"))
    except Exception as error:  # noqa: BLE001 - the driver has many ways to fail
        return Found(
            "reach",
            f"数据库连不通（{type(error).__name__}），请检查地址、账户和网络",
            "warning",
            "database_url",
        )
    finally:
        await pool.dispose()
    return None


async def _queue(url: str) -> Found | None:
    if await queue_usable(url):
        return None
    return Found("reach", "Redis 连不通，请检查地址、密码和网络", "warning", "redis_url")
