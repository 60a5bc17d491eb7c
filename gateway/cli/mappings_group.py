"""``tongban mappings``: the commands on tables, one file each, as one group."""

from __future__ import annotations

from gateway.cli import mappings, mappings_align, mappings_book, mappings_study

app = mappings.app
for part in (mappings_book.app, mappings_study.app, mappings_align.app):
    app.registered_commands.extend(part.registered_commands)
