"""What the pictures of the first page show: every case once, each side in its colour, nothing where nothing is."""

from __future__ import annotations

import itertools
import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gateway import regions
from gateway.dashboard.views import atlas as atlas_
from gateway.dashboard.views.atlas import atlas
from gateway.dashboard.views.pictures import curves, flow, items
from gateway.dashboard.views.pictures.look import COLOURS, Look
from gateway.store.overview import ItemFlow, Passage
from gateway.store.tallies import MEASURES, Point

REGIONS = regions.discover()
STATIC = Path(atlas_.__file__).parents[1] / "static"
MAP = atlas(REGIONS)
LOOK = Look(
    say=lambda text, **values: text % values if values else text,
    number=lambda value: f"{value:,}",
    clock=lambda at: f"{at:%H:%M}",
    region=lambda slug: slug,
    item=lambda code: f"事项 {code}",
)
FAR = [
    Passage("sichuan", "chongqing", "510104", "500103", 40),
    Passage("sichuan", "chongqing", "510105", "500103", 2),
]
BACK = [
    Passage("chongqing", "sichuan", "500157", "511302", 9),
    Passage("chongqing", "sichuan", "", "513401", 1),
]


def drawn(option):
    return {
        line["name"]: line
        for series in option["series"]
        if series["type"] == "lines"
        for line in series["data"]
    }


def test_a_county_is_drawn_in_its_prefecture_and_what_is_nowhere_in_the_middle_of_its_region():
    assert MAP.spot("sichuan", "510104").name == "成都市"
    assert MAP.spot("chongqing", "500157").name == "两江新区"
    assert MAP.spot("sichuan", "510000") == MAP.spot("sichuan", "") == MAP.middles["sichuan"]
    assert MAP.order == ["sichuan", "chongqing"]


def test_counties_of_one_place_are_one_line_and_directions_are_two():
    lines = drawn(flow.flow_map([*FAR, *BACK], MAP, MAP.order, LOOK))
    assert {name: line["value"] for name, line in lines.items()} == {
        "成都市 → 渝中区：42 件": 42,
        "两江新区 → 南充市：9 件": 9,
        "重庆市 → 凉山彝族自治州：1 件": 1,
    }
    colours = {line["lineStyle"]["color"] for line in lines.values()}
    assert colours == set(LOOK.sides[:2])


def test_more_lines_than_can_be_told_apart_are_left_out_and_only_the_busiest_move():
    codes = [code for code in MAP.spots if code.startswith("50")]
    many = [Passage("sichuan", "chongqing", "510104", code, n + 1) for n, code in enumerate(codes)]
    many += [Passage("sichuan", "chongqing", "510304", code, 99) for code in codes]
    many += [Passage("sichuan", "chongqing", "510704", code, 99) for code in codes]
    option = flow.flow_map(many, MAP, MAP.order, LOOK)
    still, moving = (series for series in option["series"] if series["type"] == "lines")
    assert (still["effect"]["show"], moving["effect"]["show"]) == (False, True)
    assert len(moving["data"]) == flow.MOVING
    assert len(still["data"]) + len(moving["data"]) == flow.LINES < len(many)
    assert min(line["value"] for line in moving["data"]) >= max(line["value"] for line in still["data"])


def test_the_option_names_the_map_whose_shapes_it_is_drawn_on():
    option = flow.flow_map(FAR, MAP, MAP.order, LOOK)
    shapes = json.loads(MAP.shapes)["features"]
    assert option["geo"]["map"] == MAP.name
    assert {each["name"] for each in option["geo"]["regions"]} == {
        each["properties"]["name"] for each in shapes
    }
    assert len(MAP.spots) == len(shapes)


def test_a_region_without_outline_is_a_box_with_its_name(monkeypatch):
    known = regions.outline
    monkeypatch.setattr(atlas_.regions_, "outline", lambda slug: None if slug == "chongqing" else known(slug))
    sides = {slug: replace(region, name=f"{region.name}（测试）") for slug, region in REGIONS.items()}
    made = atlas(sides)
    box = made.spot("chongqing", "500103")
    assert box.name == sides["chongqing"].name
    assert box.centre[0] > max(spot.centre[0] for spot in made.spots.values() if spot.region == "sichuan")
    assert drawn(flow.flow_map(FAR, made, made.order, LOOK))


def test_a_dozen_sides_stand_beside_each_other_each_with_its_name_and_colour(monkeypatch):
    known = regions.outline
    monkeypatch.setattr(atlas_.regions_, "outline", lambda slug: known(slug) if slug in REGIONS else None)
    others = {f"r{n:02d}": replace(REGIONS["sichuan"], slug=f"r{n:02d}", name=f"第{n}省") for n in range(10)}
    made = atlas({**REGIONS, **others})
    shapes = {each["properties"]["code"]: each for each in json.loads(made.shapes)["features"]}
    boxes = {slug: shapes[slug]["geometry"]["coordinates"][0] for slug in others}
    for one, other in itertools.combinations(boxes.values(), 2):
        apart = abs(one[0][0] - other[0][0]) > 4 or abs(one[0][1] - other[0][1]) > 3
        assert apart, (one, other)
    west, south, east, north = made.bounds
    assert 1 < (east - west) / (north - south) < 2.5  # or it would be drawn as a strip
    option = flow.flow_map([Passage("r00", "sichuan", "", "510104", 3)], made, made.order, LOOK)
    named = {each["name"] for each in option["geo"]["regions"] if each["label"]["show"]}
    assert named == {other.name for slug, other in others.items() if slug != "r00"}
    assert len({each["itemStyle"]["areaColor"] for each in option["geo"]["regions"]}) == COLOURS


@pytest.mark.parametrize(("sheet", "dark"), [("overview.css", False), ("wall.css", True)])
def test_the_key_has_the_colours_of_the_map(sheet, dark):
    css = (STATIC / sheet).read_text(encoding="utf-8")
    written = [re.search(r"\.side::before .*background: (#\w+)", css)[1]]
    written += re.findall(r"\.side-\d::before { background: (#\w+); }", css)
    assert tuple(written) == replace(LOOK, dark=dark).sides
    look = replace(LOOK, dark=dark)
    assert len(look.sides) == len(look.land) == len(look.borders) == COLOURS


def test_items_flow_from_side_to_side_and_the_rare_ones_together():
    flows = [ItemFlow("sichuan", f"i{n}", "chongqing", 100 - n) for n in range(12)]
    flows += [ItemFlow("chongqing", "i0", "sichuan", 7), ItemFlow("chongqing", "", "sichuan", 200)]
    (series,) = items.item_sankey(flows, MAP.order, LOOK)["series"]
    names = [node["name"] for node in series["data"]]
    assert len(names) == len(set(names)) == 4 + items.ITEMS
    assert {"其他事项", "事项未识别", "事项 i0"} <= set(names)
    total = sum(each.cases for each in flows)
    for ends in ("<", ">"):
        side = [link for link in series["links"] if (link["source"] + link["target"]).find(ends) >= 0]
        assert sum(link["value"] for link in side) == total


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("工伤认定", "工伤认定 3"),
        ("企业职工养老金发放明细查询", "企业职工养老金发放明\n细查询 3"),
        ("企业职工养老金发放明", "企业职工养老金发放明\n3"),
        (
            "机关事业单位基本养老保险关系转移接续（含职业年金）申请",
            "机关事业单位基本养老\n保险关系转移接续… 3",
        ),
        ("Work-injury determination", "Work-injury\ndetermination 3"),
        (
            "Public-sector pension and occupational annuity transfer",
            "Public-sector\npension and occup… 3",
        ),
    ],
)
def test_an_item_is_written_on_two_lines_and_whole_in_its_tooltip(name, shown):
    look = replace(LOOK, item=lambda _: name)
    (series,) = items.item_sankey([ItemFlow("sichuan", "i", "chongqing", 3)], MAP.order, look)["series"]
    (node,) = (node for node in series["data"] if node["name"] == name)
    assert (node["label"]["formatter"], node["tooltip"]["formatter"]) == (shown, f"{name} 3")


def points(**counts):
    begin = datetime(2026, 11, 26, tzinfo=UTC)
    counted = dict.fromkeys(MEASURES, 0) | counts
    return [Point(begin + timedelta(hours=n), counted, None, None, None) for n in range(3)]


def test_curves_count_what_was_received_delivered_and_gone_wrong():
    option = curves.throughput(points(accepted=5, parked=2, ignored=1, delivered=6, dead=1, refused=3), LOOK)
    told = {series["name"]: series["data"] for series in option["series"]}
    assert told == {"收件": [8] * 3, "已送达": [6] * 3, "挂起、拒收、死信": [6] * 3}
    assert option["xAxis"]["data"] == ["00:00", "01:00", "02:00"]


@pytest.mark.parametrize(
    ("p95", "unit", "shown"), [(2.0, "秒", 2.0), (600.0, "分钟", 10.0), (72_000.0, "小时", 20.0)]
)
def test_times_are_told_in_the_unit_that_fits_with_gaps_where_nothing_came(p95, unit, shown):
    first, *_, last = points()
    option = curves.latency([first, replace(last, p50_s=p95 / 2, p95_s=p95)], LOOK)
    assert option["yAxis"]["name"] == unit
    assert [series["data"] for series in option["series"]] == [[None, shown / 2], [None, shown]]


def test_a_time_without_a_neighbour_is_a_dot_since_no_line_leads_to_it():
    first, second, *_ = points()
    here = [replace(each, p50_s=0.1, p95_s=0.2) for each in (first, second)]
    for shown, dots in (([first, here[1]], True), (here, False)):
        option = curves.latency(shown, LOOK)
        assert [series["showSymbol"] for series in option["series"]] == [dots, dots]


def test_where_nothing_is_the_picture_says_so():
    for option in (
        flow.flow_map([], MAP, MAP.order, LOOK),
        items.item_sankey([], MAP.order, LOOK),
        curves.throughput(points(), LOOK),
        curves.latency(points(), LOOK),
    ):
        assert "没有" in option["graphic"][0]["style"]["text"]
    full = flow.flow_map(FAR, MAP, MAP.order, LOOK)
    assert full["graphic"][0]["style"]["text"] == ""


def test_on_a_wall_everything_is_larger_and_dark():
    wall = replace(LOOK, scale=3.0, dark=True)
    desk, large = (flow.flow_map(FAR, MAP, MAP.order, look) for look in (LOOK, wall))
    size = [option["series"][2]["data"][0]["label"]["fontSize"] for option in (desk, large)]
    assert size[1] == 3 * size[0]
    assert desk["geo"]["regions"][0]["itemStyle"] != large["geo"]["regions"][0]["itemStyle"]
