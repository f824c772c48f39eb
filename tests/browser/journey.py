"""A postback from its preset to its last delivery, as Charlie of Zeta makes it and looks after it.

Acme, on a server of its own, sent Zeta the calls; Bob's credential there is what Acme handed to Zeta. What is pressed,
written and read is found by what is on the screen.
"""

from __future__ import annotations

import re
from contextlib import ExitStack
from dataclasses import dataclass, field
from decimal import Decimal

from playwright.sync_api import Locator, expect

from ringback.app import build
from ringback.domain.access import AccessType
from ringback.domain.calls import Call
from ringback.settings import read_settings
from tests.browser.person import Person
from tests.live import Live, running
from tests.world import World, build_world

POSTBACK = "Tell the traffic source"
CREDENTIAL = "Acme"
PAYOUT = Decimal("25.00")


@dataclass
class Partner:
    """Acme's server, which can go down, and comes back at the same port with the same database."""

    database_url: str
    port: int = 0
    _world: World | None = None
    _up: ExitStack = field(default_factory=ExitStack)

    def come_up(self) -> None:
        """Serve."""
        app = build(read_settings(database_url=self.database_url))
        if self._world is None:
            self._world = build_world(app.database)
        self._world.database = app.database
        self.port = self._up.enter_context(running(app, self._world, port=self.port)).port

    def go_down(self) -> None:
        """Serve no more."""
        self._up.close()

    @property
    def world(self) -> World:
        """Acme's people and calls."""
        assert self._world is not None
        return self._world

    @property
    def basic(self) -> str:
        """The Basic value that Acme handed out."""
        assert self.world.bob_token.basic is not None
        return self.world.bob_token.basic

    def has_recorded(self, call: Call) -> bool:
        """Whether it knows what the call was worth."""
        state = self.world.state(call)
        return bool(state["buyer_converted"]) and state["revenue"] == PAYOUT


@dataclass(frozen=True)
class Lead:
    """A call, as it is there and here."""

    there: Call
    here: Call


@dataclass
class Journey:
    """What Charlie does at Zeta's console, step by step."""

    live: Live
    partner: Partner
    charlie: Person

    def buy_a_call(self) -> Lead:
        """Acme sends Zeta a call, with its own subdomain and UUID."""
        there = self.partner.world.call()
        came_with = {"trackdrive_subdomain": "acme", "trackdrive_call_uuid": there.uuid}
        world = self.live.world
        return Lead(there, world.call(account=world.zeta, buyer=None, payout=PAYOUT, contact_fields=came_with))

    def sell(self, lead: Lead) -> None:
        """Zeta's own buyer converts the call."""
        world = self.live.world
        token = world.token(world.charlie, world.zeta, access_type=AccessType.EVERYTHING)
        answer = self.live.update(
            lead.here.uuid, {"buyer_converted": "true", "revenue": "99"}, auth=token.authorization, account="zeta"
        )
        assert answer.status == 200, answer.body

    def keep_the_credential(self) -> None:
        """What Acme handed out goes into the vault, for Acme's host only."""
        self.charlie.go("Credentials", below="Integrations")
        self.charlie.press("New")
        self.charlie.sees_page("New credential")
        self.charlie.write("Name", CREDENTIAL)
        self.charlie.write("Host", "acme.localhost")
        self.charlie.choose("Kind", "Basic")
        self.charlie.write("Secret", self.partner.basic)
        self.charlie.press("Save")
        self.charlie.sees(f"Credential {CREDENTIAL} is kept")

    def build_the_postback(self, lead: Lead) -> None:
        """From its preset, with template tokens from the picker, looked at with a real call."""
        self.charlie.go("Postbacks", below="Integrations")
        self.charlie.press("New")
        self.charlie.press("Begin with TrackDrive")
        self.charlie.sees_page("New postback")
        self.charlie.write("Name", POSTBACK)
        self.charlie.write("Allowed hosts", "*.localhost")
        self.charlie.write("URL", "http://[trackdrive_subdomain].localhost/api/v1/calls/update_call/")
        self.pick("[trackdrive_call_uuid]", search="uuid that")
        url = self.charlie.page.get_by_label("URL", exact=True)
        expect(url).to_have_value(re.compile(r"/update_call/\[trackdrive_call_uuid\]$"))
        self.charlie.write("URL", url.input_value().replace(".localhost/", f".localhost:{self.partner.port}/"))
        self.charlie.write("Call", str(lead.here.number))
        self.charlie.sees(f"With the values of call {lead.here.number}:")
        request = self.charlie.page.get_by_label("The request")
        path = f"/api/v1/calls/update_call/{lead.there.uuid}"
        expect(request).to_contain_text(f"POST http://acme.localhost:{self.partner.port}{path}")
        expect(request).to_contain_text('"revenue": "25.00"')
        expect(request).to_contain_text(f"(credential {CREDENTIAL})")
        self.charlie.press("Save")
        self.charlie.sees_page(POSTBACK)
        self.charlie.sees("It sends from now on")

    def write_the_body(self, body: str) -> None:
        """Have the postback send something else."""
        self.charlie.go("Postbacks", below="Integrations")
        self.charlie.press(POSTBACK)
        self.charlie.sees_page(POSTBACK)
        self.charlie.write("Body", body)
        self.charlie.press("Save")
        self.charlie.sees("Saved.")

    def send_again_as_it_is_now(self, before: str, after: str) -> None:
        """Send the one again that failed; its page says what that does, what is sent now and what was until then."""
        self.list_those("Failed", 1)
        self.open_the_newest()
        self.charlie.sees("makes the request anew, of the postback as it is now")
        self.charlie.press("Send again")
        self.sees_state("delivered")
        expect(self.part("What is sent")).to_contain_text(after)
        attempts = self.part("Attempts")
        expect(attempts).to_contain_text("Attempt 2")
        self.charlie.way.press(attempts.get_by_text("What was sent until then"))
        expect(attempts.locator("pre").get_by_text(before)).to_be_visible()

    def pick(self, token: str, *, search: str) -> None:
        """Search a template token, and put it where the last thing was written."""
        self.charlie.write("Search template tokens", search)
        self.charlie.press(token, within=self.part("Template tokens"))

    def fire_a_test(self, lead: Lead) -> None:
        """Send it once, and see what was sent and what was answered."""
        self.charlie.write("Call to send it for", str(lead.here.number))
        self.charlie.press("Send a test")
        self.charlie.sees_page(re.compile("Delivery of "))
        self.sees_state("delivered")
        expect(self.part("What is sent")).to_contain_text(f"/update_call/{lead.there.uuid}")
        expect(self.part("What is sent")).to_contain_text(CREDENTIAL)
        attempts = self.part("Attempts")
        expect(attempts).to_contain_text("HTTP 200")
        self.charlie.way.press(attempts.get_by_text("What was answered"))
        expect(attempts).to_contain_text('"code": "applied"')

    def watch_retries(self, count: int) -> None:
        """Deliveries that can't get through are tried again, and say why not."""
        self.list_those("Retrying", count)
        self.charlie.sees("The host can't be reached.")
        self.charlie.sees("Tried next in")
        self.open_the_newest()
        expect(self.part("Attempts")).to_contain_text("Attempt 2")
        self.sees_state("retrying")

    def see_why_it_is_held(self, right: str) -> None:
        """A delivery that the receiver doesn't permit says what the receiver says: which right is missing."""
        self.open_the_newest()
        self.charlie.sees("doesn't permit this")
        expect(self.charlie.page.get_by_role("blockquote")).to_contain_text(right)

    def open_the_newest(self) -> None:
        """Open the delivery at the top of the list."""
        self.charlie.way.press(self.charlie.page.get_by_role("link", name=re.compile(r"^\d{4}-")).first)
        self.charlie.sees_page(re.compile("Delivery of "))

    def list_those(self, state: str, count: int) -> None:
        """Wait until so many deliveries stand so, in the list that is renewed by itself; then choose these alone."""
        self.charlie.go("Deliveries", below="Integrations")
        rows = self.charlie.page.locator("[data-row]")
        expect(rows.filter(has=self.charlie.page.get_by_text(state.lower(), exact=True))).to_have_count(count)
        self.charlie.way.press(self.charlie.page.get_by_role("link", name=re.compile(rf"^{state}")))
        expect(rows).to_have_count(count)

    def send_all_again(self, state: str, count: int) -> None:
        """Send again all that stand so; the next page says how far that is."""
        self.list_those(state, count)
        self.charlie.press("Send all again…")
        self.charlie.sees_page("Send all again")
        self.charlie.sees(f"{count} deliveries")
        self.charlie.press("Send again")

    def see_them_arrive(self, count: int) -> None:
        """What was sent again is delivered."""
        self.charlie.press("See what becomes of them")
        self.charlie.sees_page("Deliveries")
        self.list_those("Delivered", count)

    def part(self, name: str) -> Locator:
        """A part of the page, by its heading."""
        return self.charlie.page.get_by_role("region", name=name, exact=True)

    def sees_state(self, state: str) -> None:
        """Wait until the delivery that is shown stands so."""
        expect(self.charlie.page.locator("main dl").get_by_text(state, exact=True)).to_be_visible()
