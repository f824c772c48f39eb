"""What pages look like after somebody acted: what was made, what was done, what was wrong, what was opened."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.axe import grave_findings
from tests.browser.windows import PHONE, Windows, take_seat
from tests.console.posting import post
from tests.console.visitor import visiting
from tests.live import Live

Act = Callable[[Page], None]


def make_a_token(page: Page) -> None:
    page.goto("tokens/new")
    page.get_by_label("Description").fill("Global Basic Auth for ops@bright.example")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Copy it now")).to_be_visible()


def make_a_token_without_description(page: Page) -> None:
    page.goto("developer-tokens/new")
    page.get_by_label("Description").fill(" ")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_label("Description")).to_have_attribute("aria-invalid", "true")


def add_a_team(page: Page) -> None:
    page.goto("buyers")
    page.get_by_role("link", name="Bright Roofing").first.click()
    page.get_by_label("E-mail address of the user").fill("new@bright.example")
    page.get_by_role("button", name="Add a team", exact=True).click()
    expect(page.get_by_role("heading", name="Say what the team may do")).to_be_visible()


def change_a_team(page: Page) -> None:
    page.goto("company/teams")
    page.get_by_role("link", name="Bright Roofing").first.click()
    page.get_by_label("None on TS Payout").check()
    expect(page.get_by_text("Not saved yet")).to_be_visible()
    page.get_by_label("Update on TS Payout").check()
    expect(page.get_by_text("Nothing is different")).to_be_visible()


def save_settings(page: Page) -> None:
    page.goto("settings")
    page.get_by_label("Company name").fill("Acme Group")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved.")).to_be_visible()


def save_a_wrong_setting(page: Page) -> None:
    page.goto("settings")
    page.get_by_label("Identical additions are retries for").fill("soon")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_label("Identical additions are retries for")).to_have_attribute("aria-invalid", "true")


def check_a_postback(page: Page) -> None:
    page.goto("check")
    page.get_by_role("button", name="Check").click()
    expect(page.get_by_role("heading", name="How it would be decided")).to_be_visible()


def open_what_opens(page: Page) -> None:
    page.goto("updates")
    page.get_by_label("Account: Acme").click()
    page.locator("details.filters summary").click()
    expect(page.get_by_label("Outcome")).to_be_visible()
    page.get_by_label("Ada", exact=True).click()
    expect(page.get_by_role("link", name="Profile")).to_be_visible()


def ask_for_the_keys(page: Page) -> None:
    page.goto("calls")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()


@pytest.mark.parametrize(
    "act",
    [
        make_a_token,
        make_a_token_without_description,
        add_a_team,
        change_a_team,
        save_settings,
        save_a_wrong_setting,
        check_a_postback,
        open_what_opens,
        ask_for_the_keys,
    ],
)
def test_it_can_be_read_by_all(stage: Live, windows: Windows, act: Act) -> None:
    post(stage, stage.world.call())
    page = windows.open(base_url=f"http://localhost:{stage.port}/a/acme/")
    take_seat(page, visiting(stage, stage.world.ada))
    act(page)
    found = grave_findings(page)
    assert not found, "\n".join(found)
    page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE[0]
