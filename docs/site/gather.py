"""Lays the pages out as the site needs them, in a folder of its own: both languages, pictures, the reference."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from docs.site.listing import listing
from docs.site.navigation import TABS
from docs.site.reference import GENERATED, IN_ENGLISH, PICTURES
from docs.site.words import in_one, joined, outside_blocks, with_bars, with_english_marks

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
#: Pages of the repository that are pages of the site too.
ADOPTED = {
    "mappings/README.md": "reference/rule-tables.md",
    "mappings/README.en.md": "reference/rule-tables.en.md",
    "adapters/README.md": "reference/adapters.md",
    "adapters/README.en.md": "reference/adapters.en.md",
    **{
        f"adapters/{file.parent.name}/{file.name}": f"reference/adapter-{file.parent.name}{language}.md"
        for language in ("", ".en")
        for file in sorted((ROOT / "adapters").glob(f"*/README{language}.md"))
    },
}
#: Folders whose pages are in English only.
ENGLISH_ONLY = ("decisions",)
_SUFFIXED = re.compile(r"\.(en|zh-CN|zh)(?=\.(?:png|svg)$)")
_LINK = re.compile(r"(!?)\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^)\s]+)\)")
#: What a page tells readers of the tree only.
_IN_THE_TREE = re.compile(r"(?m)^> In the repository .*\n\n")
#: The tree's link to the same page in the other language: the site has that in its head.
_OTHER_LANGUAGE = re.compile(r"[ \n]*(?:（|· )?\[(?:English|中文)\]\([^)]+\)）?")
_STILL_CHINESE = """!!! note "In Chinese for now"
    This page is written in Chinese; what matters most is said in English on it.

"""
_ENGLISH = '!!! note "本页为英文"\n    决定（ADR）只用英文书写。\n\n'


def sources() -> Iterator[tuple[Path, str]]:
    """Every page that goes into the site as it is written, and its address there."""
    for file in sorted(DOCS.rglob("*.md")):
        if "site" not in file.relative_to(DOCS).parts[:1] and file.name != "0000-template.md":
            yield file, file.relative_to(DOCS).as_posix()
    for name, uri in ADOPTED.items():
        yield ROOT / name, uri


def gather(into: Path) -> list[str]:
    """Fill the folder. Answer: addresses of pages that have no English of their own."""
    shutil.rmtree(into, ignore_errors=True)
    into.mkdir(parents=True)
    _pictures(into)
    untranslated = [uri for file, uri in sources() if _lay(into, file, uri)]
    for uri, page in GENERATED.items():
        _write(into / uri, page(False))  # noqa: FBT003 - in which language
        _write(into / _english(uri), with_english_marks(page(True)))  # noqa: FBT003
    _lists(into)
    return untranslated


def _pictures(into: Path) -> None:
    """Everything that is no page: pictures, and files a page gives to its reader."""
    for file in sorted(DOCS.rglob("*")):
        own = "site" in file.relative_to(DOCS).parts[:1] or "__pycache__" in file.parts
        if file.is_file() and file.suffix != ".md" and not own:
            _put(into / _renamed(file.relative_to(DOCS).as_posix()), file)
    for asset in sorted((DOCS / "site/assets").iterdir()):
        _put(into / "assets" / asset.name, asset)
    _put(into / "assets/mark.svg", ROOT / "gateway/dashboard/static/mark.svg")
    for uri, drawn in PICTURES.items():
        _write(into / uri, drawn())


def _lay(into: Path, file: Path, uri: str) -> bool:
    """One page in the languages it has; True when it has no English, and got a half of it."""
    text = file.read_text(encoding="utf-8")
    if uri.endswith(".en.md"):
        text = _IN_THE_TREE.sub("", text)
        _write(into / uri, with_english_marks(_ready(text, file, uri)))
        return False
    if uri.startswith(ENGLISH_ONLY):
        head, _, rest = text.partition("\n")
        _write(into / uri, _ready(f"{head}\n\n{_ENGLISH}{rest}", file, uri))
        _write(into / _english(uri), _ready(text, file, uri))
        return False
    if uri == "index.md":
        text = _with_lists(text)
    _write(into / uri, _ready(in_one(text, english=False), file, uri))
    if file.with_suffix(".en.md").exists():
        return False
    if _english(uri) in IN_ENGLISH:
        _write(into / _english(uri), IN_ENGLISH[_english(uri)]())
        return False
    _write(into / _english(uri), _ready(_half(text), file, uri))
    return True


def _with_lists(text: str) -> str:
    """The home page: its tables are for readers of the tree, here the lists are made from the pages."""
    parts = re.split(r"(?m)^(?=## )", text)
    kept = [part for part in parts if "\n| " not in part]
    made = [f"## {zh}\n\n<!-- pages: {folder} -->\n\n" for folder, zh, _ in TABS]
    return "".join([*kept, *made])


def _write(target: Path, text: str) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(with_bars(text) if target.suffix == ".md" else text, encoding="utf-8")


def _put(target: Path, source: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)


def _english(uri: str) -> str:
    return f"{uri.removesuffix('.md')}.en.md"


def _renamed(name: str) -> str:
    """A picture's language is part of its name: the site would take ``.en.`` for a translation of it."""
    return _SUFFIXED.sub(r"-\1", name)


def _half(text: str) -> str:
    """A page that has no English of its own: English headings, its English summary first."""
    head, _, rest = in_one(text, english=True).partition("\n")
    body, mark, summary = rest.partition("\n## In English\n")
    said = f"{summary.strip()}\n\n---\n" if mark else ""
    return f"{head}\n\n{_STILL_CHINESE}{said}{body}\n"


def _ready(text: str, file: Path, uri: str) -> str:
    """With links that hold in the site: pictures under their names there, the repository's files as words."""

    def link(found: re.Match[str]) -> str:
        picture, words, target = found[1], found[2], found[3]
        if re.match(r"[a-z]+:|#", target):
            return found[0]
        path, _, anchor = target.partition("#")
        full = Path(os.path.normpath(file.parent / path))
        name = full.relative_to(ROOT).as_posix() if full.is_relative_to(ROOT) else path
        here = ADOPTED.get(name) or (full.relative_to(DOCS).as_posix() if full.is_relative_to(DOCS) else None)
        if here is None or here.endswith("0000-template.md") or not (_known(here)):
            return words if words.startswith("`") else f"{words}（`{name}`）"
        there = os.path.relpath(_renamed(_as_source(here)), PurePosixPath(uri).parent)
        if picture and there.endswith(".png"):
            # of a page's picture little can be read beside the text: a click shows it as it is
            return f"[![{words}]({there})]({there})"
        return f"{picture}[{words}]({there}{'#' if anchor else ''}{anchor})"

    return joined(outside_blocks(text, lambda part: _LINK.sub(link, _OTHER_LANGUAGE.sub("", part))))


def _as_source(here: str) -> str:
    """A link names the page, the site finds the language."""
    return here.removesuffix(".en.md") + ".md" if here.endswith(".en.md") else here


def _known(here: str) -> bool:
    return here in GENERATED or here in PICTURES or here in ADOPTED.values() or (DOCS / here).exists()


def _lists(into: Path) -> None:
    """``<!-- pages: folder -->`` becomes the list of that folder's pages, each with its first sentence."""
    for page in sorted(into.glob("*.md")):
        parts = re.split(r"<!-- pages: ([\w-]+) -->", page.read_text(encoding="utf-8"))
        english = page.name.endswith(".en.md")
        parts[1::2] = [listing(into, folder, english=english) for folder in parts[1::2]]
        _write(page, "".join(parts))
