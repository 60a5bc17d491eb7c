"""Templates: one environment a language, with the figures and names every page uses."""

from __future__ import annotations

import functools
import hashlib
import json
from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import unquote

from jinja2 import Environment, PackageLoader, StrictUndefined, pass_context
from markupsafe import Markup

from gateway.canonical.kinds import Kind, State
from gateway.dashboard import marks
from gateway.dashboard.figures import NONE, Figures
from gateway.dashboard.navigation import PLAYGROUND, entries
from gateway.dashboard.texts import LANGUAGES, Language, catalog
from gateway.dashboard.texts.findings import told

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from jinja2.runtime import Context

    from gateway.exchange.entry import Staff
    from gateway.mapping.tables import Tables
    from gateway.region import Region

STATIC = resources.files("gateway.dashboard").joinpath("static")


class Names(Protocol):
    """Who knows what regions and items are called."""

    @property
    def regions(self) -> Mapping[str, Region]: ...
    @property
    def tables(self) -> Tables: ...


@dataclass(frozen=True, slots=True)
class Page:
    """What every template may ask about: whose page this is, where, and when."""

    rt: Names | None
    language: Language
    path: str
    now: datetime
    staff: Staff | None = None

    @property
    def csrf(self) -> str:
        """What a form must bring along."""
        return "" if self.staff is None else self.staff.csrf


def render(template: str, page: Page, context: Mapping[str, Any]) -> str:
    """A template's text. Errors: jinja2's own; a name nobody gave is one."""
    environment = _environment(page.language)
    return environment.get_template(template).render(
        page=page,
        entries=entries(page.staff, without=_absent(page.rt)),
        languages=LANGUAGES,
        role_names=marks.ROLES,
        **context,
    )


def _absent(rt: Names | None) -> frozenset[str]:
    """Rooms that the settings close."""
    settings: Any = getattr(rt, "settings", None)
    return frozenset({PLAYGROUND} if settings is not None and settings.playground.access == "off" else ())


def compile_ahead(templates: Iterable[str]) -> None:
    """Compiles templates in every language, as the first to ask would wait for it a few tenths of a second."""
    for template in templates:
        for language in LANGUAGES:
            _environment(language).get_template(template)


@functools.cache
def _environment(language: Language) -> Environment:
    environment = Environment(
        loader=PackageLoader("gateway.dashboard"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
        extensions=["jinja2.ext.i18n"],
    )
    texts = catalog(language)
    environment.install_gettext_callables(  # type: ignore[attr-defined]
        texts.gettext, texts.ngettext, newstyle=True
    )
    figures = Figures(language)
    environment.filters |= figures.filters()
    environment.filters["ago"] = pass_context(lambda context, at: figures.ago(at, context["page"].now))
    environment.filters["told"] = pass_context(
        lambda context, text: told(text, language, getattr(context["page"].rt, "regions", ()))
    )
    environment.filters["json"] = lambda value: json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    environment.filters["unquote"] = unquote
    environment.globals |= {
        "asset": asset,
        "icon": icon,
        "NONE": NONE,
        "state_mark": marks.state_mark,
        "state_name": lambda code: texts.gettext(State(code).label),
        "kind_name": lambda code: texts.gettext(Kind(code).label),
        "region_name": pass_context(_region_name),
        "item_name": pass_context(_item_name),
    }
    return environment


def _region_name(context: Context, slug: str) -> str:
    page: Page = context["page"]
    return region_name(page.rt, page.language, slug)


def region_name(rt: Names | None, language: Language, slug: str) -> str:
    """A region as people call it; in English by its slug, which is its name in pinyin."""
    if rt is None or slug not in rt.regions:
        return slug
    return rt.regions[slug].name if language == "zh" else slug.title()


def _item_name(context: Context, code: str) -> str:
    page: Page = context["page"]
    if page.rt is None or not code:
        return NONE
    return item_name(page.rt, code, page.now, page.language)


def item_name(rt: Names, code: str, now: datetime, language: Language) -> str:
    """The name of an item in the catalogue; its code when it has none."""
    return marks.item_names(rt.tables, now, language).get(code, code)


@functools.cache
def _digest(path: str) -> str:
    return hashlib.sha256(STATIC.joinpath(path).read_bytes()).hexdigest()[:12]


def asset(path: str) -> str:
    """The address of a file of ours; it names the content, so that browsers may keep it for good."""
    return f"/ops/static/{path}?v={_digest(path)}"


@functools.cache
def icon(name: str, label: str = "") -> Markup:
    """An icon within the text; with a label it speaks, else the words beside it do."""
    svg = STATIC.joinpath("vendor", "icons", f"{name}.svg").read_text("utf-8")
    spoken = f'role="img" aria-label="{Markup.escape(label)}"' if label else 'aria-hidden="true"'
    return Markup(svg.strip().replace("<svg", f"<svg {spoken}", 1).replace("\n", " "))  # noqa: S704 - our file
