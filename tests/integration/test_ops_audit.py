"""The audit's page and file: for auditors alone, with reasons in the clear, by any filter."""

from __future__ import annotations

import csv
import io
import re

import pytest

from gateway.dashboard.pages.audit import PAGE


@pytest.fixture
async def auditor(ops):
    return await ops("auditor")


async def rows(client, query=""):
    page = (await client.get(f"/ops/audit{query}")).text
    return re.findall(r'<td class="trail-reason">(.*?)</td>', page, re.DOTALL), page


async def test_only_an_auditor_reads_it(ops):
    for role in ("viewer", "operator", "approver"):
        client = await ops(role)
        for path in ("/ops/audit", "/ops/audit.csv"):
            refused = await client.get(path)
            assert refused.status_code == 403, (role, path)
        assert 'href="/ops/audit"' not in (await client.get("/ops/running")).text


async def test_a_line_is_told_in_words_with_its_reason_and_what_changed(rt, auditor):
    await rt.audit.append(
        "staff:zhang", "pace", "sichuan", "对方要求<放慢>", {"per_second": None}, {"per_second": 20.0}
    )
    await rt.audit.append("staff:zhang", "look", "CYTB2026112300001", "核对姓名")
    reasons, page = await rows(auditor, "?actor=staff:zhang")
    assert [reason.strip() for reason in reasons] == ["核对姓名", "对方要求&lt;放慢&gt;"]
    assert "设定投递节奏" in page
    assert 'href="/ops/cases/CYTB2026112300001"' in page
    assert re.search(r"每秒</span>\s+20\.0", page)


async def test_filters_narrow_and_pages_lead_both_ways(rt, auditor):
    for n in range(PAGE + 3):
        await rt.audit.append("staff:many", "retry", f"m{n}", f"理由{n}")
    reasons, page = await rows(auditor, "?actor=staff:many")
    assert len(reasons) == PAGE
    older = re.search(r'rel="next" href="([^"]+)"', page)[1].replace("&amp;", "&")
    assert 'rel="prev"' not in page
    reasons, page = await rows(auditor, older.removeprefix("/ops/audit"))
    assert [reason.strip() for reason in reasons] == ["理由2", "理由1", "理由0"]
    newer = re.search(r'rel="prev" href="([^"]+)"', page)[1].replace("&amp;", "&")
    reasons, _ = await rows(auditor, newer.removeprefix("/ops/audit"))
    assert [reason.strip() for reason in reasons][-1] == "理由3"
    assert (await rows(auditor, "?actor=staff:many&verb=pause"))[0] == []
    assert len((await rows(auditor, "?target=m7"))[0]) == 1
    assert (await rows(auditor, "?actor=staff:many&until=2020-01-01"))[0] == []
    empty = (await auditor.get("/ops/audit?actor=staff:nobody")).text
    assert "没有符合条件的记录" in empty


@pytest.mark.parametrize("query", ["?since=yesterday", "?older=7", "?other=1", "?actor=%00"])
async def test_an_address_that_makes_no_sense_is_told_so(auditor, query):
    answer = await auditor.get(f"/ops/audit{query}")
    assert answer.status_code == 400
    assert "参数不正确" in answer.text


async def test_the_file_holds_the_same_lines_is_no_formula_and_is_on_record(rt, auditor):
    await rt.audit.append("staff:file", "return", "CYTB1", '=HYPERLINK("http://evil.test")')
    answer = await auditor.get("/ops/audit.csv?actor=staff:file")
    assert answer.headers["content-type"].startswith("text/csv")
    assert re.search(r'filename="audit-\d{8}\.csv"', answer.headers["content-disposition"])
    (heading, line) = csv.reader(io.StringIO(answer.text.removeprefix("\ufeff")))
    assert heading[:5] == ["时间", "人员", "动作", "对象", "理由"]
    assert line[1:5] == ["staff:file", "退回", "CYTB1", '\'=HYPERLINK("http://evil.test")']
    _, page = await rows(auditor, "?verb=audit.export")
    assert "导出审计记录" in page
    assert "staff:file" in page


async def test_the_fragment_for_the_stream_is_the_table_alone(auditor):
    part = (await auditor.get("/ops/audit", headers={"hx-request": "true"})).text
    assert part.strip().startswith('<div id="lines"')
    assert "<html" not in part
