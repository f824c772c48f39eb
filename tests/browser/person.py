"""Somebody at a window, who finds things by what they are called on the screen."""

from __future__ import annotations

import re
from dataclasses import dataclass

from playwright.sync_api import Locator, Page, expect

from tests.browser.acting import Way


@dataclass(frozen=True)
class Person:
    """A window, and the way in which somebody acts in it."""

    page: Page
    way: Way

    def go(self, section: str, *, below: str = "") -> None:
        """Go to a section by the sidebar, where it stands below a heading; a narrow window hides all behind a menu."""
        sidebar = self.page.get_by_role("complementary", name="Sections")
        link = sidebar.get_by_role("link", name=re.compile(rf"^{re.escape(section)}\W*\d*$"))
        if not link.is_visible():
            self.way.press(sidebar.get_by_label("Menu"))
        if below:
            expect(sidebar.get_by_text(below, exact=True)).to_be_visible()
        self.way.press(link)
        self.sees_page(section)

    def press(self, name: str, *, within: Locator | None = None) -> None:
        """Press what is called so: a button, a link, or what opens a menu."""
        place = within or self.page
        self.way.press(place.get_by_role("link", name=name, exact=True).or_(self._button(place, name)))

    def write(self, label: str, text: str) -> None:
        """Write into the field of this label."""
        self.way.write(self.page.get_by_label(label, exact=True), text)

    def choose(self, label: str, option: str) -> None:
        """Choose an option from the list of this label."""
        self.way.choose(self.page.get_by_label(label, exact=True), option)

    def tick(self, label: str) -> None:
        """Tick the box or radio button of this label."""
        self.way.tick(self.page.get_by_label(label, exact=True))

    def sees_page(self, heading: str | re.Pattern[str]) -> None:
        """Wait for the page of this heading, which fits into the window."""
        expect(self.page.get_by_role("heading", level=1)).to_have_text(heading)
        too_wide = self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert too_wide <= 0, f"{heading} is {too_wide} pixels wider than its window"

    def sees(self, text: str) -> None:
        """Wait for words on the screen."""
        expect(self.page.get_by_text(text).first).to_be_visible()

    @staticmethod
    def _button(place: Page | Locator, name: str) -> Locator:
        return place.get_by_role("button", name=name, exact=True)
