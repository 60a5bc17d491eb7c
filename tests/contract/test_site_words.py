"""What the site's reference says in Chinese it says in English too, and no English is kept for what nobody says."""

import csv

import pytest

from docs.site.reference import api_words, commands, english, tables
from gateway import regions
from gateway.dashboard.views.rulebook import list_names
from gateway.web.app import create


def rows(*parts):
    return list(csv.DictReader(tables.TABLES.joinpath(*parts).read_text("utf-8").splitlines()))


def commanded():
    for name, command in commands.commands():
        for sentence in commands.paragraphs(command):
            yield sentence, f"tongban {name}"
        for each in commands.parameters(command):
            yield each.help or "", f"tongban {name}: {each.opts[0]}"


def listed():
    for file in sorted((tables.TABLES / "canonical").glob("*.csv")):
        for row in rows("canonical", file.name):
            yield row["meaning"], f"mappings/canonical/{file.name}: {row['key']}"


def cited():
    for file in [
        tables.TABLES / "items/catalogue.csv",
        *sorted((tables.TABLES / "recognition").glob("*.csv")),
    ]:
        for document in tables.documents(rows(file.parent.name, file.name)):
            yield document, f"mappings/{file.parent.name}/{file.name}"


def shaped():
    for name, shape in create().state.describe(regions.discover())["components"]["schemas"].items():
        for sentence in [
            shape.get("description", ""),
            *(each.get("description", "") for each in shape.get("properties", {}).values()),
        ]:
            # a member that says no more than a parameter of the same name has its English there
            if english.HAN.search(sentence) and sentence not in api_words.SAID:
                yield sentence, f"the API's {name}"


@pytest.mark.parametrize(
    ("about", "said"),
    [("commands", commanded), ("code-lists", listed), ("documents", cited), ("shapes", shaped)],
)
def test_what_the_reference_says_has_its_english(about, said):
    known, where = english.known(about), dict(said())
    assert len(where) > 20
    assert "" not in where, f"{where.get('')} says nothing of itself: give it a help text"
    lacking = {sentence: place for sentence, place in where.items() if sentence not in known}
    assert lacking == {}, f"write their English in docs/site/texts/{about}.po"
    assert set(known) - set(where) == set(), (
        f"nobody says these any more: delete them in docs/site/texts/{about}.po"
    )
    assert [text for text in known.values() if len(english.HAN.findall(text)) > len(text) / 4] == []


def test_an_item_has_an_english_name():
    names = {row["name"] for row in rows("items", "catalogue.csv")}
    lacking = sorted(name for name in names if english.named(name) == name)
    assert lacking == [], "write their English in gateway/dashboard/texts/en/items.po"
    assert len({english.named(name) for name in names}) == len(names), (
        "two items of one name cannot be told apart"
    )


def test_a_code_list_has_a_name_in_both_languages():
    lists = {file.stem for file in (tables.TABLES / "canonical").glob("*.csv")}
    assert lists <= set(list_names()), "name the list in gateway/dashboard/views/rulebook.py"
    lacking = [name for name in lists if english.HAN.search(english.named(list_names()[name]))]
    assert lacking == [], "write their English in gateway/dashboard/texts/en/rules.po"


def test_every_operation_of_the_api_is_told_in_english():
    document = create().state.describe(regions.discover())
    said = [text for tag in document["tags"] for text in (tag["name"], tag.get("description", ""))]
    for path in document["paths"].values():
        for operation in path.values():
            said += [operation["summary"], operation.get("description", "")]
            said += [answer["description"] for answer in operation["responses"].values()]
            said += [
                each.get("description", each["schema"].get("description", ""))
                for each in operation.get("parameters", ())
            ]
    lacking = sorted({text for text in said if english.HAN.search(text) and api_words.english(text) == text})
    assert lacking == [], "write their English in docs/site/reference/api_words.py"
