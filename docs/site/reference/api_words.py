"""The English of the API's document: operations, parameters, answers; that of shapes is in ``texts/shapes.po``."""

from __future__ import annotations

import re
from types import MappingProxyType

from docs.site.reference import english as words

INTRODUCTION = """Each region's case system hands in cases in a format of its own; the gateway converts and delivers them, and tracks their state.

* Messages: each region's own format, proof and receipt. 202 means durably stored, not yet delivered.
* Channels (bank outlets, township windows): canonical JSON at `POST /v1/cases`, with a credential registered under `[[channels]]`.
* Everything else: `Authorization: Bearer <token>`, UTF-8 JSON, times in RFC 3339 (+08:00); an unknown query parameter is a 400.
* Errors: `application/problem+json` (RFC 9457); `code` is stable."""

#: Sentence of the document → its English.
SAID = MappingProxyType(
    {
        # groups
        "报文": "Messages",
        "办件": "Cases",
        "事项": "Items",
        "统计": "Tallies",
        "试译": "Trying",
        "运维": "Operating",
        "运行": "Running",
        "各地经办系统提交报文": "Case systems of the regions hand in messages.",
        "查询办件、挂起的报文": "Look at cases and parked messages.",
        "事项目录及其版本": "The catalogue of items with its versions.",
        "收件与投递的数量和用时": "Counts and durations of intake and delivery",
        "不保存、不发送的转换": "Translations that are neither kept nor sent.",
        "投递的重试与取消，去向的暂停、节奏与连接测试，批量重办": (
            "Retry and cancel deliveries; pause, pace and probe destinations; rerun in bulk."
        ),
        "存活、就绪、指标": "Alive, ready, metrics.",
        # operations
        "办件列表": "Cases",
        "收件渠道提交一个新办件": "A channel posts a new case",
        "一个办件": "One case",
        "挂起的报文": "Parked messages",
        "挂起的报文，按原因归并": "Parked messages by cause",
        "重新处理挂起的报文": "Release a parked message",
        "收件渠道提交办件的后续报文": "A channel posts a follow-up",
        "办理地发给收件渠道的报文": "Messages for a channel",
        "逐字段说明一个办件": "Explain every value of a case",
        "某日有效的事项": "Items in force on a day",
        "一个事项及其全部版本": "One item with all its versions",
        "提交前预检材料": "Check materials before handing in",
        "试译一条报文": "Try a message",
        "未结束的投递": "Open deliveries",
        "再次投递一条报文": "Deliver again",
        "取消一次投递": "Cancel a delivery",
        "各去向的状态": "Destinations",
        "暂停投递": "Pause",
        "恢复投递": "Resume",
        "设定投递节奏": "Set the pace",
        "连接测试": "Test the connection",
        "批量重办（可试算）": "Rerun in bulk, or see what it would do",
        "批量重办列表": "Bulk reruns",
        "一次批量重办的进度与结果": "Progress and outcome of a rerun",
        "批准批量重办": "Approve a rerun",
        "暂停批量重办": "Pause a rerun",
        "继续批量重办": "Go on with a rerun",
        "取消批量重办": "Cancel a rerun",
        "存活": "Alive",
        "就绪": "Ready",
        "能否收件": "Ready for intake",
        "指标": "Metrics",
        "重庆市提交报文": "Chongqing hands in a message",
        "四川省提交报文": "Sichuan hands in a message",
        # what they do
        "收件时间新的在前，同时收件的按办件编号降序。翻页期间新到的办件不影响后续各页。收件渠道只能看到自己收取的办件。": (
            "Newest receipt first, then by case number downwards. Cases that come in while you turn pages do not disturb later pages. A channel "
            "sees what it has collected only."
        ),
        "银行网点（社银合作）、乡镇窗口等没有经办系统的收件渠道，以规范模型的 JSON 提交。网关转换、转递、跟踪，与地区系统提交的办件相同；进展用 GET 查询。": (
            "For acceptance points without a case system, such as bank outlets and township windows, in canonical JSON. It is converted, forwarded "
            "and tracked as a region's own case; ask for its progress with GET."
        ),
        "状态、期限、经过和字段留痕；有 cases:full 权限时不脱敏，每次查看均留审计记录。": (
            "State, limit, time line and trace; not masked with the scope cases:full, and then audited every time."
        ),
        "等待码表或规则的报文。": "Messages that wait for a row or a rule.",
        "缺同一行码表或同一条规则的报文归为一组，报文多的在前；只统计最早的 5000 条。补齐后用 tongban release --cause 放行。": (
            "Messages that lack the same row or rule are one group, the largest first; counts the oldest 5000. Once it is there: `tongban release "
            "--cause`."
        ),
        "按当前的表从第 9 步起重新处理；收件时间和受理日期不变。": (
            "Treated again from step 9 with the tables of now; time of receipt and day of acceptance stay."
        ),
        "补正材料、撤回、评价；办理状态只有获准代经办机构报告的渠道可以提交。": (
            "Supplement, withdrawal, rating; states only by a channel that may report for its agency."
        ),
        "办理状态、转移信息表、申领答复等，规范模型，按先后；姓名、证件号码和账号脱敏。渠道自己来取，网关不推送。": (
            "States, sheets, answers, in canonical form and in order; names, numbers and accounts masked. The channel asks, nothing is pushed."
        ),
        "发给对方的每个值来自哪里、依据哪条规则或哪行表；给出 on 或 set 时，另列按那天或那套表重译会有的不同。\n\n没有 cases:full 权限时脱敏，每次查看完整内容均留审计记录。": (
            "Where each value sent to the other side comes from, by which rule or row. With `on` or `set`, also what would differ with that day or "
            "set of tables. Masked without the scope cases:full; audited with it."
        ),
        "按目录顺序；缺省为今天（北京时间）。": "In the order of the catalogue; today (Beijing) unless told.",
        "顶层为今天有效的版本，今天没有有效版本时为最后一个版本；versions 由旧到新。": (
            "On top the version in force today, else the last one; `versions` from old to new."
        ),
        "办理地要求什么、手中材料凭哪条规则可以充当、还缺什么、承诺时限和当日受理时的到期日。": (
            "What the handling side asks for, which material at hand counts as it by which rule, what is missing, the promised limit, and the due "
            "date if accepted on that day."
        ),
        "最近 1 小时、24 小时或 30 天的曲线，以及今天的合计。收件按网关收件时间计，投递按每次投递开始的时间计。": (
            "Curves of the last hour, 24 hours or 30 days, and today's totals; intake by time of receipt, deliveries by the start of each attempt."
        ),
        "返回规范模型、对方格式的字节和字段留痕；不核验凭证、时间和流水号，不保存，不脱敏。收件渠道的凭证只能试译自己的报文，已存的办件不参与试译。": (
            "Canonical form, the other side's bytes and the trace. Proof, time and key are not checked; nothing is kept; nothing is masked. A "
            "channel's credential can try its own messages only, and stored cases take no part."
        ),
        "按状态和去向筛选，先到的在前；翻页期间的变化不影响后续各页。": (
            "By state and destination, first come first; changes while you turn pages do not disturb later pages."
        ),
        "死信、被拒的重新排队，等待中的立即投递；报文流水号不变，同一办件内的次序不变。": (
            "Dead letters and refused ones queue again, waiting ones go at once; message key and the order of the case stay."
        ),
        "不再投递这条报文，同一办件的后续报文继续。": "It is not delivered any more; later messages of its case go on.",
        "是否暂停、投递节奏、断路器、最近的成功与失败、最早一件等了多久。": (
            "Paused or not, pace, breaker, latest success and failure, how long the oldest has waited."
        ),
        "应答之后，任何投递进程都不再领取该去向的报文；已发出的调用照常结束。收件不受影响。": (
            "After the answer no worker claims messages for it; calls already sent end in their own time. Intake goes on."
        ),
        "积压的报文立即开始投递。": "What has piled up is delivered at once.",
        "每秒调用数和同时进行的调用数，各投递进程合计；两项都不写即取消限制。": (
            "Calls per second and calls in flight, all workers together; without both the bounds are lifted."
        ),
        "逐步检查域名、TCP、TLS、HTTP、凭证、回执；只发一条空报文，不会在对方产生任何办件。暂停时也可以测试。": (
            "Name, TCP, TLS, HTTP, proof and receipt, step by step, with one empty message that makes no case on the other side. Works while paused."
        ),
        "按条件选出死信、被拒或挂起的报文，按办件先后逐条重办；超过设定条数的须第二人批准后才开始。": (
            "Picks dead letters, refused or parked messages and runs them one by one in the order of their cases; above the set number a second "
            "person approves first."
        ),
        "新的在前。": "Newest first.",
        "进度、按变化归并的结果对照，以及逐条对照（翻页）。": (
            "Progress, outcomes grouped by what changed, and each message (in pages)."
        ),
        "须由发起人以外的人批准；批准后开始。": "By somebody other than who started it; begins after that.",
        "应答之后不再重办下一条；已重办的照常投递。": "After the answer no further message is run; those that were go on.",
        "从停下的地方继续，已重办的不重复。": "Goes on where it stopped; nothing is run twice.",
        "未重办的保持原状；已重办的照常投递。": "What was not run stays as it was; what was goes on.",
        "进程存活即为 200。": "200 while the process lives.",
        "数据库可写，队列、规则表均可用时为 200。": (
            "200 when the database can be written, and queue and tables are usable."
        ),
        "数据库可写、规则表可用时为 200。\n\n负载均衡应查此地址：Redis 只是门铃，不通时照常收件。": (
            "200 when the database can be written and the tables are usable. For load balancers: Redis is a doorbell only, intake goes on without it."
        ),
        "Prometheus 文本；只读计数器，从不扫描数据表。": "Prometheus text; reads counters and never scans a table.",
        # parameters
        "每页条数，1–200": "entries a page, 1–200",
        "上一页返回的 next": "`next` of the page before",
        "报文的发送地区，或收件渠道的代号": "the region that sends, or the name of a channel",
        "来源地区": "region of origin",
        "来源地区划（六位代码）": "division of origin, six digits",
        "事项代号": "key of the item",
        "状态代码": "code of the state",
        "收件渠道的代号（配置中的 name）": "the channel's `name` in the configuration",
        "来源地的办件编号": "case number of the origin",
        "收件不早于（日期或带时区的时间，含）": "received at or after: a date, or a time with its zone",
        "收件不晚于（日期或带时区的时间，含）": "received at or before: a date, or a time with its zone",
        "幂等键，必填：由渠道编制，1–128 个可见字符；同键同内容得到原回执，同键不同内容为 409": (
            "required, made by the channel, 1–128 visible characters; the same key and content gets the first receipt, other content 409"
        ),
        "通办编号": "the gateway's case number",
        "报文编号": "id of the message",
        "按这一天有效的行重译，缺省为受理日": "with the rows in force on this day; the day of acceptance unless told",
        "按这套表重译：active、packaged 或已入库版本的摘要，缺省为现用的": (
            "with this set of tables: `active`, `packaged`, or the digest of a stored release"
        ),
        "日期，缺省为今天（北京时间）": "a date; today (Beijing) unless told",
        "时段：1h 每分钟一点，24h 每小时一点，30d 每天一点（北京时间）": (
            "`1h` by the minute, `24h` by the hour, `30d` by the day (Beijing)"
        ),
        "报文的发送地区": "the region that sends",
        "报文的接收地区": "the region that receives",
        "报文类别": "kind of message",
        "办件上下文：JSON 对象的 URL 安全 base64，不带填充": (
            "context of the case: a JSON object as URL-safe base64 without padding"
        ),
        "接收机构的区划（六位代码）": "division of the receiving agency, six digits",
        "只看这种状态": "of this state only",
        "只看这个去向": "for this destination only",
        "去向的地区代号": "region of the destination",
        "重办编号": "id of the rerun",
        # answers
        "成功": "done",
        "请求有误": "the request is wrong",
        "未通过身份验证": "not authenticated",
        "没有权限": "not permitted",
        "没有找到": "not found",
        "网关内部错误": "a fault of the gateway",
        "暂不可用": "not available for now",
        "当前状态不允许": "not in this state",
        "已可靠保存；重复提交得到原回执，并有 Idempotency-Replayed: true": (
            "durably stored; a repetition gets the first receipt, with `Idempotency-Replayed: true`"
        ),
        "幂等键已用于另一内容，或办件的状态不允许": "the key was used for other content, or not in this state",
        "报文超过 1 MiB": "over 1 MiB",
        "Content-Type 不是 application/json": "`Content-Type` is not application/json",
        "报文无效，findings 列出全部问题": "invalid; `findings` has every fault",
        "收件渠道试译过于频繁，见 Retry-After": "the channel tries too often, see `Retry-After`",
        "过于频繁，见 Retry-After": "too often, see `Retry-After`",
        "仍缺少码表或规则，见 findings": "a row or rule is still missing, see `findings`",
        "没有这个办件，或不是该渠道收取的": "no such case, or none of this channel",
        "没有找到办件或规则表版本": "no such case or release",
        "没有这个事项": "no such item",
        "没有这个事项，或这一天没有生效的版本": "no such item, or no version in force on that day",
        "内容类型不是该地区的": "not the region's content type",
        "报文无效（invalid-message）或将被挂起（parked）": (
            "invalid (`invalid-message`), or would be parked (`parked`)"
        ),
        "试算结果（dry_run）": "what it would do (`dry_run`)",
        "没有符合条件的报文": "no message matches",
        "暂不可用，detail 写明原因": "not available for now; `detail` says why",
        "暂不能收件，detail 写明原因": "no intake for now; `detail` says why",
        "已可靠保存（含 PARKED 挂起、IGNORED 不产生效果，以及重复提交时的原回执）": (
            "durably stored (also PARKED, IGNORED, and the first receipt of a repetition)"
        ),
        "凭证缺失、错误或过期": "proof missing, wrong or out of time",
        "调用方未获准": "caller not permitted",
        "流水号重复使用、办件号已用、状态冲突": "key or case number used before, or not in this state",
        "内容类型不符": "another content type",
        "报文无法读取、不合格式或规则，列出全部问题": (
            "unreadable, or against schema or rules; every fault is listed"
        ),
        "暂不能保存，见 Retry-After": "cannot store for now, see `Retry-After`",
        # problems of the API
        "翻页标记无效": "the page mark is not valid",
        "不支持的请求方法": "method not allowed",
        "仍然挂起": "still parked",
        "报文过大": "too large",
        "不支持的内容类型": "content type not supported",
        "报文无效": "the message is invalid",
        "报文将被挂起": "the message would be parked",
        "请求过于频繁": "too many requests",
    }
)
_RECEIPT = re.compile(r"；回执为.+格式$")
_KINDS = re.compile(r"^格式与凭证见 (.+?)。报文类别：(.+)。$")


def english(sentence: str) -> str:
    """A sentence of the document in English; as it is where there is none."""
    kinds = _KINDS.match(sentence)
    if kinds:
        return f"Format and proof: {kinds[1]}. Kinds: {kinds[2].replace('、', ', ')}."
    plain = _RECEIPT.sub("", sentence)
    said = SAID.get(plain) or words.of(plain, "shapes")
    return f"{said}; the receipt is in the region's format" if plain not in {sentence, said} else said
