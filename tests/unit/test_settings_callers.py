"""Channels in the configuration: only hashes are kept, and every fault is named with what to do."""

from __future__ import annotations

import hashlib

import pytest

from gateway.errors import CannotStart
from gateway.settings import load
from gateway.settings_callers import channel_faults

SECTION = """
[[channels]]
name = "bank"
title = "示例银行"
side = "sichuan"
items = ["pension_transfer"]
divisions = ["5101"]
"""


def settings(tmp_path, text):
    file = tmp_path / "gateway.toml"
    file.write_text(text, encoding="utf-8")
    return load(file, {})


def test_a_credential_is_kept_as_its_hash_and_two_may_stand_for_a_while(tmp_path):
    (tmp_path / "new").write_text("new-token\n")
    old = hashlib.sha256(b"old-token").hexdigest()
    made = settings(
        tmp_path,
        SECTION
        + f'credentials = [{{token_sha256 = "{old.upper()}"}}, {{token_file = "new", outlets = ["01"]}}]',
    )
    (channel,) = made.channels
    assert [each.token_sha256 for each in channel.credentials] == [
        old,
        hashlib.sha256(b"new-token").hexdigest(),
    ]
    assert [each.outlets for each in channel.credentials] == [None, {"01"}]
    assert "new-token" not in repr(made) + made.model_dump_json()


@pytest.mark.parametrize(
    ("text", "named"),
    [
        (SECTION, "channels[0].credentials"),
        (SECTION + 'credentials = [{token = "a", token_sha256 = "b"}]', "channels[0].credentials[0]"),
        (SECTION + 'credentials = [{token = ""}]', "channels[0].credentials[0]: token 是空的"),
        (SECTION + 'credentials = [{token = "a", outlet = ["1"]}]', "channels[0].credentials[0].outlet"),
        (SECTION.replace('"5101"', '"510"') + 'credentials = [{token = "a"}]', "channels[0].divisions"),
        (SECTION.replace('"bank"', '"The Bank"') + 'credentials = [{token = "a"}]', "channels[0].name"),
        (SECTION + 'credentials = [{token = "a"}, {token = "a"}]', "同一令牌用在了两处"),
        ((SECTION + 'credentials = [{token = "a"}]') * 2, "channels: name 不得重复"),
    ],
)
def test_a_fault_of_a_channel_is_named_with_its_place(tmp_path, text, named):
    with pytest.raises(CannotStart) as fault:
        settings(tmp_path, text)
    assert named in str(fault.value)


def test_a_channels_side_is_a_region_and_its_name_is_none():
    written = [{"name": "sichuan", "side": "sichuan"}, {"name": "bank", "side": "atlantis"}, "?"]
    assert [fault.split(":")[0] for fault in channel_faults(written, {"sichuan": None})] == [
        "channels[0].name",
        "channels[1].side",
    ]
    assert channel_faults("?", {"sichuan": None}) == []
