"""What pages load: files of ours, and files of others that are kept beside them and accounted for."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from tests.house.source import SRC

MANIFEST = SRC / "ringback" / "console" / "static" / "vendor" / "manifest.toml"
FACTS = {"path", "name", "package", "version", "licence", "sha256"}

LOADED = [
    re.compile(r"<(?!a\b)\w[^>]*\b(?:src|srcset|href|data|poster|action|hx-\w+)=[\"']?(?:\w+:)?//", re.IGNORECASE),
    re.compile(r"(?:@import|url\()\s*[\"']?(?:https?:)?//", re.IGNORECASE),
    re.compile(r"\b(?:import|from|fetch|importScripts|Worker)\b\s*\(?\s*[\"'`](?:\w+:)?//"),
]
"""How a page, a style or a script loads something from another host; a link may lead anywhere."""


def disagreements(folder: Path, entries: Iterable[dict[str, Any]]) -> list[str]:
    """Where a manifest and the files beside it differ."""
    listed = {entry["path"]: entry for entry in entries}
    there = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()} - {MANIFEST.name}
    found = [f"{path}: not listed" for path in there - listed.keys()]
    found += [f"{path}: not there" for path in listed.keys() - there]
    for path in there & listed.keys():
        content, entry = (folder / path).read_bytes(), listed[path]
        if sha256(content).hexdigest() != entry["sha256"]:
            found.append(f"{path}: another file than the one listed")
        if entry["version"].encode() not in content:
            found.append(f"{path}: does not say that it is version {entry['version']}")
        found += [f"{path}: {fact} is missing" for fact in FACTS - entry.keys()]
    return sorted(found)


def loads_from_elsewhere(files: Iterable[Path]) -> list[str]:
    """Files that load something from another host."""
    return [
        f"{file.name}: {match[0]}"
        for file in files
        for pattern in LOADED
        if (match := pattern.search(file.read_text(encoding="utf-8")))
    ]


def test_the_manifest_and_the_files_agree() -> None:
    assert disagreements(MANIFEST.parent, tomllib.loads(MANIFEST.read_text(encoding="utf-8"))["file"]) == []


def test_nothing_is_loaded_from_another_host() -> None:
    files = [path for kind in ("html", "svg", "css", "js") for path in SRC.rglob(f"*.{kind}")]
    assert MANIFEST.parent / "htmx.min.js" in files
    assert loads_from_elsewhere(files) == []


class TestTheRulesThemselves:
    def test_each_disagreement_is_found(self, tmp_path: Path) -> None:
        for name in ("good.js", "changed.js", "stray.css"):
            (tmp_path / name).write_text("version 1.2.3")
        facts = {"name": "X", "package": "x", "version": "1.2.3", "licence": "MIT"}
        digest = sha256(b"version 1.2.3").hexdigest()
        entries = [
            {**facts, "path": "good.js", "sha256": digest},
            {"path": "changed.js", "version": "2", "sha256": "00"},
            {**facts, "path": "gone.js", "sha256": digest},
        ]
        assert disagreements(tmp_path, entries) == [
            "changed.js: another file than the one listed",
            *[f"changed.js: {fact} is missing" for fact in ("licence", "name", "package")],
            "gone.js: not there",
            "stray.css: not listed",
        ]

    @pytest.mark.parametrize(
        "text",
        [
            '<script defer src="https://cdn.example/x.js"></script>',
            "<link rel=stylesheet href=//fonts.example/x.css>",
            '<img alt="" src="http://pixel.example/x.gif">',
            '<form action="https://elsewhere.example">',
            '<div hx-get="https://elsewhere.example/x"></div>',
            "@import 'https://fonts.example/x.css';",
            "a { background: url(//img.example/x.png) }",
            'import x from "https://cdn.example/x.js";',
            "fetch(`https://elsewhere.example`)",
        ],
    )
    def test_a_load_from_elsewhere_is_found(self, tmp_path: Path, text: str) -> None:
        (tmp_path / "x.html").write_text(text)
        assert loads_from_elsewhere(tmp_path.iterdir()) != []

    @pytest.mark.parametrize(
        "text",
        [
            '<a href="https://ringback.example">Ringback</a>',
            '<script src="/static/x.js"></script>',
            "a { background: url(data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg'/%3E) }",
            'curl "https://acme.example.com/api"',
            '<svg xmlns="http://www.w3.org/2000/svg">',
        ],
    )
    def test_what_stays_here_is_not(self, tmp_path: Path, text: str) -> None:
        (tmp_path / "x.html").write_text(text)
        assert loads_from_elsewhere(tmp_path.iterdir()) == []
