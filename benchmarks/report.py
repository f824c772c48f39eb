"""What was found, as Markdown: claims with their targets, tables, the machine."""

from __future__ import annotations

import os
import platform
import sqlite3
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from benchmarks.contest import Results, Spread, figure, rates, ratios
from benchmarks.disk import flushes_a_second
from benchmarks.stage import ROOT, SETTINGS
from tests.postgres import find_programs, major_version

PACKAGES = ("ringback", "sqlalchemy", "psycopg", "asyncpg", "fastapi", "uvicorn", "uvloop", "httptools", "msgspec")
HEAD = """\
Written by `{command}` on {date}. What counts is the ratio within a round; of the rounds stand here the middle and, in
brackets, the least and the most. Absolute figures hang on the machine."""
FIGURES = ("p50 ms", "p99 ms", "server µs", "database µs", "client µs", "log bytes")


@dataclass(frozen=True)
class Claim:
    """One promise, and what was measured; ``lower`` says that less is better."""

    what: str
    against: str
    target: float
    measured: Spread
    lower: bool = False

    @property
    def is_met(self) -> bool:
        """Whether the middle of the rounds keeps it."""
        middle = self.measured.middle
        return middle <= self.target if self.lower else middle >= self.target

    @property
    def row(self) -> Sequence[str]:
        """The claim as a row of a table."""
        sign = "≤" if self.lower else "≥"
        told = "yes" if self.is_met else "**missed**"
        return self.what, self.against, f"{sign} {self.target:.2f}", spread(self.measured, 2), told


@dataclass(frozen=True)
class Section:
    """What one benchmark found."""

    title: str
    text: str
    claims: Sequence[Claim] = field(default_factory=list)


def spread(numbers: Spread, digits: int = 0) -> str:
    """A middle with its least and most."""
    return f"{numbers.middle:,.{digits}f} ({numbers.least:,.{digits}f} to {numbers.most:,.{digits}f})"


def busy() -> str:
    """How many others wanted a core in the last minute; more than a few tenths spoil a measurement."""
    return f"{os.getloadavg()[0]:.1f}"


def table(names: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table whose first column is text and whose others are numbers."""
    lines = [names, ["---", *(["---:"] * (len(names) - 1))], *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def contest_table(results: Results) -> str:
    """A contest: rates, the ratio of the first contender to each, costs."""
    first, *_ = results.values()
    rows = [
        (
            name,
            spread(rates(turns)),
            spread(ratios(first, turns), 2),
            *("" if (each := figure(turns, wanted)) is None else f"{each:,.0f}" for wanted in FIGURES),
        )
        for name, turns in results.items()
    ]
    return table(["", "updates/s", "first / this", *FIGURES], rows)


def results(sections: Sequence[Section], command: str, busy_before: str) -> str:
    """The whole file."""
    claims = [claim.row for section in sections for claim in section.claims]
    parts = [
        "# Results",
        HEAD.format(command=command, date=f"{datetime.now(UTC):%d %B %Y}"),
        table(["what", "against", "target", "measured", "met"], claims),
        *(f"## {section.title}\n\n{section.text}" for section in sections),
        f"## Machine\n\n{machine()}\n- load average before the run: {busy_before}",
    ]
    return "\n\n".join(parts) + "\n"


def machine() -> str:
    """What it was measured on."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    told = {
        "processor": f"{_processor()}, {os.cpu_count()} cores, {memory:.0f} GB",
        "system": f"{platform.system()} {platform.release()}, Python {platform.python_version()}",
        "disk": f"{flushes_a_second():,.0f} times a second 8 KiB written in place and synchronised",
        "databases": f"PostgreSQL {_postgres()} ({', '.join(f'{n} = {v}' for n, v in SETTINGS.items())}), "
        f"SQLite {sqlite3.sqlite_version}",
        "packages": ", ".join(f"{name} {version(name)}" for name in PACKAGES),
        "commit": _commit(),
    }
    return "\n".join(f"- {name}: {words}" for name, words in told.items())


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")


def _postgres() -> str:

    return str(major_version(find_programs()))


def _commit() -> str:
    told = subprocess.run(
        ["git", "describe", "--always", "--dirty"],  # noqa: S607 - git is found on the PATH
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return told.stdout.strip() or "unknown"
