"""The pages of the documentation, and what stands in them."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

from tests.house.source import ROOT
from tests.house.test_repository import own_files

PAGES = sorted(file for file in own_files() if file.suffix == ".md")
"""Every page of Markdown in the repository."""

BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$|^(?:(?: {4,}|\t)\S.*\n(?:\n(?= {4}))?)+", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"(?<!`)`([^`\n]+(?:\n[^`\n]+)?)`(?!`)")
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_ASSIGNED = re.compile(r"^(?:\w+=\S*\s+)+(?=\S)")


def name(page: Path) -> str:
    """What a page is called."""
    return str(page.relative_to(ROOT))


def text(page: Path) -> str:
    """What stands on a page."""
    return _COMMENT.sub("", page.read_text(encoding="utf-8"))


def prose(page: Path) -> str:
    """The same without code."""
    return INLINE.sub("", BLOCK.sub("", text(page)))


def blocks(page: Path) -> Iterator[str]:
    """Its blocks of code, without the indentation."""
    for found in BLOCK.finditer(text(page)):
        code = found[2] if found[2] is not None else re.sub(r"^(?: {4}|\t)", "", found[0], flags=re.MULTILINE)
        yield code.replace("\\\n", " ")


def inline(page: Path) -> Iterator[str]:
    """Its code within sentences."""
    return (" ".join(found[1].split()) for found in INLINE.finditer(BLOCK.sub("", text(page))))


def commands(code: str) -> Iterator[list[str]]:
    """The arguments of each line that is a command of ours; what is to be filled in counts as one word."""
    for written in code.splitlines():
        line = _ASSIGNED.sub("", re.sub(r"<[^<>]+>", "FILLED-IN", written.strip().removeprefix("$ ")))
        if re.match(r"(?:sudo (?:-u \w+ )?)?(?:\.venv/bin/)?ringback(?: |$)", line):
            words = shlex.split(line, comments=True)
            arguments = words[next(place for place, word in enumerate(words) if word.endswith("ringback")) + 1 :]
            yield arguments[: next((n for n, each in enumerate(arguments) if each in {"|", "&&", "&", ";", ">"}), None)]
