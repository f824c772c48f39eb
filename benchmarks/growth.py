"""``make bench-long``: how long pages take when there is much to list; writes its own section of RESULTS.md.

A page is asked for as a browser does it, and timed from the request to the last byte of the answer. Nothing else runs.
"""

from __future__ import annotations

import argparse
import http.client
import tempfile
import time
from base64 import b64encode
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from statistics import median

from sqlalchemy import func, select

from benchmarks import report, sections, seed, stage
from benchmarks.stage import Served
from ringback import clock, entropy
from ringback.services.people import digest
from ringback.store import people
from ringback.store.engine import Database
from ringback.store.migrate import migrate
from ringback.store.schema import calls, receipts
from tests.world import World

TARGET = 100
"""Milliseconds that the median of each page may take."""

OK = 200
KEY = b64encode(bytes(range(32))).decode()
"""Servers on PostgreSQL want a secret key; these have no secrets."""

TEXT = """\
{calls:,} calls of a year, {receipts:,} receipts of their updates, the ledger, {audited:,} lines of the audit log, in
one account with {buyers} buyers; the figures are added up. Each page is asked for {times} times; milliseconds from the
request to the last byte, the middle and the worst. The target is a middle below {target} ms.

{table}

- over the target: {over}
- the databases: {sizes}
- filled by `benchmarks/seed.py`, one after the other; client, server and database share the machine's cores"""


@dataclass(frozen=True)
class Asked:
    """One page: what it is, and where."""

    name: str
    path: str


def pages(world: World) -> Iterator[Asked]:
    """Every list of the console, first page and far ones, with filters alone and together."""
    places, call, receipt = _places(world)
    now = clock.now()
    since, month, until = (f"{now - timedelta(days=days):%Y-%m-%d}" for days in (365, 30, 0))
    yield Asked("Overview, 7 days", "/overview")
    yield Asked("Overview, 30 days, compared", "/overview?period=30&compare=before")
    yield Asked("Overview, 366 days, compared", f"/overview?period=custom&from={since}&to={until}&compare=before")
    yield Asked("Calls, first page", "/calls")
    for place, (number, receipt_id) in places.items():
        yield Asked(f"Calls, {place}", f"/calls?before={number}")
        yield Asked(f"Updates, {place}", f"/updates?before={receipt_id}")
    for name, filters in CALLS.items():
        yield Asked(f"Calls, {name}", f"/calls?{filters}")
    yield Asked("Calls, a month", f"/calls?from={month}&to={until}")
    yield Asked("Calls, a buyer in a month", f"/calls?buyer=Buyer+00&from={month}&to={until}")
    yield Asked("Calls, a call by its UUID", f"/calls?q={call}")
    yield Asked("A call", f"/calls/{call}")
    yield Asked("Updates, first page", "/updates")
    for name, filters in UPDATES.items():
        yield Asked(f"Updates, {name}", f"/updates?{filters}")
    token = world.bob_token.id
    yield Asked("Updates, an idle access token", f"/updates?token={token}")
    yield Asked("Updates, an idle access token and a busy buyer", f"/updates?token={token}&buyer=Buyer+00")
    yield Asked("Updates, a call", f"/updates?call={call}")
    yield Asked("Updates, a month", f"/updates?from={month}&to={until}")
    yield Asked("Updates, outcome in a month", f"/updates?outcome=refused&from={month}&to={until}")
    yield Asked("An update", f"/updates/{receipt}")
    yield Asked("Waiting updates", "/updates/waiting")
    yield Asked("Audit log", "/audit")
    yield Asked("Buyers", "/buyers")
    yield Asked("Teams", "/company/teams")
    yield Asked("API & Access Tokens", "/tokens")


CALLS = {
    "a busy buyer": "buyer=Buyer+00",
    "a quiet buyer": "buyer=Buyer+39",
    "a buyer without calls": "buyer=Bright+Roofing",
    "converted": "converted=yes",
    "a busy buyer, converted": "buyer=Buyer+00&converted=yes",
    "a buyer and an offer": "buyer=Buyer+00&offer=Offer+03",
    "a buyer, an offer and a traffic source": "buyer=Buyer+00&offer=Offer+03&traffic_source=Source+04",
    "an offer, not converted": "offer=Offer+03&converted=no",
    "a caller": "q=%2B17195550100",
}
UPDATES = {
    "refused": "outcome=refused",
    "an outcome and a reason that it never has": "outcome=refused&reason=call_not_found",
    "a busy buyer": "buyer=Buyer+00",
    "a busy buyer, denied": "buyer=Buyer+00&outcome=denied",
    "a quiet buyer": "buyer=Buyer+39",
    "a buyer without updates, denied": "buyer=Bright+Roofing&outcome=early",
    "a text that is nowhere, in a week": "text=nowhere-at-all",
    "a text that is nowhere, of a buyer in a week": "text=nowhere-at-all&buyer=Buyer+00",
}


class Browser:
    """Somebody who is logged in."""

    def __init__(self, database: Database, user_id: int, served: Served) -> None:
        self._secret, now = entropy.secret_bytes().hex(), clock.now()
        self._served = served
        with database.write() as tx:
            people.open_session(
                tx, digest(self._secret), user_id, now=now, expires_at=now + timedelta(days=1), ip="", agent=""
            )

    def milliseconds(self, path: str) -> float:
        """How long a page takes; it must be one."""
        connection = http.client.HTTPConnection("127.0.0.1", self._served.port)
        headers = {"Host": f"localhost:{self._served.port}", "Cookie": f"ringback_session={self._secret}"}
        connection.connect()
        began = time.perf_counter()
        connection.request("GET", f"/a/acme{path}", headers=headers)
        answer = connection.getresponse()
        answer.read()
        took = (time.perf_counter() - began) * 1000
        connection.close()
        if answer.status != OK:
            message = f"{path}: {answer.status}; {self._served.last_words()}"
            raise RuntimeError(message)
        return took


Times = dict[str, tuple[float, float]]
"""The middle and the worst of each page."""


def time_pages(world: World, url: str, times: int) -> Times:
    """Ask a server on a filled database for each page so many times, after once to warm up."""
    asked = list(pages(world))
    environment = {"RINGBACK_DATABASE_URL": url, "RINGBACK_AUTO_MIGRATE": "false", "RINGBACK_SECRET_KEY": KEY}
    with stage.serving(stage.RINGBACK, environment) as served:
        browser = Browser(world.database, world.ada, served)
        found: Times = {}
        for page in asked:
            browser.milliseconds(page.path)
            took = [browser.milliseconds(page.path) for _ in range(times)]
            found[page.name] = (median(took), max(took))
            print(f"{page.name}: {found[page.name][0]:.0f} ms", flush=True)
        return found


def _places(world: World) -> tuple[dict[str, tuple[str, str]], str, str]:
    """Places in the middle of the lists and near their ends, a call and a receipt of the middle."""
    with world.database.read() as tx:
        mine = calls.c.account_id == world.acme
        last = tx.execute(select(func.max(calls.c.number)).where(mine)).scalar_one()
        found, uuid = {}, ""
        for name, number in (("page near the end", seed.FIRST + 60), ("page in the middle", last // 2)):
            row = tx.execute(select(calls).where(mine, calls.c.number == number)).mappings().one()
            of_call = (receipts.c.account_id == world.acme, receipts.c.call_uuid == row["uuid"])
            ids = select(receipts.c.id).where(*of_call).order_by(receipts.c.id).limit(1)
            uuid = str(row["uuid"])
            found[name] = (f"{row['created_at']}-{number}", str(tx.execute(ids).scalar_one()))
    return found, uuid, found["page in the middle"][1]


@contextmanager
def databases(names: Sequence[str]) -> Iterator[dict[str, str]]:
    """Empty databases on disk, by name."""
    with tempfile.TemporaryDirectory(prefix="ringback-bench-") as folder:
        found = {}
        if "SQLite" in names:
            found["SQLite"] = f"sqlite:///{Path(folder) / 'growth.db'}"
        if "PostgreSQL" not in names:
            yield found
            return
        with stage.postgres() as server:
            yield {**found, "PostgreSQL": server.create_database("growth")}


def measure(names: Sequence[str], count: int, times: int) -> str:
    """Fill each database and time its pages; the section."""
    found: dict[str, Times] = {}
    sizes = {}
    with databases(names) as urls:
        for name, url in urls.items():
            database = Database(url)
            migrate(database)
            world = seed.fill(database, count)
            seed.add_up(world)
            sizes[name] = stage.Stage(database, "", "", []).size() / 2**30
            found[name] = time_pages(world, url, times)
            database.close()
    rows = [
        (page, *(f"{each:,.0f}" for name in found for each in found[name][page])) for page in next(iter(found.values()))
    ]
    slow = [(page, name, took[0]) for name in found for page, took in found[name].items() if took[0] > TARGET]
    over = [f"{page} ({name}, {middle:.0f} ms)" for page, name, middle in slow]
    return TEXT.format(
        calls=count,
        receipts=count * len(seed.RESULTS),
        audited=seed.AUDITED,
        buyers=seed.BUYERS,
        times=times,
        target=TARGET,
        table=report.table(["page", *(head for name in found for head in (name, "worst"))], rows),
        over="; ".join(over) or "none",
        sizes=", ".join(f"{name} {size:.1f} GB" for name, size in sizes.items()),
    )


def main() -> None:
    """Measure, print, and write the section."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.growth", description=__doc__)
    parser.add_argument("--calls", type=int, default=1_000_000)
    parser.add_argument("--times", type=int, default=20, help="how often each page is asked for")
    parser.add_argument("--on", action="append", choices=["SQLite", "PostgreSQL"], help="only on this database")
    parser.add_argument("--print", action="store_true", help="only print; leave RESULTS.md as it is")
    given = parser.parse_args()
    busy_before = report.busy()
    found = measure(given.on or ["SQLite", "PostgreSQL"], given.calls, given.times)
    text = sections.compose("Pages when there is much", "make bench-long", found, busy_before)
    print(text)
    if not given.print:
        sections.put("growth", text)


if __name__ == "__main__":
    main()
