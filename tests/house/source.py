"""Python files as the house rules see them: a path, a text, a tree."""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SRC = ROOT / "src"
TESTS = ROOT / "tests"


@dataclass(frozen=True)
class Source:
    """One Python file; ``path`` is relative to the folder it was read from."""

    path: str
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        """The syntax tree."""
        return ast.parse(self.text, self.path)

    @property
    def length(self) -> int:
        """The number of lines."""
        return len(self.text.splitlines())

    @property
    def dense_length(self) -> int:
        """The number of lines with something on them."""
        return sum(1 for line in self.text.splitlines() if line.strip())

    @property
    def comments(self) -> Iterator[tuple[int, str]]:
        """Every comment with its line number; strings that look like comments are none."""
        for token in tokenize.generate_tokens(io.StringIO(self.text).readline):
            if token.type == tokenize.COMMENT:
                yield token.start[0], token.string

    @cached_property
    def uses(self) -> list[tuple[int, str]]:
        """Every imported thing that is named, with its line number, as the full dotted name it stands for.

        After ``from datetime import datetime as d`` the expression ``d.now`` is a use of ``datetime.datetime.now``.
        """
        imported: dict[str, str] = {}
        found: list[tuple[int, str]] = []
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import | ast.ImportFrom):
                names = dict(_imported_by(node))
                imported |= names
                found += [(node.lineno, full) for full in names.values()]
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Attribute | ast.Name) and (name := _dotted(node)):
                head, _, rest = name.partition(".")
                if head in imported:
                    found.append((node.lineno, f"{imported[head]}.{rest}".rstrip(".")))
        return sorted(set(found))


def read(folder: Path) -> list[Source]:
    """Every Python file below a folder."""
    return [Source(str(path.relative_to(folder)), path.read_text()) for path in sorted(folder.rglob("*.py"))]


def _imported_by(node: ast.Import | ast.ImportFrom) -> Iterator[tuple[str, str]]:
    """What an import statement binds: the name in the file, and the full name it stands for."""
    if isinstance(node, ast.Import):
        for alias in node.names:
            if alias.asname:
                yield alias.asname, alias.name
            else:
                yield alias.name.partition(".")[0], alias.name.partition(".")[0]
                yield alias.name, alias.name
    else:
        for alias in node.names:
            yield alias.asname or alias.name, f"{'.' * node.level}{node.module or ''}.{alias.name}"


def _dotted(node: ast.expr) -> str | None:
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute) and (before := _dotted(node.value)):
        return f"{before}.{node.attr}"
    return None
