"""What a page that goes on by itself says of how far it is."""

from __future__ import annotations

from playwright.sync_api import Page, expect

WATCH = """
    window.seen = [];
    const look = () => document.querySelectorAll("progress").forEach((each) => window.seen.push(each.value));
    new MutationObserver(look).observe(document, { childList: true, subtree: true });
"""


def watch(page: Page) -> None:
    """Note from the next page on how far it says it is."""
    page.add_init_script(WATCH)


def steps_until(page: Page, done: str) -> list[int]:
    """How far the page said it was, again and again until it said that it was done."""
    expect(page.get_by_text(done)).to_be_visible()
    seen: list[int] = page.evaluate("window.seen")
    return seen
