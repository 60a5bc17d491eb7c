"""The messages of sichuan 6: which members there are, and what a receiver can see of their values."""

import re
from decimal import Decimal

from endpoint.common import identity_good, no_such_day

PERSON = "aac058! aac147! aac004 aac005 aac006 aac161 aac009 aac010 "
HEAD = "fwid! aaz002! affairCode! cytbh param! "
APPLY = HEAD + "itemCode! aae011! aae414! yab003! accept_source! aac001! aac002! aac003!"
FOLLOW = HEAD + "aae011 aae414 yab003"
SHAPES = {  # kind: (members of the message, members of param); ! = mandatory (sichuan 6)
    "tbzy0001": (
        APPLY,
        PERSON
        + "aae005 aae140! aac070! aae173 aae035! aae036 aab299! aab301! lxh yac519 yac250! yac256 yac251"
        " clist! aae013",
    ),
    "tbzy0002": (
        FOLLOW + " aac002! aac003!",
        "aae140! aac049! aae030! aae031! aae201! aae200! ic91! aic093! aic089! aic082! aic083! aic084! aic102! aae013",
    ),
    "tbsy0001": (
        APPLY,
        PERSON
        + "aac067 aae035! aae036 aab299! aab301! aae140! aab004 aab998 ajc090! abc916 abc917! aae043 sldbz!"
        " aae145! aaf200 aae008 aae009 aae010 clist! aae013",
    ),
    "tbsy0002": (FOLLOW, "aae140! ajc071! ajc072! ajc097! ajc099! ajc061! aae019! aae041! aae042! aae013"),
    "tbrz0001": (
        APPLY + " csk084a1",
        PERSON + "aac067 aae140! aac060! bic162! aae036! rzfs! aab301! aab299! aae013",
    ),
    "tbty0001": (
        APPLY,
        PERSON + "sqrlx! sjbz aac067 aae035! aae036 aab299! aab301! aae140 aab004 aab998 ywxx clist aae013",
    ),
    "tbzt0001": (FOLLOW, "blzt! blsj! blyy tbcx"),
    "tbbz0001": (FOLLOW, "bzsj! clist! aae013"),
    "tbch0001": (FOLLOW, "chsj! chyy!"),
    "tbpj0001": (FOLLOW, "pjdj! pjnr pjqd! pjsj!"),
}
PARTS = {
    "lxh": "aae270! aac155 aac080 aae009 aac078 aae006 aae007 aae005",
    "clist": "clbm! clmc! sqfs! dzzz! zzbs wjbs",
    "ywxx": "name! value!",
    "ic91": "aab299! aae001! aae041! aae042! aae202! aae180! yae181 aaa041! aae264! aae265! aae273!",
}
DAYS = ("aac006", "aae030", "aae031", "aae035", "aae036", "aae043", "abc916", "ajc090", "bic162")
LENGTHS = {"clist": 50, "ywxx": 50, "ic91": 60}
WHOLE, DECIMAL = (int, str), (int, Decimal)
CHECKED = (  # members checked more closely than "text": names, form of str(value), JSON types allowed
    ("affairCode", r"51\d{4}-\d{8}-\d{6}", (str,)),
    ("aaz002", r"SC\d{15,20}|TB\d{18}", (str,)),
    ("cytbh", r"CYTB5[01]\d{20}", (str,)),
    ("itemCode", r"[0-9A-Z]{12,14}-51\d{10}-\d{3}-[0-9A-Z]{18}-\d-\d\d", (str,)),
    ("aac001", r"\d{0,20}", (str,)),
    ("aae036 blsj bzsj chsj pjsj", r"\d{14}", (str,)),
    ("aac006 aae030 aae031 aae035 aae043 abc916 ajc090 bic162", r"\d{8}", WHOLE),
    ("aac049 aae041 aae042", r"\d{4}(0[1-9]|1[0-2])", WHOLE),
    ("aae001 aae200 aae201 aae202 ajc071 ajc072 ajc097 ajc099", r"\d{1,4}(\.0+)?", DECIMAL),
    ("aae019 aae180 aae264 aae265 aae273 ajc061 yae181", r"\d{1,10}(\.\d{1,2}0*)?", DECIMAL),
    ("aic082 aic083 aic084 aic089 aic093 aic102", r"\d{1,10}(\.\d{1,2}0*)?", DECIMAL),
    ("aaa041", r"0(\.\d{1,4}0*)?|1(\.0+)?", DECIMAL),
    ("blzt accept_source aac058 rzfs aae145", r"\d\d", (str,)),
    ("aac070 sldbz sqrlx pjdj pjqd sqfs dzzz tbcx sjbz aac060", r"\d", (str,)),
    ("yab003 aab301", r"51\d{4}", (str,)),
    ("aab299", r"\d{6}", (str,)),
)
FORMS = {name: (f"(?a){form}", types) for names, form, types in CHECKED for name in names.split()}
TEXT = (r"(?s)(?!\s)[^\x00-\x09\x0b-\x1f\x7f-\x9f\ue000-\uf8ff]{1,1000}(?<!\s)", (str,))


def check_members(node, shape, path, found):
    """Appends a finding for each member that is missing, unknown or of the wrong form."""
    names = {word.rstrip("!"): word.endswith("!") for word in shape.split()}
    for name, mandatory in names.items():
        if mandatory and (name not in node or (node[name] == "" and name != "aac001")):
            found.append((path + name, "9042", "缺少必填项"))
    for name, value in node.items():
        here = path + name
        if name not in names:
            found.append((here, "9042", "未约定的数据项"))
        elif name == "param":
            continue
        elif name in PARTS:
            check_part(name, value, here, found)
        elif value != "" or name == "aac001":
            form, types = FORMS.get(name, TEXT)
            if type(value) not in types or not re.fullmatch(form, str(value)):
                found.append((here, "9042", "类型或格式不符"))


def check_part(name, value, here, found):
    if name == "lxh":
        entries = [(value, here)]
    elif not isinstance(value, list) or len(value) > LENGTHS[name]:
        return found.append((here, "9042", f"must be a list of at most {LENGTHS[name]}"))
    else:
        entries = [(entry, f"{here}[{i}]") for i, entry in enumerate(value)]
    for entry, place in entries:
        if isinstance(entry, dict):
            check_members(entry, PARTS[name], place + ".", found)
        else:
            found.append((place, "9042", "must be an object"))
    return None


def check_shape(message):
    found = []
    outer, inner = SHAPES[message["fwid"]]
    check_members(message, outer, "", found)
    if isinstance(message.get("param"), dict):
        check_members(message["param"], inner, "param.", found)
    elif "param" in message:
        found.append(("param", "9042", "must be an object"))
    return found


def check_values(message, *, checks_digit=True, checks_days=True):
    """Value rules a receiver can see without tables (crossing 2 and 5.1)."""
    found, param = [], message["param"]
    dated = [name for name in DAYS if checks_days and no_such_day(param.get(name, ""))]
    found += [(f"param.{name}", "9043", "没有这一天") for name in dated]
    if "aac147" in param and message["aac002"].upper() != param["aac147"].upper():
        found.append(("param.aac147", "9043", "与 aac002 不一致"))
    if checks_digit and param.get("aac058") == "01" and not identity_good(param["aac147"].upper()):
        found.append(("param.aac147", "9043", "证件号码校验位不符"))
    if param.get("blzt") in ("02", "04", "07", "10") and not param.get("blyy"):
        found.append(("param.blyy", "9043", "此状态须填原因"))
    if "blzt" in param:
        allowed = {"06": ("", "4"), "08": ("1", "2", "3", "5")}.get(param["blzt"], ("",))
        if param.get("tbcx", "") not in allowed:
            found.append(("param.tbcx", "9043", "与办件状态不符"))
    if "aic102" in param and (
        param["aic083"] != param["aic093"] + param["aic089"] + param["aic082"]
        or param["aic102"] != param["aic083"] + param["aic084"]
    ):
        found.append(("param.aic102", "9043", "合计不符"))
    return found
