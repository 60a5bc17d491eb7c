"""The page of the documents: the template beside this file, with the tables of a run put in."""

from __future__ import annotations

import importlib
import re
from pathlib import Path
from typing import Any

from bench import picture
from bench.sheets import Sheet, markdown

TEMPLATE = Path(__file__).with_name("page.md")


def sheets_of(name: str, found: Any) -> list[Sheet]:
    """The tables of a section, but for empty ones."""
    from bench.__main__ import SECTIONS  # noqa: PLC0415 - the one list of sections

    return [(title, rows) for title, rows in importlib.import_module(SECTIONS[name]).sheets(found) if rows]


def write(file: Path, found: dict[str, Any]) -> None:
    """The page, and its picture beside the others."""
    sections = found["sections"]
    text = TEMPLATE.read_text("utf-8")

    def put(place: re.Match[str]) -> str:
        name = place[1]
        if name == "machine":
            return "; ".join(f"{key} {value}" for key, value in found["machine"].items()) + ".\n"
        if name == "command":
            return f"`{found['command']}`"
        if name == "connections":
            return str(sections.get("flow", {}).get("connections", "?"))
        if not sections.get(name):
            return "*Not measured in this run.*\n"
        return markdown(sheets_of(name, sections[name]))

    file.write_text(re.sub(r"<!-- put (\w+) -->", put, text), "utf-8")
    if "textbook" in sections.get("flow", {}).get("scores", {}):
        picture.write(file.with_suffix(".svg"), sections["flow"]["scores"])
