"""What is allowed in a postback and seldom meant is said."""

from __future__ import annotations

from typing import Any

import pytest

from ringback.domain.lint import foreign, notes
from ringback.domain.postbacks import Definition
from ringback.domain.presets import PRESETS, Preset

UPDATE = "https://x.test/api/v1/calls/update_call/[call_uuid]"


@pytest.mark.parametrize(
    ("definition", "host", "told"),
    [
        (Definition("POST", "http://x.test/", body="{}"), "", [("url", "without encryption")]),
        (Definition("POST", "https://x.test/", body=" "), "", [("body", "without a body")]),
        (Definition("PUT", "https://x.test/", body_kind="none", body="{}"), "", [("body", "without a body")]),
        (Definition("GET", "https://x.test/", body="{}"), "", [("body", "with a body")]),
        (
            Definition("GET", "https://x.test/", body_kind="none", credential="1"),
            "x.test",
            [("credential", "held")],
        ),
        (Definition("POST", UPDATE, body="{}"), "", [("credential", "none is chosen")]),
        (Definition("POST", UPDATE, body='{"revenue": "1"}', credential="1"), "", [("body", "no conversion")]),
        (Definition("POST", UPDATE, body='{"revenue": "1", "buyer_converted": "1"}', credential="1"), "", []),
        (Definition("POST", "https://x.test/", body='{"revenue": "1"}'), "", []),
    ],
)
def test_it_says(definition: Definition, host: str, told: list[tuple[str, str]]) -> None:
    found = list(notes(definition, unbound_host=host))
    assert [each.field for each in found] == [field for field, _ in told]
    for note, (_, words) in zip(found, told, strict=True):
        assert words in note.message


@pytest.mark.parametrize(
    ("kind", "body", "media", "words"),
    [
        ("text", '{"n": "[first_name]"}', "application/json; charset=utf-8", "choose JSON"),
        ("text", "<n>[first_name]</n>", "text/xml", "breaks the text/xml"),
        ("text", "<n>[first_name]</n>", "application/soap+xml", "breaks the application/soap+xml"),
        ("text", "{}", "application/json", ""),
        ("text", "[first_name]", "text/plain", ""),
        ("json", '{"n": "[first_name]"}', "application/vnd.api+json", ""),
    ],
)
def test_it_says_where_values_are_not_escaped(kind: str, body: str, media: str, words: str) -> None:
    headers = (("X-A", "b"), ("content-type", media))
    told = list(notes(Definition("POST", "https://x.test/", headers=headers, body_kind=kind, body=body)))
    assert [each.field for each in told] == (["body_kind"] if words else [])
    assert all(words in each.message for each in told)


def test_a_sample_tells_nothing_of_what_will_be_held() -> None:
    definition = Definition("POST", "https://[trackdrive_subdomain].x.test/", body="{}", credential="by host")
    (note,) = notes(definition, unbound_host="acme.x.test", is_sample=True)
    assert (note.field, "a sample" in note.message, "held" in note.message) == ("credential", True, False)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"url": "https://YOUR-SUBDOMAIN.trackdrive.com/"}, [("url", "YOUR-SUBDOMAIN is a placeholder")]),
        ({"url": "https://x.test/<trackdrive_call_uuid>"}, [("url", "<trackdrive_call_uuid> is a placeholder")]),
        ({"url": "https://x.test/?id=your_id&key=CHANGE_ME"}, [("url", "your_id is"), ("url", "CHANGE_ME is")]),
        ({"headers": (("X-Key", "YOUR_TOKEN"),)}, [("headers", "YOUR_TOKEN is")]),
        ({"body": '{"a": "YOUR_TOKEN", "b": ["<api key>"]}'}, [("body", "YOUR_TOKEN is"), ("body", "<api key> is")]),
        ({"body": '{"a": "YOUR_TOKEN", "b": "YOUR_TOKEN"}'}, [("body", "YOUR_TOKEN is")]),
        ({"body": "YOUR_TOKEN", "body_kind": "none", "method": "GET"}, []),
        ({"body": '{"your_reference": "Yours, and yours alone"}'}, []),
        ({"body": "<call><id>[call_uuid]</id></call>", "body_kind": "text"}, []),
        ({"url": "https://x.test/[field:your_id]?of=[yours]"}, []),
        ({"url": "https://hooks.example/"}, [("url", "hooks.example is an example")]),
        ({"url": "https://[a].example.com:8443"}, [("url", "[a].example.com is an example")]),
        ({"url": "https://example.org?x"}, [("url", "example.org is an example")]),
        ({"url": "https://myexample.com/example.com"}, []),
    ],
)
def test_it_says_what_is_still_to_be_filled_in(changes: dict[str, Any], told: list[tuple[str, str]]) -> None:
    found = notes(Definition(**{"method": "POST", "url": "https://x.test/", "body": "{}", **changes}))
    assert [(each.field, each.message[: len(words)]) for each, (_, words) in zip(found, told, strict=True)] == told


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.key)
def test_presets_say_no_more_than_what_to_fill_in(preset: Preset) -> None:
    told = list(notes(preset.definition))
    assert {each.field for each in told} <= {"url"}
    assert all(each.message.endswith("in its place.") for each in told)
    assert bool(told) == (preset.key != "trackdrive")
    assert foreign(preset.definition) == []


def test_tokens_of_others_are_found_wherever_they_stand() -> None:
    definition = Definition("POST", "https://x.test/?a={a}", headers=(("X-B", "#b#"),), body='{"c": "{{c}}"}')
    assert [each.text for each in foreign(definition)] == ["{a}", "{{c}}", "#b#"]
