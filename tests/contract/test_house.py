"""The rules of the house that no linter knows, and the proof that each of them bites."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from gateway import regions
from gateway.canonical.identifiers import citizen_id_fault

ROOT = Path(__file__).parents[2]
PROGRAM = sorted((ROOT / "gateway").rglob("*.py")) + sorted((ROOT / "adapters").rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py")) + sorted((ROOT / "bench").rglob("*.py"))
TEXTS = [
    file
    for folder in ("adapters", "bench", "deploy", "docs", "gateway", "mappings", "tests", ".github", ".ci")
    for file in sorted((ROOT / folder).rglob("*"))
    if file.suffix in {"", ".py", ".md", ".csv", ".json", ".xml", ".toml", ".yml", ".yaml", ".svg"}
    and file.is_file()
    and "config" not in file.relative_to(ROOT).parts[:2]
    and "__pycache__" not in file.parts
] + [
    file
    for file in sorted(ROOT.glob("*"))
    if file.is_file() and file.name not in {"gateway.toml", "requirements.lock"}
]

MOST_LINES, MOST_LINES_OF_A_FUNCTION = 400, 50
#: what a page shows at one moment: it may be about to change, so tests wait for it with ``expect``
MOMENTS = (
    "inner_text",
    "all_inner_texts",
    "text_content",
    "input_value",
    "count",
    "is_visible",
    "is_hidden",
    "is_disabled",
    "is_enabled",
    "is_checked",
)
SEAM = ("region", "mapping/fieldmap", "mapping/converters", "crypto/signing", "store/vault")
PURE = ("adapters/", "gateway/canonical/", "gateway/formats/", "gateway/crypto/", "gateway/mapping/")
#: the one clock and the one source of ids; the demonstration watches the gateway from outside
CLOCK_OWNERS = {"gateway/runtime.py", "gateway/cli/demo.py"}
#: areas that are practically never issued: invented persons live there
INVENTED_AREAS = ("510100", "500100")
#: the example printed in the standard itself (GB 11643-1999)
OF_THE_STANDARD = "11010519491231" + "002X"


def name_of(file):
    return file.relative_to(ROOT).as_posix()


def under(*prefixes):
    return [file for file in PROGRAM if name_of(file).startswith(prefixes)]


def read(file):
    return file.read_text(encoding="utf-8", errors="replace")


# --- the rules, each from a source text to the places where it is broken ---


def clock_reads(source):
    """Calls that ask the machine for the time of day or for an id."""
    return [
        f"{node.lineno}: {node.value.id}.{node.attr}"
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and (node.value.id, node.attr)
        in {
            ("datetime", "now"),
            ("datetime", "utcnow"),
            ("date", "today"),
            ("uuid", "uuid4"),
            ("uuid", "uuid1"),
        }
    ]


def waits(source):
    """Whatever waits: the core computes and returns."""
    kinds = (ast.AsyncFunctionDef, ast.Await, ast.AsyncFor, ast.AsyncWith)
    return [f"{node.lineno}" for node in ast.walk(ast.parse(source)) if isinstance(node, kinds)]


def swallowed(source):
    """Exceptions caught and dropped without a word; ``suppress`` says what it means."""
    return [
        f"{node.lineno}"
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.ExceptHandler) and all(isinstance(step, ast.Pass) for step in node.body)
    ]


def long_functions(source):
    return [
        f"{node.lineno}: {node.name} ({node.end_lineno - node.lineno + 1})"
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.end_lineno - node.lineno + 1 > MOST_LINES_OF_A_FUNCTION
    ]


def moments(source):
    """Asserts on what a page shows just then: lines."""
    return [
        f"{node.lineno}"
        for asserted in ast.walk(ast.parse(source))
        if isinstance(asserted, ast.Assert)
        for node in ast.walk(asserted)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in MOMENTS
    ]


def undocumented(source):
    """Public functions and classes of a module, at its top level, without a docstring."""
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    return [
        f"{node.lineno}: {node.name}"
        for node in ast.parse(source).body
        if isinstance(node, kinds) and not node.name.startswith("_") and ast.get_docstring(node) is None
    ]


def names_a_region(source):
    return re.findall("|".join(regions.discover()), source, re.IGNORECASE)


FORBIDDEN = re.compile(
    r"py(?:pi)\.org|python(?:hosted)|npm(?:js)\.|deb\.(?:debian)|docker\.(?:io)|ghcr\.(?:io)|quay\.(?:io)"
    r"|(?<![\w.])/(?:root|work|home/\w+)/|/tmp/(?:bash|probe)|\.\./(?:shared)|(?<![-\w])issue (?:[0-9])"
)


def forbidden_words(text):
    """Package registries' hosts, paths of one machine, and references nobody else can follow."""
    return FORBIDDEN.findall(text)


def persons(text):
    """Identity numbers with a right check digit outside the areas that are never issued."""
    numbers = set(re.findall(r"(?<![0-9A-Za-z.])[1-9][0-9]{16}[0-9X](?![0-9A-Za-z])", text))
    real = {n for n in numbers if citizen_id_fault(n) is None and not n.startswith(INVENTED_AREAS)}
    return sorted(real - {OF_THE_STANDARD})


# --- the house as it stands ---


@pytest.mark.parametrize("file", PROGRAM + TESTS, ids=name_of)
def test_files_are_short_enough_to_be_read(file):
    assert read(file).count("\n") <= MOST_LINES


def broken(rule, files):
    return {name_of(file): found for file in files if (found := rule(read(file)))}


def test_functions_are_short_enough_to_be_seen_at_once():
    assert broken(long_functions, PROGRAM) == {}


def test_every_module_opens_with_what_it_is_for():
    assert [
        name_of(f) for f in PROGRAM + TESTS if read(f) and not ast.get_docstring(ast.parse(read(f)))
    ] == []


def test_the_gateway_names_no_region():
    assert broken(names_a_region, under("gateway/")) == {}


def test_only_the_runtime_knows_what_time_it_is():
    assert broken(clock_reads, [f for f in PROGRAM if name_of(f) not in CLOCK_OWNERS]) == {}


def test_the_core_never_waits():
    assert broken(waits, under(*PURE)) == {}


def test_no_exception_is_dropped_without_a_word():
    assert broken(swallowed, PROGRAM) == {}


def test_what_others_program_against_is_described():
    assert broken(undocumented, [ROOT / "gateway" / f"{name}.py" for name in SEAM]) == {}


def test_no_text_names_a_registry_a_machine_or_what_nobody_can_follow():
    assert broken(forbidden_words, TEXTS) == {}


def test_no_text_holds_the_number_of_a_person():
    assert broken(persons, TEXTS) == {}


def test_what_a_page_shows_is_waited_for():
    pages = [f for f in TESTS if "playwright" in read(f) or name_of(f).startswith("tests/browser/")]
    assert broken(moments, [f for f in pages if f != Path(__file__)]) == {}


# --- the rules bite ---


@pytest.mark.parametrize(
    ("rule", "source"),
    [
        (clock_reads, "from datetime import datetime\nnow = datetime.now()"),
        (clock_reads, "import uuid\nkey = uuid.uuid4()"),
        (waits, "async def read(): ..."),
        (swallowed, "try:\n    act()\nexcept ValueError:\n    pass"),
        (long_functions, "def long():\n" + "    step()\n" * MOST_LINES_OF_A_FUNCTION),
        (moments, 'assert "taken" in page.inner_text("#verdict")'),
        (undocumented, "def open(inbound): ..."),
        (names_a_region, 'if slug == "Sichuan": ...'),
        (forbidden_words, "see issue " + "2"),
        (forbidden_words, "at /root" + "/project"),
        (persons, "身份证 11010519491231" + "0011"),
    ],
)
def test_each_rule_finds_its_breach(rule, source):
    assert rule(source)


@pytest.fixture(scope="module")
def copy_of_the_house(tmp_path_factory):
    house = tmp_path_factory.mktemp("house")
    for name in ("gateway", "adapters"):
        shutil.copytree(ROOT / name, house / name, ignore=shutil.ignore_patterns("__pycache__", "examples"))
    shutil.copy(ROOT / "pyproject.toml", house)
    return house


def contracts(house):
    program = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run(
        [program, "--no-cache"],
        cwd=house,
        capture_output=True,
        text=True,
        env={"PYTHONPATH": str(house)},
        check=False,
    )
    return done.returncode, set(re.findall(r"^(.+?) BROKEN", done.stdout, re.MULTILINE))


def test_the_import_contracts_hold(copy_of_the_house):
    assert contracts(copy_of_the_house) == (0, set())


BREACHES = {
    "Calls go down": ("gateway/store/audit.py", "import gateway.web.app"),
    "The core computes": ("gateway/canonical/kinds.py", "import time"),
    "What the store is handed": ("gateway/store/records.py", "import sqlalchemy"),
    "Regions do not know each other": ("adapters/sichuan/wire.py", "import adapters.chongqing.wire"),
    "The gateway names no region": ("gateway/web/health.py", "import adapters.sichuan"),
    "An adapter sees the seam": ("adapters/sichuan/wire.py", "import gateway.store.records"),
    "Verbs meet in the database": ("gateway/exchange/receive.py", "import gateway.exchange.drain"),
    "A task rings": ("gateway/worker/tasks.py", "import redis"),
    "Only the runtime": ("gateway/web/app.py", "import gateway.settings"),
}


@pytest.mark.parametrize("contract", BREACHES)
def test_each_import_contract_finds_its_breach(contract, copy_of_the_house):
    name, line = BREACHES[contract]
    file = copy_of_the_house / name
    kept = read(file)
    file.write_text(f"{kept}\n{line}\n", encoding="utf-8")
    try:
        status, found = contracts(copy_of_the_house)
    finally:
        file.write_text(kept, encoding="utf-8")
    assert status != 0
    assert any(each.startswith(contract) for each in found), found
