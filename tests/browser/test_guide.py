from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.browser import tour
from tests.browser.acting import ByKeyboard, ByPointer, Way
from tests.browser.guide import Guide
from tests.browser.install import fresh_install
from tests.browser.person import Person
from tests.browser.windows import PHONE, Windows

MANY = 30
"""How many pages there are at least."""


@pytest.mark.parametrize(
    ("way", "window"),
    [
        pytest.param(ByPointer, {}, id="mouse"),
        pytest.param(ByKeyboard, {}, id="keyboard alone"),
        pytest.param(ByPointer, {"size": PHONE}, id="phone"),
        pytest.param(ByPointer, {"scripts": False}, id="without scripts"),
    ],
)
def test_the_guide_word_for_word(
    windows: Windows, tmp_path: Path, way: Callable[[], Way], window: Mapping[str, Any]
) -> None:
    with fresh_install(tmp_path) as install:
        ada, olive = (Person(windows.open(**window), way()) for _ in range(2))
        guide = Guide(install, ada, olive)
        guide.found_acme()
        guide.bring_in_the_buyer()
        basic, trial = guide.make_the_basic_credential()
        assert (trial.status, trial.body["dry_run"]) == (200, True)
        first, second, third = guide.record_calls()
        assert [guide.post(call, basic).code for call in (first, second)] == ["no_team"] * 2
        guide.give_the_team_access()
        assert guide.post(second, basic).code == "api_access_off"
        guide.grant_the_rights()
        assert guide.post(second, basic).status == 200
        guide.see_the_conversion(2)
        guide.apply_what_was_refused()
        guide.see_the_conversion(1)
        assert guide.post(third, guide.make_the_token_value()).status == 200
        guide.see_the_conversion(3)
        for person, account in ((ada, "acme"), (olive, "bright")):
            stops = list(tour.walk(person.page, f"{install.url}/a/{account}/overview"))
            assert len(stops) > MANY
            assert [stop.url for stop in stops if any(secret in stop.html for secret in guide.secrets)] == []
