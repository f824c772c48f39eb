"""Ways to act on what is on the screen: with a pointer, or with the keyboard alone."""

from __future__ import annotations

from typing import Protocol

import pytest
from playwright.sync_api import Locator, expect

MOST_TABS = 150
"""After how many Tabs a thing counts as out of reach."""


class Way(Protocol):
    """How somebody presses, writes, chooses and ticks."""

    def press(self, target: Locator) -> None:
        """Press a button, follow a link, open a menu."""

    def write(self, target: Locator, text: str) -> None:
        """Write into a field, in place of what stands there."""

    def choose(self, target: Locator, option: str) -> None:
        """Choose an option of a list by its label."""

    def tick(self, target: Locator) -> None:
        """Tick a box, or one of several radio buttons."""


class ByPointer:
    """With a mouse or a finger."""

    def press(self, target: Locator) -> None:
        """Click on it."""
        target.click()

    def write(self, target: Locator, text: str) -> None:
        """Click into it and write."""
        target.fill(text)

    def choose(self, target: Locator, option: str) -> None:
        """Choose it."""
        target.select_option(label=option)

    def tick(self, target: Locator) -> None:
        """Click on it."""
        target.check()


class ByKeyboard:
    """With Tab, Enter, Space, arrows and letters; what these don't reach is out of reach."""

    def press(self, target: Locator) -> None:
        """Tab to it and press Enter."""
        _tab_to(target)
        target.page.keyboard.press("Enter")

    def write(self, target: Locator, text: str) -> None:
        """Tab to it, which selects what stands there, and write."""
        _tab_to(target)
        target.page.keyboard.press("Control+A")
        target.page.keyboard.type(text)

    def choose(self, target: Locator, option: str) -> None:
        """Tab to it and go down its options."""
        _tab_to(target)
        options = target.locator("option").all_inner_texts()
        target.page.keyboard.press("Home")
        for _ in range(options.index(option)):
            target.page.keyboard.press("ArrowDown")

    def tick(self, target: Locator) -> None:
        """Tab to a box and press Space; Tab to a group of radio buttons and go on with the arrows."""
        if target.get_attribute("type") == "radio":
            name = target.get_attribute("name")
            _tab_to(target, stops_at=f"each.name === {name!r}")
            for _ in target.page.locator(f'input[type=radio][name="{name}"]').all():
                if not target.is_checked():
                    target.page.keyboard.press("ArrowRight")
        else:
            _tab_to(target)
            if not target.is_checked():
                target.page.keyboard.press("Space")
        expect(target).to_be_checked()


def _tab_to(target: Locator, stops_at: str = "each === target") -> None:
    """Press Tab until the focus is there."""
    expect(target).to_be_visible()
    for _ in range(MOST_TABS):
        if target.evaluate(f"target => (each => {stops_at})(document.activeElement)"):
            return
        target.page.keyboard.press("Tab")
    pytest.fail(f"Tab does not lead to {target}")
