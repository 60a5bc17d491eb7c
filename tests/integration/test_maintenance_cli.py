"""`tongban maintenance` and `tongban prove` as operators and scripts see them."""

import asyncio
import hashlib

import pytest
from commands import invoke
from configs import REGIONS
from sqlalchemy import text

from gateway.exchange.maintain import STEPS
from gateway.store import engine as engines
from gateway.store.partitions import Month

MESSAGE = "0193b2b0-0000-7000-8000-123456789012"


@pytest.fixture
def tongban(database_url, redis_server, tmp_path):
    file = tmp_path / "gateway.toml"
    file.write_text(REGIONS)
    environ = {
        "TONGBAN_DATABASE_URL": database_url,
        "TONGBAN_REDIS_URL": redis_server.url,
        "TONGBAN_DATA_DIR": str(tmp_path / "data"),
        "TONGBAN_KEYS_MASTER_KEY": bytes(range(32)).hex(),
    }

    def call(*arguments):
        result = invoke(*arguments, "--config", file, env=environ)
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return result.exit_code, result.stdout

    return call


def do(url, *statements):
    async def work():
        made = engines.create(url, pool_size=1)
        async with engines.single(made) as connection:
            found = [await connection.execute(text(each)) for each in statements]
            answer = found[-1].scalar_one() if found[-1].returns_rows else None
        await made.dispose()
        return answer

    return asyncio.run(work())


def test_every_step_is_told_in_chinese_with_its_time(tongban):
    code, out = tongban("maintenance")
    lines = [line.split("\t") for line in out.splitlines()]
    assert code == 0, out
    assert [line[0] for line in lines] == list(STEPS)
    assert all(line[2].endswith(" s") for line in lines)
    assert "新建月分区 0 个" in lines[0][1]


def test_a_dry_run_makes_nothing_and_one_step_can_be_asked_for(tongban, database_url, monkeypatch):
    # the months that migration makes are there when a command begins; this asks for one more
    name = Month.of(do(database_url, "SELECT current_date")).plus(4).of_table("events")
    monkeypatch.setenv("TONGBAN_RETENTION_MONTHS_AHEAD", "4")
    code, out = tongban("maintenance", "--dry-run", "--only", "months")
    assert (code, out.count("\n")) == (0, 1)
    assert "（试运行）新建月分区 4 个：" in out
    assert name in out
    assert do(database_url, f"SELECT to_regclass('{name}')") is None
    code, out = tongban("maintenance", "--only", "months", "--reason", "月底检查", "--by", "zhang")
    assert "新建月分区 4 个" in out
    assert do(database_url, f"SELECT to_regclass('{name}')") is not None
    assert "新建月分区 0 个" in tongban("maintenance", "--only", "months")[1]
    assert tongban("maintenance", "--only", "everything")[0] == 2


def test_a_dropped_month_is_on_record_with_who_and_why(tongban, database_url):
    month = Month.of(do(database_url, "SELECT current_date")).plus(-50)
    name = month.of_table("bodies")
    bounds = f"FROM ('{month.first}') TO ('{month.end}')"
    do(database_url, f"CREATE TABLE {name} PARTITION OF bodies FOR VALUES {bounds}")
    code, out = tongban("maintenance", "--reason", "年度清理", "--by", "zhang")
    assert code == 0
    assert name in out
    assert do(database_url, f"SELECT actor FROM audit WHERE target = '{name}'") == "staff:zhang"
    assert do(database_url, f"SELECT reason IS NOT NULL FROM audit WHERE target = '{name}'")


def test_an_original_shown_later_is_proved_by_its_digest(tongban, database_url, tmp_path):
    file = tmp_path / "original.json"
    file.write_bytes(b'{"a":1}')
    assert tongban("prove", MESSAGE, tmp_path / "gone")[0] == 2
    assert tongban("prove", MESSAGE, file) == (1, "没有摘要：内容仍在保存期内，或编号有误\n")
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    columns = "message_id, raw, sealed, kept_at"
    do(database_url, f"INSERT INTO evidence ({columns}) VALUES ('{MESSAGE}', '\\x{digest}', false, now())")
    assert tongban("prove", MESSAGE, file) == (0, "一致\n")
    assert tongban("prove", MESSAGE, file, "--part", "rendered")[0] == 1
    file.write_bytes(b'{"a":2}')
    assert tongban("prove", MESSAGE, file) == (1, "不一致\n")
