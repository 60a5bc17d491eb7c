"""What may be done about a message or a case now, and for everything else why not (pure)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gateway.canonical.kinds import State
from gateway.dashboard.texts import N_

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.canonical.tracking import TrackedCase
    from gateway.store.case_file import FiledMessage

RETRY, RELEASE, CANCEL, RETURN = "retry", "release", "cancel", "return"

_GONE = N_("这条报文已送达或已取消，没有未结束的投递")
_SENDING = N_("正在发送，请等这次尝试有了结果")

#: By verb: state of the delivery → "" when allowed, else why not.
_BY_STATE: Mapping[str, Mapping[str, str]] = {
    RETRY: {
        "dead": "",
        "refused": "",
        "ready": "",
        "sending": _SENDING,
        "behind": N_("前面还有报文没有送到，轮到它时自动投递"),
        "parked": N_("还没有对方格式的内容可投；补齐缺少的表行后请放行"),
        "": _GONE,
    },
    RELEASE: {
        "parked": "",
        "": _GONE,
    },
    CANCEL: {
        "behind": "",
        "ready": "",
        "parked": "",
        "dead": "",
        "refused": "",
        "sending": _SENDING,
        "": _GONE,
    },
}
_OTHERWISE = N_("只有挂起的报文需要放行")


@dataclass(frozen=True, slots=True)
class Possible:
    """A verb; ``why_not`` is "" when it is allowed, else one sentence (to be translated)."""

    verb: str
    why_not: str

    @property
    def is_allowed(self) -> bool:
        """Whether it may be done now, by somebody with the permission."""
        return not self.why_not


def of_message(message: FiledMessage) -> tuple[Possible, ...]:
    """Retry, release, cancel: as `intervene` would take or refuse them."""
    return tuple(
        Possible(verb, states.get(message.delivery, _OTHERWISE)) for verb, states in _BY_STATE.items()
    )


def of_case(case: TrackedCase) -> Possible:
    """Giving an undeliverable case back to its origin."""
    allowed = case.state is State.UNDELIVERED
    return Possible(RETURN, "" if allowed else N_("只有投递失败的办件可以退回来源方"))
