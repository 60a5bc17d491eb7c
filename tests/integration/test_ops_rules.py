"""The pages about rules: what is in force, what it says, and a missing row mended by two people."""

from __future__ import annotations

import asyncio
import base64
import re

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from sqlalchemy import text
from staff_builders import Side

from gateway import shelf
from gateway.mapping.release import statement
from gateway.settings import Approver
from gateway.store.sets import TableSets

NATION = "/ops/rules/missing?cause=1001:param.aac005=77&region=sichuan"
NUMBER = iter(range(801, 899))
#: where nothing has been released yet
PAGES = [
    "/ops/rules",
    "/ops/rules/tables",
    "/ops/rules/tables?table=codes/status",
    "/ops/rules/tables?table=recognition/materials.csv&pair=sichuan",
    "/ops/rules/tables?table=items/catalogue.csv&q=pension",
    "/ops/rules/tables?table=guides/sichuan.csv",
    "/ops/rules/tables?table=places/divisions.csv&after=100",
    "/ops/rules/tables?table=calendar",
    "/ops/rules/diff",
    "/ops/rules/coverage",
    "/ops/rules/coverage?region=sichuan&fate=dropped&q=aac",
    "/ops/rules/alignment",
    "/ops/rules/alignment?item=pension_transfer&verdict=equivalent",
    NATION,
]


@pytest.fixture(autouse=True)
async def alone(engine, monkeypatch):
    monkeypatch.setattr(shelf, "LOOK_EVERY_S", 0.05)
    yield
    async with engine.begin() as connection:
        await connection.execute(text("ALTER TABLE table_sets DISABLE TRIGGER USER"))
        for table in ("table_sets", "deliveries", "rule_trials"):
            await connection.execute(text(f"DELETE FROM {table}"))
        await connection.execute(text("ALTER TABLE table_sets ENABLE TRIGGER USER"))


@pytest.fixture
async def parked(rt):
    return await Side(rt).hand_in("tbzy0001", next(NUMBER), aac005="77")


FORM = {"key": "汉族", "basis": "双方会商记录", "effective_from": "2026-11-23", "reason": "来源方代码 77"}


async def proposed(ops):
    operator = await ops("operator")
    made = await operator.post(NATION, data=FORM)
    assert made.status_code == 303, made.text
    return made.headers["location"]


@pytest.mark.parametrize("language", ["zh-CN", "en"])
async def test_every_page_about_rules_opens_in_both_languages(ops, parked, language):
    client = await ops("viewer", language=language)
    for path in PAGES:
        answer = await client.get(path)
        assert answer.status_code == 200, path
        assert "<h1>" in answer.text, path


async def test_the_missing_row_is_named_with_who_waits_and_what_one_may_choose(ops, parked):
    answer = await (await ops("operator")).get(NATION)
    assert "补充民族“77”" in answer.text
    assert '<option value="01">汉族 → 重庆市 汉族</option>' in answer.text
    assert re.search(r"1\s+条报文", answer.text)


async def test_the_draft_shows_the_row_and_what_the_other_side_would_get(ops, parked):
    client = await ops("operator")
    answer = await client.post(
        NATION.replace("missing?", "missing/preview?"),
        data=FORM | {"reason": ""},
        headers={"hx-request": "true"},
    )
    assert answer.status_code == 200
    assert "codes/sichuan/ethnic_group.csv" in answer.text
    assert "检查通过" in answer.text
    assert "只用于读入，记为有损" in answer.text


async def test_a_form_with_gaps_comes_back_with_each_named_and_nothing_is_kept(ops, parked, rt):
    answer = await (await ops("operator")).post(NATION, data={"key": "01", "effective_from": "soon"})
    assert answer.status_code == 422
    for sentence in ("请填写依据", "请填写理由", "请填写生效日期"):
        assert sentence in answer.text
    assert await TableSets(rt.engine).heads(1) == []


async def test_rows_that_break_a_law_are_refused_in_place_with_every_finding(ops, rt):
    material = "/ops/rules/missing?cause=1002:param.clist[].clbm=CL001&region=sichuan"
    form = FORM | {"accepted_as": "id_card", "items": "*", "since": "2026-11-01"}
    answer = await (await ops("operator")).post(material, data=form)
    assert answer.status_code == 422
    assert "有效期重叠：请先关闭旧规则" in answer.text
    assert 'value="双方会商记录"' in answer.text
    assert await TableSets(rt.engine).heads(1) == []


async def test_a_viewer_sees_the_form_and_why_he_may_not_use_it(ops, parked):
    client = await ops("viewer")
    page = await client.get(NATION)
    assert "提出规则需要“操作”或“审批”角色" in page.text
    assert (await client.post(NATION, data=FORM)).status_code == 403


async def test_two_people_mend_the_table_and_the_parked_message_can_go(ops, parked, rt):
    address = await proposed(ops)
    operator, approver = await ops("operator"), await ops("approver")
    page = (await operator.get(address)).text
    assert "启用和停用需要“审批”角色" in page
    assert (await operator.post(f"{address}/activate", data={"reason": "x"})).status_code == 403
    page = (await approver.get(address)).text
    assert "codes/sichuan/ethnic_group.csv" in page
    assert 'data-opens="activate"' in page
    done = await approver.post(f"{address}/activate", data={"reason": "核对过"})
    assert done.status_code == 303
    digest = address.rpartition("/")[2]
    async with asyncio.timeout(10):
        while rt.tables.digest != digest:  # noqa: ASYNC110 - the shelf is looked at from outside
            await asyncio.sleep(0.05)
    assert "现用的表里已经有这一行" in (await operator.get(NATION)).text
    gone = await operator.post(NATION.replace("missing?", "missing/release?"), data={"reason": "规则已补上"})
    assert gone.status_code == 303
    assert (await operator.get(NATION)).status_code == 200
    async with rt.engine.connect() as connection:
        left = await connection.execute(text("SELECT count(*) FROM deliveries WHERE state = 'parked'"))
        assert left.scalar_one() == 0
        kept = await connection.execute(
            text("SELECT verb FROM audit WHERE target = :digest"), {"digest": digest}
        )
        assert set(kept.scalars()) == {"mappings-release", "mappings-impact", "mappings-activate"}


async def test_who_proposed_cannot_activate_though_he_may_approve(ops, parked):
    both = await ops("operator", "approver", name="wang")
    made = await both.post(NATION, data=FORM)
    address = made.headers["location"]
    page = (await both.get(address)).text
    assert "提出这个版本的人不能自己启用：请另一人确认" in page
    refused = await both.post(f"{address}/activate", data={"reason": "x"})
    assert (refused.status_code, "另一人确认" in refused.text) == (409, True)


async def test_the_trial_begins_by_itself_and_its_result_is_shown(ops, parked):
    address = await proposed(ops)
    client = await ops("viewer")
    async with asyncio.timeout(30):
        while "已完成" not in (part := (await client.get(f"{address}/trial")).text):
            assert 'hx-trigger="every 1s"' in part
            await asyncio.sleep(0.2)
    assert "codes/sichuan/ethnic_group.csv" in part
    again = await client.post(f"{address}/trial", data={"reason": "x", "last": "7"})
    assert again.status_code == 400


@pytest.fixture
def signed(rt, monkeypatch):
    """Keys of both sides, configured as they would be; only they can sign."""
    keys = {side: Ed25519PrivateKey.generate() for side in ("sichuan", "chongqing")}
    public = {
        side: key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
        for side, key in keys.items()
    }
    approval = {side: Approver(public_key=pem) for side, pem in public.items()}
    monkeypatch.setitem(rt.settings.__dict__, "approval", approval)
    return keys


async def test_with_keys_a_release_waits_for_the_signature_of_each_side(ops, parked, rt, signed):
    address = await proposed(ops)
    digest = address.rpartition("/")[2]
    approver = await ops("approver")
    kept = await TableSets(rt.engine).one(digest)
    said = statement(digest, kept.effective_from)
    page = (await approver.get(address)).text
    assert said.decode() in page
    assert "尚待重庆市、四川省签名批准" in page
    for region, signer, status in (
        ("sichuan", "chongqing", 409),
        ("sichuan", "sichuan", 303),
        ("chongqing", "chongqing", 303),
    ):
        assert (await approver.post(f"{address}/activate", data={"reason": "x"})).status_code == 409
        signature = base64.b64encode(signed[signer].sign(said)).decode()
        form = {"region": region, "signature": signature, "reason": "已核对"}
        assert (await approver.post(f"{address}/approve", data=form)).status_code == status
    assert (await approver.post(f"{address}/activate", data={"reason": "x"})).status_code == 303


async def test_a_comparison_shows_the_row_before_it_is_in_force(ops, parked):
    address = await proposed(ops)
    page = (await (await ops("viewer")).get(f"/ops/rules/diff?new={address.rpartition('/')[2]}")).text
    assert "codes/sichuan/ethnic_group.csv" in page
    assert "<ins>77</ins>" in page


async def test_what_is_not_there_is_a_designed_no(ops):
    client = await ops("viewer")
    for path in (
        "releases/abcdef0123456789",
        "tables?set=abcdef0123",
        "tables?table=nothing",
        "missing?cause=1001:param.nothing",
        "missing?cause=junk",
    ):
        answer = await client.get(f"/ops/rules/{path}")
        assert answer.status_code == 404, path
        assert "<h1" in answer.text, path
