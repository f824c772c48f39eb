"""What is allowed in a postback and seldom meant is said."""

from __future__ import annotations

import pytest

from ringback.domain.lint import foreign, notes
from ringback.domain.postbacks import Definition
from ringback.domain.presets import PRESETS, Preset

UPDATE = "https://x.example/api/v1/calls/update_call/[call_uuid]"


@pytest.mark.parametrize(
    ("definition", "host", "told"),
    [
        (Definition("POST", "http://x.example/", body="{}"), "", [("url", "without encryption")]),
        (Definition("POST", "https://x.example/", body=" "), "", [("body", "without a body")]),
        (Definition("PUT", "https://x.example/", body_kind="none", body="{}"), "", [("body", "without a body")]),
        (Definition("GET", "https://x.example/", body="{}"), "", [("body", "with a body")]),
        (
            Definition("GET", "https://x.example/", body_kind="none", credential="1"),
            "x.example",
            [("credential", "held")],
        ),
        (Definition("POST", UPDATE, body="{}"), "", [("credential", "none is chosen")]),
        (Definition("POST", UPDATE, body='{"revenue": "1"}', credential="1"), "", [("body", "no conversion")]),
        (Definition("POST", UPDATE, body='{"revenue": "1", "buyer_converted": "1"}', credential="1"), "", []),
        (Definition("POST", "https://x.example/", body='{"revenue": "1"}'), "", []),
    ],
)
def test_it_says(definition: Definition, host: str, told: list[tuple[str, str]]) -> None:
    found = list(notes(definition, unbound_host=host))
    assert [each.field for each in found] == [field for field, _ in told]
    for note, (_, words) in zip(found, told, strict=True):
        assert words in note.message


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.key)
def test_presets_give_nothing_to_think_about(preset: Preset) -> None:
    definition = preset.definition
    assert (list(notes(definition)), foreign(definition)) == ([], [])


def test_tokens_of_others_are_found_wherever_they_stand() -> None:
    definition = Definition("POST", "https://x.example/?a={a}", headers=(("X-B", "#b#"),), body='{"c": "{{c}}"}')
    assert [each.text for each in foreign(definition)] == ["{a}", "{{c}}", "#b#"]
