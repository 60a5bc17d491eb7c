"""The site as its readers get it: built without a warning, complete in both languages, found by its search, offline."""

from __future__ import annotations

import re
import subprocess
import sys
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest
import typer
from axe_playwright_python.sync_playwright import Axe
from lxml import html
from pages import ROOT, name_of
from playwright.sync_api import expect, sync_playwright

from docs.site.gather import sources
from docs.site.reference import PICTURES, errors, field_words, spoken, writing
from gateway import metrics, regions
from gateway.canonical.kinds import Kind
from gateway.cli.main import app
from gateway.mapping.explain import Fate, field_lines
from gateway.settings import Settings
from gateway.settings_callers import ApiToken, Channel
from gateway.web.app import create

sys.path.insert(0, str(ROOT / "tests/browser"))
from chromium import CHROMIUM, FLAGS

pytestmark = pytest.mark.timeout(240)
#: what a browser fetches by itself
FETCHED = {"script": "src", "img": "src", "iframe": "src", "source": "src", "link": "href", "object": "data"}
WIDTHS = (1366, 390)
LOOKED_AT = (
    "index.html",
    "how-to/watch.html",
    "reference/field-pairs.html",
    "reference/errors.html",
    "reference/commands.html",
    "reference/code-lists.html",
    "reference/items.html",
    "glossary.html",
)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The site as ``make docs`` builds it, where any warning is an error; and the pages without English."""
    folder = tmp_path_factory.mktemp("site")
    where = ("--output", str(folder / "html"), "--pages", str(folder / "pages"))
    done = subprocess.run(
        [sys.executable, "-m", "docs.site", *where], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    _, _, lacking = done.stdout.partition("no English of their own yet: ")
    return folder / "html", lacking.split()


@pytest.fixture(scope="module")
def read(site):
    """Address → the parsed page."""
    return {
        file.relative_to(site[0]).as_posix(): html.fromstring(file.read_bytes())
        for file in site[0].rglob("*.html")
    }


def text_of(read, address):
    return " ".join(read[address].find(".//article").text_content().split())


def test_every_page_is_there_in_both_languages(site, read):
    for _, uri in sources():
        page = re.sub(r"(\.en)?\.md$", ".html", uri).replace("README.html", "index.html")
        assert {page, f"en/{page}"} <= set(read), uri
    assert site[1] == [], "write its .en.md"


def test_an_english_page_is_in_english(read):
    for address, page in read.items():
        if not address.startswith("en/"):
            continue
        words = " ".join(page.xpath("//article//p//text() | //article//h1//text() | //article//h2//text()"))
        share = len(re.findall(r"[一-鿿]", words)) / max(len(words), 1)
        assert share < 0.05, f"{address}: {share:.0%} of its letters are Chinese"


def test_a_link_leads_to_another_page_or_to_a_place_on_it(read):
    for address, page in read.items():
        itself = address.rpartition("/")[2]
        dead = [a.text_content() for a in page.iterfind(".//article//a") if a.get("href") in {itself, ""}]
        assert dead == [], f"{address}: {dead} leads to itself"


def test_code_in_a_table_is_shown_as_it_is(read):
    for address, page in read.items():
        shown = [code.text_content() for code in page.xpath("//article//td//code")]
        assert [text for text in shown if r"\|" in text] == [], address
    paths = text_of(read, "reference/field-maps.html")
    assert "CYTB|CQ50[0-9]{4}" in paths


def fetched_elsewhere(page):
    """What a browser would ask another host for."""
    return [
        node.get(attribute)
        for tag, attribute in FETCHED.items()
        for node in page.iter(tag)
        if re.match(r"(https?:)?//", node.get(attribute, "")) and node.get("rel") != "canonical"
    ]


def test_nothing_is_fetched_from_another_host(site, read):
    assert fetched_elsewhere(
        html.fromstring("<p><img src='//else.example/a.png'><a href='https://b.example'>b</a>")
    )
    assert {address: found for address, page in read.items() if (found := fetched_elsewhere(page))} == {}
    for style in site[0].rglob("*.css"):
        assert not re.search(r"url\(['\"]?(?:https?:)?//|@import", style.read_text()), style.name


def test_every_picture_says_what_it_shows(read):
    for address, page in read.items():
        for picture in page.iterfind(".//article//img"):
            assert len(picture.get("alt", "")) >= 2, f"{address}: {picture.get('src')}"


def test_the_drawn_pictures_of_the_tree_are_those_the_code_draws():
    for uri, drawn in PICTURES.items():
        file = ROOT / "docs" / uri.replace("-en.svg", ".en.svg")
        assert file.read_text(encoding="utf-8") == drawn(), f"write it anew: {name_of(file)}"


# --- the reference, against the code ---


def test_every_code_a_sender_may_get_is_in_the_reference_with_its_sentences():
    assert spoken.codes() == set(errors.KNOWN)
    said, problems = spoken.sentences()
    # these are named by what was found, in words of their own
    assert set(errors.KNOWN) - set(said) <= {"9041"}
    assert {"not-found", "forbidden", "unauthorized", "conflict"} <= set(problems)
    told = [errors.told(each, True) for some in (*said.values(), *problems.values()) for each in some]
    unsaid = [each for each in told if re.search("[一-鿿]{4}", re.sub("“[^”]*”", "", each))]
    assert len(unsaid) < len(told) / 20, unsaid


@pytest.mark.parametrize("language", ["", "en/"])
def test_the_reference_holds_all_there_is(read, language):
    api = text_of(read, f"{language}reference/api.html")
    operations, _, _ = api.partition("Shapes")
    assert language == "" or len(re.findall(r"[一-鿿]", operations)) < len(operations) / 20
    for path, operations in create().state.describe(regions.discover())["paths"].items():
        assert all(f"{method.upper()} {path}" in api for method in operations), path
    listed = text_of(read, f"{language}reference/settings-list.html")
    assert all(name in listed for model in (Settings, ApiToken, Channel) for name in model.model_fields)
    named = text_of(read, f"{language}reference/metrics.html")
    assert all(family.name in named for family in metrics.REGISTRY.collect())
    modelled = text_of(read, f"{language}reference/model.html")
    assert all(kind.value in modelled for kind in Kind)
    commanded = text_of(read, f"{language}reference/commands.html")
    group = typer.main.get_command(app)
    assert all(f"tongban {name}" in commanded for name in group.list_commands(None))


@pytest.mark.parametrize("language", ["", "en/"])
def test_a_field_is_shown_with_both_its_paths_and_its_rule(read, language):
    (row,) = (
        [cell.text_content().strip() for cell in row.iterfind("td")]
        for table in read[f"{language}reference/field-pairs.html"].iterfind(".//table")
        for row in table.iterfind(".//tr")
        if "applicant.nation" in row.text_content()
        and "SQR/MZ" in row.text_content()
        and "aac005" in row.text_content()
        and "transfer.apply" in table.xpath("string(preceding::h2[1])")
    )
    assert row == [
        "applicant.nation",
        "民族",
        "BODY/SQR/MZ",
        "ethnic_group",
        "param.aac005",
        "ethnic_group",
        "M1",
    ]


def test_the_field_maps_are_told_in_english_too():
    told = [why for line in field_lines(regions.fields()) for why in (line.received_why, line.written_why)]
    # a fixed value is the value itself
    fixed = {line.received_why for line in field_lines(regions.fields()) if line.received is Fate.FIXED}
    for why in {why for why in told if re.search("[一-鿿]", why)} - fixed:
        assert writing.told(why, english=True) != why, why
    assert set(field_words.FATES) == set(Fate)


# --- in a browser ---


@pytest.fixture(scope="module")
def browser():
    if CHROMIUM is None:
        pytest.skip("no Chromium found: the site's search and its look are NOT tested")
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        yield launched
        launched.close()


@pytest.fixture
def opened(site, browser):
    """``opened(address, width)``: a page from the disk; whatever it asks of the network is noted and refused."""
    contexts = []

    def go(address, width=1366):
        context = browser.new_context(locale="zh-CN", viewport={"width": width, "height": 768})
        context.set_default_timeout(15_000)
        contexts.append(context)
        page = context.new_page()
        page.asked = []
        page.route(
            re.compile(r"^https?:"), lambda route: (page.asked.append(route.request.url), route.abort())
        )
        page.faults = []
        page.on("pageerror", lambda error: page.faults.append(str(error)))
        page.goto((site[0] / address).as_uri())
        return page

    yield go
    for context in contexts:
        context.close()


@pytest.fixture(scope="module")
def served(site):
    """The same site behind a web server; answer: its address."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *args):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=site[0])) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


SEARCHES = [
    ("index.html", "挂起", "how-to/read-a-parked-message.html"),
    ("index.html", "互认规则", "reference/recognition.html"),
    ("index.html", "滞留", "runbooks/stuck-delivery.html"),
    ("index.html", "退回", "reference/errors.html"),
    ("en/index.html", "parked", "en/how-to/read-a-parked-message.html"),
    ("en/index.html", "rotate", "en/how-to/rotate-keys.html"),
    ("en/index.html", "9021", "en/reference/errors.html"),
    ("en/index.html", "doorbell", "en/decisions/0005-postgresql-is-the-queue.html"),
]


def searched(page, root, searches=SEARCHES):
    """Addresses of what is found, best first, for each word."""
    for address, word, found in searches:
        page.goto(f"{root}{address}")
        page.fill(".md-search__input", word)
        page.press(".md-search__input", "End")  # the theme reads what is there when a key is let go
        page.wait_for_selector(".md-search-result__link", state="attached")
        targets = page.eval_on_selector_all(".md-search-result__link", "all => all.map(a => a.href)")
        assert all(target.startswith(root) for target in targets)
        yield address, word, found, [re.split(r"[?#]", target.removeprefix(root))[0] for target in targets]


def test_the_search_finds_what_is_typed_in_the_readers_language_without_a_server(site, opened):
    page = opened("index.html")
    for address, word, found, targets in searched(page, f"{site[0].as_uri()}/"):
        assert found in targets, (word, targets[:8])
        assert {target.startswith("en/") for target in targets} == {address.startswith("en/")}, (
            word,
            targets,
        )
    assert page.asked == []


def test_the_search_finds_the_same_over_http(served, browser):
    page = browser.new_page(locale="zh-CN")
    page.set_default_timeout(15_000)
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    for address, word, found, targets in searched(page, served, SEARCHES[2:6]):
        assert found in targets, (word, targets[:8])
        assert {target.startswith("en/") for target in targets} == {address.startswith("en/")}, (
            word,
            targets,
        )
    assert all(each.startswith(served) for each in asked)
    page.close()


@pytest.mark.parametrize("width", WIDTHS)
def test_pages_are_readable_on_a_desk_and_on_a_phone(opened, width):
    page = opened("index.html", width)
    for language in ("", "en/"):
        for address in LOOKED_AT:
            page.goto(re.sub(r"/html/.*", f"/html/{language}{address}", page.url))
            wide = page.evaluate(
                "document.documentElement.scrollWidth - document.documentElement.clientWidth"
            )
            assert wide <= 0, f"{language}{address} is {wide} px too wide at {width}"
            left, top = page.eval_on_selector(
                "article h1", "h => [h.getBoundingClientRect().left, h.getBoundingClientRect().top]"
            )
            assert 0 <= left < width / 2
            assert 0 < top < 320, "the page begins within the first screen"
    assert (page.asked, page.faults) == ([], [])


@pytest.mark.parametrize(
    ("scheme", "addresses"),
    [
        ("light", ("index.html", "en/how-to/watch.html", "reference/errors.html", "glossary.html")),
        ("dark", ("en/reference/settings.html",)),
    ],
)
def test_axe_finds_nothing_serious_on_any_kind_of_page(opened, scheme, addresses):
    page = opened("index.html")
    page.emulate_media(color_scheme=scheme)
    for address in addresses:
        page.goto(re.sub(r"/html/.*", f"/html/{address}", page.url))
        found = [
            f"{each['id']}: {node['html'][:160]}"
            for each in Axe().run(page).response["violations"]
            if each["impact"] in {"serious", "critical"}
            for node in each["nodes"]
        ]
        assert found == [], f"{address} in {scheme}"


def test_a_reader_comes_from_home_to_the_page_of_the_same_name_in_the_other_language(opened):
    page = opened("index.html")
    page.click("article .grid >> text=挂起的报文")
    page.wait_for_selector("h1 >> text=处理挂起的报文")
    page.hover(".md-select")
    page.click(".md-select__link[hreflang=en]")
    page.wait_for_url(re.compile("/en/how-to/read-a-parked-message.html"))
    expect(page.locator("h1")).to_have_text(re.compile("^Read a parked message"))
    assert page.asked == []
