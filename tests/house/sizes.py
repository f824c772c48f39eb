"""The house numbers: how long files, functions and templates may be, and which words are not used."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from statistics import median

from tests.house.source import Source

VAGUE = {"utils", "util", "helpers", "helper", "manager", "managers", "common", "misc"}
"""Module names that say nothing about what is inside."""

MIGRATIONS = "/store/migrations/versions/"
"""Where a function is a list of statements, fixed once it is released."""

WAYS_AROUND = {"skip", "skipif", "xfail", "importorskip"}
"""What a test that doesn't pass must not hide behind."""


def long_files(sources: Iterable[Source], *, most: int = 400) -> list[str]:
    """Files with more lines than one."""
    return [f"{source.path}: {source.length} lines" for source in sources if source.length > most]


def median_length(sources: Iterable[Source]) -> float:
    """The length of the file in the middle, empty ones not counted."""
    return median([source.length for source in sources if source.length] or [0])


def functions(sources: Iterable[Source]) -> Iterator[tuple[str, int]]:
    """Every function with its number of lines, decorators not counted."""
    for source in sources:
        for node in ast.walk(source.tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield f"{source.path}:{node.lineno}: {node.name}", (node.end_lineno or node.lineno) - node.lineno + 1


def long_functions(sources: Iterable[Source], *, most: int = 60) -> list[str]:
    """Functions with more lines than that; a migration may list its tables in one."""
    written = [source for source in sources if MIGRATIONS not in source.path]
    return [f"{name}: {lines} lines" for name, lines in functions(written) if lines > most]


def share_of_short_functions(sources: Iterable[Source], *, short: int = 30) -> float:
    """How many of the functions, from 0 to 1, are short."""
    lengths = [lines for _, lines in functions(sources)]
    return sum(lines <= short for lines in lengths) / len(lengths) if lengths else 1.0


def long_templates(folder: Path, *, most: int = 150) -> list[str]:
    """Templates with more lines than that."""
    lengths = {path: len(path.read_text().splitlines()) for path in sorted(folder.rglob("templates/**/*.html"))}
    return [f"{path.relative_to(folder)}: {lines} lines" for path, lines in lengths.items() if lines > most]


def vague_names(sources: Iterable[Source]) -> list[str]:
    """Modules and packages whose name says nothing."""
    return [source.path for source in sources if VAGUE & set(Path(source.path).with_suffix("").parts)]


def bare_type_ignores(sources: Iterable[Source]) -> list[str]:
    """Comments that silence the type checker without naming the error."""
    return [
        f"{source.path}:{line}: {comment}"
        for source in sources
        for line, comment in source.comments
        if re.search(r"type:\s*ignore(?!\[)", comment)
    ]


def tests_not_run(sources: Iterable[Source]) -> list[str]:
    """Places where a test is skipped or allowed to fail."""
    return [
        f"{source.path}:{line}: {name}"
        for source in sources
        for line, name in source.uses
        if name.startswith("pytest.") and WAYS_AROUND & set(name.split("."))
    ]


def lines_of_test_a_line_of_source(tests: Iterable[Source], sources: Iterable[Source]) -> float:
    """How much is tested by how much, blank lines not counted."""
    return sum(test.dense_length for test in tests) / max(1, sum(source.dense_length for source in sources))
