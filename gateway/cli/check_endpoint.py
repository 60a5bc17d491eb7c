"""`tongban check endpoint`: plays the gateway against somebody's own live server."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import urlsplit, urlunsplit

import typer
from pydantic import ValidationError

from gateway.cli import reports
from gateway.cli.shared import CANNOT_RUN, FINDINGS, Config, stop
from gateway.conformance.endpoint import assemble
from gateway.conformance.endpoint.bench import Options
from gateway.conformance.endpoint.plays import PLAYS
from gateway.conformance.endpoint.run import laws_of, run
from gateway.conformance.law import Level
from gateway.conformance.report import Report
from gateway.conformance.report.formats import Format
from gateway.conformance.subject import digest_of, folder_of
from gateway.errors import CannotStart
from gateway.runtime import configure, rulebook
from gateway.sources import folder_of as beside

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.conformance.law import Law, Result
    from gateway.runtime import Rulebook
    from gateway.settings import Settings

app = typer.Typer(add_completion=False)

_LAST_PORT = 65535

KeysOption = Annotated[
    Path | None,
    typer.Option(
        "--keys",
        help="网关一侧的密钥：TOML 或 JSON，成员同 \\[regions.地区]；缺省取自 --config",
        dir_okay=False,
    ),
]
ListenOption = Annotated[
    str, typer.Option("--listen", help="打开接收端，收服务器发回的报文", metavar="主机:端口")
]


@dataclass(frozen=True, slots=True)
class _Asked:
    slug: str
    url: str
    level: Level
    listen: tuple[str, int] | None
    options: Options
    only: tuple[str, ...]


@app.command()
def endpoint(  # noqa: PLR0913, PLR0917 - one parameter an option
    region: Annotated[str, typer.Option("--region", "-r", help="服务器所属的地区", metavar="SLUG")],
    url: Annotated[str, typer.Option("--url", help="服务器的地址，同 base_url；缺省取自密钥所在的配置")] = "",
    keys: KeysOption = None,
    listen: ListenOption = "",
    level: reports.LevelOption = Level.FULL,
    patience: Annotated[
        float, typer.Option("--patience", help="等服务器发来下一条报文的秒数", min=0.1, max=3600)
    ] = 20.0,
    timeout: Annotated[
        float, typer.Option("--timeout", help="等一个应答的秒数；网关等 30 秒", min=0.1)
    ] = 30.0,
    law: Annotated[
        list[str] | None, typer.Option("--law", help="只试这条要求（可重复），如 E-B06；不看级别")
    ] = None,
    in_flight: Annotated[
        int, typer.Option("--in-flight", help="并发试验同时在途的报文数", min=2, max=200)
    ] = 16,
    form: reports.FormatOption = Format.TEXT,
    output: reports.OutputOption = None,
    badge: reports.BadgeOption = None,
    key: reports.KeyOption = None,
    seed: Annotated[int, typer.Option("--seed", help="生成报文的种子")] = 1,
    config: Config = None,
) -> None:
    """扮演网关，检查一台在线的地区系统。0 全部满足，1 有不满足的要求，2 无法检查。"""
    try:
        settings = configure(config, os.environ, offline=True)
        book = rulebook(settings, os.environ)
        only, level = _only(law or []), Level.HOSTILE if law else level
        section = _section(book, settings, region, keys)
        options = Options(timeout_s=timeout, in_flight=in_flight, patience_s=patience, seed=seed)
        asked = _Asked(
            region, url or str(section.get("base_url", "")), level, _address(listen), options, only
        )
        credentials = _credentials(book, asked, section)
        report = _report(book, asked, _results(book, asked, credentials))
        reports.deliver(report, settings, form=form, output=output, badge=badge, key=key)
    except CannotStart as error:
        stop(error)
    if not report.held:
        raise typer.Exit(FINDINGS)


def _results(book: Rulebook, asked: _Asked, credentials: Any) -> tuple[Result, ...]:
    with reports.progress(sum(1 for _ in laws_of(asked.level))) as tell:
        return asyncio.run(_checked(book, asked, credentials, tell))


async def _checked(
    book: Rulebook, asked: _Asked, credentials: Any, tell: Callable[[Law], None]
) -> tuple[Result, ...]:
    bench = assemble.bench(
        assemble.Wanted(
            slug=asked.slug,
            url=asked.url,
            credentials=credentials,
            regions=book.regions,
            tables=book.tables,
            maps=book.maps,
            clock=book.clock.now,
            nonce=lambda: secrets.token_hex(12),
            number=lambda: secrets.randbelow(10**10),
            options=asked.options,
        )
    )
    try:
        if asked.listen is None:
            return await run(bench, asked.level, tell, only=asked.only)
        plays = () if asked.level is Level.BASIC else PLAYS
        async with assemble.listening(bench, asked.listen, plays) as where:
            typer.echo(f"接收端已打开：POST {where}", err=True)
            return await run(bench, asked.level, tell, only=asked.only)
    finally:
        await bench.client.close()


def _report(book: Rulebook, asked: _Asked, results: tuple[Result, ...]) -> Report:
    parts = urlsplit(asked.url)
    # an address may carry a name and password; a report goes to others
    bare = urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))
    return Report(
        kind="endpoint",
        subject=bare,
        name=book.regions[asked.slug].name,
        level=asked.level,
        at=book.clock.now(),
        gateway=reports.gateway_version(),
        tables_digest=book.tables.digest,
        subject_digest=digest_of(folder_of(asked.slug)),
        results=results,
        seed=asked.options.seed,
    )


# --- what was asked for ---


def _only(asked: list[str]) -> tuple[str, ...]:
    known = {demand.id for demand in laws_of(Level.HOSTILE)}
    strange = [each for each in asked if each not in known]
    if strange:
        raise CannotStart(
            f"--law {'、'.join(strange)}: 没有这条要求；编号见 docs/reference/laws-of-a-server.md"
        )
    return tuple(asked)


def _section(book: Rulebook, settings: Settings, slug: str, keys: Path | None) -> dict[str, Any]:
    """The region's section, from its own file or the configuration. Errors: `CannotStart`."""
    if slug not in book.regions:
        known = "、".join(book.regions) or "无"
        typer.echo(f"没有名为 {slug} 的地区；已安装：{known}", err=True)
        raise typer.Exit(CANNOT_RUN)
    if keys is None:
        section = settings.regions.get(slug)
        if section is None:
            raise CannotStart(
                f"regions.{slug}: 没有密钥，请用 --keys 给出，或用 --config 给出有 [regions.{slug}] 的配置"
            )
        return dict(section)
    read = _read(keys)
    inner = read.get("regions", {}).get(slug, read) if isinstance(read.get("regions", {}), dict) else read
    return {name: _text(keys, name, value) for name, value in _unfiled(inner)}


def _read(file: Path) -> dict[str, Any]:
    try:
        text = file.read_text(encoding="utf-8")
        found = json.loads(text) if file.suffix == ".json" else tomllib.loads(text)
    except (OSError, ValueError) as error:
        raise CannotStart(f"{file.name}: 无法读取（{type(error).__name__}），应为 TOML 或 JSON") from None
    if not isinstance(found, dict):
        raise CannotStart(f"{file.name}: 应为一组成员，同 [regions.地区]")
    return found


def _unfiled(section: dict[str, Any]) -> list[tuple[str, Any]]:
    return [(name, value) for name, value in section.items() if not isinstance(value, dict)]


def _text(file: Path, name: str, value: Any) -> Any:
    return value if not name.endswith("_file") else beside(file) / str(value)


def _credentials(book: Rulebook, asked: _Asked, section: dict[str, Any]) -> Any:
    if not urlsplit(asked.url).hostname:
        raise CannotStart("--url: 请给出服务器的地址，如 http://127.0.0.1:9001")
    members: dict[str, Any] = {}
    for name, value in section.items():
        if isinstance(value, Path):
            try:
                members[name.removesuffix("_file")] = value.read_text(encoding="utf-8").strip()
            except OSError as error:
                raise CannotStart(f"{name}: 无法读取 {value.name}（{error.strerror}）") from None
        else:
            members[name] = value
    try:
        return book.regions[asked.slug].credentials.model_validate({**members, "base_url": asked.url})
    except ValidationError as error:
        names = "、".join(".".join(map(str, one["loc"])) for one in error.errors())
        raise CannotStart(
            f"regions.{asked.slug}: {names} 缺少或不对；成员见 docs/reference/settings.md"
        ) from None


def _address(listen: str) -> tuple[str, int] | None:
    if not listen:
        return None
    host, _, port = listen.rpartition(":")
    if not host or not port.isdecimal() or int(port) > _LAST_PORT:
        raise CannotStart("--listen: 应为 主机:端口，如 0.0.0.0:8080")
    return host, int(port)
