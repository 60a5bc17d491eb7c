"""Builds the site: gathered pages in, HTML out, every warning an error."""

from __future__ import annotations

import contextlib
import logging
from typing import TYPE_CHECKING

import jieba
from mkdocs.commands.build import build as mkdocs_build
from mkdocs.config import load_config
from mkdocs.exceptions import Abort

from docs.site.gather import ROOT, gather
from docs.site.navigation import Navigation

if TYPE_CHECKING:
    from collections.abc import Sequence
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
    return untranslated


#: Pages in English only are found from either language.
_ONE_LANGUAGE = """;
__index.docs = __index.docs.filter(function (found) {
  var english = /^en\\//.test(found.location);
  return document.documentElement.lang === "en" ? english || /^decisions\\//.test(found.location) : !english;
});
"""


def _search_in_one_language(site: Path) -> None:
    """A page opened from the disk finds what is in its own language; the plugin knows one index for all."""
    index = site / "search/search_index.js"
    index.write_text(index.read_text(encoding="utf-8") + _ONE_LANGUAGE, encoding="utf-8")
