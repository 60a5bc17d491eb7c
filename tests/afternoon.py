"""An afternoon: a region begun with one command, and mended as its own red sentences say."""

from __future__ import annotations

import json
import re
import shutil
import sys
from pathlib import Path

from typer.testing import CliRunner

from gateway import regions
from gateway.cli.main import app
from gateway.conformance.law import Level
from gateway.conformance.loading import Asked, check
from gateway.formats import xml_bytes

NEW = "guizhou"
CODE, TABLES = Path("adapters") / NEW, Path("mappings") / "codes" / NEW


def forget():
    for name in [name for name in sys.modules if NEW in name]:
        del sys.modules[name]


def tongban(*words):
    return CliRunner().invoke(app, [str(word) for word in words])


def red(folder, level=Level.FULL):
    """Every broken law's breaches, as `tongban check region` finds them."""
    forget()
    regions.look_in([folder])
    found = check(Asked(NEW, level))
    return {result.law.id: result.breaches for result in found.results if result.breaches}


def edit(file, *changes):
    text = file.read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text, (file.name, old)
        text = text.replace(old, new)
    file.write_text(text, encoding="utf-8")


FOLLOW_UPS = {
    "supplement": {
        "at": "2026-11-24T15:00:00+08:00",
        "papers": [{"code": "application_form", "how": "upload", "file": "F00003102"}],
        "remark": "已盖章",
    },
    "withdraw": {"at": "2026-11-25T09:00:00+08:00", "reason": "申请人自愿撤回"},
    "rating": {
        "stars": "5",
        "words": "不用来回跑，很方便",
        "channel": "2",
        "at": "2026-11-30T10:00:00+08:00",
    },
}
#: file → what whoever knows the province writes there once its open decisions are taken
DECIDED = {
    CODE / "README.md": [("（尚未取得，现为脚手架的虚构写法）", "，2026-11-01，省社保局信息中心提供")],
    CODE / "wire.py": [(f'"/{NEW}/inbox"', '"/gzsi/receive"')],
    TABLES / "divisions.csv": [("待定市", "青溪市"), ("待定区", "松林区")],
    TABLES / "agencies.csv": [("待定区社会保险局", "青溪市松林区社会保险局"), (",待定", ",designed")],
    TABLES / "channel.csv": [("window,window", "counter,window"), (",待定", ",")],
    TABLES / "recognition.csv": [(",待定,", ",虚构的互认协议〔2026〕1号,")],
    TABLES / "items.csv": [(",待定", ",designed")],
}


def mend(folder, breach):
    """Do what the sentence says, in the file it names."""
    place, _, number = breach.path.partition(":")
    if missing := re.match(r"(\w+) 没有样例", breach.sentence):
        kind = missing[1]
        shelf = folder / CODE / "examples"
        head = {"type": kind, "id": "GZ202611240000000412", "case": "GZ-520102-20261123-00031"}
        tree = {**head, "body": FOLLOW_UPS[kind]}
        if (folder / CODE / "schema.xsd").exists():
            (shelf / f"{kind}.native.xml").write_bytes(xml_bytes.write(tree))
        else:
            (shelf / f"{kind}.native.json").write_text(json.dumps(tree, ensure_ascii=False), encoding="utf-8")
        shutil.copy(shelf / "status.http.json", shelf / f"{kind}.http.json")
    elif "待定" in breach.sentence:
        _decide(folder, folder / place, breach, int(number))
    elif "simulated.py 写错，请更正" in breach.remedy:
        # the word was changed on purpose: what still says the old one is mended
        for file in (folder / CODE / "simulated.py", *(folder / CODE / "examples").glob("apply.native.*")):
            content = file.read_bytes().replace(b'"window"', b'"counter"')
            file.write_bytes(content.replace(b">window<", b">counter<"))
    else:
        # the gateway posts to the new address, and the stand-in still listens at the old one
        assert "seal 与 stand_in.inbox 一致" in breach.remedy or "被对端拒收" in breach.sentence, breach
        text = (folder / CODE / "simulated.py").read_text(encoding="utf-8")
        (folder / CODE / "simulated.py").write_text(
            text.replace(f'"/{NEW}/inbox"', '"/gzsi/receive"'), encoding="utf-8"
        )


def _decide(folder, file, breach, number):
    name = file.relative_to(folder)
    lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
    if "删去这一行" in breach.remedy:
        assert "待定：" in lines.pop(number - 1)
        file.write_text("".join(lines), encoding="utf-8")
    wanted = [
        (old, new) for old, new in DECIDED.get(name, [(",待定", ",")]) if old in file.read_text("utf-8")
    ]
    if file.suffix == ".csv" or wanted:
        edit(file, *wanted)


def mended(folder):
    """From red to green: basic first, every sentence of a round, then check again; what was followed."""
    followed = []
    for level in (Level.BASIC, Level.FULL):
        while broken := red(folder, level):
            found = [one for breaches in broken.values() for one in breaches]
            followed += [(law, one.path) for law, breaches in broken.items() for one in breaches]
            assert len(followed) < 60, followed[-5:]
            # from the end of a file to its beginning, so that the numbers of lines stay right
            for one in sorted(found, key=lambda one: int(one.path.partition(":")[2] or 0), reverse=True):
                mend(folder, one)
    return followed
