"""A region begun with one command: what is refused, what is made, and what is red in it."""

from __future__ import annotations

import csv
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from afternoon import CODE, NEW, TABLES, edit, forget, red, tongban

import adapters
from gateway import regions
from gateway.cli import new_region
from gateway.cli.scaffold import LISTS
from gateway.conformance import keys
from gateway.conformance.law import Level
from gateway.conformance.laws.catalogue import LAWS
from gateway.conformance.loading import Asked, check
from gateway.mapping.explain import code_list_of
from gateway.mapping.load import PACKAGED, load_tables
from gateway.runtime import configure, rulebook

ROOT = Path(__file__).parents[2]
OWN = ("chongqing", "sichuan")


@pytest.fixture(autouse=True)
def only_the_product(monkeypatch):
    """What Python remembers of other folders, here and in other tests, is put aside."""
    monkeypatch.setattr(adapters, "__path__", [str(ROOT / "adapters")])
    forget()
    yield
    forget()


@pytest.fixture
def begun(tmp_path):
    """A region begun in a folder of its own."""
    done = tongban("new-region", NEW, "--into", tmp_path)
    assert done.exit_code == 0, done.output
    return tmp_path


# --- the command ---


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("Gui-zhou",), "应为 3 至 32 位小写字母或数字"),
        (("items", "--name", "新州省", "--prefix", "99"), "items 是保留的名称"),
        (("lambda", "--name", "新州省", "--prefix", "99"), "lambda 是保留的名称"),
        (("sichuan",), "已经有地区 sichuan"),
        (("xinzhou",), "请加上 --prefix"),
        (("xinzhou", "--prefix", "520"), "应为两位数字"),
        (("xinzhou", "--prefix", "99"), "请加上 --name 新省"),
        (
            ("xinzhou", "--prefix", "52"),
            "GB/T 2260 中 52 是贵州省（guizhou）：请改为 tongban new-region guizhou",
        ),
        (("xinzhou", "--prefix", "51", "--name", "新州省"), "51 已属于地区 sichuan"),
        (("guizhou", "--name", "Guizhou"), "应为 2 至 20 个汉字"),
        (("guizhou", "--package"), "--package 须与 --into 同用"),
    ],
)
def test_a_clear_mistake_is_refused_with_a_sentence_and_nothing_is_written(
    words, said, tmp_path, monkeypatch
):
    monkeypatch.setattr(new_region, "PACKAGED", tmp_path / "mappings")
    done = tongban("new-region", *words)
    assert (done.exit_code, said in done.output) == (2, True), done.output
    assert list(tmp_path.iterdir()) == []


def test_what_is_there_is_never_overwritten(begun):
    shutil.rmtree(begun / TABLES)
    kept = (begun / CODE / "README.md").read_bytes()
    regions.look_in([begun])
    done = tongban("new-region", NEW, "--into", begun)
    assert (done.exit_code, "已经有地区 guizhou" in done.output) == (2, True)
    adapters.__path__.remove(str(begun / "adapters"))
    done = tongban("new-region", NEW, "--into", begun)
    assert (done.exit_code, "不覆盖任何文件" in done.output) == (2, True)
    assert (begun / CODE / "README.md").read_bytes() == kept
    assert not (begun / TABLES).exists()


def test_what_cannot_be_written_whole_is_not_begun(tmp_path):
    (tmp_path / "mappings").write_text("a file where a folder has to be")
    done = tongban("new-region", NEW, "--into", tmp_path)
    assert (done.exit_code, "写不进" in done.output) == (2, True), done.output
    assert [file.name for file in tmp_path.rglob("*") if file.is_file()] == ["mappings"]


def test_the_command_shows_what_it_made_and_the_next_three_steps(tmp_path):
    said = tongban("new-region", NEW, "--into", tmp_path).output.splitlines()
    made = sorted(file.relative_to(tmp_path).as_posix() for file in tmp_path.rglob("*") if file.is_file())
    assert [line.strip() for line in said if line.startswith(("  adapters/", "  mappings/"))] == made
    steps = said[said.index("接下来：") + 1 :]
    assert [step.split()[0] for step in steps] == ["1.", "2.", "3."]
    assert f"tongban check region {NEW}" in steps[0]


# --- what it made ---


@pytest.mark.parametrize("form", ["json", "xml"])
def test_a_region_just_begun_is_red_where_something_is_to_be_done_and_nowhere_else(form, tmp_path):
    done = tongban("new-region", NEW, "--format", form, "--into", tmp_path)
    assert done.exit_code == 0, done.output
    broken = red(tmp_path)
    assert set(broken) == {"R-B12", "R-B21"}
    assert all(one.sentence and one.remedy and one.path for found in broken.values() for one in found)
    assert {one.path.partition(":")[0] for one in broken["R-B21"]} >= {
        f"{CODE}/README.md",
        f"{CODE}/wire.py",
        f"{TABLES}/items.csv",
        f"{TABLES}/divisions.csv",
        f"{TABLES}/channel.csv",
    }
    assert not any("scheme.csv" in one.path for one in broken["R-B21"])


def test_its_tests_fail_with_what_to_do_next(begun):
    words = ("-q", "-p", "no:cacheprovider", begun / CODE / "tests")
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", *words],
        cwd=begun,
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    laws = [law for law in LAWS if Level.FULL.includes(law.level)]
    failed = len(red(begun, Level.BASIC)["R-B21"]) + 1
    assert f"{failed} failed, {len(laws) - 2} passed" in ran.stdout, ran.stdout
    assert "R-B12 每种报文都有样例" in ran.stdout
    assert f"请加上 {CODE}/examples/supplement.native.*" in ran.stdout
    assert "Traceback" not in ran.stdout


def test_a_row_taken_from_a_map_is_named_by_its_own_schema(begun):
    edit(
        begun / CODE / "maps" / "blocks.py",
        ('    Row("body.person.phone", "applicant.mobile", text(32)),\n', ""),
    )
    (found,) = red(begun, Level.BASIC)["R-B09"]
    assert found.sentence == "apply 的 body.person.phone 在公布的接口中，对应表没有这一行"
    assert 'Row("body.person.phone", …)' in found.remedy


def test_every_list_its_maps_bind_is_made_from_the_shared_list(begun):
    regions.look_in([begun])
    region = regions.discover([NEW])[NEW]
    bound = {code_list_of(row) for one in region.maps.values() for row in one.rows} - {""}
    assert bound | {"status"} == set(LISTS)
    hubs = load_tables(PACKAGED, None).hubs
    for name in LISTS:
        text = (begun / TABLES / f"{name}.csv").read_text(encoding="utf-8")
        rows = list(csv.DictReader(text.splitlines()))
        assert [row["key"] for row in rows] == list(hubs[name].meanings)


def test_in_the_clone_the_gateway_still_starts_with_the_region_just_begun(tmp_path, monkeypatch):
    skip = shutil.ignore_patterns("__pycache__", "map.geo.json")
    for folder in ("adapters", "mappings"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=skip)
    (tmp_path / "pyproject.toml").touch()
    monkeypatch.setattr(new_region, "PACKAGED", tmp_path / "mappings")
    monkeypatch.setattr(adapters, "__path__", [str(tmp_path / "adapters")])
    urls = dict.fromkeys(OWN, "http://127.0.0.1:9")
    config = keys.write(tmp_path / "rehearsal", urls)
    config.write_text(f'tables_dir = "{tmp_path}/mappings"\n' + config.read_text())
    before = rulebook(configure(config, {}), {})
    done = tongban("new-region", NEW)
    assert done.exit_code == 0, done.output
    after = rulebook(configure(config, {}), {})
    assert (set(after.regions), after.tables.digest) == (set(OWN), before.tables.digest)
    found = check(Asked(NEW, Level.BASIC, tmp_path / "mappings"))
    assert {result.law.id for result in found.results if result.breaches} == {"R-B12", "R-B21"}
    config = keys.write(tmp_path / "with it", {**urls, NEW: "http://127.0.0.1:9"})
    config.write_text(f'tables_dir = "{tmp_path}/mappings"\n' + config.read_text())
    assert set(rulebook(configure(config, {}), {}).regions) == {*OWN, NEW}


def test_a_region_begun_as_a_package_is_found_by_its_entry_point(tmp_path, monkeypatch):
    done = tongban("new-region", NEW, "--into", tmp_path, "--package")
    assert done.exit_code == 0, done.output
    name = f"tongban_{NEW}"
    project = (tmp_path / "pyproject.toml").read_text(encoding="utf-8")
    assert f'[project.entry-points."{regions.GROUP}"]\n{NEW} = "{name}"' in project
    info = tmp_path / f"{name}-0.1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 0.1.0\n")
    (info / "entry_points.txt").write_text(f"[{regions.GROUP}]\n{NEW} = {name}\n")
    monkeypatch.syspath_prepend(tmp_path)
    found = check(Asked(NEW, Level.BASIC))
    broken = {result.law.id: result.breaches for result in found.results if result.breaches}
    assert set(broken) == {"R-B12", "R-B21"}
    assert f"{name}/codes/items.csv:2" in {one.path for one in broken["R-B21"]}


def installed(project, target):
    """The package as pip puts it there, from nothing but what is here."""
    words = ("install", "--quiet", "--no-deps", "--no-index", "--no-build-isolation", "--no-cache-dir")
    where = ("--disable-pip-version-check", "--target", target, project)
    subprocess.run([sys.executable, "-m", "pip", *words, *where], check=True, cwd=target)
    return target / f"tongban_{NEW}"


@pytest.mark.parametrize("form", ["json", "xml"])
def test_the_package_is_installed_by_pip_and_checked_by_its_name(form, tmp_path, monkeypatch):
    project, target = tmp_path / "project", tmp_path / "site"
    target.mkdir()
    done = tongban("new-region", NEW, "--into", project, "--package", "--format", form)
    assert done.exit_code == 0, done.output
    folder = installed(project, target)
    made = {f.relative_to(project) for f in project.rglob("*") if f.is_file() and f.name != "pyproject.toml"}
    assert {f.relative_to(target) for f in folder.rglob("*") if f.suffix != ".pyc" and f.is_file()} == made
    monkeypatch.syspath_prepend(target)
    monkeypatch.setenv("TONGBAN_DATA_DIR", str(tmp_path / "data"))
    ran = tongban("check", "region", NEW, "-f", "json")
    members = json.loads(ran.stdout)
    broken = {one["id"]: one["breaches"] for one in members["results"] if one["breaches"]}
    assert (ran.exit_code, set(broken)) == (1, {"R-B12", "R-B21"})
    named = {one["path"].partition(":")[0] for breaches in broken.values() for one in breaches}
    assert [place for place in sorted(named) if not (target / place).exists()] == []
    # a table and a file of the package that cannot be read are told by their own names
    edit(folder / "codes" / "scheme.csv", (",both,", ",bth,"))
    forget()
    assert f"tongban_{NEW}/codes/scheme.csv:2" in tongban("check", "region", NEW).output
    edit(folder / "wire.py", ("def parse(", "def parse(("))
    forget()
    line = (folder / "wire.py").read_text(encoding="utf-8").partition("def parse((")[0].count("\n") + 1
    assert f"tongban_{NEW}/wire.py:{line}" in tongban("check", "region", NEW).output
