"""One home each: who alone may ask the clock, roll dice, read the environment or speak SQL."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable
from dataclasses import dataclass

from tests.house.source import Source


@dataclass(frozen=True)
class Home:
    """A thing and the one file, or folder ending in ``/``, that may use it; what is ``lent`` may be named anywhere."""

    what: str
    path: str
    names: frozenset[str]
    lent: frozenset[str] = frozenset()

    def is_at(self, path: str) -> bool:
        """Whether this file is the home or lies in it."""
        return path.startswith(self.path) if self.path.endswith("/") else path == self.path

    def has(self, name: str) -> bool:
        """Whether this dotted name, or something it is part of, belongs here."""
        return name not in self.lent and any(name == own or name.startswith(f"{own}.") for own in self.names)


HOMES = (
    Home(
        "the clock",
        "ringback/clock.py",
        frozenset(
            {
                *(f"datetime.datetime.{ask}" for ask in ("now", "today", "utcnow")),
                "datetime.date.today",
                *(f"time.{ask}" for ask in ("time", "time_ns", "ctime", "gmtime", "localtime", "strftime")),
            }
        ),
    ),
    Home(
        "randomness",
        "ringback/entropy.py",
        frozenset(
            {
                "random",
                "secrets",
                "uuid_utils",
                "os.urandom",
                "os.getrandom",
                *(f"uuid.uuid{version}" for version in (1, 4, 6, 7, 8)),
            }
        ),
    ),
    Home(
        "the environment", "ringback/settings.py", frozenset({"os.environ", "os.environb", "os.getenv", "os.getenvb"})
    ),
    Home("the hashing of passwords", "ringback/services/passwords.py", frozenset({"argon2"})),
    Home(
        "SQL",
        "ringback/store/",
        frozenset({"alembic", "psycopg", "sqlalchemy", "sqlite3"}),
        lent=frozenset({"sqlalchemy.Connection", "sqlalchemy.Engine"}),  # handed on as the transaction, not asked
    ),
)

IMPURE = frozenset(
    {
        *{"asyncio", "concurrent", "multiprocessing", "sched", "signal", "subprocess", "threading", "time"},
        *{"fileinput", "glob", "io", "logging", "os", "pathlib", "shelve", "shutil", "sys", "tempfile"},
        *{"ftplib", "http.client", "select", "smtplib", "socket", "ssl", "urllib.request"},
        *{"dbm", "importlib", "random", "secrets", "sqlite3"},
    }
)
"""Modules of the standard library that reach outside, wait, or differ from run to run."""

VALUES = frozenset({"msgspec.Struct", "msgspec.structs.replace"})
"""What values are made of that there are many of, beside dataclasses (docs/decisions/0006-time-of-an-update.md)."""

IMPURE_CALLS = frozenset({"breakpoint", "eval", "exec", "input", "open", "print"})


def away_from_home(sources: Iterable[Source], homes: Iterable[Home] = HOMES) -> list[str]:
    """Uses of a thing outside its home."""
    return [
        f"{source.path}:{line}: {name} ({home.what} is at home in {home.path})"
        for home in homes
        for source in sources
        if not home.is_at(source.path)
        for line, name in source.uses
        if home.has(name)
    ]


def impure(sources: Iterable[Source], *, domain: str = "ringback.domain") -> list[str]:
    """What pure rules don't do: I/O, or importing anything but each other, values, the quiet part of the library."""
    outside = Home("", "", IMPURE)
    complaints = []
    for source in sources:
        for line, name in source.uses:
            own = name == domain or name.startswith(f"{domain}.")
            if outside.has(name) or not (own or name in VALUES or name.partition(".")[0] in sys.stdlib_module_names):
                complaints.append(f"{source.path}:{line}: {name}")
        complaints += [
            f"{source.path}:{node.lineno}: {node.func.id}()"
            for node in ast.walk(source.tree)
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in IMPURE_CALLS
        ]
    return complaints
