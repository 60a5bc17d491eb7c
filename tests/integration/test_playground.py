"""The playground as an application: tried by the rules, nothing kept; by itself it needs no database."""

from __future__ import annotations

import base64
import csv
import logging
import re
import shutil
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
import uuid_utils.compat

from gateway.asgi import join_playground
from gateway.dashboard.playground import link
from gateway.dashboard.playground.app import alone
from gateway.dashboard.playground.ground import Local
from gateway.dashboard.playground.link import Links, NotOpened
from gateway.dashboard.playground.samples import samples
from gateway.mapping.load import PACKAGED
from gateway.runtime import configure, rulebook
from gateway.web.app import create

BOOK = rulebook(configure(None, {}, offline=True), {})
SAMPLES = samples(BOOK.regions)
THIRD = Path(__file__).parents[1] / "third_region"
FRAGMENT = {"hx-request": "true"}


def ground_of(*words):
    return Local.of(BOOK, uuid_utils.compat.uuid7, words or (str(PACKAGED),), None)


@pytest.fixture(scope="module")
def ground():
    return ground_of()


def client_of(app, language="zh-CN", host="127.0.0.1"):
    headers = {"accept-language": language, "sec-fetch-site": "same-origin"}
    transport = httpx.ASGITransport(app=app)
    return httpx.AsyncClient(transport=transport, base_url=f"http://{host}", headers=headers)


@pytest.fixture
def visitor(ground):
    return client_of(alone(ground, 7))


def verdict(text):
    found = re.search(r'class="card verdict is-(\w+)"', text)
    return found and found[1]


def lines(text):
    return [int(line) for line in re.findall(r'data-line="(\d+)"', text)]


def exact(sample):
    """What the page's script sends of a file."""
    text = sample.body.decode("gb18030" if sample.body.startswith(b"<") else "utf-8")
    return {"message": text, "raw": base64.b64encode(sample.body).decode()}


async def tried(client, **form):
    answer = await client.post("/playground/", data=form, headers=FRAGMENT)
    assert answer.status_code == 200, answer.text
    return answer.text


# --- the page ---


@pytest.mark.parametrize(("language", "word"), [("zh-CN", "不保存"), ("en-GB", "Nothing is stored")])
async def test_it_opens_without_a_database_and_is_kept_by_nobody(ground, language, word):
    answer = await client_of(alone(ground, 7), language).get("/playground/")
    assert answer.status_code == 200
    assert word in answer.text
    assert answer.headers["cache-control"] == "no-store"
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("sample", sorted(SAMPLES))
async def test_every_sample_ends_as_its_name_says(visitor, sample):
    page = (await visitor.get("/playground/", params={"sample": sample})).text
    parked, refused = sample.endswith(".parked"), sample.endswith(".refused")
    assert verdict(page) == ("parked" if parked else "refused" if refused else "taken")
    assert ("data-spread" in page) is not (parked or refused)


async def test_the_samples_have_short_names_in_both_languages(ground):
    for language, words in (("zh-CN", ("转移申请·三处有误", "待遇资格认证")), ("en-GB", ("three faults",))):
        page = (await client_of(alone(ground, 7), language).get("/playground/")).text
        assert all(word in page for word in words)


async def test_what_findings_and_rules_say_is_english_on_an_english_page(ground):
    visitor = client_of(alone(ground, 7), "en-GB")
    for sample in SAMPLES.values():
        page = (await visitor.get("/playground/", params={"sample": sample.id})).text
        told = re.findall(r'class="finding-say">(.*?)</p>', page, re.DOTALL)
        # a word of the message or of a field's name stands within quotes or in bold, and stays as it is
        said = [re.sub(r"<b>.*?</b>：?|“.*?”|<[^>]+>", "", each, flags=re.DOTALL) for each in told]
        assert (verdict(page) == "taken") is not bool(said)
        assert [each for each in said if re.search("[\u4e00-\u9fff]", each)] == []
    page = (await visitor.get("/playground/", params={"sample": "sichuan-tbzy0001"})).text
    assert (
        "Money: yuan with at most two decimals"
        in (await visitor.get("/playground/", params={"sample": "sichuan-tbzy0002"})).text
    )
    assert "the other side has no handling officer" in page


# --- what was tried ---


async def test_every_fault_is_told_with_its_line_its_field_and_its_value(visitor):
    said = await tried(visitor, **exact(SAMPLES["sichuan-tbzy0001.refused"]))
    assert lines(said) == [1, 24, 35]
    assert "<mark>20261323</mark>" in said
    assert "受理日期" in said
    assert "这里面缺它" in said


async def test_what_would_park_names_the_file_that_lacks_a_row(visitor):
    said = await tried(visitor, **exact(SAMPLES["chongqing-SYJ_SQ.parked"]))
    assert verdict(said) == "parked"
    assert "codes/chongqing/leaving_reason.csv" in said
    assert "<mark>公司搬迁</mark>" in said


async def test_typed_text_is_read_in_the_encoding_of_its_side(visitor):
    sample = SAMPLES["chongqing-SYJ_SQ"]
    typed = sample.body.decode("gb18030").replace("王秀", "王䶮").replace("\n", "\r\n")
    said = await tried(visitor, message=typed)
    assert verdict(said) == "taken"
    assert "王䶮" in said


async def test_the_bytes_of_a_file_count_until_its_text_is_changed(visitor):
    sample = SAMPLES["sichuan-tbzy0001"]
    assert verdict(await tried(visitor, **exact(sample))) == "taken"
    changed = exact(sample) | {"message": exact(sample)["message"].replace('"110"', '"1x0"', 1)}
    assert verdict(await tried(visitor, **changed)) != "taken"


async def test_a_file_is_taken_without_any_script(visitor):
    sample = SAMPLES["chongqing-SYJ_SQ"]
    answer = await visitor.post("/playground/", data={"message": ""}, files={"file": ("m.xml", sample.body)})
    assert verdict(answer.text) == "taken"
    assert "王秀" in re.search(r"<textarea.*?</textarea>", answer.text, re.DOTALL)[0]


@pytest.mark.parametrize(
    ("message", "line", "word"),
    [
        ('{\n "fwid": "tbzy0001",\n "param": {\n}', 4, "读不懂"),
        ('<?xml version="1.0" encoding="GB18030"?>\n<PACKET>\n<HEAD></PACKET>', 3, "读不懂"),
        ("hello", 1, "读不懂"),
    ],
)
async def test_what_cannot_be_read_says_where_the_reading_ended(visitor, message, line, word):
    said = await tried(visitor, message=message)
    assert verdict(said) == "unknown"
    assert word in said
    assert lines(said) == [line]


@pytest.mark.parametrize(
    ("begin", "word"), [(b"\xef\xbb\xbf{", "BOM"), (b"\xef\xbb\xbf\n {", "BOM"), (b"[", "JSON")]
)
async def test_what_is_json_by_its_first_mark_is_told_so_and_not_taken_for_another_format(
    visitor, begin, word
):
    body = begin + SAMPLES["sichuan-tbzy0001"].body.lstrip()[1:]
    answer = await visitor.post(
        "/playground/", data={"message": ""}, files={"file": ("m", body)}, headers=FRAGMENT
    )
    said = re.search(r'class="finding-say">(.*?)</p>', answer.text, re.DOTALL)[1]
    assert word in said
    assert "GB18030" not in said


async def test_bytes_a_page_cannot_hold_are_still_the_files_own_when_it_is_tried_again(visitor):
    body = SAMPLES["sichuan-tbzy0001"].body.replace(b"tbzy0001", b"tb\0zy0001", 1)
    again = {"message": body.decode().replace("\0", "\ufffd"), "raw": base64.b64encode(body).decode()}
    told = (await visitor.post("/playground/share", data=again)).json()
    opened = (await visitor.post("/playground/open", data={"token": told["token"]}, headers=FRAGMENT)).text
    assert base64.b64encode(body).decode() in opened


async def test_of_very_many_faults_the_first_are_shown_and_the_others_counted(visitor):
    members = ",\n".join(f'"k{number}": 1' for number in range(5000))
    said = await tried(visitor, message=f'{{"fwid": "tbzy0001",\n{members}}}')
    assert len(lines(said)) == 200
    assert "另有 4,8" in said


@pytest.mark.parametrize("sample", ["sichuan-tbzy0001.refused", "chongqing-SYJ_SQ.refused"])
async def test_a_message_on_one_line_is_set_out_so_that_lines_mean_something(visitor, sample):
    text = exact(SAMPLES[sample])["message"]
    one = re.sub(r"(?<=[>,{}])\s*\n\s*", "", text).strip()
    assert lines(await tried(visitor, message=one))[-1] == 1
    answer = await visitor.post("/playground/", data={"message": one, "layout": "1"}, headers=FRAGMENT)
    assert answer.headers["hx-retarget"] == "#play"
    assert verdict(answer.text) == "refused"
    assert len(set(lines(answer.text))) == 3


async def test_a_follow_up_is_told_what_it_belongs_to(visitor):
    sample = SAMPLES["sichuan-tbzt0001"]
    alone_ = await tried(visitor, **exact(sample))
    assert verdict(alone_) == "refused"
    assert "上下文" in alone_
    context = {f"c-{name}": value for name, value in sample.context.items()}
    assert verdict(await tried(visitor, **exact(sample), **context)) == "taken"
    said = await tried(visitor, **exact(sample), **context, **{"c-old_place": "0"})
    assert "应为六位区划代码" in said


async def test_it_is_judged_by_the_rules_of_the_day_one_asks_for(visitor):
    sample = exact(SAMPLES["sichuan-tbzy0001"])
    assert "2026-11-23" in await tried(visitor, **sample)
    said = await tried(visitor, **sample, on="1999-01-01")
    assert verdict(said) != "taken"
    assert "1999-01-01" in said
    assert "请改正或清空" in await tried(visitor, **sample, on="1999-13-01")


async def test_one_may_choose_among_the_tables_given(tmp_path):
    lacking = tmp_path / "lacking"
    shutil.copytree(PACKAGED, lacking)
    file = lacking / "codes" / "sichuan" / "ethnic_group.csv"
    with file.open(encoding="utf-8", newline="") as read:
        heading, *rows = csv.reader(read)
    with file.open("w", encoding="utf-8", newline="") as write:
        kept = [row for row in rows if row[heading.index("native")] != "01"]
        csv.writer(write, lineterminator="\n").writerows([heading, *kept])
    ground = ground_of(str(PACKAGED), str(lacking))
    visitor = client_of(alone(ground, 7))
    other = (await ground.choices())[1].word
    sample = exact(SAMPLES["sichuan-tbzy0001"])
    assert verdict(await tried(visitor, **sample)) == "taken"
    assert verdict(await tried(visitor, **sample, rules=other)) == "parked"
    assert "没有这一版规则表" in await tried(visitor, **sample, rules="0" * 64)
    assert "没有这个地区" in await tried(visitor, **sample, sender="nowhere")


async def test_a_region_that_is_only_a_folder_has_its_samples_and_its_tables_too():
    slug = "yunling"
    settings = configure(None, {"TONGBAN_REGIONS_DIRS": f'["{THIRD}"]'}, offline=True)
    book = rulebook(settings, {})
    assert slug in book.regions
    visitor = client_of(alone(Local.of(book, uuid_utils.compat.uuid7, (str(PACKAGED),), None), 7))
    own = [each for each in samples(book.regions).values() if each.region == slug]
    ends = [verdict((await visitor.get("/playground/", params={"sample": each.id})).text) for each in own]
    assert len(own) == len(list((THIRD / "adapters" / slug / "examples").glob("*.native.*")))
    assert "taken" in ends
    assert "unknown" not in ends


# --- links ---


async def test_a_link_carries_all_of_it_and_opens_where_it_was_made(visitor):
    sample = SAMPLES["sichuan-tbzt0001"]
    context = {f"c-{name}": value for name, value in sample.context.items()}
    told = (await visitor.post("/playground/share", data=exact(sample) | context)).json()
    assert "affairCode" not in base64.urlsafe_b64decode(told["token"] + "===").decode("latin-1")
    opened = (await visitor.post("/playground/open", data={"token": told["token"]}, headers=FRAGMENT)).text
    assert verdict(opened) == "taken"
    assert sample.context["affair_code"] in opened
    assert base64.b64encode(sample.body).decode() in opened


async def test_a_link_that_cannot_be_opened_says_why(ground, visitor):
    now = ground.clock.now()
    foreign, _ = Links(bytes(32), 7).seal({"text": "{}"}, now)
    own = (await visitor.post("/playground/share", data={"message": "{}"})).json()["token"]
    changed = own[:-6] + ("AAAAAA" if own[-6:] != "AAAAAA" else "BBBBBB")
    for token, word in ((foreign, "另一台机器"), (changed, "不完整"), (own[:20], "不完整"), ("§", "不完整")):
        answer = await visitor.post("/playground/open", data={"token": token}, headers=FRAGMENT)
        assert word in answer.text
        assert verdict(answer.text) is None


def test_links_of_a_deployment_last_for_their_days_and_open_nowhere_else(ground):
    here, there, now = Links(bytes(32), 2), Links(bytes(range(32)), 2), ground.clock.now()
    token, until = here.seal({"text": "{}"}, now)
    assert until == now + timedelta(days=2)
    assert Links(bytes(32), 9).open(token, now) == {"text": "{}"}
    for links, at, reason in ((there, now, link.FOREIGN), (here, until + timedelta(seconds=2), link.EXPIRED)):
        with pytest.raises(NotOpened) as refused:
            links.open(token, at)
        assert refused.value.text == reason
    with pytest.raises(NotOpened) as refused:
        here.seal(
            {
                "text": base64.b85encode(
                    bytes(range(256)) * 4 + b"".join(map(str.encode, map(str, range(9000))))
                ).decode()
            },
            now,
        )
    assert refused.value.text == link.TOO_LONG


# --- what it does not do ---


async def test_a_message_longer_than_the_door_takes_is_refused_with_a_sentence(visitor):
    long = "{" + " " * (1 << 20) + "}"
    answer = await visitor.post("/playground/", data={"message": long}, headers=FRAGMENT)
    assert (answer.status_code, "1 MiB" in answer.text) == (413, True)
    answer = await visitor.post("/playground/", data={"message": long * 4}, headers=FRAGMENT)
    assert answer.status_code == 413


async def test_nothing_of_a_message_is_logged(visitor, caplog, capfd):
    with caplog.at_level(logging.DEBUG, logger="gateway"):
        await tried(visitor, **exact(SAMPLES["sichuan-tbzy0001"]))
        await tried(visitor, message='{"fwid": "tbzy0001", "aac003": "张䶮"}')
        await visitor.get("/playground/nowhere?aac003=x")
    told = "".join(record.getMessage() for record in caplog.records) + "".join(capfd.readouterr())
    assert "张䶮" not in told
    assert "tbzy0001" not in told


async def test_forms_of_other_sites_and_names_that_are_not_ours_are_refused(ground, visitor):
    foreign = {"sec-fetch-site": "cross-site"}
    assert (await visitor.post("/playground/", data={"message": "{}"}, headers=foreign)).status_code == 403
    assert (await client_of(alone(ground, 7), host="rebound.test").get("/playground/")).status_code == 400


# --- in a gateway ---


async def test_in_a_gateway_it_is_for_whoever_is_signed_in(ops):
    gone = await (await ops()).get("/playground/?sample=sichuan-tbzy0001")
    assert (gone.status_code, gone.headers["location"].split("?")[0]) == (303, "/ops/sign-in")
    client = await ops("viewer")
    page = (await client.get("/playground/", params={"sample": "sichuan-tbzy0001"})).text
    assert verdict(page) == "taken"
    assert 'class="rail"' in page
    del client.headers["x-csrf-token"]
    assert (await client.post("/playground/", data={"message": "{}"})).status_code == 400
    assert (await client.post("/playground/", data={"message": "{}", "csrf": client.csrf})).status_code == 200


async def test_signing_in_leads_back_to_it_and_the_cookie_goes_nowhere_else(ops):
    client = await ops("viewer", name="lin")
    form = {"name": "lin", "password": "open-sesame-of-the-tests", "next": "/playground/"}
    entered = await client.post("/ops/sign-in", data=form)
    assert entered.headers["location"] == "/playground/"
    paths = {re.search(r"Path=([^;]+)", each)[1] for each in entered.headers.get_list("set-cookie")}
    assert paths == {"/ops", "/playground"}


async def test_a_gateways_links_hang_on_its_master_key_and_its_tables_can_be_chosen(rt, ops):
    client = await ops("operator")
    sample = exact(SAMPLES["sichuan-tbzy0001.parked"])
    token = (await client.post("/playground/share", data=sample)).json()["token"]
    assert Links(bytes(range(32)), 1).open(token, rt.clock.now())["raw"] == sample["raw"]
    foreign, _ = Links(bytes(32), 7).seal({"text": "{}"}, rt.clock.now())
    said = (await client.post("/playground/open", data={"token": foreign}, headers=FRAGMENT)).text
    assert "另一套部署" in said
    said = await tried(client, **sample, rules="packaged")
    assert "/ops/rules/missing?cause=1001" in said


async def test_a_gateway_may_close_it_or_open_it_to_its_own_machine(rt, settings):
    def joined(access):
        changed = settings.playground.model_copy(update={"access": access})
        app = create()
        app.state.runtime = rt
        join_playground(app, settings.model_copy(update={"playground": changed}))
        return client_of(app)

    assert (await joined("off").get("/playground/")).status_code == 404
