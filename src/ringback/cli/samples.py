"""What ``ringback demo`` plays with: the companies of ``demo.toml``, their calls, and what became of two of them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection

from ringback import clock, entropy
from ringback.domain.bodies import read_fields
from ringback.domain.credentials import read_credential
from ringback.domain.decisions import CallRef, RefKind
from ringback.domain.declarations import read_declarations
from ringback.domain.receipts import Arrived, Update
from ringback.domain.updates import read_patch
from ringback.services import accounts, byhand, people, setup, tokens, updates
from ringback.services.tokens import DEVELOPER, NewToken, TokenForm

OWNER, BRIGHT_USER, SUMMIT_USER = "ada@acme.example", "ops@bright.example", "pat@summit.example"
ACCOUNT, BRIGHT, SUMMIT = "acme", "Bright Roofing", "Summit Solar"
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


@dataclass(frozen=True, slots=True)
class Samples:
    """What the lines to paste are made of: credentials, calls to update, an update to look at."""

    bright_basic: str
    bright_token: str
    summit_basic: str
    bright_call: str
    other_bright_call: str
    summit_call: str
    refused_update: str
    password: str


def fill(tx: Connection) -> Samples:
    """Put the samples into a fresh database, by the services that everybody uses."""
    text = Path(__file__).with_name("demo.toml").read_text(encoding="utf-8")
    setup.apply(tx, read_declarations(text), now=clock.now(), new_id=entropy.new_id)
    password = entropy.secret_bytes().hex()[:16]
    people.set_password(tx, accounts.find_user(tx, OWNER).id, password)
    bright = _token(tx, BRIGHT_USER, "Global Basic Auth for ops@bright.example")
    developer = _token(tx, BRIGHT_USER, "From the avatar menu", DEVELOPER)
    summit = _token(tx, SUMMIT_USER, "Summit's platform")
    converted = _call(tx, BRIGHT, "Roofing", "+17195550101", first_name="Jane")
    _post(tx, bright, converted, {**SMALLEST, "post_call_tokens": {"zip": "10001"}})
    refused = _call(tx, SUMMIT, "Solar", "+17195550102", first_name="Joe")
    return Samples(
        bright_basic=bright.authorization,
        bright_token=developer.authorization,
        summit_basic=summit.authorization,
        bright_call=_call(tx, BRIGHT, "Roofing", "+17195550103"),
        other_bright_call=_call(tx, BRIGHT, "Roofing", "+17195550104"),
        summit_call=_call(tx, SUMMIT, "Solar", "+17195550105"),
        refused_update=_post(tx, summit, refused, REFUSED),
        password=password,
    )


def _token(tx: Connection, email: str, description: str, kind: str = tokens.BASIC) -> NewToken:
    user, account = accounts.find_user(tx, email), accounts.find(tx, ACCOUNT)
    form = TokenForm(user.id, account.id, description, kind)
    random = entropy.secret_bytes(), entropy.secret_bytes()
    return tokens.create(tx, form, token_id=entropy.new_id(), random=random, now=clock.now())


def _call(tx: Connection, buyer: str, offer: str, caller_number: str, **values: str) -> str:
    """Record a call; returns its UUID."""
    partners = {"buyer": buyer, "offer": offer, "traffic_source": "Search Co"}
    made = byhand.record(
        tx,
        ACCOUNT,
        {"caller_number": caller_number, **partners, **values},
        now=clock.now(),
        new_uuid=entropy.new_call_uuid(),
        new_id=entropy.new_id,
    )
    return made.call.uuid


def _post(tx: Connection, token: NewToken, call: str, body: Mapping[str, object]) -> str:
    """Have an update come in, as from the network; returns the id of its receipt."""
    content = json.dumps(body).encode()
    update = Update(
        receipt_id=entropy.new_id(),
        received_at=clock.now(),
        route="update_call",
        account=ACCOUNT,
        sender=read_credential([token.authorization.encode()], ()),
        ref=CallRef(RefKind.UUID, call),
        reading=read_patch(read_fields(b"", "application/json", content), keys={}, dry_run=None),
        arrived=Arrived("POST", f"/api/v1/calls/update_call/{call}", "application/json", content, "127.0.0.1"),
    )
    updates.apply(tx, [update], clock.now())
    return update.receipt_id
