"""`tongban mappings`: check, compare, release, approve and activate sets of tables."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gateway.canonical.worktime import beijing_day
from gateway.cli.sets import Bureau, SetWord, bureau, named
from gateway.cli.shared import FINDINGS, By, Config, Reason, actor, finding, run, stop
from gateway.crypto.approval import load_signer
from gateway.crypto.signing import BadKey
from gateway.errors import CannotStart
from gateway.exchange import releasing
from gateway.mapping.diff import differences
from gateway.mapping.release import Release, faults_of, signature_of, statement
from gateway.mapping.sets import ACTIVE

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from gateway.mapping.sets import TableSet

app = typer.Typer(
    name="mappings",
    help="规则表：检查、比较、发布、批准、启用。",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)

Digest = Annotated[str, typer.Argument(help="版本摘要（至少 8 位十六进制）")]
AsJson = Annotated[bool, typer.Option("--json", help="以 JSON 输出")]


def _do(work: Coroutine[Any, Any, None]) -> None:
    try:
        run(work)
    except releasing.NotAllowed as refused:
        finding({"code": "refused", "text": str(refused)})
        raise typer.Exit(FINDINGS) from None


# --- looking ---


@app.command()
def lint(word: SetWord = ACTIVE, config: Config = None, as_json: AsJson = False) -> None:  # noqa: FBT002 - a flag
    """按全部规则检查一套规则表；每处问题一行“文件:行: 说明”。0 无问题，1 有问题，2 无法检查。"""
    asked = named(word, config)
    faults = asked.faults()
    if as_json:
        listed = [{"path": each.path, "line": each.line, "text": each.text} for each in faults]
        typer.echo(json.dumps({"digest": asked.digest, "faults": listed}, ensure_ascii=False, indent=1))
    else:
        for each in faults:
            typer.echo(str(each))
        if not faults:
            typer.echo(f"没有问题：{len(asked.files)} 张表，摘要 {asked.digest}")
    if faults:
        raise typer.Exit(FINDINGS)


@app.command()
def diff(
    old: Annotated[str, typer.Argument(help="原来的一套（写法同 lint）", metavar="A")],
    new: Annotated[str, typer.Argument(help="新的一套", metavar="B")],
    config: Config = None,
    as_json: AsJson = False,  # noqa: FBT002 - a flag
) -> None:
    """逐表逐行比较两套规则表。0 相同，1 不同，2 无法比较。"""
    before, after = named(old, config), named(new, config)
    for asked in (before, after):
        _lint_free(asked)
    found = differences(before, after)
    if as_json:
        typer.echo(json.dumps([each.as_json() for each in found], ensure_ascii=False, indent=1))
    else:
        for each in found:
            typer.echo(str(each))
    if before.digest != after.digest:
        raise typer.Exit(FINDINGS)


def _lint_free(asked: TableSet) -> None:
    try:
        asked.tables()
    except CannotStart as error:
        stop(error)


@app.command("list")
def list_(config: Config = None, as_json: AsJson = False) -> None:  # noqa: FBT002 - a flag
    """列出已入库的各版本：摘要、生效日期、批准与启用情况。"""

    async def work() -> None:
        async with bureau(config) as desk:
            standing = await desk.sets.standing(beijing_day(desk.clock.now()))
            for each in await desk.sets.all():
                told = _told(each, desk, in_force=each.digest == standing.digest)
                if as_json:
                    typer.echo(json.dumps(told, ensure_ascii=False))
                else:
                    typer.echo(
                        f"{each.digest[:12]}  自 {each.effective_from}  {told['state']}"
                        f"  已批准：{'、'.join(each.approvals) or '无'}  {each.note}"
                    )

    run(work())


def _told(release: Release, desk: Bureau, *, in_force: bool) -> dict[str, Any]:
    faults = list(faults_of(release, desk.approvers))
    return {
        "digest": release.digest,
        "effective_from": release.effective_from.isoformat(),
        "note": release.note,
        "created_at": release.created_at.isoformat(timespec="seconds"),
        "created_by": release.created_by,
        "approvals": {
            region: {
                "key_id": each.key_id,
                "algorithm": each.algorithm,
                "at": each.at.isoformat(),
                "by": each.by,
            }
            for region, each in release.approvals.items()
        },
        "faults": faults,
        "state": _state(release, in_force=in_force, usable=not faults),
    }


def _state(release: Release, *, in_force: bool, usable: bool) -> str:
    if release.retired_at is not None:
        return "已停用"
    if release.activated_at is None:
        return "待启用" if usable else "待批准"
    if not usable:
        return "不可用"
    return "现用" if in_force else "已启用"


# --- releasing ---


@app.command()
def release(
    word: SetWord,
    effective_from: Annotated[
        datetime, typer.Option(formats=["%Y-%m-%d"], help="生效日期（北京时间当日起）")
    ],
    note: Annotated[str, typer.Option(help="本版本改了什么、依据什么")],
    config: Config = None,
    by: By = "",
) -> None:
    """检查一套规则表并入库为待批准的版本；标准输出为其摘要。入库后内容不可更改。"""

    async def work() -> None:
        async with bureau(config) as desk:
            asked = await desk.table_set(word)
            day = effective_from.date()
            fresh = await releasing.propose(
                desk.registry, asked, releasing.By(actor(by)), effective_from=day, note=note
            )
            typer.echo(fresh.digest)

    _do(work())


@app.command("statement")
def statement_(digest: Digest, config: Config = None) -> None:
    """原样输出各方须签名的字节（供密码机、智能密码钥匙离线签名）。"""

    async def work() -> None:
        async with bureau(config) as desk:
            found = await desk.release(digest)
            typer.echo(statement(found.digest, found.effective_from).decode("ascii"), nl=False)

    _do(work())


@app.command()
def approve(
    digest: Digest,
    region: Annotated[str, typer.Option("--as", help="代表哪个地区批准")],
    key: Annotated[Path | None, typer.Option(help="该地区的私钥（PKCS#8 PEM，Ed25519 或 SM2）")] = None,
    signature: Annotated[Path | None, typer.Option(help="离线签好的签名文件（base64）")] = None,
    config: Config = None,
    by: By = "",
) -> None:
    """以一方的名义批准一个版本：对摘要和生效日期签名，并用配置的公钥验证。"""

    async def work() -> None:
        async with bureau(config) as desk:
            if region not in desk.approvers:
                raise CannotStart(f"approval.{region}: 配置中没有该地区的批准公钥，请补充 public_key_file")
            found = await desk.release(digest)
            signed = _signature(statement(found.digest, found.effective_from), key, signature)
            waiting = await releasing.approve(desk.registry, found, region, signed, releasing.By(actor(by)))
            typer.echo(f"{region} 已批准" + (f"，尚待 {'、'.join(waiting)}" if waiting else "，各方均已批准"))

    _do(work())


def _signature(said: bytes, key: Path | None, signature: Path | None) -> bytes:
    if (key is None) == (signature is None):
        raise CannotStart("--key 与 --signature 须且只能填写一项")
    file = key or signature
    try:
        text = file.read_text(encoding="ascii") if file else ""
        return load_signer(text).sign(said) if key else signature_of(text)
    except (OSError, UnicodeDecodeError):
        raise CannotStart(f"{file}: 无法读取，请检查路径和权限") from None
    except BadKey as error:
        raise CannotStart(f"{file}: {error}") from None


@app.command()
def activate(digest: Digest, config: Config = None, by: By = "") -> None:
    """启用各方均已批准的版本：自其生效日期起，全部进程改用它，并重新处理挂起的报文。可提前启用。"""

    async def work() -> None:
        async with bureau(config) as desk:
            if not desk.approvers:
                raise CannotStart(
                    "approval: 未配置批准公钥，命令行不能启用版本；"
                    "请填写 [approval.<地区>]，或在 /ops/rules 由另一人确认"
                )
            found = await desk.release(digest)
            begun = await releasing.activate(desk.registry, found, releasing.By(actor(by)))
            typer.echo(
                f"{found.digest[:12]} " + ("已生效" if begun else f"将自 {found.effective_from} 起生效")
            )

    _do(work())


@app.command()
def retire(digest: Digest, reason: Reason, config: Config = None, by: By = "") -> None:
    """停用一个已启用的版本，恢复使用它之前的版本；须有可恢复的版本。"""

    async def work() -> None:
        async with bureau(config) as desk:
            found = await desk.release(digest)
            await releasing.retire(desk.registry, found, releasing.By(actor(by), reason))
            typer.echo(f"{found.digest[:12]} 已停用")

    _do(work())
