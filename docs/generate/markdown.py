"""Pieces of Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

_STEERS = re.compile(r"(`[^`]*`)|([\\*<>]|(?<!\w)_|_(?!\w))")


def prose(text: str) -> str:
    """Text with code in backticks, of which nothing else is Markdown."""
    return _STEERS.sub(lambda found: found[1] or "\\" + found[2], text)


def anchor(heading: str) -> str:
    """What a link names to lead to a heading."""
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")


def code(text: object) -> str:
    """A name or a value, as it is written."""
    return f"`{text}`"


def codes(names: Iterable[object]) -> str:
    """Several of them."""
    return " ".join(map(code, names))


def block(text: str, language: str = "") -> str:
    """Lines, as they are written."""
    return f"```{language}\n{text.rstrip()}\n```\n"


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; columns without anything in them are left out."""
    cells = [list(row) for row in rows]
    kept = [place for place in range(len(columns)) if any(row[place] for row in cells)]
    head = [columns[place] for place in kept]
    lines = [head, ["---"] * len(kept), *([row[place] for place in kept] for row in cells)]
    return "".join(f"| {' | '.join(_cell(cell) for cell in line)} |\n" for line in lines)


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())
