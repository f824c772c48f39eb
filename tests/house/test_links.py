"""Links of the documentation lead to files that are there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.house.source import ROOT
from tests.house.test_repository import own_files

LINK = re.compile(r"\]\((?!\w+:)([^)#\s]+)")
PAGES = sorted(file for file in own_files() if file.suffix == ".md")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_to_a_file_leads_to_one(page: Path) -> None:
    links = LINK.findall(page.read_text(encoding="utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_there_are_links_to_look_at() -> None:
    assert len(LINK.findall((ROOT / "docs" / "explanation" / "security.md").read_text(encoding="utf-8"))) > 50
