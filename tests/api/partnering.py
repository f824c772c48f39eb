"""Asking for partners by the API, as the tests of it do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ringback import clock, entropy
from ringback.domain.access import AccessType, Role
from ringback.services.partner_access import PLURALS
from ringback.services.tokens import NewToken
from ringback.store import accounts, audit
from tests.live import Live, Reply

NOUNS = tuple(PLURALS)


@dataclass(frozen=True)
class Asking:
    """Asks for partners of one kind with one token."""

    stage: Live
    noun: str
    auth: str
    account: str = "acme"

    def __call__(self, method: str, where: object = "", body: Any = None, **more: Any) -> Reply:  # noqa: ANN401
        path = f"/api/v1/{PLURALS[self.noun]}{where}"
        return self.stage.request(method, path, body=body, auth=self.auth, account=self.account, **more)

    def make(self, **body: object) -> dict[str, Any]:
        """Make one, with a name of its own if none is given."""
        reply = self("POST", "", {"name": fresh(), **body})
        assert reply.status == 201, reply.body
        made: dict[str, Any] = reply.json[self.noun]
        return made

    def read(self, where: object) -> dict[str, Any]:
        """Read one."""
        reply = self("GET", f"/{where}")
        assert reply.status == 200, reply.body
        shown: dict[str, Any] = reply.json[self.noun]
        return shown


def fresh() -> str:
    """A name that nobody has."""
    return f"Partner {entropy.new_id()}"


def told(stage: Live, subject: str) -> list[tuple[str, Mapping[str, object]]]:
    """The lines of the audit log about something, oldest first."""
    with stage.world.database.read() as tx:
        lines = audit.list_deeds(tx, stage.world.acme, limit=1_000)
    return [(line.action, line.details) for line in reversed(lines) if line.subject == subject]


WHO = ("owner", "manager", "member", "stranger", "another company")
TYPES = tuple(AccessType)


def token_of(stage: Live, who: str, access_type: AccessType) -> NewToken:
    """A token of somebody in Acme, or of Charlie, made where he belongs."""
    world = stage.world
    if who == "member":
        return world.token(world.bob, world.acme, access_type=access_type)
    if who == "another company":
        return world.token(world.charlie, world.zeta, access_type=access_type)
    with world.database.write() as tx:
        email = f"{entropy.new_id()}@acme.example"
        user = accounts.add_user(tx, email, who, clock.now(), verified=True)
        if who != "stranger":
            accounts.set_role(tx, world.acme, user, Role(who))
    return world.token(user, world.acme, access_type=access_type)
