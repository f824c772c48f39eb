"""What holds Ringback back: where its server spends its time under load, by py-spy.

``python -m benchmarks.hotspots`` prints functions by the time spent in themselves, packages, and Ringback's own
functions with everything they call; ``--gil`` counts only the time in which the interpreter's lock is held.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from benchmarks import report
from benchmarks.cast import OTHER, OTHER_SQLITE, RINGBACK, RINGBACK_SQLITE, assembled
from benchmarks.contest import HttpContender
from benchmarks.report import Section

SAMPLES_A_SECOND = 250


@dataclass
class Profile:
    """Samples: by thread, by the function at work, by its package, by Ringback's functions on the way there."""

    total: int = 0
    threads: Counter[str] = field(default_factory=Counter)
    functions: Counter[str] = field(default_factory=Counter)
    packages: Counter[str] = field(default_factory=Counter)
    within: Counter[str] = field(default_factory=Counter)

    def add(self, stack: list[str], samples: int) -> None:
        """Count one stack, outermost first."""
        frames = [frame.rpartition(":")[0].removesuffix(")") or frame for frame in stack]
        self.total += samples
        self.threads[stack[0]] += samples
        self.functions[frames[-1]] += samples
        self.packages[_package(frames[-1])] += samples
        for frame in {frame for frame in frames if "ringback/" in frame}:
            self.within[frame] += samples

    def table(self, name: str, counted: Counter[str], most: int) -> str:
        """The commonest of one kind, as shares."""
        rows = [(what, f"{samples / self.total:.1%}") for what, samples in counted.most_common(most)]
        return report.table([name, "share"], rows)


def _package(frame: str) -> str:
    path = frame.rpartition("(")[2]
    parts = path.split("/")
    return "/".join(parts[:2]) if parts[0] == "ringback" else parts[0]


def record(contender: HttpContender, seconds: float, *options: str) -> Profile:
    """Watch a contender's server during a turn."""
    with tempfile.NamedTemporaryFile() as file, ThreadPoolExecutor(1) as thread:
        turn = thread.submit(contender.turn, seconds + 2)
        watch = [str(Path(sys.executable).with_name("py-spy")), "record", "--threads", "--format", "raw", *options]
        how = ["--rate", str(SAMPLES_A_SECOND), "--duration", str(round(seconds)), "--output", file.name]
        subprocess.run([*watch, *how, "--pid", str(contender.served[0].process.pid)], capture_output=True, check=True)
        turn.result()
        lines = Path(file.name).read_text().splitlines()
    profile = Profile()
    for line in lines:
        stack, _, samples = line.rpartition(" ")
        profile.add(stack.split(";"), int(samples))
    return profile


def measure(seconds: float = 5.0) -> Section:
    """Where the time goes in which Python is at work, as a section of the results."""
    with assembled() as ready:
        profile = record(cast("HttpContender", ready.make(RINGBACK)), seconds, "--gil")
    tables = [profile.table("package, time in itself", profile.packages, 12)]
    tables.append(profile.table("function of Ringback, with all it calls", profile.within, 20))
    text = "Shares of the time in which the interpreter's lock is held, on PostgreSQL at the top rate (py-spy)."
    return Section("What holds it back", "\n\n".join([text, *tables]))


def main() -> None:
    """Record and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.hotspots", description=__doc__)
    parser.add_argument("--sqlite", action="store_true", help="on SQLite instead of PostgreSQL")
    parser.add_argument("--gil", action="store_true", help="only time in which the interpreter's lock is held")
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--most", type=int, default=30, help="rows of a table")
    parser.add_argument("--against", type=Path, help="the src folder of another checkout of Ringback to watch instead")
    given = parser.parse_args()
    names = (RINGBACK, RINGBACK_SQLITE, OTHER, OTHER_SQLITE)
    with assembled(given.against) as ready:
        contender = ready.make(names[2 * bool(given.against) + given.sqlite])
        profile = record(cast("HttpContender", contender), given.seconds, *(["--gil"] if given.gil else []))
    for name, counted in (
        ("thread", profile.threads),
        ("package, time in itself", profile.packages),
        ("function, time in itself", profile.functions),
        ("function of Ringback, with all it calls", profile.within),
    ):
        print(profile.table(name, counted, given.most), end="\n\n")


if __name__ == "__main__":
    main()
