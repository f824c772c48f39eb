"""The part of the tutorial that is on screen; `tests/docs/test_tutorial.py` has the rest."""

from __future__ import annotations

import re
from pathlib import Path

from tests.browser.acting import ByPointer
from tests.browser.guide import OLIVE, PASSWORD, Guide
from tests.browser.install import fresh_install
from tests.browser.person import Person
from tests.browser.windows import Windows


def test_the_tutorial_on_screen(windows: Windows, tmp_path: Path) -> None:
    with fresh_install(tmp_path) as install:
        ada, olive = (Person(windows.open(), ByPointer()) for _ in range(2))
        guide = Guide(install, ada, olive)
        guide.found_acme()
        ada.sees("To your first postback")
        bring_in_olive(ada, olive)
        basic, trial = guide.make_the_basic_credential()
        assert trial.status == 403
        call = install.record_call("acme", "Bright Roofing", "+17195550100")
        assert guide.post(call, basic).code == "api_access_off"
        cure(ada)
        apply(ada)
        assert guide.post(call, basic).code == "unchanged"


def bring_in_olive(ada: Person, olive: Person) -> None:
    """A buyer, and who posts back for it: she comes by the link that Ada hands over."""
    ada.go("Buyers")
    ada.press("New buyer")
    ada.write("Name", "Bright Roofing")
    ada.write("Agreed revenue", "42.00")
    ada.press("Save")
    ada.sees("Team Access")
    ada.write("E-mail address of the user", OLIVE)
    ada.press("Add a team")
    ada.sees_page("Hand over the link")
    olive.page.goto(ada.page.locator("#invitation").inner_text())
    olive.write("Your name", "Olive Ops")
    olive.write("Password", PASSWORD)
    olive.press("Join Acme Media")
    olive.sees_page("Calls")


def cure(ada: Person) -> None:
    """All that is missing, where it is: the switch, and the rights by their preset."""
    see_what_waits(ada)
    ada.sees("Developer API Access is off for the team Bright Roofing")
    ada.go("Teams", below="Company")
    ada.press("Bright Roofing")
    ada.tick("Enable Developer API Access")
    ada.press("Preset: Postback")
    ada.press("Save")
    ada.sees("Saved: ")


def apply(ada: Person) -> None:
    """What was refused is applied, and counts on the Overview."""
    see_what_waits(ada)
    ada.press("Apply…")
    ada.press("Apply the update")
    ada.sees("1 of 1")
    ada.go("Overview")
    ada.sees("42.00")


def see_what_waits(ada: Person) -> None:
    """The tab beside the list of updates, which says how many wait."""
    ada.go("Updates")
    ada.way.press(ada.page.get_by_role("link", name=re.compile("^Waiting")))
    ada.sees_page("Waiting updates")
