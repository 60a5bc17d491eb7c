"""Why a message is stuck, in one sentence, and what mends it: for lists, pages and the live connection test."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from gateway import regions as regions_
from gateway.dashboard.rendering import region_name
from gateway.dashboard.texts import N_
from gateway.errors import CannotStart
from gateway.exchange.explain import by_place
from gateway.mapping.converters import NO_ROW
from gateway.mapping.explain import field_lines

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.dashboard.desk import Desk
    from gateway.mapping.codelist import CodeRow
    from gateway.mapping.explain import FieldLine
    from gateway.store.parked import ParkedGroup
    from gateway.store.stuck import Cause, Resting

#: Codes of an attempt without a readable answer (``PeerFailure.cause``, and ours): what was met, what to do.
_UNANSWERED: Mapping[str, tuple[str, str]] = {
    "timeout": (
        N_("对方在时限内没有应答"),
        N_("先做连接测试；对方恢复后，把这一组重新投递"),
    ),
    "connect": (
        N_("连不上对方"),
        N_("先做连接测试，按失败的一步处理；恢复后把这一组重新投递"),
    ),
    "status": (
        N_("对方多次答复暂不能受理"),
        N_("联系对方值班；对方恢复后，把这一组重新投递"),
    ),
    "redirect": (
        N_("对方要求转到别的地址，网关从不跟随"),
        N_("核对对方的接口地址配置，改好后重新投递"),
    ),
    "unreadable": (
        N_("对方的应答读不懂，或回执写的是另一个办件"),
        N_("请对方对照接口规范核对应答；改好后重新投递"),
    ),
    "bug": (
        N_("网关程序出错，没有发出"),
        N_("请连同日志报告开发人员；修好后重新投递"),
    ),
    "": (
        N_("报文没有发出：存下的内容无法打开"),
        N_("检查主密钥是否更换或遗失；恢复后重新投递"),
    ),
}
_REFUSED = (
    N_("对方拒收，应答代码 %(code)s"),
    N_("看对方的应答：对方已改正就重新投递；内容有误就取消，并请来源方更正后重报"),
)

_LACKS: Mapping[str, str] = {
    "1001": N_("%(region)s的码表“%(field)s”缺少%(value)s这一行"),
    "1002": N_("%(value)s没有受理日有效的互认规则"),
    "1003": N_("区划%(value)s不在区划表中，或受理日未生效、已撤销"),
    "1004": N_("区划%(value)s已撤销，且有多个承接区划，无法确定"),
    "1005": N_("%(region)s的事项目录缺少%(value)s这个事项编码"),
    "1006": N_("%(region)s的状态码表“%(field)s”缺少%(value)s这个用语"),
    "1007": N_("事项在受理日没有生效的版本，或尚未开通跨省办理"),
}
_NO_WORD = N_("%(region)s的码表“%(field)s”没有可写%(value)s的一行")
_A_VALUE = N_("所填的值")


@dataclass(frozen=True, slots=True)
class Told:
    """``sentence``: what is the matter; ``advice``: what to do next; ``is_mended``: the row is there by now."""

    sentence: str
    advice: str
    is_mended: bool = False


def unanswered(desk: Desk, code: str) -> Told:
    """Of an attempt: what its code means."""
    sentence, advice = _UNANSWERED.get(code, _REFUSED)
    return Told(desk.say(sentence, code=code), desk.say(advice))


def lacking(desk: Desk, group: ParkedGroup, sample: Resting | None) -> Told:
    """Of parked messages: which row or rule is missing, by the name of its field."""
    cause = group.cause
    region, line = _field(cause.path, sample)
    value = f"“{cause.value}”" if cause.value else desk.say(_A_VALUE)
    row = _row(desk, region, line, cause.value)
    if row is not None and row.name:
        value = f"{value}（{row.name}）"
    sentence = _LACKS.get(cause.code)
    is_mended = False
    if row is not None and line is not None and cause.code == NO_ROW:
        # the sender's word is known: is there one to write it with, on the other side?
        peer = group.destination
        is_mended = desk.rt.tables.codes(peer, line.code_list).write(row.key) is not None
        if not is_mended:
            region, sentence = peer, _NO_WORD
    if sentence is None:
        return Told(desk.told(group.text), desk.say(N_("按说明改正后放行；无法改正的，取消并请来源方重报")))
    said = desk.say(
        sentence,
        region=region_name(desk.rt, desk.language, region or group.region),
        field=(line.name if line else "") or cause.path,
        value=value,
    )
    if is_mended:
        return Told(said, desk.say(N_("这一行已经补上：把这一组全部放行")), is_mended=True)
    return Told(said, desk.say(N_("补上这一行；生效后把这一组全部放行")))


def mend_address(cause: Cause, region: str) -> str:
    """Where the missing row is written, with what is known of it filled in."""
    key = f"{cause.code}:{cause.path}" + (f"={cause.value}" if cause.value else "")
    return f"/ops/rules/missing?{urlencode({'cause': key, 'region': region})}"


@functools.cache
def _lines(region: str) -> Mapping[tuple[str, str, str], FieldLine]:
    try:
        return by_place(field_lines(regions_.fields((region,))))
    except CannotStart:  # no region: the gateway's own word, or one that is no longer in force
        return {}


def _field(path: str, sample: Resting | None) -> tuple[str, FieldLine | None]:
    """The field a finding is about: the sender's, or that of the message to be written."""
    if sample is None:
        return "", None
    for region, kind in ((sample.region, sample.in_kind), (sample.destination, sample.native_kind)):
        line = _lines(region).get((region, kind, path))
        if line is not None:
            return region, line
    return sample.region, None


def _row(desk: Desk, region: str, line: FieldLine | None, value: str | None) -> CodeRow | None:
    """The row the tables of now have for a word of the sender's."""
    if line is None or not line.code_list or not value or region not in desk.rt.regions:
        return None
    return desk.rt.tables.codes(region, line.code_list).reads.get(value)
