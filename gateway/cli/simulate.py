"""`tongban simulate`: the other side on the integrator's own desk, with a page, a control API and faults."""

from __future__ import annotations

import json
import os
import random
import re
import socket
import time
from argparse import Namespace
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
import uvicorn
from pydantic import SecretStr

from gateway.cli.shared import stop
from gateway.conformance.journal import Journal
from gateway.conformance.mischief import BadFaults, Mischief, rates_of, read_script
from gateway.conformance.script import Habits
from gateway.conformance.simulator import Faults, new_keys, place_of, stand_in_of
from gateway.conformance.stage import Aside, Stage, kinds_of
from gateway.errors import CannotStart
from gateway.mapping.load import PACKAGED
from gateway.regions import discover, look_in
from gateway.transport.http1 import Http1

if TYPE_CHECKING:
    from gateway.region import Region

app = typer.Typer(add_completion=False)

#: Seconds that answers under way are given at the end.
_LEAVE_S = 1


@dataclass(frozen=True, slots=True)
class _Keys:
    """Files of one pair: the gateway's section, and the stand-in's own."""

    section: Path
    own: Path


@app.command()
def simulate(  # noqa: PLR0913, PLR0917 - one parameter an option
    slug: Annotated[str, typer.Argument(help="要扮演的地区", metavar="SLUG")],
    port: Annotated[int, typer.Option("--port", help="监听的端口", min=0, max=65535)] = 9001,
    host: Annotated[str, typer.Option("--host", help="监听的地址")] = "127.0.0.1",
    gateway_url: Annotated[
        str, typer.Option("--gateway-url", help="网关的地址；它自己的报文发往这里")
    ] = "http://127.0.0.1:8080",
    home: Annotated[
        Path, typer.Option("--home", help="密钥所在的文件夹；没有密钥则生成", file_okay=False)
    ] = Path("data/simulate"),
    faults: Annotated[
        str, typer.Option("--faults", help="行为：delay=0.2:2s,refuse=0.1，或脚本文件（TOML、JSON）")
    ] = "",
    seed: Annotated[int, typer.Option("--seed", help="随机行为和虚构人员的种子")] = 1,
    rate: Annotated[float, typer.Option("--rate", help="每秒自己提交的申请数", min=0)] = 0.0,
    work_s: Annotated[float, typer.Option("--work-s", help="办理每一步的平均秒数", min=0)] = 1.0,
    regions_dir: Annotated[
        list[Path] | None, typer.Option("--regions-dir", help="另有地区的文件夹（可重复）", file_okay=False)
    ] = None,
    lenient: Annotated[bool, typer.Option("--lenient", help="只核对办理要用到的，不按接口逐项校验")] = False,  # noqa: FBT002 - a flag
) -> None:
    """在自己的桌面上扮演对方：收报文、办理、发报文；页面在 /，控制接口在 /sim。"""
    try:
        look_in(regions_dir or [])
        region = discover({slug})[slug]
        kept = _kept_keys(region, home)
        mischief = _mischief(region, faults, seed)
        lines = _listening(host, port)
        where = f"http://{host}:{lines.getsockname()[1]}"
        _found_at(kept, where)
    except CannotStart as error:
        stop(error)
    options = Namespace(
        region=slug,
        gateway_url=gateway_url,
        keys=str(kept.own),
        tables=str(PACKAGED),
        clock_offset_s=0.0,
        strict=not lenient,
        regions_dir=[str(each) for each in regions_dir or []],
        beside=[],
    )
    stage = _stage(region, options, mischief, (seed, rate, work_s))
    _tell(region, kept, where, gateway_url)
    # whoever is kept waiting (hang, delay) does not keep Ctrl-C waiting
    config = uvicorn.Config(
        stage.app(), http=Http1, log_level="critical", access_log=False, timeout_graceful_shutdown=_LEAVE_S
    )
    uvicorn.Server(config).run([lines])


def _stage(region: Region, options: Namespace, mischief: Mischief, played: tuple[int, float, float]) -> Stage:
    seed, rate, work_s = played
    journal = Journal(region)
    aside = Aside(mischief, journal, _now)
    return Stage(
        place_of(options, aside),
        region,
        mischief,
        journal,
        habits=Habits(work_s=work_s, stray_rate=0.0),
        faults=Faults(),
        seed=seed,
        rate=rate,
        limit=-1,
    )


def _now() -> datetime:
    return datetime.fromtimestamp(time.time(), UTC)


def _mischief(region: Region, faults: str, seed: int) -> Mischief:
    luck = random.Random(seed)  # noqa: S311 - a play, no secret
    try:
        if faults.endswith((".toml", ".json")):
            return Mischief(luck, script=read_script(Path(faults), kinds_of(region)))
        return Mischief(luck, rates=rates_of(faults))
    except BadFaults as error:
        raise CannotStart(f"--faults: {error}") from None


def _listening(host: str, port: int) -> socket.socket:
    try:
        return socket.create_server((host, port), backlog=512)
    except OSError as error:
        raise CannotStart(f"--port {port}: 无法打开（{error.strerror}），请换一个端口") from None


# --- keys ---


def _kept_keys(region: Region, home: Path) -> _Keys:
    """The pair of this folder, made when there is none; secrets in files of their own, mode 0600."""
    kept = _Keys(home / f"{region.slug}.toml", home / f"{region.slug}.own.json")
    if kept.section.exists() and kept.own.exists():
        return kept
    section, own = new_keys(region.slug)
    try:
        home.mkdir(parents=True, exist_ok=True)
        _put(kept.own, json.dumps(own, indent=1))
        lines = [f"[regions.{region.slug}]", 'base_url = "http://127.0.0.1:9001"']
        for name, value in section.items():
            if _is_secret(region, name):
                file = home / f"{region.slug}.{name}"
                _put(file, value)
                lines.append(f"{name}_file = {json.dumps(file.name)}")
            else:
                lines.append(f"{name} = {json.dumps(value)}")
        _put(kept.section, "\n".join(lines) + "\n")
    except OSError as error:
        raise CannotStart(f"--home {home}: 无法写入（{error.strerror}），请换一个文件夹") from None
    return kept


def _found_at(kept: _Keys, where: str) -> None:
    """The section says where the region answers now: who checks it need not say it again."""
    before = kept.section.read_text("utf-8")
    after = re.sub(r'(?m)^base_url = ".*"$', f'base_url = "{where}"', before)
    with suppress(OSError):  # keys in a folder that may only be read do without
        if after != before:
            _put(kept.section, after)


def _is_secret(region: Region, name: str) -> bool:
    info: Any = region.credentials.model_fields.get(name)
    return info is not None and (info.annotation is SecretStr or info.repr is False)


def _put(file: Path, text: str) -> None:
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
        out.write(text)


# --- words ---


def _tell(region: Region, kept: _Keys, where: str, gateway_url: str) -> None:
    """What to paste, and what to do next; no secret in it."""
    folder = kept.section.resolve().parent
    section = [
        f"{name} = {json.dumps(str(folder / json.loads(value)))}" if name.endswith("_file") else line
        for line in kept.section.read_text("utf-8").splitlines()
        for name, _, value in [line.partition(" = ")]
        if name != "base_url"
    ]
    section.insert(1, f'base_url = "{where}"')
    stand_in = stand_in_of(region.slug)
    typer.echo(
        "\n".join(
            [
                f"ready {where}",
                "",
                f"{region.name}（{region.spec}）在这里应答，页面 {where}/",
                "",
                "接到网关：把下面一段放进 gateway.toml，再启动网关",
                "",
                *(f"  {line}" for line in section),
                "",
                f"它自己的报文发往 {gateway_url}{stand_in.outbox}；在页面上按“提交一份申请”试试",
                "没有网关也可以：用一致性检查扮演网关",
                "",
                f"  tongban check endpoint --region {region.slug} --url {where} --keys {kept.section}",
                "",
                "Ctrl-C 结束",
            ]
        )
    )
