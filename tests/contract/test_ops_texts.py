"""Everything the dashboard says is said in English too, and nothing is kept that is no longer said."""

import csv
import re
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_file
from babel.messages.pofile import read_po
from finding_texts import sentences

from gateway import dashboard
from gateway.canonical.kinds import Kind, State
from gateway.dashboard.texts import catalog, preferred
from gateway.exchange import entry, releasing
from gateway.mapping import canonical_lines
from gateway.mapping.rule_texts import RULES

HOME = Path(dashboard.__file__).parent
CATALOGUE = HOME.parents[1] / "mappings/items/catalogue.csv"
KEYWORDS = {"_": None, "N_": None, "say": None, "gettext": None, "ngettext": (1, 2)}
TEMPLATES = ("jinja2.ext:babel_extract", {"trim_blocks": "true", "lstrip_blocks": "true", "silent": "false"})
HOLE = re.compile(r"%\((\w+)\)")


def said():
    """Every text of pages and templates: (text, where)."""
    for file in [*HOME.rglob("*.py"), *HOME.rglob("*.html")]:
        method, options = ("python", {}) if file.suffix == ".py" else TEMPLATES
        for line, message, *_ in extract_from_file(method, file, keywords=KEYWORDS, options=options):
            for text in [message] if isinstance(message, str) else message:
                if text:
                    yield text, f"{file.relative_to(HOME)}:{line}"
    yield from said_below()


def said_below():
    """What pages show of the layers below them."""
    for each in [*State, *Kind]:
        yield each.label, "canonical/kinds.py"
    for text in (entry.NOT_ADMITTED, entry.TOO_MANY):
        yield text, "exchange/entry.py"
    for text in releasing.SENTENCES:
        yield text, "exchange/releasing.py"
    for text, where in sentences().items():
        if any(each.startswith("gateway/") for each in where):
            yield text, where[0]
    for row in csv.DictReader(CATALOGUE.read_text("utf-8").splitlines()):
        yield row["name"], "mappings/items/catalogue.csv"
    for text in (*RULES.values(), canonical_lines._KEPT, canonical_lines._OURS):
        yield text, "mapping/rule_texts.py"


def translated():
    for file in sorted((HOME / "texts" / "en").glob("*.po")):
        with file.open("rb") as read:
            for message in read_po(read, locale="en"):
                if message.id:
                    yield message, f"{file.name}:{message.lineno}"


def test_every_text_has_its_english():
    known = {
        part
        for message, _ in translated()
        for part in ([message.id] if isinstance(message.id, str) else message.id)
        if all([message.string] if isinstance(message.string, str) else message.string)
    }
    assert sorted({f"{text} ({where})" for text, where in said() if text not in known}) == []


def test_no_english_stands_for_a_text_nobody_says():
    texts = {text for text, _ in said()}
    left = [
        f"{where}: {message.id}"
        for message, where in translated()
        if (message.id if isinstance(message.id, str) else message.id[0]) not in texts
    ]
    assert left == []


def test_a_text_and_its_english_have_the_same_holes():
    wrong = [
        where
        for message, where in translated()
        if isinstance(message.id, str) and set(HOLE.findall(message.id)) != set(HOLE.findall(message.string))
    ]
    assert wrong == []


def test_a_text_has_one_english_wherever_it_is_said():
    english = {}
    for message, _ in translated():
        english.setdefault(str(message.id), set()).add(str(message.string))
    assert {text: found for text, found in english.items() if len(found) > 1} == {}


@pytest.mark.parametrize(
    ("wanted", "given"),
    [(["en-us", "zh"], "en"), (["fr", "zh-cn"], "zh"), ([], "zh"), (["fr"], "zh")],
)
def test_the_first_language_there_is_wins_and_chinese_is_the_last_resort(wanted, given):
    assert preferred(wanted) == given


def test_chinese_is_said_as_written():
    assert catalog("zh").gettext("总览") == "总览"
    assert catalog("en").gettext("总览") == "Overview"


def test_templates_hold_nothing_that_the_policy_of_the_pages_forbids():
    forbidden = re.compile(
        r"\sstyle=|\son\w+=|hx-on|javascript:|<script(?![^>]*\ssrc=)|https?://(?!www\.w3\.org)"
    )
    found = [
        f"{file.relative_to(HOME)}: {match.group().strip()}"
        for file in HOME.rglob("*.html")
        for match in forbidden.finditer(file.read_text("utf-8"))
    ]
    assert found == []
