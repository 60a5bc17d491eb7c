"""Every sentence a finding can say, read from the source: what flows into a finding's text, through any function.

A hole of an f-string is written ``%(name)s``, by the last name in it.
"""

import ast
import re
from functools import cache
from itertools import pairwise
from pathlib import Path

ROOT = Path(__file__).parents[1]
#: where sentences of findings are made, and those of the regions
PLACES = ("gateway/canonical", "gateway/exchange", "gateway/formats", "gateway/mapping", "adapters")
#: What takes a finding's text: by name, the place among its arguments and the keyword.
SINKS = {
    "Finding": (2, "text"),
    "Fault": (0, "text"),
    "refuse": (1, "text"),
    "park": (2, "text"),
    "Unreadable": (0, "reason"),
    "Conflict": (1, "text"),
    "Ignored": (1, "text"),
    "BadContext": (0, "text"),
    "Converter": (3, "hint"),
    "_note": (0, "text"),
}
HAN = re.compile("[\u4e00-\u9fff]")
#: what a parameter that is a sentence is called here; any other is a value within one
_SPOKEN = {"text", "hint", "reason"}
_NAME = re.compile(r"[A-Za-z_]\w*")


@cache
def _trees():
    files = sorted(file for place in PLACES for file in (ROOT / place).rglob("*.py"))
    return {file: ast.parse(file.read_text("utf-8")) for file in files if "drafts" not in file.parts}


@cache
def _functions():
    """Every function, with the file it is in."""
    return [
        (file, node)
        for file, tree in _trees().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef)
    ]


@cache
def _assigned():
    """What is assigned to a name: by (file, name), and by name alone for what is imported."""
    found = {}
    for file, tree in _trees().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Assign):
                pairs = [(target, node.value) for target in node.targets]
            elif isinstance(node, ast.AnnAssign) and node.value:
                pairs = [(node.target, node.value)]
            else:
                continue
            for target, value in pairs:
                if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
                    pairs += zip(target.elts, value.elts, strict=True)
                elif isinstance(target, ast.Name):
                    found.setdefault((file, target.id), []).append((file, value))
                    found.setdefault(target.id, []).append((file, value))
    return found


def _opens_quote(before):
    return isinstance(before, ast.Constant) and before.value.endswith("“")


def _hole(value):
    plain = re.sub(r"'[^']*'", "", ast.unparse(value))
    return f"%({_NAME.findall(plain)[-1]})s"


def _pieces(file, node):
    """The words a hole can be filled with, as far as they stand beside it."""
    if isinstance(node, ast.Name):
        for _, value in _assigned().get((file, node.id), ()):
            yield from (part.value for part in ast.walk(value) if isinstance(part, ast.Constant))


def _texts(file, node):
    """The sentences an expression can be; a parameter or a member of something made elsewhere is none."""
    match node:
        case ast.Constant(value=str() as text):
            yield text
        case ast.JoinedStr(values=values):
            yield from _joined(file, values)
        case ast.IfExp() | ast.Dict() | ast.Tuple() | ast.Subscript():
            for each in _within(node):
                yield from _texts(file, each)
        case ast.Name(id=name):
            known = _assigned()
            for where, value in known.get((file, name)) or known.get(name, ()):
                yield from _texts(where, value)
        case ast.Call(func=ast.Name(id=name)):
            for where, value in _returned(name):
                yield from _texts(where, value)


def _within(node):
    if isinstance(node, ast.IfExp):
        return [node.body, node.orelse]
    if isinstance(node, ast.Subscript):
        return [node.value]
    return node.values if isinstance(node, ast.Dict) else node.elts


def _joined(file, values):
    yield "".join(each.value if isinstance(each, ast.Constant) else _hole(each.value) for each in values)
    for before, each in pairwise([None, *values]):
        # a quoted word is the message's own, and stays as it is
        if isinstance(each, ast.FormattedValue) and not _opens_quote(before):
            yield from _pieces(file, each.value)


def _returned(name):
    return [
        (file, each.value)
        for file, function in _functions()
        if function.name == name
        for each in ast.walk(function)
        if isinstance(each, ast.Return) and each.value is not None
    ]


def _called(node):
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


def _given(node, sink):
    place, keyword = sink
    if len(node.args) > place:
        return node.args[place]
    return next((each.value for each in node.keywords if each.arg == keyword), None)


def _names(given):
    """The names a text is, or is made with."""
    holes = given.values if isinstance(given, ast.JoinedStr) else [given]
    plain = [each.value if isinstance(each, ast.FormattedValue) else each for each in holes]
    return [each.id for each in plain if isinstance(each, ast.Name)]


@cache
def _sinks():
    """`SINKS`, and every function that hands a parameter of its own on to one."""
    found = dict(SINKS)
    while True:
        more = {
            function.name: (names.index(name), name)
            for _, function in _functions()
            if function.name not in found
            for names in [[arg.arg for arg in function.args.args + function.args.kwonlyargs]]
            for node in ast.walk(function)
            if isinstance(node, ast.Call) and _called(node) in found
            for given in [_given(node, found[_called(node)])]
            for name in _names(given)
            if name in names and name in _SPOKEN
        }
        if not more:
            return found
        found |= more


@cache
def sentences():
    """Sentence → the places it is said at."""
    found = {}
    for file, tree in _trees().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and _called(node) in _sinks():
                given = _given(node, _sinks()[_called(node)])
                for text in _texts(file, given) if given is not None else ():
                    if isinstance(text, str) and HAN.search(text):
                        found.setdefault(text, []).append(f"{file.relative_to(ROOT)}:{node.lineno}")
    return found
