"""The ``Content-Type`` header as its two parts that matter."""

from __future__ import annotations


def split(header: str) -> tuple[str, str]:
    """``(media type, charset)`` in lower case; ``""`` for what is absent, other parameters ignored."""
    essence, *parameters = header.split(";")
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "charset":
            return essence.strip().lower(), value.strip().strip('"').lower()
    return essence.strip().lower(), ""
