"""The page of the documents: the template beside this file, with the tables of a run put in."""

from __future__ import annotations

import importlib
import json
import re
from pathlib import Path
from typing import Any

from bench import picture
from bench.sheets import Sheet, markdown

TEMPLATE = Path(__file__).with_name("page.md")
#: What an installed gateway shows of the release.
_PAGE = Path(__file__).parents[1] / "docs" / "reference" / "benchmark.md"
MEASURED = Path(__file__).parents[1] / "gateway" / "dashboard" / "views" / "measured" / "bench.json"


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
    if "tongban" in sections.get("flow", {}).get("scores", {}) and file.resolve() == _PAGE:
        MEASURED.write_text(json.dumps(measured(found), ensure_ascii=False, indent=1) + "\n", "utf-8")


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
