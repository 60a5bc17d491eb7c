"""Keys and configuration of a rehearsal: a gateway and its simulated regions that know each other.

python -m gateway.conformance.keys FOLDER --region SLUG=URL --region SLUG=URL
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
from pathlib import Path
from typing import TYPE_CHECKING

from gateway.conformance.simulator import new_keys
from gateway.errors import CannotStart
from gateway.regions import look_in

if TYPE_CHECKING:
    from collections.abc import Sequence

#: What the token of a rehearsal may do: everything but see persons.
_SCOPES = ["cases", "items", "translate", "operate"]


def write(folder: Path, base_urls: dict[str, str], regions_dirs: Sequence[Path] = ()) -> Path:
    """`gateway.toml`, `master.key`, and `<slug>.json` for each simulator; all readable by the owner only.

    ``regions_dirs``: further folders with regions.

    Errors: `FileExistsError` when the folder has any of them: keys in use are never overwritten;
    `CannotStart` for a region there is none of. Nothing is written then.
    """
    parts = ["# A rehearsal: simulated regions, keys made for it.\n"]
    if regions_dirs:
        look_in(regions_dirs)
        parts.append(f"regions_dirs = {json.dumps([str(each.resolve()) for each in regions_dirs])}\n")
    pairs = {slug: new_keys(slug) for slug in base_urls}
    folder.mkdir(parents=True, exist_ok=True)
    for slug, base_url in base_urls.items():
        section, own = pairs[slug]
        _put(folder / f"{slug}.json", json.dumps(own, indent=1))
        members = {"base_url": base_url, **section}
        parts.append(f"[regions.{slug}]\n" + "".join(f"{k} = {json.dumps(v)}\n" for k, v in members.items()))
    token = json.dumps(secrets.token_urlsafe(24))
    parts.append(f'[[tokens]]\nname = "rehearsal"\ntoken = {token}\nscopes = {json.dumps(_SCOPES)}\n')
    parts.append('[keys]\nmaster_key_file = "master.key"\n')
    _put(folder / "master.key", secrets.token_hex(32))
    _put(folder / "gateway.toml", "\n".join(parts))
    return folder / "gateway.toml"


def _put(file: Path, text: str) -> None:
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
        out.write(text)


def parser() -> argparse.ArgumentParser:
    """The command line."""
    line = argparse.ArgumentParser(prog="python -m gateway.conformance.keys", description=__doc__)
    line.add_argument("folder", type=Path)
    line.add_argument("--region", action="append", required=True, metavar="SLUG=URL")
    line.add_argument("--regions-dir", action="append", default=[], type=Path, metavar="FOLDER")
    return line


def main() -> None:
    """Write the folder and name the configuration file."""
    line = parser()
    asked = line.parse_args()
    urls = dict(pair.split("=", 1) for pair in asked.region)
    try:
        print(write(asked.folder, urls, asked.regions_dir))  # noqa: T201 - its one answer
    except CannotStart as error:
        line.exit(2, f"{error}（这里用 --regions-dir 目录 给出）\n")
    except FileExistsError as error:
        line.exit(2, f"{error.filename} 已经有了：在用的密钥不会被覆盖，请换一个文件夹，或先移走它\n")


if __name__ == "__main__":
    main()
