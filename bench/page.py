"""The page of the documents in both languages: the templates beside this file, with the tables of a run put in."""

from __future__ import annotations

import importlib
import json
import re
from pathlib import Path
from typing import Any

from bench import desk, picture
from bench.sheets import Sheet, markdown

#: Ending of the page → what it says of a section that was not measured; the template has the same ending.
LANGUAGES = {".md": "*本次未测。*\n", ".en.md": "*Not measured in this run.*\n"}
#: What an installed gateway shows of the release.
_PAGE = Path(__file__).parents[1] / "docs" / "reference" / "benchmark.md"
MEASURED = Path(__file__).parents[1] / "gateway" / "dashboard" / "views" / "measured" / "bench.json"


def sheets_of(name: str, found: Any) -> list[Sheet]:
    """The tables of a section, but for empty ones."""
    from bench.__main__ import SECTIONS  # noqa: PLC0415 - the one list of sections

    return [(title, rows) for title, rows in importlib.import_module(SECTIONS[name]).sheets(found) if rows]


def write(file: Path, found: dict[str, Any]) -> None:
    """The page in Chinese, in English beside it, and its picture beside the others."""
    for ending in LANGUAGES:
        file.with_suffix(ending).write_text(text_of(found, ending), "utf-8")
    scores = found["sections"].get("flow", {}).get("scores", {})
    if "textbook" in scores:
        picture.write(file.with_suffix(".svg"), scores)
    if "tongban" in scores and file.resolve() == _PAGE:
        MEASURED.write_text(json.dumps(measured(found), ensure_ascii=False, indent=1) + "\n", "utf-8")


def text_of(found: dict[str, Any], ending: str) -> str:
    """The template of a language with everything put in."""
    sections = found["sections"]

    def put(place: re.Match[str]) -> str:
        name = place[1]
        if name == "machine":
            return "; ".join(f"{key} {value}" for key, value in found["machine"].items()) + ".\n"
        if name == "command":
            return f"`{found['command']}`"
        if name == "connections":
            return str(sections.get("flow", {}).get("connections", "?"))
        if not sections.get(name):
            return LANGUAGES[ending]
        tables = markdown(sheets_of(name, sections[name]))
        return desk.in_english(tables) if ending == ".en.md" else tables

    template = Path(__file__).with_name(f"page{ending}").read_text("utf-8")
    return re.sub(r"<!-- put (\w+) -->", put, template)


def measured(found: dict[str, Any]) -> dict[str, Any]:
    """The few figures the gateway's own page shows; a section that was not measured leaves its own out."""
    machine, scores = found["machine"], found["sections"].get("flow", {}).get("scores", {})
    ours, told = scores.get("tongban", {}), dict[str, Any]()
    if ours:
        told |= {
            "accept_per_s": round(ours["accept_per_s"]),
            "end_to_end_per_s": round(ours["end_to_end_per_s"]),
            "cpu_ms": ours["own_cpu_ms"],
        }
    if "own half" in ours:
        steady = ours["own half"]
        told |= {
            "steady_per_s": round(steady["per_s"]),
            "accept_p95_ms": steady["accept_ms"]["p95"],
            "end_to_end_p95_ms": steady["end_to_end_ms"]["p95"],
        }
    if "textbook" in scores:
        told["textbook_end_to_end_per_s"] = round(scores["textbook"]["end_to_end_per_s"])
    return {"when": machine["date"][:10], "machine": f"{machine['cpu']}, {machine['memory']}", **told}
