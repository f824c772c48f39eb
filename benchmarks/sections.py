"""The sections of RESULTS.md that other commands than ``make bench`` write, each between markers of its own."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import report

RESULTS = Path(__file__).with_name("RESULTS.md")
_KEPT = re.compile(r"<!-- (\w+) -->.*?<!-- /\1 -->", re.DOTALL)


def put(name: str, section: str, place: Path = RESULTS) -> None:
    """Put a section in the place of the last one of its name; the rest of the file stays as it is."""
    begin, end = f"<!-- {name} -->", f"<!-- /{name} -->"
    text = place.read_text() if place.exists() else "# Results\n"
    before, found, rest = text.partition(begin)
    after = rest.partition(end)[2] if found else ""
    parts = [before.strip(), f"{begin}\n{section.strip()}\n{end}", after.strip()]
    place.write_text("\n\n".join(filter(None, parts)) + "\n")


def kept(place: Path = RESULTS) -> str:
    """Every such section that is there."""
    text = place.read_text() if place.exists() else ""
    return "\n\n".join(found[0] for found in _KEPT.finditer(text))


def compose(title: str, command: str, text: str, busy_before: str) -> str:
    """A section with when and on what it was measured."""
    head = f"## {title}\n\nWritten by `{command}` on {datetime.now(UTC):%d %B %Y}."
    return f"{head}\n\n{text}\n\n{report.machine()}\n- load average before the run: {busy_before}\n"
