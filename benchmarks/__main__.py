"""``make bench``: every benchmark that fits into ten minutes; writes RESULTS.md."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

from benchmarks import hotspots, report, updates

RESULTS = Path(__file__).with_name("RESULTS.md")
CRASH = re.compile(r"<!-- crash -->.*<!-- /crash -->\n?", re.DOTALL)
"""The section that ``make crash`` writes; it stays as it is."""


def main() -> None:
    """Run them all."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--seconds", type=float, default=5.0, help="of a turn")
    parser.add_argument("--print", action="store_true", help="only print; leave RESULTS.md as it is")
    given = parser.parse_args()
    busy_before = report.busy()
    sections = [updates.measure(rounds=given.rounds, seconds=given.seconds), hotspots.measure(given.seconds)]
    found = report.results(sections, "make bench", busy_before)
    print(found)
    if not given.print:
        kept = CRASH.search(RESULTS.read_text()) if RESULTS.exists() else None
        RESULTS.write_text(f"{found.rstrip()}\n\n{kept[0] if kept else ''}")


if __name__ == "__main__":
    main()
