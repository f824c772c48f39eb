"""How commands print: tables and colours on a terminal, plain lines where the output goes on to a program."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from typing import TypeVar

Item = TypeVar("Item")


def is_terminal() -> bool:
    """Whether a person reads the output as it comes."""
    return sys.stdout.isatty()


def show_json(document: object) -> None:
    """Print a document."""
    print(json.dumps(document, indent=2, default=str))


def show(text: str = "", style: str = "") -> None:
    """Print lines, in this style on a terminal; what could steer the terminal is made visible."""
    text = printable(text)
    if not (style and is_terminal()):
        print(text, flush=True)  # a server that goes on running says it at once, also into a pipe
        return
    from rich.console import Console
    from rich.text import Text

    Console(soft_wrap=True, highlight=False).print(Text(text, style))


def show_table(columns: Sequence[str], rows: Iterable[Sequence[object]], nothing: str) -> None:
    """Print rows under the names of their columns, or say in a sentence that there are none."""
    cells = [[printable("" if cell is None else str(cell)) for cell in row] for row in rows]
    if not cells:
        print(nothing)
    elif is_terminal():
        _show_pretty(columns, cells)
    else:
        widths = [max(len(row[place]) for row in (columns, *cells)) for place in range(len(columns))]
        for row in (columns, *cells):
            print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def with_progress(items: Sequence[Item], about: str) -> Iterable[Item]:
    """The items one after another; on a terminal a bar shows how far it is, unless there is only one of them."""
    if len(items) < 2 or not is_terminal():  # noqa: PLR2004 - one is done before anybody looks
        return items
    from rich.progress import track

    return track(items, description=about, transient=True)


def _show_pretty(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE_HEAD, header_style="bold", pad_edge=False)
    for place, column in enumerate(columns):
        table.add_column(column, no_wrap=place == 0)  # what a row is called by stays whole
    for row in rows:
        table.add_row(*(Text(cell, overflow="fold") for cell in row))
    Console(highlight=False).print(table)


def printable(text: str) -> str:
    """The text with everything escaped that is no letter, sign, space or line break."""
    return "".join(char if char.isprintable() or char == "\n" else ascii(char)[1:-1] for char in text)
