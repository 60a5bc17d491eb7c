"""The page of the documents in both languages: figures, faults, machine, date, command."""

from __future__ import annotations

import os
import platform
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import psutil

from tests.chaos import report

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable
    from pathlib import Path

    from tests.chaos.run import Outcome

_ENGLISH = """# Chaos

Everything is broken on purpose, by a plan drawn from a seed: processes are killed and frozen; Redis and PostgreSQL are restarted, cut off and made
read-only; the other side refuses, hangs and answers nonsense. What happened is written down outside the gateway, and a checker holds every promise
against those notes and the gateway's own account. Counted are faults that were dealt, not calls that met them. This page was written by the
command below. [中文](chaos.md)

Of the names of faults: *kill* and *term* end a process, *stop* freezes it; *silence* lets connections stand and nothing pass, *refuse* lets nobody
connect, *cut* ends what is connected. A peer *drops* when it takes a message in and hangs up, is *busy* with 429, away with 503 (*e5xx*), *late* by up to
3.5 s, answers in another order (*reorder*) or *twice*. *door* is the gateway's own intake; *skew* moves a side's clock.

"""
_CHINESE = """# 混沌测试

故意破坏一切：进程被杀、被冻结，Redis 与 PostgreSQL 重启、断网、只读，对方拒绝、挂起、答非所问；计划由种子抽出。记录写在网关之外，检查器据此和网关自己的台账核对每一项承诺。
计数的是施加的破坏，不是碰上它们的调用。本页由下面的命令写出。[English](chaos.en.md)

"""
#: What `report.rows` calls a figure → in Chinese.
FIGURES = {
    "seed": "种子",
    "cases": "办件",
    "faults": "破坏",
    "messages handed in": "交来的报文",
    "calls it took to hand them in": "为此调用的次数",
    "messages that took effect": "生效的报文",
    "deliveries repeated under the same key": "以同一幂等键重复的投递",
    "applications turned away as planned": "按计划被拒的申请",
    "senders who gave up without a receipt": "没有拿到回执而放弃的发送方",
    "processes started anew": "重新启动的进程",
    "time": "用时",
    "acceptance: median, 99 of 100, slowest": "收件：中位数 / 99% / 最慢",
    "longest wait of a message that could go": "能走的报文最久等待",
    "the same, less the time its other side was unwell": "同上，扣除对方不正常的时间",
    "violations": "违背承诺",
}
#: Both words of a kind of fault → in Chinese.
_WHAT = {
    "web": "Web 进程",
    "worker": "投递进程",
    "beat": "调度进程",
    "redis": "Redis",
    "postgres": "PostgreSQL",
    "door": "收件入口",
    "peer": "对方",
    "clock": "对方时钟",
}
_DONE = {
    "kill": "强行结束",
    "term": "要求退出",
    "stop": "冻结",
    "flush": "清空",
    "silence": "连着而不通",
    "refuse": "拒绝连接",
    "cut": "切断连接",
    "full": "写满",
    "read-only": "只读",
    "restart": "重启",
    "hang": "不应答",
    "e5xx": "答 503",
    "drop": "收下后断开",
    "garbage": "答非所问",
    "busy": "答 429",
    "late": "迟答",
    "reorder": "乱序应答",
    "twice": "重复应答",
    "skew": "走偏",
}


def write(file: Path, outcome: Outcome, asked: argparse.Namespace) -> None:
    """The page in Chinese, and in English beside it."""
    ran, figures, faults = _ran(outcome, asked), report.rows(outcome), sorted(outcome.faults.items())
    for ending, english in ((".md", False), (".en.md", True)):
        file.with_suffix(ending).write_text(text(ran, figures, faults, english=english), "utf-8")


def text(
    ran: str, figures: Iterable[tuple[str, str]], faults: Iterable[tuple[str, int]], *, english: bool
) -> str:
    """``ran``: the command, the day and the machine, as Markdown."""
    lines = [
        ran,
        "",
        "| Figure | Value |" if english else "| 数字 | 值 |",
        "|---|---|",
        *(f"| {name if english else FIGURES[name]} | {value} |" for name, value in figures),
        "",
        "| Fault | Dealt |" if english else "| 破坏 | 次数 |",
        "|---|---|",
        *(f"| {kind if english else in_chinese(kind)} | {n} |" for kind, n in faults),
        "",
    ]
    return (_ENGLISH if english else _CHINESE) + "\n".join(lines)


def in_chinese(kind: str) -> str:
    """``"kill web"`` → Web 进程：强行结束."""
    done, what = kind.split(" ")
    return f"{_WHAT[what]}：{_DONE[done]}"


def _ran(outcome: Outcome, asked: argparse.Namespace) -> str:
    memory = psutil.virtual_memory().total / 2**30
    command = f"make chaos CHAOS_SEED={outcome.seed}"
    if (asked.cases, asked.faults) != (20_000, 1_000):
        command = f"CHAOS_SEED={outcome.seed} .venv/bin/python -m tests.chaos --cases {asked.cases} --faults {asked.faults}"
    when = datetime.now(UTC)  # noqa: TID251 - the day of the run
    return (
        f"`{command}` · {when:%Y-%m-%d} · {os.cpu_count()} × {platform.machine()}, {memory:.0f} GiB, "
        f"{platform.system()}, Python {platform.python_version()}"
    )
