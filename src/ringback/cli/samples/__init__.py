"""What ``ringback demo`` plays with: companies, five weeks of their calls, and what became of those.

Everything goes the way that it goes every day: requests are read as from the network, updates decided and applied by
``services.updates``, deeds done by the services of the console, each at its moment of the past.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from sqlalchemy import Connection

from ringback import entropy
from ringback.cli.samples import deeds, forwarding, mishaps, sending, weeks
from ringback.cli.samples.sending import Server
from ringback.cli.samples.stage import ACCOUNT, DAY, MINUTE, Request, Stage
from ringback.domain.access import AccessType
from ringback.domain.declarations import read_declarations
from ringback.entropy import Dice
from ringback.services import accounts, housekeeping, people, setup
from ringback.services.tokens import DEVELOPER
from ringback.store.people import LinkKind

OWNER, BRIGHT_USER, SUMMIT_USER = "ada@acme.example", "ops@bright.example", "pat@summit.example"
BRIGHT, SUMMIT = "Bright Roofing", "Summit Solar"
MISSING = "TS Payout"
"""The right that the team of Summit Solar lacks."""

SMALLEST: Mapping[str, object] = {
    "buyer_converted": "true",
    "revenue": "42.00",
    "offer_converted": "true",
    "post_call_tokens": {},
}
"""The guide's smallest body, with a real amount."""

REFUSED: Mapping[str, object] = {
    "buyer_converted": "true",
    "revenue": "80.00",
    "offer_converted": "true",
    "payout": "25.00",
    "post_call_tokens": {},
}
"""A body that names what the team of Summit Solar may not update."""

HANDED_ON: Mapping[str, object] = {
    "caller_number": "+17195550106",
    "buyer": BRIGHT,
    "offer": "Roofing",
    "traffic_source": "Radio Spots",
}
"""A call that Acme hands on to Bright Roofing."""

SOLD_ON: Mapping[str, object] = {"buyer_converted": "true", "revenue": "280.00", "payout": "84.00"}
"""What it was worth to Bright Roofing, and what that pays Acme."""

_NEWEST = (
    (25, SUMMIT, "+17195550102"),
    (9, BRIGHT, "+17195550103"),
    (7, BRIGHT, "+17195550104"),
    (5, SUMMIT, "+17195550105"),
    (3, BRIGHT, "+17195550106"),
)
"""Calls that nothing is known of yet: how many minutes ago, for whom, from where. Of the first a sale was refused."""

_HABITS = {habit.buyer: habit for habit in weeks.HABITS}


@dataclass(frozen=True, slots=True)
class Samples:
    """What the lines to paste are made of: credentials, calls to update, an update to look at, links to log in by."""

    bright_basic: str
    bright_token: str
    summit_basic: str
    bright_call: str
    other_bright_call: str
    summit_call: str
    spare_call: str
    refused_update: str
    recording_basic: str
    selling_basic: str
    new_call: str
    owner_link: str
    member_link: str


def fill(tx: Connection, now: datetime, server: Server | None = None, *, seed: int = 1) -> Samples:
    """Put the samples into a fresh database, so that they end now; of one seed they are the same each time.

    Args:
        tx: the transaction to do it in.
        now: when they end.
        server: where the samples will be served; without one Acme posts nothing back.
        seed: of chance.
    """
    stage = Stage(tx, now - timedelta(weeks=weeks.WEEKS), Dice(seed))
    text = Path(__file__).with_name("demo.toml").read_text(encoding="utf-8")
    setup.apply(tx, read_declarations(text), now=stage.now, new_id=stage.new_id)
    _make_tokens(stage)
    for part in (weeks, mishaps, deeds):
        part.schedule(stage, now)
    if server is not None:
        sending.schedule(stage, now, server)
        forwarding.schedule(stage, now, server)
    newest: list[str] = []
    for minutes, buyer, caller_number in _NEWEST:
        stage.at(now - minutes * MINUTE, partial(_record, stage, buyer, caller_number, newest))
    refused: list[str] = []
    stage.at(now - 20 * MINUTE, lambda: refused.append(_refuse(stage, newest[0])))
    stage.play(now)
    if server is not None:
        sending.record_at_source(stage, now)
    housekeeping.tidy(tx, now)
    _, bright_call, other_bright_call, summit_call, spare_call = newest
    return Samples(
        bright_basic=stage.tokens[weeks.BRIGHT_BASIC].authorization,
        bright_token=stage.tokens[mishaps.CRM].authorization,
        summit_basic=stage.tokens[weeks.SUMMIT_BASIC].authorization,
        bright_call=bright_call,
        other_bright_call=other_bright_call,
        summit_call=summit_call,
        spare_call=spare_call,
        refused_update=refused[0],
        recording_basic=stage.tokens[weeks.SWITCH].authorization,
        selling_basic=stage.tokens[mishaps.HOME].authorization,
        new_call=stage.dice.new_call_uuid(),
        owner_link=_link(stage, OWNER),
        member_link=_link(stage, BRIGHT_USER),
    )


def _make_tokens(stage: Stage) -> None:
    read_only, everything = AccessType.CALLS_READ, AccessType.EVERYTHING
    bright = accounts.find(stage.tx, "bright").id
    stage.token(OWNER, weeks.SWITCH, access_type=everything)
    stage.token(SUMMIT_USER, weeks.SUMMIT_BASIC)
    stage.token("hal@harbor.example", weeks.HARBOR_BASIC)
    stage.token("nora@northwind.example", mishaps.NORTHWIND, home="northwind")
    stage.token(BRIGHT_USER, weeks.BRIGHT_BASIC)
    stage.token(BRIGHT_USER, mishaps.CRM, DEVELOPER)
    stage.token(BRIGHT_USER, mishaps.LEFT)
    stage.token(BRIGHT_USER, mishaps.BLOCKED)
    stage.token(BRIGHT_USER, mishaps.OLD, expires_at=stage.now + 14 * DAY)
    stage.token(BRIGHT_USER, mishaps.REPORTS, access_type=read_only)
    stage.token(BRIGHT_USER, mishaps.HOME, access_type=everything, home="bright")
    stage.token(BRIGHT_USER, mishaps.OFFICE, networks=["203.0.113.0/24"])
    stage.token(BRIGHT_USER, mishaps.OWN, accounts=[bright])


def _record(stage: Stage, buyer: str, caller_number: str, made: list[str]) -> None:
    request = weeks.recording(stage, _HABITS[buyer], source=sending.SOURCE)
    assert isinstance(request.body, Mapping)  # noqa: S101 - recordings are
    stage.record(Request("", {**request.body, "caller_number": caller_number}, request.auth, by=""))
    made.append(stage.calls[buyer][-1])


def _refuse(stage: Stage, call: str) -> str:
    """Have a sale be refused; returns the id of its receipt."""
    auth = stage.tokens[weeks.SUMMIT_BASIC].authorization
    return stage.send(Request(call, REFUSED, auth, ip="198.51.100.31")).update.receipt_id


def _link(stage: Stage, email: str) -> str:
    """The secret of a link by which somebody logs in, once."""
    secret = entropy.secret_bytes().hex()
    user = accounts.find_user(stage.tx, email)
    people.make_link(stage.tx, LinkKind.LOG_IN, secret, now=stage.now, user_id=user.id)
    return secret


__all__ = ["ACCOUNT", "MISSING", "OWNER", "REFUSED", "SMALLEST", "SUMMIT", "Samples", "Server", "fill"]
