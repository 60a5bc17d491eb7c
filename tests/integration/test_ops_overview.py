"""The first page and the wall: needs on top with the one way that mends them, numbers that lead to their lists."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from html import unescape
from uuid import UUID

import pytest
from sqlalchemy import text

from gateway.dashboard.views import glance, needs, ways
from gateway.dashboard.views.atlas import atlas
from gateway.exchange import overview, peers
from gateway.exchange.overview import Kind, Light, Need, Urgency
from gateway.store.engine import single
from gateway.store.parked import Cause, ParkedGroup
from gateway.store.workers import Beat

DAY = date(2026, 11, 23)
AT = datetime(2026, 11, 23, tzinfo=UTC)
GROUP = ParkedGroup(Cause("1001", "param.aac005", "77"), "x", "没有对应的行", 3, (), AT, AT, UUID(int=0))
JSON = ("map", "items", "throughput", "latency")
RESTS = (
    "INSERT INTO deliveries (id, case_id, case_no, seq, destination, kind, native_kind, state, rendered)"
    " VALUES (uuidv7(), uuidv7(), 'x', 1, '{}', 'transfer.apply', 'x', '{}', TRUE)"
)


async def do(rt, *statements):
    async with single(rt.engine) as connection:
        for statement in statements:
            await connection.execute(text(statement))


@pytest.fixture
async def served(rt):
    await do(rt, "TRUNCATE workers, peers, deliveries")
    await rt.workers.beat(Beat("worker-1", 60, tuple(rt.regions), "1"))
    return rt


async def test_a_gateway_nobody_used_reads_well_on_every_part(ops, served):
    client = await ops("viewer")
    page = (await client.get("/ops/")).text
    assert "目前没有需要人工处理的事项" in page
    assert len(re.findall(r'class="figure-number">0<', page)) == 7
    assert page.count("空闲") == 2
    for name in JSON:
        assert (
            "没有" in (await client.get(f"/ops/overview/{name}.json")).json()["graphic"][0]["style"]["text"]
        )
    for name in ("map", "items"):
        assert "这段时间没有数据" in (await client.get(f"/ops/overview/table/{name}")).text
    assert "目前没有需要人工处理的事项" in (await client.get("/ops/wall")).text


async def test_what_is_most_urgent_stands_first_with_the_way_to_mend_it(ops, served):
    slug = min(served.regions)
    await peers.pause(served, slug, "staff:a", "对方升级")
    await do(served, RESTS.format(max(served.regions), "dead"))
    page = (await (await ops("viewer")).get("/ops/")).text
    found = re.findall(
        r'<li>\s*<span class="tag tone-(\w+)">.*?id="need-\d+" href="([^"]+)"', page, re.DOTALL
    )
    assert found == [("bad", "/ops/stuck#dead"), ("work", f"/ops/routes/{slug}")]
    assert page.index("现在需要人工处理") < page.index("今日收件")
    assert "已暂停" in page
    assert "有滞留" in page


async def test_the_numbers_lead_to_the_lists_they_count(ops, served):
    page = (await (await ops("viewer")).get("/ops/")).text
    ways = dict(re.findall(r'id="figure-(\w+)" href="([^"]+)"', page))
    assert len(ways) == 7
    assert unescape(ways["overdue"]) == "/ops/cases?due=overdue"
    assert ways["received"].startswith("/ops/cases?received_from=20")
    assert (ways["parked"], ways["dead"]) == ("/ops/stuck#parked", "/ops/stuck#dead")


@pytest.mark.parametrize(
    "address",
    [
        *(
            ways.ROUTES,
            ways.PARKED,
            ways.DEAD,
            ways.REFUSED,
            ways.OVERDUE,
            ways.DUE_SOON,
            ways.RULES,
            ways.RUNNING,
        ),
        ways.received(DAY),
        ways.to(Need(Kind.DUE_TODAY), DAY, ""),
        ways.to(Need(Kind.PARKED, group=GROUP), DAY, "{side}"),
        ways.route("{side}"),
    ],
)
async def test_every_way_leads_to_a_page_there_is(ops, served, address):
    answer = await (await ops("viewer")).get(
        address.replace("%7B", "{").replace("%7D", "}").format(side=min(served.regions))
    )
    assert answer.status_code == 200


async def test_what_rests_is_found_where_its_number_leads(ops, served):
    await do(served, *(RESTS.format(min(served.regions), state) for state in ("dead", "refused")))
    page = (await (await ops("viewer")).get(ways.DEAD)).text
    for address in (ways.DEAD, ways.REFUSED):
        assert f'id="{address.partition("#")[2]}"' in page


async def test_the_page_is_in_english_when_asked(ops, served):
    client = await ops("viewer")
    client.cookies.set("tongban_lang", "en", path="/ops")
    for path in ("/ops/", "/ops/wall"):
        said = re.sub(r"<[^>]+>", "", (await client.get(path)).text.split("</head>")[1])
        assert "Nothing needs a person" in said
        assert re.findall("[一-鿿]+", said) == ["中文"] * (path == "/ops/")


async def test_the_outlines_are_kept_by_the_browser_under_a_name_that_tells_their_content(ops, served):
    client = await ops("viewer")
    name = atlas(served.regions).name
    found = await client.get(f"/ops/maps/{name}")
    assert "immutable" in found.headers["cache-control"]
    assert len(found.json()["features"]) == 58
    assert (await client.get("/ops/overview/map.json")).json()["geo"]["map"] == name
    assert (await client.get("/ops/maps/elsewhere")).status_code == 404


async def test_curves_are_asked_for_by_span_and_no_other_word(ops, served):
    client = await ops("viewer")
    assert "throughput.json?span=30d" in (await client.get("/ops/overview/curves?span=30d")).text
    for span, places in (("1h", 60), ("24h", 24), ("30d", 30)):
        option = (await client.get(f"/ops/overview/throughput.json?span={span}")).json()
        assert len(option["xAxis"]["data"]) == places
        table = (await client.get(f"/ops/overview/table/curves?span={span}")).text
        assert table.count("<tr>") == places + 1
    assert (await client.get("/ops/?span=1y")).status_code == 400
    assert (await client.get("/ops/overview/map.json?scale=900")).status_code == 400
    assert (await client.get("/ops/overview/table/nothing")).status_code == 404


async def test_many_pages_at_once_are_one_look_at_the_store(ops, served, monkeypatch):
    looks, original = [], overview.look

    async def counted(rt):
        looks.append(1)
        return await original(rt)

    monkeypatch.setattr(overview, "look", counted)
    monkeypatch.setattr(glance, "FRESH_S", 60.0)
    client = await ops("viewer")
    for _ in range(5):
        assert (await client.get("/ops/overview/now")).status_code == 200
    assert len(looks) == 1


@pytest.mark.parametrize(("number", "last"), [(12, "第11省"), (13, "另有 2 个")])
async def test_the_wall_shows_a_dozen_routes_the_troubled_first(ops, served, monkeypatch, number, last):
    marks = [needs._LIGHTS[Light.BROKEN if n == 7 else Light.IDLE] for n in range(number)]
    many = [needs.Lamp(f"r{n}", f"第{n}省", mark, word, "", "") for n, (mark, word) in enumerate(marks)]
    monkeypatch.setattr(needs, "lamps", lambda *_: many)
    wall = (await (await ops("viewer")).get("/ops/wall")).text
    shown = re.findall(r'<li class="wall-lamp wall-\w+">.*?<span>(.*?)</span>', wall)
    assert (len(shown), shown[0], shown[1], shown[-1]) == (12, "第7省", "第0省", last)


def test_every_need_and_every_light_has_its_words_and_mark():
    assert set(needs._SAID) == set(Kind)
    assert set(needs._URGENCIES) == set(Urgency)
    assert set(needs._LIGHTS) == set(Light)
    icons = [mark.icon for mark, _ in needs._LIGHTS.values()]
    assert len(set(icons)) == len(icons)  # a light is told without its colour
