"""Cases, the words for their states, and what a follow-up does to one."""

from dataclasses import dataclass, field

from endpoint.common import COLUMNS, KEPT_BY_ORIGIN, MATRIX, OPEN, RefusedError

STATES = {  # BJZT/TBCXZL/BJJG: state (crossing 5.1)
    "待办理//": "10",
    "待补正//": "11",
    "已受理//": "20",
    "不予受理//": "21",
    "已撤回//": "23",
    "办理中//": "30",
    "已转出//": "30",
    "挂起/补正/": "31",
    "挂起/延长/": "32",
    "挂起/鉴定/": "32",
    "挂起/听证/": "32",
    "挂起/实地核查/": "32",
    "办理中/协查/": "33",
    "已办结//准予": "40",
    "已退件//": "41",
    "已办结//不予": "41",
    "已送达//": "50",
}
REASON = ("待补正//", "不予受理//", "挂起/补正/", "已退件//", "已办结//不予")
ENDING = ("已办结", "已退件", "已送达")


@dataclass
class Case:
    number: str
    kind: str
    role: str  # target: the application came from the gateway; origin: the case started here
    message: dict = field(default_factory=dict)
    state: str = "22"
    before: str = ""  # the state before a report of our own that has no receipt yet
    last_report: str = ""
    last_words: str = ""
    rated: bool = False
    handed_over: bool = False
    effects: list = field(default_factory=list)


def words_of(values):
    return "/".join(values.get(name, "") for name in ("BJZT", "TBCXZL", "BJJG"))


def report(case, values):
    words, at = words_of(values), values["BJSJ"]
    state = STATES[words]
    if case.kind == "ZGRZ_TZ" and state != "50":
        raise RefusedError(409, "9022", "资格认证只接受送达状态")
    if case.role == "target" and not case.handed_over and state not in KEPT_BY_ORIGIN:
        raise RefusedError(409, "9023", "本阶段无权报告此状态")
    if at < case.last_report:
        return "IGNORED 1101 report older than the state held"
    move = MATRIX[case.state][COLUMNS.index(state)]
    if move == "I" and state == case.state and state in ("30", "32") and words != case.last_words:
        move = "A"
    if move == "C":
        raise RefusedError(409, "9022", f"状态 {state} 不能接在 {case.state} 之后")
    if move == "I":
        return f"IGNORED {'1102 state already held' if state == case.state else '1101 older than the state held'}"
    case.state, case.last_report, case.last_words = state, at, words
    return ""


def supplement(case, _values):
    if case.state not in ("11", "31"):
        raise RefusedError(409, "9022", "当前不等待补正")
    case.state = {"11": "10", "31": "30"}[case.state]
    return ""


def withdraw(case, _values):
    if case.role == "origin":
        raise RefusedError(409, "9023", "只有受理地可以撤回")
    if case.state not in OPEN and case.before not in OPEN:
        raise RefusedError(409, "9022", "已不能撤回")
    case.state = "23"
    return ""


def rate(case, _values):
    if case.role == "origin":
        raise RefusedError(409, "9023", "只有受理地可以评价")
    if case.rated:
        raise RefusedError(409, "9024", "已评价")
    if case.state not in ("40", "41", "50"):
        raise RefusedError(409, "9022", "尚未办结")
    case.rated, case.state = True, "60"
    return ""


def hand_over(case, _values):
    if case.handed_over or case.state not in OPEN:
        raise RefusedError(409, "9022", "信息表或答复只接受一次，且须在办结之前")
    case.handed_over, case.state = True, "30"
    return ""


FOLLOW_UPS = {
    "ZT_TZ": report,
    "BZ_CL": supplement,
    "CH_SQ": withdraw,
    "PJ_TS": rate,
    "YLZY_XXB": hand_over,
    "SYJ_HF": hand_over,
}
