"""Folders that look like a fresh clone after ``make setup``: the tree, its tables, and the programs."""

from __future__ import annotations

import shlex
import shutil
import sys
from pathlib import Path

from pages import ROOT

#: what pages write into is copied, the rest is looked at
COPIED = ("mappings", "adapters", "deploy")
LINKED = ("gateway", "docs", "tests", "laws", "Makefile", "pyproject.toml")
COLD = f"{shlex.quote(sys.executable)} -c 'from gateway.cli.main import app; app()' \"$@\""


def make(folder, warm):
    """The folder; ``warm`` is the program that stands where ``tongban`` would, but for what goes on for long."""
    for copied in COPIED:
        shutil.copytree(ROOT / copied, folder / copied, ignore=shutil.ignore_patterns("__pycache__"))
    for linked in LINKED:
        if (ROOT / linked).exists():
            (folder / linked).symlink_to(ROOT / linked)
    programs = folder / ".venv/bin"
    programs.mkdir(parents=True)
    for each in Path(sys.executable).parent.iterdir():
        if each.name not in {"tongban", "python", "curl"}:
            (programs / each.name).symlink_to(each)
    program(programs / "python", f'#!/bin/sh\nexec {shlex.quote(sys.executable)} "$@"\n')
    program(
        programs / "tongban",
        f'#!/bin/sh\ncase "$1" in serve|simulate|demo) exec {COLD};; *) exec {warm} "$@";; esac\n',
    )
    # what a page asks of the gateway must be answered, and well
    program(folder / ".bin/curl", f'#!/bin/sh\nexec {shutil.which("curl")} --fail-with-body "$@"\n')
    return folder


def program(file, text):
    """A file that can be run."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    file.chmod(0o755)
