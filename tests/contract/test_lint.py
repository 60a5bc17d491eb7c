"""A bad table stops the process with file, line and a sentence."""

import re
import shutil

import pytest

from gateway.errors import CannotStart
from gateway.mapping.load import PACKAGED, load_tables


@pytest.fixture
def folder(tmp_path):
    return shutil.copytree(PACKAGED, tmp_path / "mappings")


def faults(folder):
    """(file, line, sentence) of every fault."""
    with pytest.raises(CannotStart) as caught:
        load_tables(folder, 2026)
    lines = [line.strip() for line in str(caught.value).splitlines()[1:]]
    found = [re.fullmatch(r"(.+?):(\d+): (.+)", line).groups() for line in lines]
    return [(name.removeprefix(f"{folder}/"), int(number), text) for name, number, text in found]


def replace_line(folder, name, number, text):
    path = folder / name
    lines = path.read_text(encoding="utf-8").split("\n")
    lines[number - 1] = text
    path.write_text("\n".join(lines), encoding="utf-8")


def append(folder, name, text):
    """Add a line; gives its number."""
    path = folder / name
    content = path.read_text(encoding="utf-8")
    path.write_text(f"{content}{text}\n", encoding="utf-8")
    return content.count("\n") + 1


RULE = "R900,sichuan,chongqing,material,{subject},{subject},{items},{basis},{since},{until},"
ITEM = "39,{item},试验事项,query,{form},110,{who},0,工作日,{value},{unit},{since},{until},全程网办,{basis},id_card,x"


def rule(**cells):
    usual = {
        "subject": "e_id_card",
        "items": "*",
        "basis": "依据",
        "since": "2020-01-01",
        "until": "2021-01-01",
    }
    return RULE.format(**{**usual, **cells})


def item(**cells):
    usual = {"item": "pension_transfer", "form": "tbzy", "who": "person", "value": "5", "unit": "工作日"}
    more = {"since": "2008-01-01", "until": "2009-01-01", "basis": "依据"}
    return ITEM.format(**{**usual, **more, **cells})


@pytest.mark.parametrize(
    ("name", "line", "words"),
    [
        ("canonical/sex.csv", "1,又一个男性,", "公共代码 1 与"),
        ("canonical/sex.csv", ",空,", "key 不能为空"),
        ("codes/sichuan/sex.csv", "2,1,,both,,", "读入用的写法 2 与"),
        ("codes/sichuan/sex.csv", "3,1,,write,,", "写出用的公共代码 1 与"),
        ("codes/sichuan/sex.csv", "7,7,,both,,", "公共代码 7 不在 canonical/sex.csv 中"),
        ("codes/sichuan/sex.csv", "7,0,,in,,", "direction 应为"),
        ("codes/sichuan/sex.csv", "7,0,,read,yes,", "lossy 只能为空或 no"),
        ("codes/sichuan/sex.csv", " 7,0,,read,,", "首尾有空白"),
        ("codes/sichuan/sex.csv", "7,0,,read,", "应有 6 格，实有 5 格"),
        ("codes/chongqing/scheme.csv", "5,110,,read,,", "段数与首行不同"),
        ("places/divisions.csv", "500103,渝中区,重庆市渝中区,county,500000,,,", "与第 5 行的有效期重叠"),
        ("places/divisions.csv", "500999,某区,重庆市某区,county,509999,,,", "上级区划 509999 不在表中"),
        (
            "places/divisions.csv",
            "500999,某区,重庆市某区,county,500000,,2021-01-01,500998",
            "继任区划 500998 不在表中",
        ),
        ("places/divisions.csv", "500999,某区,重庆市某区,county,500000,,,500103", "要填失效日期"),
        ("places/divisions.csv", "500999,某区,重庆市某区,town,500000,,,", "level 应为"),
        ("places/agencies.csv", "500103,某局,1150010300000000XP,4,x", "区划 500103 与"),
        ("places/agencies.csv", "500999,某局,1150010300000000XP,4,x", "区划 500999 不在"),
        ("places/agencies.csv", "500103,某局,1150010300000000XA,4,x", "统一社会信用代码有误"),
        ("items/catalogue.csv", item(since="2026-01-01", until="2026-02-01"), "期间重叠"),
        ("items/catalogue.csv", item(since="2009-02-30"), "effective_from 不是日期"),
        ("items/catalogue.csv", item(since="2009-02-01"), "effective_from 应早于 effective_to"),
        ("items/catalogue.csv", item(unit="周"), "promised_limit_unit 应为"),
        ("items/catalogue.csv", item(value="-1"), "promised_limit_value 应为"),
        ("items/catalogue.csv", item(basis=""), "basis 不能为空"),
        ("items/catalogue.csv", item(who="pet"), "applicants 中的 pet 不在"),
        ("items/catalogue.csv", item(form="tbxx"), "form 应为"),
        ("codes/sichuan/items.csv", "nothing,512B00681999,无,real", "事项 nothing 不在"),
        ("codes/sichuan/items.csv", "pension_transfer,512B00681999,重复,real", "事项 pension_transfer 与"),
        ("recognition/materials.csv", rule(subject="spoon"), "subject spoon 不在"),
        ("recognition/materials.csv", rule(basis=""), "basis 不能为空"),
        ("recognition/materials.csv", rule(items="nothing"), "事项 nothing 不在"),
        ("recognition/materials.csv", rule(since="2020/01/01"), "effective_from 不是日期"),
        ("recognition/materials.csv", rule().replace("R900", "R001"), "规则编号 R001 与"),
        ("recognition/materials.csv", rule().replace("chongqing", "sichuan"), "应为两个不同的地区"),
        (
            "recognition/materials.csv",
            rule().replace("依据", "经办人 13812345678"),
            "像是真实的身份证号、手机号或银行账号",
        ),
        ("recognition/materials.csv", rule().replace("依据", "见 510100198803150179"), "像是真实的身份证号"),
        ("recognition/materials.csv", rule(basis="见 510100880315017"), "像是真实的身份证号"),
        ("recognition/materials.csv", rule(basis="账号 622202020011223000" + "4"), "银行账号"),
        ("recognition/materials.csv", rule(basis="依\u200b据"), "看不见的字符"),
        ("recognition/materials.csv", rule(basis="依\t据"), "看不见的字符"),
        ("recognition/materials.csv", rule(basis="_x0041_"), "看不见的字符"),
        ("recognition/materials.csv", rule(since="0206-01-01"), "effective_from 不像真实的日期"),
        ("recognition/materials.csv", rule(until="9999-12-31"), "effective_to 不像真实的日期"),
        ("codes/sichuan/sex.csv", "2,9,,both,,", "direction 请填 read 或 write"),
        (
            "items/catalogue.csv",
            item(value="6").replace(",0,工作日,6", ",5,工作日,6"),
            "承诺时限 6 长于法定时限 5",
        ),
        (
            "places/divisions.csv",
            "500999,某区,重庆市某区,county,500103,,,",
            "上级区划 500103 的 level 不高于本行",
        ),
        (
            "places/agencies.csv",
            "510000,某局,1150010100000000XT,2,x",
            "统一社会信用代码 1150010100000000XT 与",
        ),
        (
            "recognition/materials.csv",
            rule(subject="id_card", since="2026-01-01", until=""),
            "与规则 R001 在事项 * 上的有效期重叠",
        ),
    ],
)
def test_a_bad_line_is_named_with_its_file_its_number_and_what_is_wrong(folder, name, line, words):
    number = append(folder, name, line)
    found = faults(folder)
    assert any((where, at) == (name, number) and words in text for where, at, text in found), found


def test_all_faults_of_all_files_are_listed_at_once(folder):
    append(folder, "codes/sichuan/sex.csv", "7,7,,both,,")
    append(folder, "recognition/materials.csv", rule(basis=""))
    append(folder, "places/agencies.csv", "500999,某局,1150010300000000XP,4,x")
    assert {name for name, _, _ in faults(folder)} == {
        "codes/sichuan/sex.csv",
        "places/agencies.csv",
        "recognition/materials.csv",
    }


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("key,meaning\n1,男\n", "列名应为 key,meaning,note"),
        ("\ufeffkey,meaning,note\n", "BOM"),
        ("key,meaning,note\r\n1,男,\r\n", "LF"),
        ("key,meaning,note\n1,男性,\n2,女\n", "应有 3 格，实有 2 格"),
        ('key,meaning,note\n1,"男性,\n', "引号不成对"),
    ],
)
def test_a_file_of_the_wrong_form_is_named(folder, content, words):
    (folder / "canonical/sex.csv").write_bytes(content.encode())
    assert any(name == "canonical/sex.csv" and words in text for name, _, text in faults(folder))


def test_bytes_that_are_not_utf8_are_named_with_their_line(folder):
    (folder / "canonical/sex.csv").write_bytes("key,meaning,note\n1,男性,\n".encode("gb18030"))
    assert ("canonical/sex.csv", 2) in {(name, line) for name, line, _ in faults(folder)}


def test_a_file_nobody_knows_and_a_missing_one_are_named(folder):
    (folder / "places/towns.csv").write_text("code\n", encoding="utf-8")
    (folder / "places/agencies.csv").unlink()
    named = {name for name, _, _ in faults(folder)}
    assert named == {"places/towns.csv", "places/agencies.csv"}


def test_a_region_without_item_codes_is_named(folder):
    (folder / "codes/chongqing/items.csv").unlink()
    assert any(name == "codes/chongqing/items.csv" for name, _, _ in faults(folder))


def test_a_quoted_cell_over_two_lines_keeps_the_count_of_lines(folder):
    append(folder, "codes/sichuan/sex.csv", '7,0,,read,,"两\n行"')
    number = append(folder, "codes/sichuan/sex.csv", "8,8,,both,,")
    assert ("codes/sichuan/sex.csv", number) in {(name, line) for name, line, _ in faults(folder)}


def test_a_changed_cell_changes_the_digest(folder):
    before = load_tables(folder, 2026).digest
    replace_line(folder, "codes/sichuan/sex.csv", 2, "0,0,未知,both,,")
    assert load_tables(folder, 2026).digest != before


def test_a_missing_folder_is_said_so(tmp_path):
    with pytest.raises(CannotStart, match="tables_dir"):
        load_tables(tmp_path / "nowhere", None)


def test_a_calendar_year_nobody_has_published_is_refused():
    with pytest.raises(CannotStart, match="calendar_until"):
        load_tables(PACKAGED, 2099)


def test_a_successor_that_ends_before_its_time_comes_is_named(folder):
    append(folder, "places/divisions.csv", "500997,乙区,重庆市乙区,county,500000,,2019-01-01,")
    heir = "500998,甲区,重庆市甲区,county,500000,,2021-01-01,500997"
    number = append(folder, "places/divisions.csv", heir)
    found = [fault for fault in faults(folder) if fault[:2] == ("places/divisions.csv", number)]
    assert [text for _, _, text in found] == ["继任区划 500997 在本行失效时已不再有效"]


def test_every_row_that_overlaps_an_earlier_long_one_is_named(folder):
    for since, until in (
        ("2000-01-01", "2010-01-01"),
        ("2001-01-01", "2002-01-01"),
        ("2003-01-01", "2004-01-01"),
    ):
        last = append(folder, "items/catalogue.csv", item(since=since, until=until))
    named = {number for _, number, text in faults(folder) if "期间重叠" in text}
    assert {last - 1, last} <= named


def test_the_tables_that_come_with_the_product_break_no_law():
    assert load_tables(PACKAGED, 2026).digest
