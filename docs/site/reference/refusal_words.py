"""The English of what a caller is told at the door and by the API; `gateway.dashboard.texts` has that of findings."""

from __future__ import annotations

from types import MappingProxyType

#: Sentence with … for what is filled in → its English.
REFUSALS = MappingProxyType(
    {
        # proofs
        "缺少请求头 …，请补全调用凭证后重发": "Header … is missing: complete the proof and send again",
        "X-CQ-CLIENTID 不是约定的调用方标识，请核对": "X-CQ-CLIENTID is not the agreed caller id: check it",
        "X-CQ-SIGN 验签不通过，请核对密钥并对原始字节重新签名": (
            "X-CQ-SIGN does not verify: check the key, and sign the exact bytes anew"
        ),
        "x-tif-paasid 不是约定的调用方标识，请核对": "x-tif-paasid is not the agreed caller id: check it",
        "x-tif-timestamp 应为 Unix 秒，x-tif-nonce 应为 8 至 64 位字母、数字、_ 或 -，请更正": (
            "x-tif-timestamp must be Unix seconds, x-tif-nonce 8 to 64 letters, digits, _ or -"
        ),
        "x-tif-signature 校验不通过，请核对令牌及“时间戳+令牌+随机数+时间戳”的拼接": (
            "x-tif-signature is wrong: check the token, and the order timestamp, token, nonce, timestamp"
        ),
        "发送时间与网关时间相差超过 … 秒，请校准时钟后重新签名发送": (
            "The time of sending is more than … seconds from the gateway's: set the clock, sign and send again"
        ),
        "发送时间无法识别，请按接口规定填写后重新签名发送": (
            "The time of sending cannot be read: write it as the interface says, sign and send again"
        ),
        "随机串在时间窗内已使用过，请换新的随机串重新签名发送": (
            "The nonce was used within the window: take a new one, sign and send again"
        ),
        "X-CQ-SM3 与报文不符，请按原始字节重新计算后重发": (
            "X-CQ-SM3 does not fit the body: compute it over the exact bytes and send again"
        ),
        "x-body-sm3 与报文不符，请按原始字节重新计算后重发": (
            "x-body-sm3 does not fit the body: compute it over the exact bytes and send again"
        ),
        "调用方已停用，请联系网关运维人员开通": (
            "The caller is switched off: ask the gateway's administrators"
        ),
        # keys, cases
        "报文编号已用于另一内容，请使用新的编号": "The message key was used for other content: use a new one",
        "办件编号已使用过，请核对是否重复提交，或使用新的办件编号": (
            "The case number was used before: is it a repetition? Otherwise use a new one"
        ),
        "此件没有差评，无需整改": "The case has no bad rating to be put right",
        "此件的差评已登记整改": "The bad rating has been recorded as put right",
        "没有这个办件，请核对通办编号": "No such case: check the gateway's case number",
        "该区划当日办件编号已用完，请次日重发": (
            "The division's case numbers of this day are used up: send again tomorrow"
        ),
        # size, type, rate
        "报文超过 … 字节，请缩减后重发": "Over … bytes: send less",
        "Content-Type 应为 …，请更正请求头后重发": "Content-Type must be …: mend the header and send again",
        "Content-Type 应为 application/json，UTF-8": "Content-Type must be application/json in UTF-8",
        "Content-Type 应为 …": "Content-Type must be …",
        "请求太多，请稍后用同一 Idempotency-Key 重发": (
            "Too many requests: send again later under the same Idempotency-Key"
        ),
        "报文太多，请稍后重发": "Too many messages: send again later",
        "网关暂时无法保存报文，请稍后用同一报文键重发": (
            "The gateway cannot store it for now: send again later under the same key"
        ),
        # the API
        "请求参数有误，请按 findings 改正后重试": "Parameters are wrong: mend them as `findings` says",
        "请求内容有误，请按 findings 改正后重试": "The content is wrong: mend it as `findings` says",
        "有不认识的材料，请按 findings 改正后重试": "Unknown materials: mend them as `findings` says",
        "请在 Idempotency-Key 请求头中给出幂等键：1 至 128 个可见字符，不含引号和反斜线": (
            "Give a key in the header Idempotency-Key: 1 to 128 visible characters, no quotes, no backslash"
        ),
        "filter.destination 须为 … 之一": "`filter.destination` must be one of …",
        "region 须为 … 之一": "`region` must be one of …",
        "from 须为 … 之一": "`from` must be one of …",
        "after 须原样使用上一页返回的 next": "`after` must be the `next` of the page before, as it is",
        "请在 Authorization 请求头中提供有效的 Bearer 令牌": "Give a valid Bearer token in the header Authorization",
        "该令牌没有 … 权限，请向管理员申请": "The token lacks the scope …: ask the administrator",
        "只有收件渠道的凭证可以提交办件，请在配置 [[channels]] 中登记": (
            "Only a channel's credential may post cases: register one under [[channels]]"
        ),
        "没有这个文件": "No such file",
        "没有这套规则表：set 须为 active、packaged 或已入库版本的摘要（至少 8 位）": (
            "No such tables: `set` must be active, packaged, or the digest of a stored release (8 digits at least)"
        ),
        "没有这个地区，请使用 … 之一": "No such region: use one of …",
        "没有这个事项，请用 GET /v1/items 查看现有事项": "No such item: see GET /v1/items",
        "没有这条可操作的投递：它可能已送达、正在发送或已被处理": (
            "No such open delivery: it may have arrived, be on its way, or have been dealt with"
        ),
        "没有这个去向，须为 … 之一": "No such destination: must be one of …",
        "该事项在这一天没有生效的版本，请核对 on，或用 GET /v1/items/{item} 查看各版本": (
            "No version of the item is in force on that day: check `on`, or see GET /v1/items/{item}"
        ),
        "没有符合条件的报文，请用 dry_run 调整条件": "No message matches: adjust the filter with `dry_run`",
        "没有这次批量重办，请核对编号": "No such rerun: check its id",
        "没有这条挂起的报文，它可能已被处理": "No such parked message: it may have been dealt with",
        "这次批量重办现在是 …，不能这样操作": "The rerun is … now, which does not allow this",
        "发起人不能批准自己的批量重办，请由另一人批准": (
            "Nobody may approve a rerun of their own: another person has to"
        ),
        "报文仍不能处理，请先补齐 findings 所列内容": "It still cannot be treated: first add what `findings` lists",
        "缺少码表行或规则，正式提交时将挂起": (
            "A row or a rule is missing: handed in for real, it would be parked"
        ),
        "网关内部错误，请将编号 … 告知运维人员": "A fault of the gateway: tell the administrators the number …",
        "数据库暂不可用，请稍后重试": "The database is away: try again later",
        # when a peer refuses our proof
        "核对 client_id，并确认对方登记的公钥与本方 private_key 是一对": (
            "check client_id, and that the public key they have is the other half of our private_key"
        ),
        "对方收到的报文字节与签发时不同：检查中间的代理是否改写了报文": (
            "they received other bytes than were signed: does a proxy on the way rewrite bodies?"
        ),
        "双方时钟相差超过 300 秒：检查两侧的时间同步（NTP）": (
            "the clocks are more than 300 seconds apart: check NTP on both sides"
        ),
        "对方认得网关但未放行：请对方开通调用权限": "they know the gateway and do not let it in: ask them to",
        "核对 paasid 与 token 是否与对方登记的一致（注意首尾空格与换行）": (
            "check paasid and token against theirs (mind spaces and newlines at the ends)"
        ),
        "对方认为随机数用过：稍后再试；反复出现时请对方检查防重放的范围": (
            "they say the nonce was used: try again; if it recurs, ask them how far their replay check reaches"
        ),
    }
)
