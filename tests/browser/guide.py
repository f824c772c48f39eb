"""The guide "How to postback using Basic Auth", word for word, from an empty install to a recorded conversion.

Ada owns Acme, the traffic source; Olive posts back for its buyer, Bright Roofing. What stands in quotes in the guide is
found here by what is on the screen, in the guide's order.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from playwright.sync_api import expect

from tests.browser.install import Answer, Install, run_line
from tests.browser.person import Person

PASSWORD = "correct horse battery"
BUYER = "Bright Roofing"
OLIVE = "ops@bright.example"
DESCRIPTION = f"Global Basic Auth for {OLIVE}"
SALE = {
    "buyer_converted": "true",
    "revenue": "42.00",
    "offer_converted": "true",
    "payout": "25.00",
    "post_call_tokens": {"first_name": "Jane"},
}
RIGHTS = ("Buyer Converted?", "Buyer Revenue", "TS Converted", "TS Payout", "Contact Fields")


@dataclass
class Guide:
    """The procedure, step by step; ``secrets`` are the values that were shown once."""

    install: Install
    ada: Person
    olive: Person
    secrets: list[str] = field(default_factory=list)

    def found_acme(self) -> None:
        """Ada follows the link that the first start printed, and makes her company."""
        self.ada.page.goto(self.install.first_link)
        self.ada.sees_page("Welcome to Ringback")
        self.ada.write("Your name", "Ada Owner")
        self.ada.write("E-mail address", "ada@acme.example")
        self.ada.write("Password", PASSWORD)
        self.ada.write("Company", "Acme Media")
        self.ada.write("Subdomain", "acme")
        self.ada.press("Create company")
        self.ada.sees_page("Overview")

    def bring_in_the_buyer(self) -> None:
        """The operator makes the buyer's company; Olive, its owner, chooses a password and logs in."""
        self.install.operate("account", "create", "bright", "--name", BUYER, "--owner", OLIVE)
        self.olive.page.goto(self.install.reset_link(OLIVE))
        self.olive.sees_page("Choose a new password")
        self.olive.write("New password", PASSWORD)
        self.olive.press("Set password")
        self.olive.sees_page("Log in")
        self.olive.write("E-mail address", OLIVE)
        self.olive.write("Password", PASSWORD)
        self.olive.press("Log in")
        self.olive.sees_page("Overview")
        self.ada.go("Buyers")
        self.ada.press("New buyer")
        self.ada.sees_page("New buyer")
        self.ada.write("Name", BUYER)
        self.ada.press("Save")
        self.ada.sees(f"{BUYER} was made")

    def make_the_basic_credential(self) -> tuple[str, Answer]:
        """Getting the Basic Auth token; returns the header's value, and what the line beside it is answered."""
        self.olive.go("API & Access Tokens", below="Integrations")
        self.olive.press("New")
        self.olive.sees_page("New access token")
        self.olive.write("Description", DESCRIPTION)
        self.olive.sees("Data Access")
        self.olive.choose("Access Type", "Calls")
        self.olive.press("Save")
        self.olive.sees_page(DESCRIPTION)
        shown = {name: self.olive.page.locator(f"#{name}").inner_text() for name in ("authorization", "private-key")}
        self.secrets += [shown["authorization"].removeprefix("Basic "), shown["private-key"]]
        answer = run_line(self.olive.page.locator("#trial").inner_text())
        self.olive.press("Done, I have copied it")
        self.olive.sees_page("API & Access Tokens")
        return shown["authorization"], answer

    def record_calls(self) -> list[str]:
        """Three calls come in and are sent on to the buyer."""
        callers = ("+17195550101", "+17195550102", "+17195550103")
        return [self.install.record_call("acme", BUYER, caller) for caller in callers]

    def post(self, call: str, authorization: str) -> Answer:
        """Post a sale of a call back, by the endpoint and with the headers of the guide."""
        return run_line(
            f"curl -X POST {self.install.endpoint('acme', call)} -H 'Content-Type: application/json' "
            f"-H 'Authorization: {authorization}' -d '{json.dumps(SALE)}'"
        )

    def give_the_team_access(self) -> None:
        """Team permissions on the receiving account, 1 and 2: the buyer's edit page, "Team Access"."""
        self.ada.go("Buyers")
        self.ada.press(BUYER)
        self.ada.sees_page(BUYER)
        self.ada.sees("Team Access")
        self.ada.write("E-mail address of the user", OLIVE)
        self.ada.press("Add a team")
        self.ada.sees_page("Hand over the link")

    def grant_the_rights(self) -> None:
        """Team permissions, 3: "Company", "Teams", the team, its switch and its rights."""
        self.ada.go("Teams", below="Company")
        self.ada.press(BUYER)
        self.ada.sees_page(BUYER)
        self.ada.tick("Enable Developer API Access")
        for attribute in RIGHTS:
            self.ada.tick(f"Update on {attribute}")
        self.ada.press("Save")
        self.ada.sees("Saved: ")

    def see_the_conversion(self, number: int) -> None:
        """The page of a call shows what it is worth."""
        self.ada.go("Calls")
        self.ada.press(f"No. {number}")
        self.ada.sees_page(f"Call No. {number}")
        worth = self.ada.page.get_by_role("region", name="What it is worth")
        for label, value in zip(RIGHTS, ("✓ yes", "42.00", "✓ yes", "25.00"), strict=False):
            expect(worth.get_by_role("row", name=label)).to_contain_text(value)
        expect(self.ada.page.get_by_role("region", name="Contact fields")).to_contain_text("Jane")

    def apply_what_was_refused(self) -> None:
        """The update of the first call was refused and lost nothing: it is applied from where it waits."""
        self.ada.go("Updates")
        self.ada.press("Waiting")
        self.ada.sees_page("Waiting updates")
        self.ada.press("Apply…")
        self.ada.press("Apply the update")
        self.ada.sees("1 of 1")

    def make_the_token_value(self) -> str:
        """The Token value: avatar menu, "Developer Access Tokens"; returns the header's value."""
        self.olive.way.press(self.olive.page.get_by_label(OLIVE, exact=True))
        self.olive.press("Developer Access Tokens")
        self.olive.sees_page("Developer Access Tokens")
        self.olive.press("New Developer Access Token")
        self.olive.write("Description", "From the avatar menu")
        self.olive.press("Save")
        self.olive.sees_page("From the avatar menu")
        value = self.olive.page.locator("#token-value").inner_text()
        self.secrets.append(value)
        self.olive.press("Done, I have copied it")
        self.olive.sees_page("Developer Access Tokens")
        return f"Token {value}"
