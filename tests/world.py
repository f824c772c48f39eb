"""The cast and the stage of the tests.

Ada owns Acme, where the calls are. Bob posts back for the buyer Bright, on a team of Acme's that sees Bright's calls.
Charlie owns another company, Zeta, and must see nothing of Acme.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection

from ringback import clock, entropy
from ringback.domain.access import AccessType, Level, Role
from ringback.domain.attributes import ATTRIBUTES, blank_state
from ringback.domain.calls import Call, Partner
from ringback.domain.decisions import CallRef, RefKind
from ringback.domain.money import to_micros
from ringback.services import tokens
from ringback.services.tokens import NewToken, TokenForm
from ringback.store import accounts, calls, partners, rollups, teams
from ringback.store.engine import Database

EVERY_RIGHT: Mapping[str, Level] = {attribute.name: Level.UPDATE for attribute in ATTRIBUTES}


@dataclass
class World:
    """Acme and Zeta in a database, and ways to add to them."""

    database: Database
    acme: int
    zeta: int
    ada: int
    bob: int
    charlie: int
    bright: int
    offer: int
    team: int
    ada_token: NewToken
    bob_token: NewToken
    bob_developer_token: NewToken
    charlie_token: NewToken

    def grant(self, rights: Mapping[str, Level] | Iterable[str], *, developer_api: bool = True) -> None:
        """Say what Bob's team may do; of bare names: Update."""
        levels = rights if isinstance(rights, Mapping) else dict.fromkeys(rights, Level.UPDATE)
        with self.database.write() as tx:
            teams.set_rights(tx, self.acme, self.team, levels)
            teams.change(tx, self.acme, self.team, developer_api=developer_api)

    def call(self, *, buyer: int | None = -1, account: int | None = None, **values: Any) -> Call:  # noqa: ANN401
        """Record a call, of Bright unless said otherwise, without going through the API."""
        now = clock.now()
        buyer = self.bright if buyer == -1 else buyer
        call = Call(
            account_id=account or self.acme,
            uuid=values.pop("uuid", entropy.new_call_uuid()),
            number=0,
            caller_number=values.pop("caller_number", "+17195550100"),
            state={**blank_state(), **values},
            created_at=now,
            updated_at=now,
            buyer=Partner(buyer, "", "") if buyer else None,
            offer=Partner(self.offer, "", "") if buyer else None,
        )
        with self.database.write() as tx:
            return record(tx, call)

    def state(self, call: Call) -> Mapping[str, Any]:
        """What the call is worth now."""
        with self.database.read() as tx:
            found = calls.find(tx, call.account_id, CallRef(RefKind.UUID, call.uuid))
        assert found is not None
        return found.state

    def token(self, user: int, account: int, **form: Any) -> NewToken:  # noqa: ANN401
        """Make an access token."""
        with self.database.write() as tx:
            return make_token(tx, user, account, **form)


def record(tx: Connection, call: Call) -> Call:
    """Record a call in a transaction, as updates do: the figures know of it."""
    added = calls.add(tx, call)
    rollups.note_calls(tx, [(call.uuid, None, added)])
    return added


def make_token(tx: Connection, user: int, account: int, **form: Any) -> NewToken:  # noqa: ANN401
    """Make an access token in a transaction."""
    random = (entropy.secret_bytes(), entropy.secret_bytes())
    asked = TokenForm(user, account, form.pop("description", "a test's"), **form)
    return tokens.create(tx, asked, token_id=entropy.new_id(), random=random, now=clock.now())


def build_world(database: Database) -> World:
    """Put the cast into a migrated database: Bob's team has API access and every right."""
    now = clock.now()
    with database.write() as tx:
        acme = accounts.add_account(tx, "acme", "Acme Media", "America/New_York", now)
        zeta = accounts.add_account(tx, "zeta", "Zeta Leads", "UTC", now)
        ada = accounts.add_user(tx, "ada@acme.example", "Ada", now, verified=True)
        bob = accounts.add_user(tx, "bob@bright.example", "Bob", now, verified=True)
        charlie = accounts.add_user(tx, "charlie@zeta.example", "Charlie", now, verified=True)
        accounts.set_role(tx, acme, ada, Role.OWNER)
        accounts.set_role(tx, zeta, charlie, Role.OWNER)
        accounts.set_role(tx, acme, bob, Role.MEMBER)
        agreed = to_micros(Decimal("42.00"))
        bright = partners.add(tx, acme, "buyer", "Bright Roofing", entropy.new_id(), now, agreed_revenue=agreed)
        offer = partners.add(tx, acme, "offer", "Roofing", entropy.new_id(), now, payout="60%")
        team = teams.add(tx, acme, "Bright Roofing", now)
        teams.set_users(tx, acme, team, [bob])
        teams.set_buyers(tx, acme, team, [bright])
        teams.set_rights(tx, acme, team, EVERY_RIGHT)
        teams.change(tx, acme, team, developer_api=True)
        return World(
            database=database,
            acme=acme,
            zeta=zeta,
            ada=ada,
            bob=bob,
            charlie=charlie,
            bright=bright,
            offer=offer,
            team=team,
            ada_token=make_token(tx, ada, acme, access_type=AccessType.EVERYTHING),
            bob_token=make_token(tx, bob, acme),
            bob_developer_token=make_token(tx, bob, acme, kind=tokens.DEVELOPER),
            charlie_token=make_token(tx, charlie, zeta),
        )
