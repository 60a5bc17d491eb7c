"""What the gateway says, found in its sources: which sentences go with which code."""

from __future__ import annotations

import ast
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

from gateway.web.problem import CODES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ROOT = Path(__file__).parents[3]
#: where senders and clients are told; rehearsals and pages say other things
SPEAKERS = ("gateway", "adapters")
SILENT = ("conformance", "dashboard", "simulated.py", "cli")
#: of a finding that names no code
_DEFAULT = "9043"


def sentences() -> tuple[dict[str, tuple[str, ...]], dict[str, tuple[str, ...]]]:
    """Code → what is said with it, of messages and of the API; found in the sources."""
    messages: dict[str, dict[str, None]] = defaultdict(dict)
    problems: dict[str, dict[str, None]] = defaultdict(dict)
    trees = [ast.parse(file.read_text(encoding="utf-8")) for file in _speakers()]
    known = _Names(trees)
    for tree in trees:
        for told, sentence in known.told(tree):
            (problems if told in CODES else messages)[told][sentence] = None
    return {k: tuple(v) for k, v in messages.items()}, {k: tuple(v) for k, v in problems.items()}


def codes() -> set[str]:
    """Every four-digit code a sender may be told, as the sources have it."""
    return {
        node.value
        for file in _speakers()
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and _is_code(node.value)
    }


def _is_code(text: str) -> bool:
    return len(text) == 4 and text.isdigit() and text[:2] in {"10", "11", "90"}


def _speakers() -> list[Path]:
    return [
        file
        for folder in SPEAKERS
        for file in sorted((ROOT / folder).rglob("*.py"))
        if not any(word in file.parts for word in SILENT)
    ]


class _Names:
    """What names stand for: constants of modules, what a short function returns, what a local was set to."""

    def __init__(self, trees: list[ast.Module]) -> None:
        self.texts: dict[str, list[str]] = defaultdict(list)
        for tree in trees:
            for statement in tree.body:
                self._learn(statement, self.texts)
            for node in ast.walk(tree):
                if isinstance(node, ast.FunctionDef) and isinstance(node.body[-1], ast.Return):
                    self.texts[f"{node.name}()"] += self._of(node.body[-1].value, {})

    def _learn(self, node: ast.AST, into: dict[str, list[str]]) -> None:
        if not isinstance(node, ast.Assign):
            return
        for target in node.targets:
            values = node.value.elts if isinstance(node.value, ast.Tuple) else [node.value]
            names = target.elts if isinstance(target, ast.Tuple) else [target]
            if len(names) == len(values):
                for name, value in zip(names, values, strict=True):
                    if isinstance(name, ast.Name):
                        into.setdefault(name.id, []).extend(self._of(value, into))

    def _of(self, node: ast.AST | None, local: Mapping[str, list[str]]) -> list[str]:
        match node:
            case ast.Constant(value=str(text)):
                return [text]
            case ast.JoinedStr():
                return ["".join(str(p.value) if isinstance(p, ast.Constant) else "…" for p in node.values)]
            case ast.Name():
                return local.get(node.id) or self.texts.get(node.id, [])
            case ast.IfExp():
                return self._of(node.body, local) + self._of(node.orelse, local)
            case ast.Call(func=ast.Name(id=name)):
                return self.texts.get(f"{name}()", [])
        return []

    def told(self, tree: ast.Module) -> Iterator[tuple[str, str]]:
        """(code, sentence) of every call and every table that has both side by side."""
        for scope in (
            tree,
            *(n for n in ast.walk(tree) if isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef))),
        ):
            local: dict[str, list[str]] = {}
            for node in ast.walk(scope) if scope is not tree else ():
                self._learn(node, local)
            for node in ast.walk(scope):
                if isinstance(node, ast.Call):
                    yield from self._call(node, local)
                elif isinstance(node, ast.Dict):
                    yield from self._table(node)

    def _call(self, node: ast.Call, local: Mapping[str, list[str]]) -> Iterator[tuple[str, str]]:
        said = [self._of(arg, local) for arg in node.args]
        found = [text for texts in said for text in texts]
        sentences = [text for text in found if _is_sentence(text)]
        named = [text for text in found if _is_code(text) or text in CODES]
        if (
            not named
            and isinstance(node.func, ast.Attribute)
            and node.func.attr == "refuse"
            and len(said) == 2
        ):
            named = [_DEFAULT]
        if len(set(named)) == 1:
            yield from ((named[0], sentence) for sentence in sentences)

    def _table(self, node: ast.Dict) -> Iterator[tuple[str, str]]:
        for key, value in zip(node.keys, node.values, strict=True):
            for name in self._of(key, {}):
                # what to do about a peer's refusal is told in a chapter of its own
                yield from (
                    (name, text)
                    for text in self._of(value, {})
                    if _is_code(name) and _is_sentence(text) and not text.startswith(("核对", "对方", "双方"))
                )


def _is_sentence(text: str) -> bool:
    return any("一" <= letter <= "鿿" for letter in text) and len(text) > 4
