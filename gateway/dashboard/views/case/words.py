"""What stages, events, verbs and ways of crossing are called on the page of a case; translated where shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.canonical.tracking import EventKind
from gateway.dashboard.texts import N_
from gateway.dashboard.views.case.possible import CANCEL, RELEASE, RETRY, RETURN
from gateway.dashboard.views.case.stays import ANSWER, PARKED, SHEET

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Stages of the diagram that are no states.
STAGES: Mapping[str, str] = {
    PARKED: N_("挂起·待补表"),
    SHEET: N_("信息表到达"),
    ANSWER: N_("答复到达"),
}
EVENTS: Mapping[str, tuple[str, str]] = {
    EventKind.APPLICATION: (N_("收到申请"), "inbox"),
    EventKind.DELIVERY: (N_("送达对方系统"), "send"),
    EventKind.DELIVERY_FAILED: (N_("投递失败"), "mail-off"),
    EventKind.PARKED: (N_("报文挂起"), "player-pause"),
    EventKind.RELEASED: (N_("放行"), "player-play"),
    EventKind.STATUS: (N_("状态变化"), "arrow-right"),
    EventKind.IGNORED: (N_("存档，未采用"), "minus"),
    EventKind.SHEET: (N_("收到转移信息表"), "file-text"),
    EventKind.ANSWER: (N_("收到参保地答复"), "file-text"),
    EventKind.SUPPLEMENT: (N_("收到补正材料"), "files"),
    EventKind.WITHDRAWAL: (N_("申请人撤回"), "arrow-back-up"),
    EventKind.RATING: (N_("收到评价"), "star"),
}
#: Verbs of the page.
VERBS: Mapping[str, tuple[str, str]] = {
    RETRY: (N_("重新投递"), "refresh"),
    RELEASE: (N_("放行"), "player-play"),
    CANCEL: (N_("取消投递"), "x"),
    RETURN: (N_("退回来源方"), "arrow-back-up"),
}
#: What a verb does, said before it is done.
HINTS: Mapping[str, str] = {
    RETRY: N_("用同一个报文编号再投一次，对方已收过的不会重复办理；次数重新计算"),
    RELEASE: N_("按现行规则表重新翻译；还缺内容的继续挂起，并列出缺什么"),
    CANCEL: N_("这条报文不再投递，不能恢复；同一办件后面的报文继续"),
    RETURN: N_("办件改为不予受理，并用来源方的格式告知来源方；未发出的报文取消"),
}
#: Days of the clock's bar.
USES: Mapping[str, str] = {
    "start": N_("受理日，不计"),
    "used": N_("计入"),
    "left": N_("尚余"),
    "over": N_("超期"),
    "rest": N_("休息日，不计"),
    "suspended": N_("停钟，不计"),
}
#: How a value crossed.
KINDS: Mapping[str, str] = {
    "exact": N_("原样"),
    "converted": N_("换写"),
    "derived": N_("派生"),
    "lossy": N_("有损"),
    "dropped": N_("未转"),
    "warning": N_("警示"),
    "minted": N_("网关编制"),
    "with_other": N_("随同写出"),
    "checked": N_("仅核对"),
}
#: Outcomes of attempts, states of open deliveries and outcomes of messages: word, tone, icon.
MARKS: Mapping[str, tuple[str, str, str]] = {
    "delivered": (N_("已送达"), "good", "circle-check"),
    "retry": (N_("未成，稍后再试"), "wait", "refresh"),
    "refused": (N_("对方拒收"), "bad", "ban"),
    "dead": (N_("死信"), "bad", "mail-off"),
    "behind": (N_("排队在后"), "calm", "hourglass"),
    "ready": (N_("等待投递"), "work", "clock"),
    "sending": (N_("正在发送"), "work", "send"),
    "parked": (N_("挂起"), "wait", "player-pause"),
    "accepted": (N_("已送达"), "good", "circle-check"),
    "ignored": (N_("存档，未采用"), "calm", "minus"),
}
ACTORS: Mapping[str, str] = {"gateway": N_("网关")}
