"""What the scripts add to pages that can be read without them: keys, copy buttons, a choice of light or dark."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.windows import Windows, take_seat
from tests.console.posting import post
from tests.console.visitor import visiting
from tests.live import Live


@pytest.fixture
def page(stage: Live, windows: Windows) -> Page:
    """Ada's window; there are updates to see."""
    for _ in range(3):
        post(stage, stage.world.call())
    page = windows.open(base_url=f"http://localhost:{stage.port}/a/acme/")
    take_seat(page, visiting(stage, stage.world.ada))
    return page


class TestKeys:
    def test_a_slash_leads_to_the_search(self, page: Page) -> None:
        page.goto("calls")
        page.keyboard.press("/")
        page.keyboard.type("/1")
        expect(page.locator("[data-search]")).to_be_focused()
        expect(page.locator("[data-search]")).to_have_value("/1")

    def test_a_slash_opens_filters_that_hold_the_search(self, page: Page) -> None:
        page.goto("updates")
        page.keyboard.press("/")
        expect(page.get_by_label("Text in the request")).to_be_focused()

    def test_j_and_k_go_through_a_list_and_enter_opens(self, page: Page) -> None:
        page.goto("updates")
        lines = page.locator("[data-row] a[data-open]")
        for key, number in (("j", 0), ("j", 1), ("j", 2), ("k", 1)):
            page.keyboard.press(key)
            expect(lines.nth(number)).to_be_focused()
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", level=1)).to_contain_text("Update of")

    def test_a_question_mark_tells_the_keys_and_escape_closes(self, page: Page) -> None:
        page.goto("buyers")
        page.keyboard.press("?")
        expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
        page.keyboard.press("Escape")
        expect(page.get_by_role("dialog", name="Keys")).to_be_hidden()

    def test_escape_closes_a_menu_and_gives_the_focus_back(self, page: Page) -> None:
        page.goto("calls")
        avatar = page.get_by_label("Ada", exact=True)
        avatar.press("Enter")
        page.keyboard.press("Tab")
        expect(page.get_by_role("link", name="Profile")).to_be_focused()
        page.keyboard.press("Escape")
        expect(page.get_by_role("link", name="Profile")).to_be_hidden()
        expect(avatar).to_be_focused()

    def test_the_first_tab_leads_past_the_sidebar(self, page: Page) -> None:
        page.goto("calls")
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        focused = page.locator("*:focus")
        assert focused.evaluate("each => document.querySelector('main').contains(each)")


def test_a_copy_button_copies_what_stands_beside_it(page: Page) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto("tokens/new")
    page.get_by_label("Description").fill("To be copied")
    page.get_by_role("button", name="Save").click()
    for label, place in (("Authorization header", "#authorization"), ("In a terminal", "#trial")):
        button = page.get_by_role("button", name=f"Copy {label}")
        button.click()
        expect(button).to_have_text("Copied")
        assert page.evaluate("navigator.clipboard.readText()") == page.locator(place).inner_text()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_light_or_dark_is_as_the_system_has_it_until_it_is_chosen(page: Page, scheme: str) -> None:
    other = "dark" if scheme == "light" else "light"
    page.emulate_media(color_scheme="light" if scheme == "light" else "dark")
    page.goto("calls")
    expect(page.locator("html")).to_have_attribute("data-bs-theme", scheme)
    before = page.locator("body").evaluate("body => getComputedStyle(body).backgroundColor")
    page.get_by_role("button", name="Light or dark").click()
    page.goto("updates")
    expect(page.locator("html")).to_have_attribute("data-bs-theme", other)
    assert page.locator("body").evaluate("body => getComputedStyle(body).backgroundColor") != before


def test_the_menu_of_a_phone_opens_and_closes(page: Page) -> None:
    page.set_viewport_size({"width": 360, "height": 740})
    page.goto("calls")
    link = page.get_by_role("link", name=re.compile("^Buyers"))
    expect(link).to_be_hidden()
    page.get_by_label("Menu").click()
    expect(link).to_be_in_viewport()
    page.get_by_role("heading", level=1).click()
    expect(link).to_be_hidden()
