"""Links of the documentation lead to files and headings that are there, and its index to every page."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.house.source import ROOT
from tests.house.test_repository import own_files

LINK = re.compile(r"\]\((?!\w+:)([^)\s]+)")
CODE = re.compile(r"^```.*?^```$|`[^`\n]+`", re.MULTILINE | re.DOTALL)
PAGES = sorted(file for file in own_files() if file.suffix == ".md")
DOCS = ROOT / "docs"


def links(page: Path) -> Iterator[tuple[Path, str]]:
    """Where the links of a page lead: the file, and the place in it, if one is named."""
    for link in LINK.findall(CODE.sub("", page.read_text(encoding="utf-8"))):
        file, _, place = link.partition("#")
        yield (page.parent / file).resolve() if file else page, place


def places(page: Path) -> set[str]:
    """What links can name on a page: its headings, as they are spelled in links, and anchors."""
    text = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    spelled = {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
    return spelled | set(re.findall(r'<a id="([^"]+)">', text))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    found = list(links(page))
    assert [file for file, _ in found if not file.exists()] == []
    assert [(file.name, place) for file, place in found if place and place not in places(file)] == []


def test_there_are_links_to_look_at() -> None:
    assert len(list(links(DOCS / "explanation" / "security.md"))) > 50
    assert sum(bool(place) for _, place in links(DOCS / "reference" / "api.md")) > 50


def test_the_index_leads_to_every_page() -> None:
    listed = {file for file, _ in links(DOCS / "README.md")}
    assert {page for page in PAGES if DOCS in page.parents} - listed == {DOCS / "README.md"}
    assert DOCS / "README.md" in {file for file, _ in links(ROOT / "README.md")}
