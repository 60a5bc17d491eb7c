"""How regions are found: in folders, among installed packages, once each, and in force only where they are wanted."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from itertools import combinations
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

import adapters
from gateway import regions
from gateway.conformance.simulator import stand_in_of
from gateway.errors import CannotStart
from gateway.mapping.alignment import align
from gateway.mapping.alignment_report import workbook
from gateway.mapping.explain import coverage, field_lines
from gateway.mapping.load import PACKAGED, files_of, inspect, tables_of
from gateway.mapping.release import digest_of
from gateway.runtime import configure, configured_tables, in_force, rulebook
from gateway.settings import Settings

ROOT = Path(__file__).parents[2]
THIRD = ROOT / "tests" / "third_region"
NEW = "yunling"
OWN = ("chongqing", "sichuan")
KEYS = ROOT / "tests" / "keys"
CONFIG = f"""
regions_dirs = ["{THIRD}"]
[regions.sichuan]
base_url = "http://127.0.0.1:9"
paasid = "x"
token = "x"
[regions.chongqing]
base_url = "http://127.0.0.1:9"
client_id = "x"
private_key_file = "{KEYS}/TEST_ONLY_gateway_private.pem"
peer_client_id = "x"
peer_public_key_file = "{KEYS}/TEST_ONLY_chongqing_public.pem"
"""


@pytest.fixture(autouse=True)
def only_the_product(monkeypatch):
    """What Python remembers of other folders, here and in other tests, is put aside."""
    monkeypatch.setattr(adapters, "__path__", [str(ROOT / "adapters")])
    aside = {name: sys.modules.pop(name) for name in list(sys.modules) if f"adapters.{NEW}" in name}
    yield
    for name in [name for name in sys.modules if NEW in name]:
        del sys.modules[name]
    sys.modules.update(aside)


@pytest.fixture
def copied(tmp_path):
    """The third region in a folder of its own, to be spoilt."""
    return Path(shutil.copytree(THIRD, tmp_path / "copied"))


def configured(tmp_path, more=""):
    file = tmp_path / "gateway.toml"
    file.write_text(CONFIG + more)
    return configure(file, {})


def section(slug=NEW):
    member, _ = stand_in_of(slug).pair(None)
    texts = {"base_url": "http://127.0.0.1:9", **member}
    return f"[regions.{slug}]\n" + "".join(f"{name} = {json.dumps(text)}\n" for name, text in texts.items())


# --- in folders ---


def test_a_region_of_a_further_folder_is_in_force_when_it_has_a_section(tmp_path):
    settings = configured(tmp_path)
    assert tuple(in_force(settings)) == OWN
    settings = configured(tmp_path, section())
    assert tuple(in_force(settings)) == (*OWN, NEW)
    book = rulebook(settings, {})
    assert set(book.tables.regions) == {*OWN, NEW}
    assert book.maps.reader(NEW, "apply") is not None


def test_without_sections_those_of_the_folders_are_in_force(tmp_path):
    assert tuple(in_force(configure(None, {}, offline=True))) == OWN
    environ = {"TONGBAN_REGIONS_DIRS": str(THIRD)}
    settings = configure(None, environ, offline=True)
    assert settings.regions_dirs == (THIRD,)
    assert tuple(in_force(settings)) == (*OWN, NEW)
    assert configure(None, {"TONGBAN_REGIONS_DIRS": json.dumps([str(THIRD)])}, offline=True) == settings


def test_a_section_without_an_adapter_is_named(tmp_path):
    with pytest.raises(CannotStart, match=r"regions\.atlantis: 没有这个地区的适配器"):
        configured(tmp_path, "[regions.atlantis]\nbase_url = 'http://x'\n")


def test_a_folder_without_regions_and_a_region_without_tables_are_named(tmp_path, copied):
    with pytest.raises(CannotStart, match=r"regions_dirs: .*下没有 adapters/ 目录"):
        regions.look_in([tmp_path])
    shutil.rmtree(copied / "mappings")
    with pytest.raises(CannotStart, match=f"地区 {NEW}: 缺少规则表目录 .*codes/{NEW}"):
        regions.discover(regions.in_folders([copied]))


def test_one_slug_in_two_places_is_named_with_both(copied):
    with pytest.raises(CannotStart, match=f"地区 {NEW} 有两处：.*third_region.* 与 .*copied"):
        regions.in_folders([THIRD, copied])


def test_one_prefix_for_two_regions_is_named(copied):
    init = copied / "adapters" / NEW / "__init__.py"
    init.write_text(init.read_text().replace('division_prefix="59"', 'division_prefix="51"'))
    with pytest.raises(CannotStart, match=f"地区 sichuan 与 {NEW} 的区划代码都以 51 开头"):
        regions.discover(regions.in_folders([copied]))


def test_a_region_of_another_name_than_its_folder_is_named(copied):
    (copied / "adapters" / NEW).rename(copied / "adapters" / "other")
    (copied / "mappings" / "codes" / NEW).rename(copied / "mappings" / "codes" / "other")
    with pytest.raises(CannotStart, match=f"region.slug 是 {NEW}，须为 other"):
        regions.discover(regions.in_folders([copied]))


# --- installed ---


@pytest.fixture
def site(tmp_path, monkeypatch):
    """A folder of installed packages with one that brings the region under another package name."""
    home = tmp_path / "site"
    package = Path(shutil.copytree(THIRD / "adapters" / NEW, home / f"{NEW}_adapter"))
    shutil.copytree(THIRD / "mappings" / "codes" / NEW, package / "codes")
    info = home / f"{NEW}_adapter-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {NEW}-adapter\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[{regions.GROUP}]\n{NEW} = {NEW}_adapter\n")
    monkeypatch.syspath_prepend(home)
    return home


def test_an_installed_region_is_found_by_its_entry_point(site, tmp_path):
    assert tuple(regions.discover()) == OWN
    assert regions.package_of(NEW) == f"{NEW}_adapter"
    file = tmp_path / "gateway.toml"
    file.write_text(CONFIG.replace(f'regions_dirs = ["{THIRD}"]', ""))
    assert tuple(in_force(configure(file, {}))) == OWN
    file.write_text(file.read_text() + section())
    settings = configure(file, {})
    found = in_force(settings)
    assert tuple(found) == (*OWN, NEW)
    assert sys.modules[found[NEW].verify.__module__].__file__.startswith(str(site))
    files = configured_tables(settings, found)
    assert set(tables_of(files, 2026, where="x").regions) == {*OWN, NEW}
    assert len(regions.fields((NEW,))) == 1
    assert stand_in_of(NEW).slug == NEW
    assert regions.outline(NEW) is None


def test_an_installed_region_whose_package_is_gone_is_named(site):
    shutil.rmtree(site / f"{NEW}_adapter")
    assert tuple(regions.discover()) == OWN
    with pytest.raises(CannotStart, match=f"地区 {NEW}: 找不到程序包 {NEW}_adapter"):
        regions.discover([NEW])


def test_a_region_installed_and_in_a_folder_is_found_twice(site):
    with pytest.raises(CannotStart, match=f"地区 {NEW} 有两处"):
        regions.in_folders([THIRD])


# --- tables ---


def test_the_digest_covers_what_a_region_brings():
    regions.look_in([THIRD])
    files = regions.table_files(PACKAGED, (*OWN, NEW))
    assert digest_of(files) != digest_of(regions.table_files(PACKAGED, OWN)) == digest_of(files_of(PACKAGED))
    assert inspect(files)[1] == []
    changed = files | {f"codes/{NEW}/rating.csv": files[f"codes/{NEW}/rating.csv"] + b"\n"}
    assert digest_of(changed) != digest_of(files)


def test_a_folder_that_has_the_regions_tables_itself_is_taken_as_it_is(tmp_path):
    regions.look_in([THIRD])
    whole = regions.table_files(PACKAGED, (*OWN, NEW))
    for name, content in whole.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content)
    (tmp_path / "codes" / NEW / "rating.csv").write_text("native,key,name,direction,lossy,note\n")
    assert regions.table_files(tmp_path, (*OWN, NEW))[f"codes/{NEW}/rating.csv"].count(b"\n") == 1


@pytest.mark.parametrize(
    ("extra", "copy_of", "other"),
    [
        ("codes/sichuan/guides.csv", "guides/sichuan.csv", "guides/sichuan.csv"),
        ("items/sichuan.csv", "codes/sichuan/items.csv", "codes/sichuan/items.csv"),
    ],
)
def test_a_regions_items_and_guides_stand_in_one_place_only(extra, copy_of, other):
    regions.look_in([THIRD])
    files = regions.table_files(PACKAGED, (*OWN, NEW))
    faults = inspect(files | {extra: files[copy_of]})[1]
    assert [(fault.path, other in fault.text) for fault in faults] == [(extra, True)]


def test_a_regions_items_left_where_they_were_are_named_with_their_new_place():
    files = files_of(PACKAGED)
    moved = files.pop("codes/sichuan/items.csv")
    faults = inspect(files | {"items/sichuan.csv": moved})[1]
    assert ("items/sichuan.csv", "请把这个文件移到那里") in {
        (f.path, f.text.rpartition("：")[2]) for f in faults
    }
    assert "codes/sichuan/items.csv" in {fault.path for fault in faults}


def test_a_fault_in_what_a_region_brings_is_named_by_its_own_file_and_line():
    regions.look_in([THIRD])
    files = regions.table_files(PACKAGED, (*OWN, NEW))
    name = f"codes/{NEW}/divisions.csv"
    spoilt = files | {name: files[name].replace(b"590123", b"5901X3")}
    assert (name, 5) in {(fault.path, fault.line) for fault in inspect(spoilt)[1]}


def test_a_closed_guide_of_one_region_closes_the_item_for_its_own_cases_only():
    regions.look_in([THIRD])
    files = regions.table_files(PACKAGED, (*OWN, NEW))
    head, *lines = files["guides/sichuan.csv"].decode().splitlines()
    mine = [line.replace(",yes,", ",no,") for line in lines if line.startswith("unemployment_registration,")]
    tables = tables_of(
        files | {f"codes/{NEW}/guides.csv": "\n".join((head, *mine, "")).encode()}, 2026, where="x"
    )
    guides, day = tables.guides, tables.guides.by_region[NEW]["unemployment_registration"][0].effective_from
    assert guides.is_open("unemployment_registration", day, OWN)
    assert not guides.is_open("unemployment_registration", day, (NEW, "sichuan"))


def test_guides_are_compared_pair_by_pair_where_both_have_one():
    regions.look_in([THIRD])
    files = regions.table_files(PACKAGED, (*OWN, NEW))
    head, *lines = files["guides/sichuan.csv"].decode().splitlines()
    item = "unemployment_registration"
    mine = [line for line in lines if line.startswith(f"{item},")]
    files |= {f"codes/{NEW}/guides.csv": "\n".join((head, *mine, "")).encode()}
    tables = tables_of(files, 2026, where="x")
    report = align(tables.guides, tables.rules, on=tables.guides.by_region[NEW][item][0].effective_from)
    (of_three,) = [each for each in report.items if each.item == item]
    others = [each for each in report.items if each.item != item]
    pairs = {frozenset(each.values) for each in of_three.comparisons}
    assert pairs == {frozenset(pair) for pair in combinations((*OWN, NEW), 2)}
    assert len(of_three.worst) == len({each.element for each in of_three.comparisons})
    # that the third has no guide of the others is no fault of the two
    assert not any(each.lacking for each in others)
    assert workbook(report)


# --- the third region as a pattern to copy ---


def test_every_field_of_the_third_region_is_accounted_for():
    regions.look_in([THIRD])
    known = regions.fields((*OWN, NEW))
    assert coverage(known).missing == ()
    assert {line.region for line in field_lines(known)} == {*OWN, NEW}


def test_its_examples_have_the_form_of_its_schema_and_of_its_maps():
    regions.look_in([THIRD])
    region = regions.discover([NEW])[NEW]
    folder = THIRD / "adapters" / NEW
    judge = Draft202012Validator(json.loads((folder / "schema.json").read_text()))
    examples = {file.name.split(".")[0]: file for file in (folder / "examples").glob("*.native.json")}
    assert examples.keys() == region.maps.keys()
    for kind, file in examples.items():
        judge.validate(json.loads(file.read_text()))
        assert region.parse(file.read_bytes()).native_kind == kind


def test_nothing_but_its_own_folders_and_tests_names_the_third_region():
    git = shutil.which("git")
    listed = subprocess.run([git, "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("not a clone")
    files = [ROOT / name for name in listed.stdout.split("\0") if name and not name.startswith("tests/")]
    word = re.compile(f"{NEW}|云岭", re.IGNORECASE)
    assert [f for f in files if f.is_file() and word.search(f.read_text("utf-8", "replace"))] == []


def test_settings_without_further_folders_have_none():
    assert Settings().regions_dirs == ()
