"""`tongban mappings export` and `import`: a set of tables as one workbook, and back."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gateway.cli.sets import SetWord, named
from gateway.cli.shared import FINDINGS, Config, finding, run, stop
from gateway.errors import CannotStart
from gateway.mapping import sets
from gateway.mapping.load import files_of
from gateway.mapping.workbook import rewritten, to_workbook

if TYPE_CHECKING:
    from gateway.mapping.sets import TableSet

app = typer.Typer()

Book = Annotated[Path, typer.Argument(help="工作簿文件（.xlsx）", metavar="FILE.xlsx", dir_okay=False)]


@app.command("export")
def export(word: SetWord, file: Book, config: Config = None) -> None:
    """把一套规则表导出为一个 .xlsx 工作簿：每表一页，带下拉选项和列说明。"""
    asked = named(word, config)
    _refuse_faulty(asked)
    for name in rewritten(asked.files):
        finding(
            {"path": name, "code": "rewritten", "text": "引号写法不同于标准，再导入时内容不变、写法会统一"}
        )
    _write(file, to_workbook(asked.files))
    typer.echo(f"{file}: {len(asked.files)} 张表，摘要 {asked.digest}")


@app.command("import")
def import_(
    file: Book,
    folder: Annotated[Path, typer.Argument(help="写入的规则表目录", metavar="FOLDER", file_okay=False)],
) -> None:
    """检查工作簿，无误后写入目录（只写有变化的表）；有任何问题则什么都不改，并以 1 结束。"""

    async def read() -> TableSet:
        return sets.local(str(file))

    asked = run(read())
    _refuse_faulty(asked)
    known = files_of(folder) if folder.is_dir() else {}
    for name, content in asked.files.items():
        if known.get(name) != content:
            _write(folder / name, content)
            typer.echo(f"{'改' if name in known else '增'} {name}")
    for name in sorted(set(known) - set(asked.files)):
        (folder / name).unlink()
        typer.echo(f"删 {name}")
    typer.echo(f"{folder}: {len(asked.files)} 张表，摘要 {asked.digest}")


def _refuse_faulty(asked: TableSet) -> None:
    faults = asked.faults()
    for each in faults:
        typer.echo(str(each), err=True)
    if faults:
        typer.echo(f"有 {len(faults)} 处错误，没有写入任何文件", err=True)
        raise typer.Exit(FINDINGS)


def _write(file: Path, content: bytes) -> None:
    """Written aside and renamed: a reader sees the old file or the new one, never half of it."""
    aside = file.with_name(f".{file.name}.new")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        aside.write_bytes(content)
        os.replace(aside, file)  # noqa: PTH105 - atomic on POSIX by this name
    except OSError as error:
        stop(CannotStart(f"{file}: 无法写入（{error.strerror}），请检查路径和权限"))
