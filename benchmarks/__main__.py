"""``make bench``: every benchmark that fits into ten minutes; writes RESULTS.md but for the sections of others."""

from __future__ import annotations

import argparse

from benchmarks import deliveries, hotspots, report, sections, updates


def main() -> None:
    """Run them all."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--seconds", type=float, default=5.0, help="of a turn")
    parser.add_argument("--print", action="store_true", help="only print; leave RESULTS.md as it is")
    given = parser.parse_args()
    busy_before = report.busy()
    measured = [
        updates.measure(rounds=given.rounds, seconds=given.seconds),
        deliveries.measure(rounds=max(1, given.rounds // 2)),
        hotspots.measure(given.seconds),
    ]
    found = report.results(measured, "make bench", busy_before)
    print(found)
    if not given.print:
        sections.RESULTS.write_text(f"{found.rstrip()}\n\n{sections.kept()}".rstrip() + "\n")


if __name__ == "__main__":
    main()
