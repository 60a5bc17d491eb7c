"""What each alarm means to the person who is called at night: what is wrong, and the first thing to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gateway.dashboard.texts import N_
from gateway.exchange.watch import Code

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Meaning:
    """``title`` with the holes ``about`` and ``value``; ``to`` is the page that shows it; ``book`` the runbook."""

    title: str
    first: str
    book: str
    to: str = ""
    unit: str = ""


_BOOK = "docs/runbooks/alerts.md#tongban"

MEANINGS: Mapping[Code, Meaning] = {
    Code.DUE_AGE: Meaning(
        N_("发往%(about)s的报文到期未投，最早一条已等 %(value)s"),
        N_("先看对方是否不通、投递进程是否在运行；都正常就是不够快，增加投递进程。"),
        f"{_BOOK}dueage",
        "/ops/routes",
        "span",
    ),
    Code.BREAKER: Meaning(
        N_("%(about)s的系统不通"),
        N_("联系对方。网关定时试探，恢复后自动续投，报文不丢；在路由页可做连接测试。"),
        "docs/runbooks/peer-down.md",
        "/ops/routes",
    ),
    Code.NOBODY_SERVES: Meaning(
        N_("没有投递进程负责%(about)s"),
        N_("启动投递进程，或检查它是否反复重启；收件照常，报文在库里等待。"),
        f"{_BOOK}processgone",
    ),
    Code.NO_SWEEP: Meaning(
        N_("超过一分钟无人巡检"),
        N_("投递进程都不在，或连不上数据库。丢失的门铃暂时没有人补。"),
        f"{_BOOK}nosweep",
    ),
    Code.REDIS_AWAY: Meaning(
        N_("Redis 不应答"),
        N_("报文不丢，投递靠巡检继续但变慢。恢复 Redis 即可，不必重启网关。"),
        "docs/runbooks/redis-lost.md",
    ),
    Code.DEAD: Meaning(
        N_("有 %(value)s 条死信"),
        N_("已停止重试，同一办件的后续报文在它后面等待。按原因归并处理。"),
        f"{_BOOK}deadletters",
        "/ops/stuck",
        "bound",
    ),
    Code.WORKER_GONE: Meaning(
        N_("投递进程 %(about)s 没有心跳"),
        N_("其余进程会接手。看它的日志末尾和重启次数；一小时后这一行自动消失。"),
        f"{_BOOK}processgone",
    ),
    Code.REFUSED: Meaning(
        N_("%(about)s拒收的报文占 %(value)s"),
        N_("先看对方的原话：多为码值、接口版本或凭据变化。"),
        f"{_BOOK}refusedbypeer",
        "/ops/stuck",
        "percent",
    ),
    Code.PARKED: Meaning(
        N_("来自%(about)s的报文一小时内挂起 %(value)s 条"),
        N_("多半是新码值或新事项。按原因归并查看，补一行表后自动放行。"),
        f"{_BOOK}parkedgrowing",
        "/ops/stuck",
        "number",
    ),
    Code.MAINTENANCE_SILENT: Meaning(
        N_("超过一小时没有维护"),
        N_("查看调度进程与投递进程，也可以手工运行 tongban maintenance。"),
        f"{_BOOK}maintenancesilent",
    ),
    Code.MAINTENANCE_FAILED: Meaning(
        N_("维护步骤 %(about)s 出错"),
        N_("下次会再试；日志里 maintenance_step_failed 写有原因。"),
        f"{_BOOK}maintenancesilent",
    ),
    Code.RETENTION: Meaning(
        N_("应删除的 %(about)s 仍在库中，已超过 %(value)s"),
        N_("维护没有运行或失败；可手工运行 tongban maintenance。"),
        f"{_BOOK}retentionoverdue",
        unit="span",
    ),
    Code.NOT_AHEAD: Meaning(
        N_("%(about)s 的月分区只够 %(value)s"),
        N_("运行 tongban maintenance 预建；到期后数据会落入缺省分区，不丢失但变慢。"),
        f"{_BOOK}partitionnotahead",
        unit="span",
    ),
    Code.REST_USED: Meaning(
        N_("%(about)s 的缺省分区里有 %(value)s 行"),
        N_("运行 tongban maintenance 移入月分区。"),
        f"{_BOOK}defaultpartitionused",
        unit="number",
    ),
    Code.PAUSED: Meaning(
        N_("%(about)s已暂停投递"),
        N_("是人工暂停，不算故障；恢复后积压的立即投递。"),
        "docs/how-to/operate-a-destination.md",
        "/ops/routes",
    ),
}

#: Conditions that need a monitor's memory of counters (deploy/prometheus/alerts.yml) and are not judged here.
ELSEWHERE = (
    "TongbanLateSettlements",
    "TongbanDeliverySlow",
    "TongbanRefusedAtDoor",
    "TongbanAcceptSlow",
    "TongbanWorkerDeaf",
    "TongbanProcessGone",
)
