"""``make crash``: the long siege; prints how it goes and writes its section of ``benchmarks/RESULTS.md``."""

from __future__ import annotations

import argparse
import sys
from functools import partial

from tests.crash import report
from tests.crash.campaign import Campaign
from tests.crash.traffic import CLIENTS
from tests.postgres import PostgresServer


def main() -> int:
    """Run the campaign; returns how many sieges ended otherwise than they should."""
    parser = argparse.ArgumentParser(prog="python -m tests.crash", description=__doc__)
    parser.add_argument("--kills", type=int, default=60, help="of servers, on each database")
    parser.add_argument("--postgres-kills", type=int, default=20, help="of PostgreSQL itself")
    parser.add_argument("--outage", type=float, default=20, help="seconds without PostgreSQL")
    parser.add_argument(
        "--worker-kills", type=int, default=50, help="of servers that send deliveries, on each database"
    )
    parser.add_argument("--print", action="store_true", help="only print; leave RESULTS.md as it is")
    given = parser.parse_args()
    with PostgresServer() as postgres:
        say = partial(print, flush=True)
        campaign = Campaign(postgres, say, given.kills, given.postgres_kills, given.outage, given.worker_kills)
        campaign.run()
    section = report.compose(campaign.found, campaign.planted, campaign.post, campaign.notes, clients=CLIENTS)
    sys.stdout.write(section)
    if not given.print:
        report.put(section)
    return len(campaign.failed)


if __name__ == "__main__":
    sys.exit(main())
