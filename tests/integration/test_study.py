"""Explaining and studying stored cases on real PostgreSQL: every value, every day, every proposed row."""

from __future__ import annotations

import asyncio
import json
import logging

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from test_api_cases import CANARIES, application, hand_in
from typer.testing import CliRunner

from gateway.cli.main import app
from gateway.exchange.impact import TOGETHER, Study, impact
from gateway.exchange.replay import Aspect
from gateway.mapping.load import PACKAGED, files_of, tables_of
from gateway.store.archive import Archive
from gateway.web.explain_schemas import Explanation

FILES = files_of(PACKAGED)
TABLES = tables_of(FILES, 2026, where="packaged")


def proposed(path, old, new):
    """The packaged tables with one text of one file replaced."""
    written = FILES[path].decode()
    assert old in written
    return {**FILES, path: written.replace(old, new).encode()}


def tables(files):
    return tables_of(files, 2026, where="proposed")


async def stored(rt, client, number, **changes):
    answer = await hand_in(rt, client, application(number, **changes))
    assert answer.status_code == 202, answer.text
    return answer.json()["cytbh"]


def value(told, path_out):
    (found,) = (v for m in told["messages"] for v in m["values"] if v["path_out"] == path_out)
    return found


# --- explain ---


async def test_every_value_of_the_other_sides_message_tells_where_it_came_from_and_by_which_row(rt, door):
    async with door("chief-token") as chief:
        case_no = await stored(rt, chief, 501, aac005="07", aac009="11")
        told = (await chief.get(f"/v1/cases/{case_no}/explain")).json()
    Explanation.model_validate(told)
    (message,) = told["messages"]
    assert (message["native_kind"], message["out_kind"]) == ("tbzy0001", "YLZY_SQ")
    assert message["tables"] == {"digest": TABLES.digest, "kept": True}
    assert message["item_version"]["item"] == "pension_transfer"
    nation = value(told, "BODY/SQR/MZ")
    assert (nation["path_in"], nation["name_in"], nation["before"]) == ("param.aac005", "民族", "07")
    assert (nation["after"], nation["kind"], nation["rule"]) == ("彝族", "converted", "M1")
    assert nation["rule_text"].startswith("代码：")
    read, written = nation["rows"]
    lines = FILES["codes/sichuan/ethnic_group.csv"].decode().splitlines()
    assert read["table"] == "codes/sichuan/ethnic_group.csv"
    assert lines[read["line"] - 1].startswith("07,")
    assert (written["table"], written["native"]) == ("codes/chongqing/ethnic_group.csv", "彝族")
    assert value(told, "BODY/SQR/HKXZ")["kind"] == "lossy"


async def test_materials_name_the_recognition_rule_with_its_basis_days_file_and_line(rt, door):
    async with door("chief-token") as chief:
        case_no = await stored(rt, chief, 502)
        told = (await chief.get(f"/v1/cases/{case_no}/explain")).json()
    material = value(told, "BODY/CLLB/CL[1]/CLBH")
    rule = next(row for row in material["rows"] if "rule_id" in row)
    assert rule["rule_id"] == material["rule"]
    lines = FILES[rule["table"]].decode().splitlines()
    assert lines[rule["line"] - 1].startswith(f"{rule['rule_id']},")
    assert rule["basis"]
    assert rule["effective_from"] <= "2026-11-23"
    assert value(told, "BODY/CLLB/CL[1]/CLMC")["kind"] == "derived"


async def test_minted_paired_derived_and_dropped_values_are_told_apart(rt, door):
    async with door("chief-token") as chief:
        case_no = await stored(rt, chief, 503)
        told = (await chief.get(f"/v1/cases/{case_no}/explain")).json()
    assert value(told, "HEAD/LSH")["kind"] == "minted"
    assert value(told, "BODY/YWXX/YLLX")["kind"] == "with_other"
    limit = value(told, "BODY/BJXX/CNSX")
    assert (limit["kind"], limit["rule"], limit["path_in"]) == ("derived", "M12", None)
    assert limit["rows"][0]["table"] == "items/catalogue.csv"
    dropped = [v for v in told["messages"][0]["values"] if v["path_out"] is None]
    assert {v["kind"] for v in dropped} <= {"dropped", "lossy", "warning"}
    bank_no = next(v for v in dropped if v["path_in"] == "param.lxh.aac080")
    assert "行号" in bank_no["rule_text"]
    # every leaf of the written message is there exactly once, and has a name
    written = [v["path_out"] for v in told["messages"][0]["values"] if v["path_out"]]
    assert len(written) == len(set(written))
    assert all(v["name_out"] for v in told["messages"][0]["values"] if v["path_out"])


async def test_without_the_full_scope_an_explanation_shows_no_person(rt, door):
    async with door("desk-token") as desk:
        case_no = await stored(rt, desk, 504)
        answer = await desk.get(f"/v1/cases/{case_no}/explain?on=2021-11-30")
        assert answer.status_code == 200
        assert not [canary for canary in CANARIES if canary in answer.text]
        assert value(answer.json(), "BODY/SQR/XM")["after"] == "张*"


async def test_the_same_case_on_a_past_day_shows_what_would_have_been_otherwise(rt, door):
    async with door("chief-token") as chief:
        case_no = await stored(rt, chief, 505)
        before = (await chief.get(f"/v1/cases/{case_no}/explain?on=2021-11-30")).json()["travel"]
        same = (await chief.get(f"/v1/cases/{case_no}/explain?on=2026-11-23")).json()["travel"]
    (message,) = before["messages"]
    assert before["on"] == "2021-11-30"
    # on that day no rule settled the funds, other versions and divisions were in force
    assert message["after"] != message["before"] or any(
        change["path"] == "BODY/YWXX/SFDQJS" for change in message["changes"]
    )
    assert message["changes"]
    assert same["messages"][0]["changes"] == []


async def test_another_set_may_be_asked_for_by_name_and_no_folder_of_the_server(rt, door, tmp_path):
    async with door("chief-token") as chief:
        case_no = await stored(rt, chief, 506)
        known = await chief.get(f"/v1/cases/{case_no}/explain?set=packaged")
        assert known.json()["travel"]["tables"] == TABLES.digest
        assert [m["changes"] for m in known.json()["travel"]["messages"]] == [[]]
        for word in (str(tmp_path), "deadbeefdeadbeef", "nonsense"):
            answer = await chief.get(f"/v1/cases/{case_no}/explain", params={"set": word})
            assert (answer.status_code, answer.json()["code"]) == (404, "not-found")


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/v1/cases/CYTB5101042026112399999999/explain", 404),
        ("/v1/cases/.../explain", 404),
        ("/v1/cases/CYTB5101042026112399999999/explain?on=2026-02-30", 400),
        ("/v1/cases/CYTB5101042026112399999999/explain?day=2026-02-03", 400),
    ],
)
async def test_what_cannot_be_explained_is_a_problem_document(door, path, status):
    async with door("desk-token") as desk:
        answer = await desk.get(path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"


async def test_explaining_needs_the_scope(door):
    async with door("nobody-token") as nobody:
        assert (await nobody.get("/v1/cases/CYTB5101042026112399999999/explain")).status_code == 403


async def test_a_parked_case_is_explained_by_what_it_waits_for(rt, door):
    async with door("chief-token") as chief:
        case_no = await stored(rt, chief, 507, aac005="77")
        told = (await chief.get(f"/v1/cases/{case_no}/explain?on=2026-11-23")).json()
    (message,) = told["messages"]
    assert (message["outcome"], message["values"]) == ("parked", [])
    assert [(f["path"], f["code"]) for f in message["findings"]] == [("param.aac005", "1001")]
    assert told["travel"]["messages"][0]["after"] == "挂起 1001 param.aac005"


# --- impact ---


async def studied(rt, files, last=100):
    study = Study(rt.regions, TABLES, tables(files))
    return await impact(Archive(rt.engine, rt.vault), study, last)


async def test_unchanged_tables_change_nothing(rt, door):
    async with door("desk-token") as desk:
        await stored(rt, desk, 520)
    report = await studied(rt, FILES)
    assert report.cases >= 1
    assert (report.changed_cases, report.rules) == (0, [])
    assert report.cases_per_s > 0


async def test_a_row_added_shows_the_parked_cases_it_would_let_go(rt, door):
    async with door("desk-token") as desk:
        case_no = await stored(rt, desk, 521, aac005="78")
    files = proposed("codes/sichuan/ethnic_group.csv", "\n07,", "\n78,07,彝族,read,,试\n07,")
    report = await studied(rt, files)
    (rule,) = report.rules
    assert rule.cause.table == "codes/sichuan/ethnic_group.csv"
    assert rule.cases == {case_no}
    assert rule.changes == {Aspect.VERDICT: 1}
    assert rule.samples[0].change.before == "挂起 1001 param.aac005"
    assert rule.samples[0].change.after == "转递"


async def test_a_new_word_on_both_sides_is_told_as_what_the_rows_do_together(rt, door):
    async with door("desk-token") as desk:
        case_no = await stored(rt, desk, 526, aac005="88")
    files = {
        name: content + rows.encode()
        for name, rows in {
            "canonical/ethnic_group.csv": "88,示例族,\n",
            "codes/sichuan/ethnic_group.csv": "88,88,示例族,both,,\n",
            "codes/chongqing/ethnic_group.csv": "示例族,88,,both,,\n",
        }.items()
        for content in (FILES[name],)
    }
    report = await studied(rt, {**FILES, **files})
    (rule,) = report.rules
    assert rule.cases == {case_no}
    assert rule.cause.table == TOGETHER
    assert "codes/sichuan/ethnic_group.csv 88 ↔ 88" in rule.cause.subject
    assert "codes/chongqing/ethnic_group.csv 示例族 ↔ 88" in rule.cause.subject
    assert (rule.samples[0].change.before, rule.samples[0].change.after) == (
        "挂起 1001 param.aac005",
        "转递",
    )
    assert report.untouched >= 1  # cases that hold neither word are not translated


async def test_a_changed_limit_shows_deadlines_by_the_item(rt, door):
    async with door("desk-token") as desk:
        case_no = await stored(rt, desk, 522)
    catalogue = FILES["items/catalogue.csv"].decode().splitlines(keepends=True)
    changed = [
        line.replace(",5,工作日,", ",4,工作日,") if ",pension_transfer," in line else line
        for line in catalogue
    ]
    assert changed != catalogue
    report = await studied(rt, {**FILES, "items/catalogue.csv": "".join(changed).encode()})
    rule = next(each for each in report.rules if each.cause.subject == "pension_transfer")
    assert case_no in rule.cases
    assert rule.changes[Aspect.DEADLINE] >= 2  # the limit written, and the due date
    told = [sample.change for sample in rule.samples]
    assert any(change.before.startswith("5 工作日 · 2026-11-30") for change in told)
    assert any(change.after.startswith("4 工作日 · 2026-11-27") for change in told)


async def test_a_closed_recognition_rule_shows_the_materials_that_would_wait(rt, door):
    async with door("desk-token") as desk:
        case_no = await stored(rt, desk, 523)
    name = "recognition/materials.csv"
    async with door("chief-token") as chief:
        told = (await chief.get(f"/v1/cases/{case_no}/explain")).json()
    rule_id = value(told, "BODY/CLLB/CL[1]/CLBH")["rule"]
    lines = FILES[name].decode().splitlines(keepends=True)
    kept = "".join(line for line in lines if not line.startswith(f"{rule_id},"))
    report = await studied(rt, {**FILES, name: kept.encode()})
    rule = next(each for each in report.rules if each.cause.subject.startswith(rule_id))
    assert case_no in rule.cases
    assert "1002" in rule.samples[0].change.after


async def test_two_rows_are_told_apart_by_what_each_changes(rt, door):
    async with door("desk-token") as desk:
        await stored(rt, desk, 524, aac005="07", aac009="10")
    files = proposed("codes/chongqing/ethnic_group.csv", "\n彝族,", "\n彝族新,")
    files["codes/chongqing/hukou.csv"] = (
        FILES["codes/chongqing/hukou.csv"].decode().replace("\n非农业,", "\n城镇,")
    ).encode()
    report = await studied(rt, files)
    by_table = {each.cause.table: each for each in report.rules}
    for table, path in (("ethnic_group", "BODY/SQR/MZ"), ("hukou", "BODY/SQR/HKXZ")):
        found = {sample.change.path for sample in by_table[f"codes/chongqing/{table}.csv"].samples}
        assert found == {path}


async def test_studies_write_nothing_and_could_not(rt, door):
    async with door("desk-token") as desk:
        await stored(rt, desk, 525)
    counted = text(
        "SELECT relname, n_tup_ins + n_tup_upd + n_tup_del AS n FROM pg_stat_xact_user_tables"
        " UNION ALL SELECT 'rows', (SELECT count(*) FROM messages) + (SELECT count(*) FROM events)"
        " + (SELECT count(*) FROM audit) + (SELECT count(*) FROM data_keys) ORDER BY 1"
    )
    async with rt.engine.connect() as connection:
        before = (await connection.execute(counted)).all()
    await studied(rt, proposed("codes/sichuan/ethnic_group.csv", "\n07,", "\n99,"))
    async with rt.engine.connect() as connection:
        assert (await connection.execute(counted)).all() == before
    archive = Archive(rt.engine, rt.vault)
    async with archive._engine.connect() as connection:
        with pytest.raises(DBAPIError, match="read-only transaction"):
            await connection.execute(text("DELETE FROM cases"))


async def test_the_newest_cases_come_in_batches_each_once(rt, door):
    async with door("desk-token") as desk:
        mine = [await stored(rt, desk, 530 + n) for n in range(5)]
    archive = Archive(rt.engine, rt.vault)
    batches = [batch async for batch in archive.newest(5, batch=2)]
    assert [len(batch) for batch in batches] == [2, 2, 1]
    found = [case.record.case for batch in batches for case in batch]
    assert found == sorted(found, key=lambda case: (case.received_at, case.case_no), reverse=True)
    every = [case.record.case.case_no async for batch in archive.newest(1000, batch=3) for case in batch]
    assert len(every) == len(set(every)) == await archive.count(1_000_000)
    assert set(mine) < set(every)
    assert all(case.messages[0].raw for batch in batches for case in batch)
    assert await archive.count(1_000_000) >= 5


# --- the commands ---


def tongban(settings_environ, *arguments):
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    result = CliRunner().invoke(app, [str(each) for each in arguments], env=settings_environ)
    root.handlers[:] = handlers
    root.setLevel(level)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


@pytest.fixture
def environ(settings, tmp_path):
    return {
        "TONGBAN_DATABASE_URL": settings.database_url,
        "TONGBAN_REDIS_URL": settings.redis_url,
        "TONGBAN_DATA_DIR": str(settings.data_dir),
        "TONGBAN_KEYS_MASTER_KEY": bytes(range(32)).hex(),
    }


async def test_the_commands_explain_and_tell_the_impact_with_exit_codes(rt, door, environ, tmp_path):
    async with door("desk-token") as desk:
        case_no = await stored(rt, desk, 540)
    config = ("--config", str(tmp_path / "gateway.toml"))
    changed = tmp_path / "tables"
    for name, content in proposed("codes/chongqing/ethnic_group.csv", "\n汉族,", "\n汉,").items():
        (changed / name).parent.mkdir(parents=True, exist_ok=True)
        (changed / name).write_bytes(content)

    def commands():
        yield tongban(environ, "mappings", "explain", case_no, *config)
        yield tongban(environ, "mappings", "explain", case_no, "--set", changed, "--json", *config)
        yield tongban(environ, "mappings", "explain", "CYTB5101042026112399999999", *config)
        yield tongban(environ, "mappings", "impact", "packaged", "--json", *config)
        yield tongban(environ, "mappings", "impact", changed, "--last", "50", *config)
        yield tongban(environ, "mappings", "impact", tmp_path / "no-such-folder", *config)

    shown, travelled, unknown, same, other, cannot = await asyncio.to_thread(lambda: list(commands()))
    assert shown.exit_code == 0
    assert "彝族" in shown.stdout or "汉族" in shown.stdout
    assert travelled.exit_code == 1
    (message,) = json.loads(travelled.stdout)["travel"]["messages"]
    assert [(c["path"], c["before"], c["after"]) for c in message["changes"]] == [
        ("BODY/SQR/MZ", "汉族", "汉")
    ]
    assert (unknown.exit_code, unknown.stdout) == (1, "")
    report = json.loads(same.stdout)
    assert (same.exit_code, report["changed_cases"]) == (0, 0)
    assert report["cases"] >= 1
    assert other.exit_code == 1
    assert "codes/chongqing/ethnic_group.csv" in other.stdout
    assert "单核每秒" in other.stdout
    assert cannot.exit_code == 2
