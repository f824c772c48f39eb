"""What the black-box tests play on: a server, and somebody whose team may not do all that he posts."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from ringback import clock, entropy
from ringback.domain.access import Level, Role
from ringback.services.tokens import NewToken
from ringback.store import accounts, partners, teams
from tests.blackbox.python.asking import Ask
from tests.world import World, make_token


@dataclass
class Stage:
    """A running server with the cast in its database."""

    port: int
    world: World

    def ask(self, uuid: str, body: str = "json", credential: str = "basic_header", query: str = "") -> Ask:
        """An update by Bob, to be posted by a client."""
        return self._ask(uuid, body, credential, query, (self.world.bob_token, self.world.bob_developer_token))

    def ask_of_dora(self, uuid: str) -> Ask:
        """The same by Dora, whose team may only say that a call of Dim's converted."""
        _, pair = self.dora
        return self._ask(uuid, "json", "basic_header", "", (pair, pair))

    def _ask(self, uuid: str, body: str, credential: str, query: str, tokens: tuple[NewToken, NewToken]) -> Ask:
        url = f"http://127.0.0.1:{self.port}/a/acme/api/v1/calls/update_call/{uuid}{query}"
        pair, token = tokens
        return Ask(url, body, credential, pair.public_key or "", pair.private_key or "", token.token or "")

    @cached_property
    def dora(self) -> tuple[int, NewToken]:
        """The buyer Dim, and the pair of Dora, who is on its team."""
        now, account = clock.now(), self.world.acme
        with self.world.database.write() as tx:
            dora = accounts.add_user(tx, "dora@dim.example", "Dora", now, verified=True)
            accounts.set_role(tx, account, dora, Role.MEMBER)
            dim = partners.add(tx, account, "buyer", "Dim Roofing", entropy.new_id(), now)
            team = teams.add(tx, account, "Dim Roofing", now)
            teams.set_users(tx, account, team, [dora])
            teams.set_buyers(tx, account, team, [dim])
            teams.set_rights(tx, account, team, {"buyer_converted": Level.UPDATE})
            teams.change(tx, account, team, developer_api=True)
            return dim, make_token(tx, dora, account)
