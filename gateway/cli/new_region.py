"""`tongban new-region`: a region begun, in one folder of code and one of tables, with what is open marked."""

from __future__ import annotations

import csv
import keyword
import re
import shlex
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gateway.cli.scaffold import Format, Names, Scaffold
from gateway.cli.shared import stop
from gateway.errors import CannotStart
from gateway.mapping.load import PACKAGED, load_tables
from gateway.regions import GROUP, PACKAGE, discover, sources

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

app = typer.Typer(add_completion=False)

_SLUG = re.compile(r"[a-z][a-z0-9]{2,31}")
_PREFIX = re.compile(r"[1-9][0-9]")
_NAME = re.compile(r"[\u4e00-\u9fff]{2,20}")
#: Words with a meaning of their own in paths, addresses and tables.
_RESERVED = frozenset(
    {"adapters", "agencies", "canonical", "catalogue", "divisions", "gateway", "guides", "items", "mappings"}
    | {"newland", "recognition", "region", "regions", "test", "tests", "tongban"}
)
#: What the gateway's own numbers begin with.
_OURS = frozenset({"TB", "CY"})

_PYPROJECT = """[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "tongban-{slug}"
version = "0.1.0"
description = "{name} for tongban"
requires-python = ">=3.11"
dependencies = ["tongban"]

[project.entry-points."{group}"]
{slug} = "tongban_{slug}"

[tool.hatch.build.targets.wheel]
packages = ["tongban_{slug}"]
"""


@dataclass(frozen=True, slots=True)
class Province:
    """A province of GB/T 2260."""

    prefix: str
    slug: str
    name: str
    letters: str


@app.command("new-region")
def new_region(
    slug: Annotated[
        str, typer.Argument(help="地区的名称：小写拼音，也是文件夹名，如 guizhou", metavar="SLUG")
    ],
    name: Annotated[str, typer.Option("--name", help="中文名称，如 贵州省；省级行政区可不写")] = "",
    prefix: Annotated[str, typer.Option("--prefix", help="区划代码前两位，如 52；省级行政区可不写")] = "",
    form: Annotated[
        Format, typer.Option("--format", help="报文格式：json（UTF-8）或 xml（GB 18030）")
    ] = Format.JSON,
    into: Annotated[
        Path | None,
        typer.Option(
            "--into", help="写到这个目录（写进 gateway.toml 的 regions_dirs）；缺省为本仓库", file_okay=False
        ),
    ] = None,
    package: Annotated[bool, typer.Option("--package", help="在 --into 目录中写成可安装的软件包")] = False,  # noqa: FBT002 - a flag
) -> None:
    """开始一个新地区：写出适配器、规则表、样例和检查，其中待定的内容逐条标明。0 已写好，2 不能写。"""
    try:
        known = discover()
        others = {each.slug: each.division_prefix for each in known.values()}
        names = _names(slug, name, prefix, {each.division_prefix: each.slug for each in known.values()})
        root = _root(into, package=package)
        scaffold = Scaffold(names, load_tables(PACKAGED, None), others, form)
        files = dict(_placed(scaffold, package=package))
        _write(root, files)
    except CannotStart as error:
        stop(error)
    _tell(names, root, files, into=into, package=package)


# --- what may not be ---


def provinces() -> tuple[Province, ...]:
    """The provinces of GB/T 2260 with the slugs and letters in use for them."""
    text = (resources.files(PACKAGE) / "provinces.csv").read_text(encoding="utf-8")
    return tuple(Province(**row) for row in csv.DictReader(text.splitlines()))


def _names(slug: str, name: str, prefix: str, taken: Mapping[str, str]) -> Names:
    """The region's names, completed from the standard. Errors: `CannotStart`, a sentence for each mistake."""
    standard = provinces()
    known = next((one for one in standard if one.slug == slug), None)
    name, prefix = name or (known.name if known else ""), prefix or (known.prefix if known else "")
    faults = [*_of_slug(slug), *_of_prefix(slug, prefix, standard, taken)]
    if not name:
        offered = next((one.name for one in standard if one.prefix == prefix), "新省")
        faults.append(f"不知道 {slug} 的中文名称：请加上 --name {offered}")
    elif not _NAME.fullmatch(name):
        faults.append(f"--name {name} 应为 2 至 20 个汉字，如 贵州省")
    if faults:
        raise CannotStart("\n".join(faults))
    letters = known.letters if known else slug[:2].upper()
    return Names(slug, name, prefix, f"{slug[0].upper()}X" if letters in _OURS else letters)


def _of_slug(slug: str) -> Iterator[str]:
    if not _SLUG.fullmatch(slug):
        yield f"地区名称 {slug} 应为 3 至 32 位小写字母或数字，以字母开头，如 guizhou：请改写"
    elif keyword.iskeyword(slug) or slug in _RESERVED:
        yield f"{slug} 是保留的名称：请另取一个，如 guizhou"
    elif slug in sources():
        yield f"已经有地区 {slug}（{sources()[slug].folder}）：请直接修改它，或另取名称"


def _of_prefix(
    slug: str, prefix: str, standard: tuple[Province, ...], taken: Mapping[str, str]
) -> Iterator[str]:
    if not prefix:
        yield f"不知道 {slug} 的区划代码：请加上 --prefix 和区划代码的前两位，如 --prefix 52"
        return
    if not _PREFIX.fullmatch(prefix):
        yield f"--prefix {prefix} 应为两位数字，即区划代码的前两位，如 52"
        return
    owner = next((one for one in standard if one.prefix == prefix), None)
    if prefix in taken:
        yield f"区划代码 {prefix} 已属于地区 {taken[prefix]}：报文以它分辨去向，请核对 --prefix"
    elif owner and owner.slug != slug:
        yield (
            f"GB/T 2260 中 {prefix} 是{owner.name}（{owner.slug}）："
            f"请改为 tongban new-region {owner.slug}，或核对 --prefix"
        )


# --- where it goes ---


def _root(into: Path | None, *, package: bool) -> Path:
    if into is not None:
        return into
    if package:
        raise CannotStart(
            "--package 须与 --into 同用：请写明软件包放在哪个目录，如 --into ../tongban-guizhou"
        )
    root = PACKAGED.parent
    if not (root / "pyproject.toml").is_file():
        raise CannotStart("不在源码仓库中：请加上 --into 目录，并把它写进 gateway.toml 的 regions_dirs")
    return root


def _placed(scaffold: Scaffold, *, package: bool) -> Iterator[tuple[str, bytes]]:
    """Every file by its name below the root."""
    names = scaffold.names
    code, tables = f"{PACKAGE}/{names.slug}", f"mappings/codes/{names.slug}"
    if package:
        code, tables = f"tongban_{names.slug}", f"tongban_{names.slug}/codes"
        project = _PYPROJECT.format(slug=names.slug, name=names.name, group=GROUP)
        yield "pyproject.toml", project.encode()
    yield from ((f"{code}/{name}", content) for name, content in scaffold.adapter().items())
    yield from ((f"{tables}/{name}", content) for name, content in scaffold.codes().items())


def _write(root: Path, files: Mapping[str, bytes]) -> None:
    """All or nothing of it; what is there is never overwritten. Errors: `CannotStart`."""
    there = [name for name in files if (root / name).exists()]
    if there:
        raise CannotStart(f"{root / there[0]} 已经存在：不覆盖任何文件，请移走或另取名称")
    written: list[Path] = []
    try:
        for name, content in files.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            with (root / name).open("xb") as out:
                written.append(root / name)
                out.write(content)
    except OSError as error:
        for file in written:
            file.unlink(missing_ok=True)
        raise CannotStart(f"写不进 {root}（{type(error).__name__}）：请检查路径和权限") from None


# --- what is said ---


def _tell(names: Names, root: Path, files: Mapping[str, bytes], *, into: Path | None, package: bool) -> None:
    typer.echo(f"{names.name}（{names.slug}，区划代码 {names.prefix}）已写在 {root}：")
    for name in sorted(files):
        typer.echo(f"  {name}")
    folder = f"tongban_{names.slug}" if package else f"{PACKAGE}/{names.slug}"
    where = shlex.quote(str(root))
    before, tests = "", f"{folder}/tests"
    if package:
        before = f"pip install -e {where}，再运行 "
    elif into is not None:
        before = f"TONGBAN_REGIONS_DIRS={where} "
    if into is not None:
        tests = shlex.quote(str(root / tests))
    typer.echo("\n接下来：")
    typer.echo(f"  1. {before}tongban check region {names.slug}    看哪些要求还不满足，每条都写着改法")
    typer.echo(f"  2. 打开 {folder}/README.md，从“还没有定的”开始，照改法逐条改，改一条查一次")
    typer.echo(f"  3. pytest {tests}    全绿之后，在 gateway.toml 中加 [regions.{names.slug}] 启用")
