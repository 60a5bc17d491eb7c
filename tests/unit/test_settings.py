"""Configuration: what is pinned is read, what is wrong is named, all of it at once."""

from __future__ import annotations

import base64
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import BaseModel, ConfigDict, Field

from gateway.errors import CannotStart
from gateway.settings import Settings, load

POINT = "MFkwEwYHKoZIzj0CAQYIKoEcz1UBgi0DQgAEnVi9NTUfPcPotLIXuBCaKpNsIhgN\nDzBqNyem8AX/yaB4zy02vc6ZrQhKcBISHX5/Rk8tyCHvjgR8FTrA2cSD+Q=="
TEST_PUBLIC = f"-----BEGIN PUBLIC KEY-----\n{POINT}\n-----END PUBLIC KEY-----\n"


class North(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    base_url: str
    token: str = Field(repr=False)


class South(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    base_url: str
    private_key: str = Field(repr=False)


SECTIONS = {"north": North, "south": South}

GOOD = """
data_dir = "data"
tables_dir = "tables"
calendar_until = 2026
[server]
host = "127.0.0.1"
port = 8099
[regions.north]
base_url = "https://north.example"
token = "TEST-TOKEN-NOT-A-SECRET"
[regions.south]
base_url = "https://south.example"
private_key_file = "keys/private.pem"
[[tokens]]
name = "desk"
token = "TEST-BEARER-NOT-A-SECRET"
scopes = ["cases", "items", "translate"]
[delivery]
schedule_s = [0.1, 0.2]
give_up_s = 10
timeout_s = 2
[clock]
now = "2026-11-23T16:00:00+08:00"
[limits]
per_minute = 60
"""


def written(folder: Path, text: str) -> Path:
    (folder / "keys").mkdir(exist_ok=True)
    (folder / "keys/private.pem").write_text(TEST_PUBLIC, encoding="utf-8")
    file = folder / "gateway.toml"
    file.write_text(text, encoding="utf-8")
    return file


def faults(folder: Path, text: str, environ: dict[str, str] | None = None) -> list[str]:
    with pytest.raises(CannotStart) as caught:
        load(written(folder, text), environ or {}, sections=SECTIONS)
    return str(caught.value).splitlines()


def test_every_pinned_member_is_read(tmp_path):
    settings = load(written(tmp_path, GOOD), {}, sections=SECTIONS)
    assert settings.data_dir == tmp_path / "data"
    assert settings.tables_dir == tmp_path / "tables"
    assert (settings.server.host, settings.server.port) == ("127.0.0.1", 8099)
    assert settings.regions["south"]["private_key"] == TEST_PUBLIC.strip()
    assert settings.tokens[0].scopes == {"cases", "items", "translate"}
    assert settings.delivery.schedule_s == (0.1, 0.2)
    assert settings.limits.per_minute == 60
    assert settings.clock.now is not None
    assert settings.clock.now.utcoffset() == timedelta(hours=8)


def test_the_defaults_are_those_of_the_specification(tmp_path):
    settings = load(None, {})
    assert settings.data_dir == Path.cwd() / "data"
    assert settings.tables_dir is None
    assert (settings.server.host, settings.server.port) == ("127.0.0.1", 8080)
    assert settings.delivery.schedule_s == (5, 30, 120, 600, 1800, 3600, 7200, 14400)
    assert (settings.delivery.give_up_s, settings.delivery.timeout_s) == (259_200, 30)
    assert settings.limits.per_minute is None
    assert settings.clock.now is None


def test_all_faults_are_named_at_once_each_with_its_key(tmp_path):
    text = GOOD.replace('host = "127.0.0.1"', "hosst = 1").replace("port = 8099", 'port = "many"')
    text = text.replace('scopes = ["cases", "items", "translate"]', 'scopes = ["case"]')
    text = text.replace("keys/private.pem", "keys/gone.pem").replace("+08:00", "")
    text = (
        text.replace('token = "TEST-TOKEN-NOT-A-SECRET"\n', "surprise = 1\n")
        + "[regions.west]\nbase_url = 'x'\n"
    )
    named = {line.split(":")[0] for line in faults(tmp_path, text)}
    assert named == {
        "server.hosst",
        "server.port",
        "tokens[0].scopes[0]",
        "regions.south.private_key_file",
        "clock.now",
        "regions.north.token",
        "regions.north.surprise",
        "regions.west",
    }


def test_a_fault_never_repeats_the_value(tmp_path):
    text = GOOD.replace('scopes = ["cases", "items", "translate"]', 'scopes = "CANARY"\nextra = "CANARY"')
    text = text.replace("port = 8099", 'port = "CANARY"')
    lines = faults(tmp_path, text)
    assert len(lines) == 3
    assert "CANARY" not in "".join(lines)


def test_a_region_without_its_section_is_a_fault(tmp_path):
    text = GOOD[: GOOD.index("[regions.south]")] + GOOD[GOOD.index("[[tokens]]") :]
    assert faults(tmp_path, text) == ["regions.south: 缺少该地区的配置段，请补充 [regions.south]"]


def test_a_file_that_cannot_be_read_or_parsed_is_one_sentence(tmp_path):
    with pytest.raises(CannotStart, match=r"gateway\.toml: 无法读取配置文件"):
        load(tmp_path / "gateway.toml", {})
    with pytest.raises(CannotStart, match=r"line 1"):
        load(written(tmp_path, "data_dir = = 1"), {})


def test_the_environment_wins_over_the_file(tmp_path):
    environ = {
        "TONGBAN_REGIONS_NORTH_TOKEN": "from outside",
        "TONGBAN_REGIONS_SOUTH_PRIVATE_KEY": "key from outside",
        "TONGBAN_SERVER_PORT": "9000",
        "TONGBAN_DATABASE_URL": "postgresql://db/x",
        "TONGBAN_DELIVERY_SCHEDULE_S": "[1, 2]",
        "TONGBAN_CLOCK_OFFSET_S": "12.5",
        "TONGBAN_SERVICE_HOST": "10.0.0.1",
        "TONGBAN_PORT_8080_TCP": "tcp://10.0.0.1:8080",
        "HOME": "/nowhere",
    }
    settings = load(written(tmp_path, GOOD), environ, sections=SECTIONS)
    assert settings.regions["north"]["token"] == "from outside"
    assert settings.regions["south"]["private_key"] == "key from outside"
    assert settings.server.port == 9000
    assert settings.database_url == "postgresql://db/x"
    assert settings.delivery.schedule_s == (1, 2)


def test_an_environment_name_without_a_member_is_a_fault(tmp_path):
    environ = {"TONGBAN_SERVER_PORTS": "1", "TONGBAN_DATABSE_URL": "x", "TONGBAN_REGIONS_WEST_TOKEN": "t"}
    named = {line.split(":")[0] for line in faults(tmp_path, GOOD, environ)}
    assert named == {"环境变量 TONGBAN_SERVER_PORTS", "环境变量 TONGBAN_DATABSE_URL", "regions.west"}


def test_a_section_written_as_a_value_is_a_fault_and_no_crash(tmp_path):
    text = "server = 1\nregions = 2\ntokens = 3\n"
    environ = {"TONGBAN_SERVER_PORT": "1", "TONGBAN_REGIONS_NORTH_TOKEN": "x"}
    named = {line.split(":")[0] for line in faults(tmp_path, text, environ)}
    assert named >= {"server", "regions", "tokens"}


@pytest.mark.parametrize("host", ["0.0.0.0", "10.1.2.3", "::", "gateway.example"])
def test_the_published_test_keys_are_refused_beyond_loopback(tmp_path, host):
    lines = faults(tmp_path, GOOD.replace("127.0.0.1", host))
    assert {line.split(":")[0] for line in lines} == {
        "regions.north.token",
        "regions.south.private_key",
        "tokens[0].token",
    }


@pytest.mark.parametrize("host", ["127.0.0.1", "127.3.2.1", "::1", "localhost"])
def test_the_published_test_keys_serve_on_loopback(tmp_path, host):
    assert load(written(tmp_path, GOOD.replace("127.0.0.1", host)), {}, sections=SECTIONS).server.is_loopback


def test_a_test_token_given_by_its_hash_is_recognised_too(tmp_path):
    digest = "DC435C5B166488A8509D9A0A0CE21192C1A062A9E7E3EC83D2FC208C7E2B63BD"
    text = (
        f'[server]\nhost = "0.0.0.0"\n[[tokens]]\nname = "a"\ntoken_sha256 = "{digest}"\nscopes = ["items"]\n'
    )
    with pytest.raises(CannotStart, match=r"tokens\[0\]\.token_sha256: 这是公开的测试密钥"):
        load(written(tmp_path, text), {})


@pytest.mark.parametrize(
    "members",
    ['name = "a"', 'name = "a"\ntoken = "x"\ntoken_sha256 = "' + "0" * 64 + '"'],
    ids=["neither", "both"],
)
def test_a_token_is_given_exactly_once(tmp_path, members):
    with pytest.raises(CannotStart, match=r"tokens\[0\]: .*token_sha256"):
        load(written(tmp_path, f'[[tokens]]\n{members}\nscopes = ["items"]\n'), {})


def test_two_tokens_of_one_name_are_a_fault(tmp_path):
    one = '[[tokens]]\nname = "a"\ntoken = "x"\nscopes = ["items"]\n'
    with pytest.raises(CannotStart, match="tokens: name"):
        load(written(tmp_path, one + one), {})


@pytest.mark.parametrize("key", ["00" * 32, base64.b64encode(b"k" * 32).decode()])
def test_a_master_key_is_thirty_two_bytes_as_hex_or_base64(key):
    assert load(None, {"TONGBAN_KEYS_MASTER_KEY": key}).keys.master_key == key
    with pytest.raises(CannotStart, match=r"keys\.master_key"):
        load(None, {"TONGBAN_KEYS_MASTER_KEY": key[:-2]})


def test_a_lease_not_longer_than_a_call_is_a_fault(tmp_path):
    with pytest.raises(CannotStart, match="delivery: lease_s"):
        load(written(tmp_path, "[delivery]\ntimeout_s = 30\nlease_s = 30\n"), {})
    assert Settings().delivery.lease > Settings().delivery.timeout_s


def test_no_secret_is_in_the_repr(tmp_path):
    text = GOOD + '[keys]\nmaster_key = "' + "ab" * 32 + '"\n'
    settings = load(
        written(tmp_path, 'database_url = "postgresql://u:PASSWORD@db/x"\n' + text), {}, sections=SECTIONS
    )
    shown = repr(settings)
    for secret in (
        "TEST-TOKEN",
        "TEST-BEARER",
        "PASSWORD",
        "abab",
        "MFkwEwYH",
        settings.tokens[0].token_sha256,
    ):
        assert secret not in shown


def test_a_window_of_its_own_is_for_a_side_that_exists(tmp_path):
    file = tmp_path / "gateway.toml"
    file.write_text(GOOD.replace("timeout_s = 2", "timeout_s = 2\nwindows = {north = 1200}"))
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys/private.pem").write_text("x")
    settings = load(file, {}, sections=SECTIONS)
    assert (settings.delivery.window_of("north"), settings.delivery.window_of("south")) == (1200, 64)
    file.write_text(file.read_text().replace("north = 1200", "west = 1200, south = 0"))
    with pytest.raises(CannotStart) as told:
        load(file, {}, sections=SECTIONS)
    assert "delivery.windows.west: 没有这个地区的适配器" in str(told.value)
    assert "delivery.windows.south: 须大于 0" in str(told.value)


def test_one_factor_is_for_a_gateway_only_this_machine_can_reach(tmp_path):
    alone = GOOD + '[dashboard]\nsecond_factor = "optional"\n'
    assert load(written(tmp_path, alone), {}, sections=SECTIONS).dashboard.second_factor == "optional"
    named = [fault.split(":")[0] for fault in faults(tmp_path, alone.replace('"127.0.0.1"', '"0.0.0.0"'))]
    assert "dashboard.second_factor" in named


@pytest.mark.parametrize(
    ("host", "wanted", "secure"),
    [
        ("127.0.0.1", {}, False),
        ("0.0.0.0", {}, True),
        ("127.0.0.1", {"secure_cookie": True}, True),
        ("0.0.0.0", {"secure_cookie": False}, False),
    ],
)
def test_the_cookie_of_a_session_is_secure_unless_on_loopback_or_told_otherwise(host, wanted, secure):
    assert Settings(server={"host": host}, dashboard=wanted).cookie_is_secure is secure


def test_an_account_does_not_rest_before_the_third_failure(tmp_path):
    (fault,) = faults(tmp_path, GOOD + "[dashboard]\nlock_after = 1\n")
    assert fault == "dashboard.lock_after: 须大于等于 3"


def test_the_playground_is_open_to_everybody_on_loopback_only(tmp_path):
    open_ = '[playground]\naccess = "open"\n'
    assert load(written(tmp_path, GOOD + open_), {}, sections=SECTIONS).playground.access == "open"
    reachable = (
        GOOD.replace("127.0.0.1", "0.0.0.0") if "127.0.0.1" in GOOD else GOOD + '[server]\nhost = "0.0.0.0"\n'
    )
    assert any(fault.startswith("playground.access") for fault in faults(tmp_path, reachable + open_))
