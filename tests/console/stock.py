"""Acme with one of everything, and everybody who might come to see it.

Ada owns Acme, Meg manages it, Bob and Mike sit on teams of it, each with a buyer of their own. What is stocked here is
none of Bob's: his buyer is Bright, the buyer here is another. Dora belongs nowhere, Charlie owns Zeta, and the stranger
is not logged in.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import msgspec
from sqlalchemy import Connection

from ringback import clock, entropy
from ringback.console.session import COOKIE, form_token
from ringback.domain.access import Level, Role
from ringback.domain.deliveries import State
from ringback.domain.postbacks import Definition, Postback, Trigger
from ringback.services import people, postbacks, runs, tokens, vault
from ringback.services.postbacks import PostbackForm
from ringback.services.vault import CredentialForm
from ringback.store import accounts, partners, teams
from ringback.store import deliveries as queue
from ringback.store import people as store
from ringback.store.deliveries import NewDelivery, Request
from ringback.store.people import LinkKind
from tests.live import Live, Reply
from tests.services.acting import actor
from tests.world import World

MARKS = ("Clear-Windows", "Northern-Calls", "Windows-Deal", "Night-Shift", "Jane-of-Clear", "4321.09", "2592.65")
"""Words of Acme's that only those may read who run it, or sit on the team that they belong to."""

EMAILS = ("ada@acme.example", "meg@acme.example", "mike@clear.example")
STRANGER = "stranger"
FORM = {"Content-Type": "application/x-www-form-urlencoded", "Sec-Fetch-Site": "same-origin"}

SUMS = frozenset({"call_figures", "call_figure_changes", "update_figures", "update_figure_changes"})
"""Tables that the server itself tidies up in the background; what they hold follows from the others."""

Named = Callable[[str], str]
"""What a thing is called, made of its usual name."""


@dataclass(frozen=True)
class Stock:
    """A server, who may come, under which secret each is logged in, and what names each thing in an address."""

    live: Live
    people: Mapping[str, int]
    things: Mapping[str, str]

    def open(self, method: str, path: str, who: str, body: str = "", headers: Mapping[str, str] | None = None) -> Reply:
        """Ask for a page as somebody, and follow no redirect."""
        sent = {"Cookie": f"{COOKIE}={who}", **(FORM if headers is None else headers)}
        return self.live.request(method, path, body=body or None, headers=sent, account="")


def csrf(who: str) -> str:
    """The token of the forms that somebody is shown."""
    return form_token(who)


def stock(live: Live, named: Named = str) -> Stock:
    """Put one of everything into Acme, and let everybody in."""
    world = live.world
    with world.database.write() as tx:
        found = {"ada": world.ada, "bob": world.bob, "charlie": world.charlie}
        for name, email in (("meg", EMAILS[1]), ("mike", EMAILS[2]), ("dora", "dora@nowhere.example")):
            found[name] = accounts.add_user(tx, email, named(name), clock.now(), verified=True)
        accounts.set_role(tx, world.acme, found["meg"], Role.MANAGER)
        made = {
            noun: max(
                partners.add(tx, world.acme, noun, each, entropy.new_id(), clock.now()) for each in _two(name, named)
            )
            for noun, name in (("buyer", MARKS[0]), ("traffic_source", MARKS[1]), ("offer", MARKS[2]))
        }
        teams.add(tx, world.acme, "Day-Shift", clock.now())
        made["team"] = _team(world, tx, named(MARKS[3]), found["mike"], made["buyer"])
        for name, user in found.items():
            user_row = store.find_user(tx, user)
            assert user_row is not None
            people.open_session(tx, user_row, name, now=clock.now(), ip="203.0.113.1", agent=named("Firefox"))
        people.make_link(tx, LinkKind.RESET, "reset of ada", now=clock.now(), user_id=world.ada)
    things = {noun: str(number) for noun, number in made.items()} | {"person": str(found["mike"]), "secret": "a-guess"}
    mike = world.token(found["mike"], world.acme)
    things |= _posted(live, things, mike.authorization, named) | {"foreign": mike.id}
    return Stock(live, found, things | _sending(live, things, named) | _tokens(world, named))


def _two(name: str, named: Named) -> tuple[str, str]:
    """A thing comes second of its kind, so that its number means nothing in a company that has just one."""
    return f"Before {name}", named(name)


def _team(world: World, tx: Connection, name: str, user: int, buyer: int) -> int:
    team = teams.add(tx, world.acme, name, clock.now())
    teams.set_users(tx, world.acme, team, [user])
    teams.set_buyers(tx, world.acme, team, [buyer])
    teams.set_rights(tx, world.acme, team, {"buyer_converted": Level.UPDATE})
    teams.change(tx, world.acme, team, developer_api=True)
    return team


def _tokens(world: World, named: Named) -> dict[str, str]:
    """Two tokens of Ada's."""
    kinds = (tokens.BASIC, tokens.DEVELOPER)
    return {kind: world.token(world.ada, world.acme, kind=kind, description=named(f"Adas-{kind}")).id for kind in kinds}


def _sending(live: Live, things: Mapping[str, str], named: Named) -> dict[str, str]:
    """Credentials, postbacks of the stocked buyer for what never happens here, and a delivery that failed."""
    world, seal = live.world, live.app.worker_tools.find_seal()
    with world.database.write() as tx:
        ada = actor(tx, world.acme, world.ada)
        forms = [
            CredentialForm(name, "bearer", "hooks.example", "a-secret-of-Acme")
            for name in _two(f"Key of {MARKS[0]}", named)
        ]
        *_, credential = [vault.create(tx, ada, seal, form) for form in forms]
        made = []
        for name in _two(f"Tell {MARKS[0]}", named):
            definition = Definition(
                "POST",
                "https://hooks.example/calls/[call_uuid]",
                headers=(("X-Source", "[account_name]{none}"),),
                body=msgspec.json.encode({"said": named("hello")}).decode(),
                conditions=(("status", "=", named("x")),),
                credential=str(credential),
            )
            form = PostbackForm(name, Trigger.OFFER_UNCONVERTED.value, definition, "buyer", int(things["buyer"]))
            made.append(postbacks.create(tx, ada, form))
        postback = made[-1]
        delivery = _delivery(world, tx, postback, things["call"], named)
    return {"credential": str(credential), "postback": str(postback.id), "delivery": delivery}


def _delivery(world: World, tx: Connection, postback: Postback, call: str, named: Named) -> str:
    """A delivery that failed before it was tried."""
    request = Request("POST", f"https://hooks.example/{named('x')}", ((named("X-Of"), named("y")),), b"{}")
    made = NewDelivery(
        account_id=world.acme,
        id=entropy.new_id(),
        postback_id=postback.id,
        version=postback.version,
        trigger=postback.trigger.value,
        call_uuid=call,
        seq=1,
        receipt_id=None,
        host="hooks.example",
        hops=0,
        created_at=clock.now(),
        due_at=None,
        request=request,
        state=State.FAILED,
        code="request_refused",
        details={"told": [named("no")]},
    )
    queue.add(tx, [made])
    return made.id


def _posted(live: Live, things: Mapping[str, str], mike: str, named: Named) -> dict[str, str]:
    """A call of the stocked buyer, an update of it, what waits for it and why, and a run that applied some of that."""
    world, owner = live.world, live.world.ada_token.authorization
    fields = {"first_name": named(MARKS[4]), named("shoe_size"): named("44")}
    partners_of_it = {noun: things[noun] for noun in ("buyer", "traffic_source", "offer")}
    recorded = {**partners_of_it, "caller_number": "+17195550187", "status": named("answered")}
    call = live.request("POST", "/api/v1/calls", body=recorded, auth=owner).json["call"]["uuid"]
    worth = {"buyer_converted": "1", "revenue": MARKS[5], "offer_converted": "1", "payout": MARKS[6]}
    live.update(call, {**worth, named("nonsense"): named("y"), "post_call_tokens": fields}, auth=owner)
    causes = [f"permission_denied-team-{things['team']}-{name}" for name in ("revenue", "payout")]
    live.update(call, {"revenue": "7"}, auth=mike)
    with world.database.write() as tx:
        run = runs.start(tx, actor(tx, world.acme, world.ada), causes[0])
    waits = live.update(call, {"payout": "8"}, auth=mike).json["receipt_id"]
    return {"call": call, "update": waits, "cause": causes[1], "run": run.id}
