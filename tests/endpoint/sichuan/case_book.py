"""Cases, and what a follow-up does to one."""

from dataclasses import dataclass, field

from endpoint.common import COLUMNS, KEPT_BY_ORIGIN, MATRIX, OPEN, RefusedError

WORDS = ("01", "02", "03", "04", "05", "06", "07", "08", "09", "10", "11")
STATES = dict(zip(WORDS, ("10", "11", "20", "21", "23", "30", "31", "32", "40", "41", "50"), strict=True))


@dataclass
class Case:
    number: str
    cytbh: str
    kind: str
    role: str  # target: the application came from the gateway; origin: the case started here
    message: dict = field(default_factory=dict)
    state: str = "22"
    before: str = ""  # the state before a report of our own that has no receipt yet
    last_report: str = ""
    last_words: tuple = ()
    rated: bool = False
    handed_over: bool = False
    effects: list = field(default_factory=list)


def report(case, param):
    state, at, words = STATES.get(param["blzt"], ""), param["blsj"], (param["blzt"], param.get("tbcx", ""))
    if param["blzt"] == "06" and param.get("tbcx") == "4":
        state = "33"
    if state not in COLUMNS:
        raise RefusedError(422, "9043", "unknown state", [("param.blzt", "9043", "unknown state")])
    if case.kind == "tbrz0001" and state != "50":
        raise RefusedError(409, "9022", "资格认证只接受送达状态")
    if case.role == "target" and not case.handed_over and state not in KEPT_BY_ORIGIN:
        raise RefusedError(409, "9023", "本阶段无权报告此状态")
    if at < case.last_report:
        return "IGNORED 1101 report older than the state held"
    move = MATRIX[case.state][COLUMNS.index(state)]
    if move == "I" and state == case.state == "32" and words != case.last_words:
        move = "A"
    if move == "C":
        raise RefusedError(409, "9022", f"report {state} does not follow state {case.state}")
    if move == "I":
        return f"IGNORED {'1102 state already held' if state == case.state else '1101 older than the state held'}"
    case.state, case.last_report, case.last_words = state, at, words
    return ""


def supplement(case, _param):
    if case.state not in ("11", "31"):
        raise RefusedError(409, "9022", "no supplement is awaited")
    case.state = {"11": "10", "31": "30"}[case.state]
    return ""


def withdraw(case, _param):
    if case.role == "origin":
        raise RefusedError(409, "9023", "only the origin withdraws")
    if case.state not in OPEN and case.before not in OPEN:
        raise RefusedError(409, "9022", "too late to withdraw")
    case.state = "23"
    return ""


def rate(case, _param):
    if case.role == "origin":
        raise RefusedError(409, "9023", "only the origin rates")
    if case.rated:
        raise RefusedError(409, "9024", "already rated")
    if case.state not in ("40", "41", "50"):
        raise RefusedError(409, "9022", "not concluded")
    case.rated, case.state = True, "60"
    return ""


def hand_over(case, _param):
    if case.handed_over or case.state not in OPEN:
        raise RefusedError(409, "9022", "sheet or answer comes once and before the end")
    case.handed_over, case.state = True, "30"
    return ""


FOLLOW_UPS = {
    "tbzt0001": report,
    "tbbz0001": supplement,
    "tbch0001": withdraw,
    "tbpj0001": rate,
    "tbzy0002": hand_over,
    "tbsy0002": hand_over,
}
