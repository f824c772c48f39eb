"""Fifty updates that were refused for one cause: one press grants what they lack and applies them all."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import expect
from sqlalchemy import select

from ringback.store.schema import call_changes, calls
from tests.browser import progress
from tests.browser.axe import grave_findings
from tests.browser.windows import Windows, take_seat
from tests.console.deeds import told
from tests.console.posting import post
from tests.console.visitor import visiting
from tests.live import Live

COUNT = 50


def refused(stage: Live) -> list[int]:
    """Updates of as many calls, refused because Bob's team may not update the revenue; returns the calls' numbers."""
    stage.world.grant(["buyer_converted"])
    made = [stage.world.call() for _ in range(COUNT)]
    assert [post(stage, call)["code"] for call in made] == ["permission_denied"] * COUNT
    return [call.number for call in made]


def test_one_press_grants_once_and_applies_all_in_order(stage: Live, windows: Windows) -> None:
    numbers = refused(stage)
    page = windows.open()
    take_seat(page, visiting(stage, stage.world.ada))
    page.goto(f"http://localhost:{stage.port}/a/acme/updates/waiting")
    page.get_by_role("link", name="Grant and apply").click()
    progress.watch(page)
    page.get_by_role("button", name=f"Grant and apply all {COUNT}").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Applying waiting updates")
    steps = progress.steps_until(page, f"{COUNT} of {COUNT} handled: {COUNT} applied. Done.")
    assert grave_findings(page) == []
    assert steps == sorted(steps)
    assert len(set(steps)) >= 3
    assert applied_order(stage) == numbers
    (granted,) = told(stage, "team.changed")
    assert granted[1]
    (noted,) = told(stage, "updates.applied")
    assert noted[0] == f"{COUNT} waiting updates"
    page.get_by_role("link", name="All that waits").click()
    expect(page.get_by_text("Nothing waits")).to_be_visible()


def applied_order(stage: Live) -> list[Any]:
    """The numbers of the calls in the order in which their revenue was changed."""
    joined = call_changes.join(calls, calls.c.uuid == call_changes.c.call_uuid)
    statement = select(calls.c.number).select_from(joined).where(call_changes.c.attribute == "revenue")
    with stage.world.database.read() as tx:
        return list(tx.execute(statement.order_by(call_changes.c.receipt_id)).scalars())
