"""The report of ``make crash``: its own section of ``benchmarks/RESULTS.md``, between markers."""

from __future__ import annotations

import os
import platform
import sqlite3
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import sections
from ringback import __version__
from tests.postgres import find_programs, major_version

TEXT = """\
## Crashes and outages

Written by `make crash` on {date}: Ringback {version}, {machine}.

`ringback serve` under the load of {clients} clients, a quarter of it for one call. Two thirds of what is sent adds to
an amount, the rest sets one; four fifths carry an `Idempotency-Key` and are sent again with it until they are done.
Every update has an amount of its own, by which the ledger tells how often it was done. What clients were told is then
compared with what is recorded: *lost* (answered 200, not recorded), *doubled*, *denied* (recorded, though its client
was told that nothing was applied), *untrue* (recorded otherwise than answered), *unreceipted* (an answer whose receipt
isn't there once), *unbalanced* (calls that are not the sum of their changes).

{found}

The same harness on servers with a fault planted in them, to show that it finds what it looks for:

{planted}

Deliveries under siege: every change owes one to a mailbox that notes each by its `webhook-id`. *Missing* are owed and
not enqueued, *surplus* enqueued and not owed, *unsent* did not arrive, *repeated* arrived more than once, *unexcused*
did so though nothing was killed between.

{post}

{notes}
"""


def table(rows: Mapping[str, Mapping[str, object]]) -> str:
    """Rows of figures under their names; a figure that a row doesn't have is left out."""
    names = list(dict.fromkeys(name for figures in rows.values() for name in figures))
    lines = [["", *names], ["---", *["---:"] * len(names)]]
    lines += [[row, *(str(figures.get(name, "")) for name in names)] for row, figures in rows.items()]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def compose(
    found: Mapping[str, Mapping[str, object]],
    planted: Mapping[str, Mapping[str, object]],
    post: Mapping[str, Mapping[str, object]],
    notes: Sequence[str],
    *,
    clients: int,
) -> str:
    """The section."""
    return TEXT.format(
        date=f"{datetime.now(UTC):%d %B %Y}",
        version=__version__,
        machine=machine(),
        clients=clients,
        found=table(found),
        planted=table(planted),
        post=table(post),
        notes="\n".join(f"- {note}" for note in notes),
    )


def machine() -> str:
    """What it ran on."""
    postgres = major_version(find_programs())
    return (
        f"{os.cpu_count()} cores, {platform.system()} {platform.release()}, Python {platform.python_version()}, "
        f"PostgreSQL {postgres} (fsync on), SQLite {sqlite3.sqlite_version} (synchronous=FULL)"
    )


def put(section: str, place: Path = sections.RESULTS) -> None:
    """Put the section in the place of the last one; the rest of the file stays as it is."""
    sections.put("crash", section, place)
