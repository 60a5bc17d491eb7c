"""Every code a sender or a client can get, what becomes of the message, and the sentences the code says it in."""

from __future__ import annotations

from dataclasses import dataclass

from docs.site.reference import english as words
from docs.site.reference.api_words import english as in_english
from docs.site.reference.spoken import sentences
from docs.site.reference.writing import code, head, table, told
from gateway import regions
from gateway.web.problem import CODES


@dataclass(frozen=True, slots=True)
class Known:
    """A four-digit code of crossing §1: what happened, what becomes of the message, what to do."""

    status: int
    zh: str
    en: str
    fate: str
    zh_do: str
    en_do: str


#: The codes of the specification; that no other is said, and all of these are, is tested.
KNOWN: dict[str, Known] = {
    "1001": Known(
        202,
        "码表没有这个值对应的行",
        "no row in a code list",
        "park",
        "补行后自动放行",
        "add the row; it is released by itself",
    ),
    "1002": Known(
        202, "没有受理日有效的互认规则", "no recognition rule in force", "park", "补规则", "add the rule"
    ),
    "1003": Known(
        202,
        "区划不在区划表中或已失效",
        "division unknown or not in force",
        "park",
        "核对区划",
        "check the division",
    ),
    "1004": Known(
        202,
        "区划有多个承接区划",
        "several successors of a division",
        "park",
        "改用现行区划",
        "name the division of today",
    ),
    "1005": Known(202, "事项编码不在目录中", "item code unknown", "park", "补事项目录", "add the item"),
    "1006": Known(202, "状态用语不在码表中", "status word unknown", "park", "补状态码表", "add the word"),
    "1007": Known(
        202,
        "事项在受理日没有生效的版本，或尚未开通",
        "item not in force, or not open",
        "park",
        "核对受理日期或事项目录",
        "check the day or the catalogue",
    ),
    "1101": Known(
        202, "报告早于已采用的状态", "report older than the state held", "ignore", "不用处理", "nothing to do"
    ),
    "1102": Known(202, "该状态已登记", "state already held", "ignore", "不用处理", "nothing to do"),
    "9001": Known(
        401,
        "凭证缺失或签名不符",
        "proof missing or wrong",
        "refuse",
        "核对凭证后重新签名发送",
        "check the proof, sign and send again",
    ),
    "9002": Known(
        401,
        "发送时间不在 ±300 秒内",
        "time outside ±300 s",
        "refuse",
        "校时后重新签名发送",
        "set the clock, sign and send again",
    ),
    "9003": Known(401, "随机串已用过", "nonce used before", "refuse", "换新的随机串", "use a new nonce"),
    "9004": Known(
        401,
        "报文摘要不符",
        "body digest wrong",
        "refuse",
        "按原始字节重新计算",
        "compute it over the exact bytes",
    ),
    "9010": Known(
        403, "调用方未获准", "caller not permitted", "refuse", "联系网关运维开通", "ask for permission"
    ),
    "9020": Known(
        409,
        "报文编号已用于另一内容",
        "message key used for other content",
        "refuse",
        "使用新的编号",
        "use a new key",
    ),
    "9021": Known(
        409, "办件编号已使用过", "case number used before", "refuse", "核对办件编号", "check the case number"
    ),
    "9022": Known(
        409, "办件当前状态不允许", "not in this state", "refuse", "核对办件状态", "check the case's state"
    ),
    "9023": Known(
        409,
        "不是这一阶段的责任方",
        "not the owner of this phase",
        "refuse",
        "由另一方报告",
        "the other side reports it",
    ),
    "9024": Known(409, "已经评价", "rated before", "refuse", "每件只评价一次", "a case is rated once"),
    "9030": Known(413, "报文超过 1 MiB", "over 1 MiB", "refuse", "缩小报文", "send less"),
    "9031": Known(
        415, "内容类型或字符集不符", "content type or charset", "refuse", "更正请求头", "mend the header"
    ),
    "9041": Known(422, "报文无法读取", "unreadable", "refuse", "按所列位置更正", "mend what is named"),
    "9042": Known(
        422, "不合报文格式", "against the schema", "refuse", "按所列路径更正", "mend the paths named"
    ),
    "9043": Known(
        422, "取值不合规则", "against a value rule", "refuse", "按所列路径更正", "mend the paths named"
    ),
    "9044": Known(422, "没有这个办件", "case unknown", "refuse", "核对办件编号", "check the case number"),
    "9045": Known(
        422,
        "事项与报文种类或险种不符",
        "item does not fit the kind",
        "refuse",
        "换用该事项的报文",
        "use the item's own kind",
    ),
    "9050": Known(
        429,
        "报文太多",
        "too many messages",
        "refuse",
        "按 Retry-After 等待后重发",
        "wait as `Retry-After` says",
    ),
    "9060": Known(
        503,
        "暂不能保存",
        "cannot store for now",
        "refuse",
        "用同一报文编号重发",
        "send again under the same key",
    ),
}
_FATES = {
    "refuse": (
        "退回：没有保存，改正后可用同一编号重发",
        "refused: nothing stored; mend and send again under the same key",
    ),
    "park": ("挂起：已保存，补了规则自动放行", "parked: stored, released when the tables have the row"),
    "ignore": ("存档：已保存，办件不变，不转", "ignored: kept, the case unchanged, not sent on"),
}
_SAYS = (
    "收到一个代码时：什么意思，报文怎样了，该做什么；以及代码里会出现的每一句原话。报文有多处问题时一次列全。",
    (
        "What a code means, what became of the message and what to do; with every sentence the gateway says it in (senders "
        "get them in Chinese). All faults of a message are told at once."
    ),
)
#: Causes of failed deliveries, as in `tongban deliveries`.
_CAUSES = {
    "connect": ("连不上或中途断开", "no connection, or cut"),
    "timeout": ("没有在时限内答完", "no answer in time"),
    "status": ("对方答了 408、425、429 或 5xx", "408, 425, 429 or 5xx"),
    "redirect": ("对方答了跳转；网关从不跟随", "a redirect; never followed"),
    "unreadable": ("答了成功但回执读不懂", "success without a readable receipt"),
    "bug": ("网关自己的错误", "a fault of the gateway itself"),
}


def page(english: bool) -> str:  # noqa: FBT001
    """The page."""
    said, problems = sentences()
    parts = [head(english, ("错误代码", "Errors"), _SAYS, "gateway, adapters")]
    parts.append("\n## " + ("报文：四位代码" if not english else "Messages: four digits") + "\n")
    heads = (
        ("code", "HTTP", "meaning", "what becomes of it", "what to do")
        if english
        else ("代码", "HTTP", "含义", "报文怎样了", "怎么办")
    )
    parts.append(
        table(
            heads,
            [
                (
                    f"[`{each}`](#{each})",
                    k.status,
                    k.en if english else k.zh,
                    _FATES[k.fate][english].split("：" if not english else ":")[0],
                    k.en_do if english else k.zh_do,
                )
                for each, k in KNOWN.items()
            ],
        )
    )
    parts += [f"- {fate[english]}" for fate in _FATES.values()]
    for each, known in KNOWN.items():
        parts.append(f"\n### {each}\n\n**{known.en if english else known.zh}**\n")
        parts += [f"- {told(sentence, english)}" for sentence in said.get(each, ())]
    parts.append("\n## " + ("接口：problem 代码" if not english else "API: problem codes") + "\n")
    for name, (status, title) in CODES.items():
        parts.append(f"\n### {name}\n\n**{status} {in_english(title) if english else title}**\n")
        parts += [f"- {told(sentence, english)}" for sentence in problems.get(name, ())]
    parts.append("\n## " + ("对方说凭证不对时" if not english else "When a peer refuses our proof") + "\n")
    for slug, region in regions.discover().items():
        name = words.region(region, slug, english)
        parts += [f"- {name} `{each}`: {told(text, english)}" for each, text in region.proof_faults.items()]
    parts.append("\n## " + ("投递失败的原因" if not english else "Causes of failed deliveries") + "\n")
    parts.append(
        table(
            ("cause", "meaning" if english else "含义"), [(code(k), v[english]) for k, v in _CAUSES.items()]
        )
    )
    return "\n".join(parts)
