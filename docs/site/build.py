"""Builds the site: gathered pages in, HTML out, every warning an error."""

from __future__ import annotations

import contextlib
import json
import logging
import re
from typing import TYPE_CHECKING

import jieba
from mkdocs.commands.build import build as mkdocs_build
from mkdocs.config import load_config
from mkdocs.exceptions import Abort

from docs.site.gather import ENGLISH_ONLY, ROOT, gather
from docs.site.navigation import Navigation

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path


class CannotBuild(Exception):  # noqa: N818 - what happened
    """A page is not as it must be; each line names it."""


class _Told(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


def build(site: Path, pages: Path) -> Sequence[str]:
    """Build into ``site`` by way of ``pages``. Answer: pages without English. Errors: `CannotBuild`."""
    untranslated = gather(pages)
    jieba.setLogLevel(logging.WARNING)
    navigation = Navigation(pages)
    tree = navigation.tree()
    told = _Told()
    logger = logging.getLogger("mkdocs")
    logger.addHandler(told)
    logger.setLevel(logging.WARNING)
    try:
        config = load_config(
            str(ROOT / "mkdocs.yml"), docs_dir=str(pages), site_dir=str(site), nav=tree, strict=True
        )
        for language in config.plugins["i18n"].config.languages:
            if language.locale == "en":
                language.nav_translations = navigation.english
        # the list of words is named from the root
        with contextlib.chdir(ROOT):
            config.plugins.on_startup(command="build", dirty=False)
            mkdocs_build(config)
            config.plugins.on_shutdown()
    except Abort:
        raise CannotBuild("\n".join(told.lines)) from None
    finally:
        logger.removeHandler(told)
    if told.lines:
        raise CannotBuild("\n".join(told.lines))
    _search_in_one_language(site)
    _name_the_search(site)
    return untranslated


#: The theme asks for one index; each language gets its own.
_LANGUAGES = ("zh", "en")
_ONE_INDEX = re.compile(r'"search/search_index\.(json|js)"')


def _search_in_one_language(site: Path) -> None:
    """A reader finds pages in his own language, from the disk and from a server. Errors: `CannotBuild`."""
    whole = json.loads((site / "search/search_index.json").read_text(encoding="utf-8"))
    for language in _LANGUAGES:
        docs = {own["location"]: own for found in whole["docs"] for own in _own(language, found)}
        text = json.dumps({**whole, "docs": [*docs.values()]}, ensure_ascii=False, separators=(",", ":"))
        (site / f"search/{language}.json").write_text(text, encoding="utf-8")
        (site / f"search/{language}.js").write_text(f"var __index = {text}", encoding="utf-8")
    for suffix in ("json", "js"):
        (site / f"search/search_index.{suffix}").unlink()
    (program,) = (site / "assets/javascripts").glob("bundle.*.min.js")
    text, asked = _ONE_INDEX.subn(
        r"`search/${document.documentElement.lang}.\1`", program.read_text(encoding="utf-8")
    )
    if asked != len(("json", "js")):
        msg = f"{program.name} asks for its search index in another way than before: see docs/site/build.py"
        raise CannotBuild(msg)
    program.write_text(text, encoding="utf-8")


_DIALOG = 'data-md-component="search" role="dialog"'


def _name_the_search(site: Path) -> None:
    """The theme's search is a dialogue without a name: a screen reader says none. Errors: `CannotBuild`."""
    for page in site.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        if _DIALOG not in text:
            msg = f"{page.name}: the search is marked in another way than before: see docs/site/build.py"
            raise CannotBuild(msg)
        name = "Search" if '<html lang="en"' in text else "搜索"
        page.write_text(text.replace(_DIALOG, f'{_DIALOG} aria-label="{name}"'), encoding="utf-8")


def _own(language: str, found: dict[str, str]) -> Iterator[dict[str, str]]:
    """An entry of the index as readers of a language get it, or nothing."""
    location = found["location"]
    if language == "zh":
        if not location.startswith("en/"):
            yield found
    elif location.startswith("en/"):
        yield found
    elif location.startswith(ENGLISH_ONLY):
        yield {**found, "location": f"en/{location}"}
