"""The English of what the field maps say: reasons of ``fields.csv``, words for what becomes of a field."""

from __future__ import annotations

from types import MappingProxyType

from gateway.mapping.explain import Fate

FATES = MappingProxyType(
    {
        Fate.MAPPED: ("carried", "stands for a value of the other side, converted by the rule"),
        Fate.HELD: ("carried by code", "the same, put together or taken apart by the functions named"),
        Fate.DERIVED: ("derived", "the other side has no such field: it follows from other values or rules"),
        Fate.FIXED: ("fixed", "always this value"),
        Fate.MINTED: ("made", "a number, a time or a name the gateway makes"),
        Fate.CHECKED: ("checked", "compared with something else, not carried"),
        Fate.DROPPED: ("not carried", "does not go to the other side"),
        Fate.UNWRITTEN: ("not written", "the gateway never writes it"),
        Fate.UNEXPLAINED: ("unexplained", "nobody has said"),
    }
)

#: Reason as in ``fields.csv`` → its English.
REASONS = MappingProxyType(
    {
        # made
        "通办编号（M22）": "the gateway's case number (M22)",
        "本方所知的办件编号（M22）": "the case number this side knows (M22)",
        "CYTB（M22）": "CYTB (M22)",
        "空串，表示未知（M11）": "an empty string: unknown (M11)",
        "待办理": "待办理 (waiting)",
        "已办结": "已办结 (concluded)",
        "川渝通办网关（M22）": "川渝通办网关, the gateway's name (M22)",
        "受理地区划-日期-9 开头的 5 位序号，每个办件一次（M22）": (
            "receiving division, date and a serial of 9 and five digits, once a case (M22)"
        ),
        "发送时间，每次发送更新": "the time of sending, new on every attempt",
        "TB + 时间 + 6 位序号，每条报文新编": "TB, time and a serial of 6 digits, new for each message",
        "TB + 日期 + 10 位序号，每条报文新编": "TB, date and a serial of 10 digits, new for each message",
        "CQ500000（M22）": "CQ500000 (M22)",
        "CQ + 接收机构区划（M22）": "CQ and the receiving agency's division (M22)",
        # derived
        "受理日有效的事项版本的承诺时限（M12）": (
            "the promised limit of the item's version in force on the day of acceptance (M12)"
        ),
        "认证日加十二个月减一天，仅健在时（M16）": (
            "the day of certification, twelve months on, less a day; of the living only (M16)"
        ),
        "等于失业日期（M7）": "equals the date of unemployment (M7)",
        "收取方式为电子证照时写 1，否则 0（M9）": (
            "1 where the material is collected as an electronic certificate, else 0 (M9)"
        ),
        "所写材料编码在码表中的名称（M9）": "the code list's name of the material written (M9)",
        "所写材料编号在码表中的名称（M9）": "the code list's name of the material written (M9)",
        "对方区划的经办机构名称（M8）": "the agency of the other side's division (M8)",
        "对方区划的全称（M8）": "the full name of the other side's division (M8)",
        "固定写 10（M22）": "always 10 (M22)",
        "受理日有抵扣结算规则时为是，否则为否（M16）": (
            "yes (是) where a rule of settlement is in force on the day of acceptance, else no (否) (M16)"
        ),
        "取自办件申请人（M20）": "from the applicant of the case (M20)",
        "取自办件申请人（M17）": "from the applicant of the case (M17)",
        "办件的转出地（M8）": "the old place of the case (M8)",
        "健在为认证通过，其余为认证未通过（M13）": "passed where the person is alive, else not passed (M13)",
        # checked
        "须与办件申请人相同，对方信息表没有申请人": (
            "must equal the applicant of the case; the other side's sheet has none"
        ),
        "据此找到办件，对方见其自己的办件编号（M22）": (
            "finds the case; the other side sees its own number (M22)"
        ),
        "报文流水号，只用于去重和分辨方向，不转递": (
            "the message key: tells repetitions and the direction, is not carried"
        ),
        "回带时须为本办件的通办编号，不转递": (
            "where it is returned it must be the gateway's number of this case; not carried"
        ),
        "发给网关时为 CYTB，不转递": "CYTB in messages to the gateway; not carried",
        "须在时间窗内，不转递": "must be within the time window; not carried",
        "须与生存状态一致，不转递（M13）": "must agree with whether the person is alive; not carried (M13)",
        "认证通知只能是已办结": "a notice of certification is always concluded (已办结)",
        "登记为来源地办件编号，对方见通办编号（M22）": (
            "kept as the origin's case number; the other side sees the gateway's (M22)"
        ),
        "登记为来源地办件编号，对方见其自己的办件编号（M22）": (
            "kept as the origin's case number; the other side sees its own (M22)"
        ),
        "发送方应为本方区划，不转递": "must be a division of this side; not carried",
        # not carried
        "后续报文的经办信息不转递，留痕（M22）": (
            "of follow-ups, who handled them is not carried, and traced (M22)"
        ),
        "时限以事项目录为准，与目录不同时记为有损（M12）": (
            "the catalogue decides the limit; another one is traced as lossy (M12)"
        ),
        "对方没有经办人（M22）": "the other side has no handling officer (M22)",
        "只决定办件的首个状态（收件或受理，M13）": (
            "decides only the first state of the case (received or accepted, M13)"
        ),
        "转移接续以转出地、转入地为准，与本方一地不同时记为有损": (
            "a transfer goes by its old and new place; lossy where this is neither"
        ),
        "有效期由认证时间推算，不同时记为有损（M16）": (
            "validity follows from the time of certification; another one is lossy (M16)"
        ),
        "对方联系函没有行号": "the other side's contact letter has no bank number",
        "对方没有银行类别": "the other side has no class of bank",
        "对方没有转移说明": "the other side has no remark on the transfer",
        "对方没有转移类型": "the other side has no type of transfer",
        "对方没有电子证照标志，与收取方式矛盾时记为有损（M9）": (
            "the other side has no such mark; lossy where it contradicts how the material is collected (M9)"
        ),
        "对方没有渠道细分（M22）": "the other side has no finer channels (M22)",
        "对方没有渠道细分": "the other side has no finer channels",
        "对方没有国籍（crossing §3.2）": "the other side has no nationality (crossing §3.2)",
        "对方没有国籍": "the other side has no nationality",
        "对方没有合同终止日期，与失业日期不同时记为有损（M7）": (
            "the other side has no end of contract; lossy where it is not the date of unemployment (M7)"
        ),
        "对方明细没有区划，与转出地不同时记为有损（M8）": (
            "the other side's lines have no division; lossy where it is not the old place (M8)"
        ),
        "只供显示，以材料编码为准（M9），与码表不同时留痕": (
            "for display, the code decides (M9); traced where the code list has another name"
        ),
        "只供显示，以材料编号为准（M9），与码表不同时留痕": (
            "for display, the number decides (M9); traced where the code list has another name"
        ),
        "只供显示，以区划代码为准（M8），与区划表不同时留痕": (
            "for display, the division's code decides (M8); traced where the table has another name"
        ),
        "只供显示，以区划代码为准（M8）": "for display, the division's code decides (M8)",
        "只供显示，以事项编码为准（M21）": "for display, the item's code decides (M21)",
        "以互认规则为准，与规则不同时记为有损（M16）": (
            "the recognition rule decides; another value is lossy (M16)"
        ),
        "个人编号只在本方有效（M11）": "a person's number counts on its own side only (M11)",
        # not written
        "网关不写后续报文的经办信息": "of follow-ups the gateway does not write who handled them",
        "清算利息已在 1998 年后账户累计之内（crossing §4.2）": (
            "settlement interest is already within the account since 1998 (crossing §4.2)"
        ),
        "对方没有收件标志": "the other side has no mark of receipt",
    }
)
