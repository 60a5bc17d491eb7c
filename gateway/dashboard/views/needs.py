"""What needs a person, and how destinations do, in words, marks and addresses: for the first page and the wall."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gateway.canonical.worktime import beijing_day
from gateway.dashboard.figures import Figures
from gateway.dashboard.marks import Mark
from gateway.dashboard.rendering import region_name
from gateway.dashboard.texts import N_
from gateway.dashboard.views import ways
from gateway.exchange.overview import Kind, Light, Urgency
from gateway.store.overview import MOST

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from gateway.dashboard.desk import Desk
    from gateway.dashboard.views.glance import Now
    from gateway.exchange.overview import Need, Route
    from gateway.store.overview import Standing

_URGENCIES: Mapping[Urgency, tuple[Mark, str]] = {
    Urgency.NOW: (Mark("bad", "alert-triangle"), N_("立即")),
    Urgency.TODAY: (Mark("wait", "clock"), N_("今日")),
    Urgency.SOON: (Mark("work", "info-circle"), N_("留意")),
}
#: What is the matter, and the word on the way to where it is mended.
_SAID: Mapping[Kind, tuple[str, str]] = {
    Kind.UNMANNED: (N_("没有投递进程服务发往%(side)s的报文"), N_("查看进程")),
    Kind.BROKEN: (N_("%(side)s的系统不通，网关在定时试探，恢复后自动续投"), N_("测试连接")),
    Kind.LONG_PAUSED: (N_("发往%(side)s的投递已暂停 %(span)s，有报文在等待"), N_("恢复投递")),
    Kind.DEAD: (N_("%(count)s 条报文成为死信，不再重试，同一办件的后续报文在等待"), N_("查因重投")),
    Kind.OVERDUE: (N_("%(count)s 件已超过办理时限"), N_("查看办件")),
    Kind.SLOW: (N_("发往%(side)s的报文变慢，最早一条已等待 %(span)s"), N_("查看路由")),
    Kind.PARKED: (N_("%(count)s 条来自%(side)s的报文挂起：%(cause)s"), N_("补表放行")),
    Kind.PARKED_REST: (N_("另有其他原因的挂起报文，合计 %(count)s 条"), N_("查看全部")),
    Kind.REFUSED: (N_("%(count)s 条报文被对方拒收"), N_("查看原因")),
    Kind.DUE_TODAY: (N_("%(count)s 件今日到期"), N_("查看办件")),
    Kind.RERUN: (N_("批量处置 %(count)s 条报文，等待第二人批准"), N_("去批准")),
    Kind.RELEASE: (N_("规则表 %(digest)s 等待%(sides)s批准"), N_("查看发布")),
    Kind.WORKER_GONE: (N_("投递进程 %(about)s 已 %(span)s没有心跳，其余进程仍在投递"), N_("查看进程")),
    Kind.PARTITION: (N_("缺省分区中有 %(count)s 行数据，需要运行维护"), N_("查看运行")),
    Kind.PAUSED: (N_("发往%(side)s的投递已暂停"), N_("查看路由")),
}
_LIGHTS: Mapping[Light, tuple[Mark, str]] = {
    Light.PAUSED: (Mark("calm", "player-pause"), N_("已暂停")),
    Light.BROKEN: (Mark("bad", "plug-connected-x"), N_("不通")),
    Light.UNMANNED: (Mark("bad", "heartbeat"), N_("无投递进程")),
    Light.SLOW: (Mark("wait", "hourglass"), N_("变慢")),
    Light.STUCK: (Mark("wait", "alert-triangle"), N_("有滞留")),
    Light.IDLE: (Mark("calm", "circle-dashed"), N_("空闲")),
    Light.FLOWING: (Mark("good", "circle-check"), N_("畅通")),
}
#: What parked messages lack, by the code of the finding; what to do about it is said where the way leads.
_LACKS: Mapping[str, str] = {
    "1001": N_("码表缺少对应的行"),
    "1002": N_("没有受理日有效的互认规则"),
    "1003": N_("区划不在区划表中"),
    "1004": N_("区划已撤销且有多个承接区划"),
    "1005": N_("事项不在目录中"),
    "1006": N_("状态码表缺少对应的用语"),
    "1007": N_("事项在受理日没有生效的版本"),
}


@dataclass(frozen=True, slots=True)
class Line:
    """A need as it is shown; ``since`` on the database's clock, ``ago_s`` seconds by it."""

    mark: Mark
    urgency: str
    sentence: str
    way: str
    href: str
    since: datetime | None
    ago_s: float | None


@dataclass(frozen=True, slots=True)
class Lamp:
    """A destination as it is shown."""

    slug: str
    side: str
    mark: Mark
    word: str
    detail: str
    href: str


@dataclass(frozen=True, slots=True)
class Figure:
    """One of the seven numbers. ``tone``: a status tone while the number means something is wrong, else ""."""

    key: str
    label: str
    number: str
    note: str
    href: str
    icon: str
    tone: str = ""


def bounded(desk: Desk, count: int) -> str:
    """A count that ends: ``9,999+``."""
    figures = Figures(desk.language)
    return f"{figures.number(MOST)}+" if count > MOST else figures.number(count)


def lines(desk: Desk, now: Now) -> list[Line]:
    """What needs a person, most urgent first."""
    return [_line(desk, need, now.seen.standing.at) for need in now.seen.needs]


def _line(desk: Desk, need: Need, at: datetime) -> Line:
    mark, urgency = _URGENCIES[need.urgency]
    sentence, way = _SAID[need.kind]
    rt = desk.rt
    side = region_name(rt, desk.language, need.about)
    other = need.group.destination if need.group else ""
    values = {
        "side": side,
        "count": bounded(desk, need.count) + ("+" if need.at_least else ""),
        "span": Figures(desk.language).span(None if need.seconds is None else _coarse(need.seconds)),
        "about": need.about,
        "digest": need.about[:8],
        "sides": desk.say("、").join(region_name(rt, desk.language, slug) for slug in need.missing),
        "cause": _cause(desk, need),
    }
    ago_s = None if need.since is None else _coarse(max(0.0, (at - need.since).total_seconds()))
    href = ways.to(need, beijing_day(desk.now), other)
    return Line(mark, desk.say(urgency), desk.say(sentence, **values), desk.say(way), href, need.since, ago_s)


def _cause(desk: Desk, need: Need) -> str:
    if need.group is None:
        return ""
    cause = need.group.cause
    lack = desk.say(_LACKS[cause.code]) if cause.code in _LACKS else desk.told(need.group.text)
    field = cause.path.rsplit(".", 1)[-1]
    where = f"{field}\u00a0=\u00a0{cause.value}" if cause.value else field
    return desk.say("%(what)s（%(where)s）", what=lack, where=where) if where else lack


def _coarse(seconds: float) -> float:
    """Whole minutes, and whole hours after a day: a list that is read should not tick."""
    for over, unit in ((86_400, 3600), (60, 60)):
        if seconds >= over:
            return seconds // unit * unit
    return seconds // 1


def lamps(desk: Desk, now: Now) -> list[Lamp]:
    """How every destination does."""
    return [_lamp(desk, route) for route in now.seen.routes]


def _lamp(desk: Desk, route: Route) -> Lamp:
    mark, word = _LIGHTS[route.light]
    side = region_name(desk.rt, desk.language, route.slug)
    return Lamp(route.slug, side, mark, desk.say(word), _detail(desk, route), ways.route(route.slug))


def _detail(desk: Desk, route: Route) -> str:
    parts = [desk.say("%(count)s 个投递进程", count=route.workers)]
    if route.waiting_s:
        parts.append(desk.say("最早一条已等 %(span)s", span=Figures(desk.language).span(route.waiting_s)))
    stuck = sum(route.stuck.values())
    if stuck:
        parts.append(desk.say("滞留 %(count)s 条", count=bounded(desk, stuck)))
    return " · ".join(parts)


def figures(desk: Desk, now: Now) -> list[Figure]:
    """The seven numbers of the day, each leading to what it counts."""
    return [*_passed(desk, now), *_stuck(desk, now.seen.standing), *_due(desk, now.seen.standing)]


def _passed(desk: Desk, now: Now) -> Iterator[Figure]:
    written, today = Figures(desk.language), now.today
    received = desk.say("其中新办件 %(count)s", count=written.number(today.opened))
    took = desk.say("今日尚无送达")
    if now.p95_s is not None:
        took = desk.say("95%% 在 %(span)s内", span=written.span(now.p95_s))
    transit, day = bounded(desk, now.seen.standing.in_transit), beijing_day(desk.now)
    number = written.number
    yield Figure(
        "received", desk.say("今日收件"), number(today.received), received, ways.received(day), "inbox"
    )
    yield Figure("transit", desk.say("在途报文"), transit, desk.say("等待或正在投递"), ways.ROUTES, "send")
    yield Figure(
        "delivered", desk.say("今日送达"), number(today.delivered), took, ways.ROUTES, "truck-delivery"
    )


def _stuck(desk: Desk, standing: Standing) -> Iterator[Figure]:
    dead, refused = bounded(desk, standing.dead), bounded(desk, standing.refused)
    parts = desk.say("死信 %(dead)s，拒收 %(refused)s", dead=dead, refused=refused)
    both, parked = bounded(desk, standing.dead + standing.refused), bounded(desk, standing.parked)
    tones = ("wait" if standing.parked else "", "bad" if standing.dead or standing.refused else "")
    lack = desk.say("等待码表或规则")
    yield Figure("parked", desk.say("挂起"), parked, lack, ways.PARKED, "player-pause", tones[0])
    yield Figure("dead", desk.say("死信与拒收"), both, parts, ways.DEAD, "mail-off", tones[1])


def _due(desk: Desk, standing: Standing) -> Iterator[Figure]:
    today = desk.say("其中今日 %(count)s", count=bounded(desk, standing.due_today))
    soon, overdue = bounded(desk, standing.due_soon), bounded(desk, standing.overdue)
    tones = ("wait" if standing.due_today else "", "bad" if standing.overdue else "")
    past = desk.say("超过办理时限未办结")
    yield Figure("soon", desk.say("即将到期"), soon, today, ways.DUE_SOON, "calendar-due", tones[0])
    yield Figure("overdue", desk.say("已超期"), overdue, past, ways.OVERDUE, "alert-triangle", tones[1])
