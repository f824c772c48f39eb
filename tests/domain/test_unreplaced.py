"""Template tokens that were sent before they were replaced, told by platform."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringback.domain.unreplaced import find_unreplaced, is_unreplaced

TOKENS = {
    "[Call:ConversionPayout]": "Ringba",
    "[tag:User:first_name]": "Ringba",
    "[Publisher:SubId]": "Ringba",
    "[tag:User:First Name]": "Ringba",
    "[tag:User:First Name]{Not known}": "Ringba",
    "[revenue]": "TrackDrive",
    "[caller_number]{plain}": "TrackDrive",
    "{{revenue}}": "Postman, n8n or Zapier",
    "{{ revenue }}": "Postman, n8n or Zapier",
    "${revenue}": "JavaScript",
    "{payout}": "Everflow or TUNE",
    "{sub-id.1}": "Everflow or TUNE",
    "#payout#": "CAKE",
    "--A--vendor_lead_code--B--": "ViciDial",
}
PATTERNS = {
    "[Call:%s]": "Ringba",
    "[%s]": "TrackDrive",
    "{{%s}}": "Postman, n8n or Zapier",
    "${%s}": "JavaScript",
    "{%s}": "Everflow or TUNE",
    "#%s#": "CAKE",
    "--A--%s--B--": "ViciDial",
}


@pytest.mark.parametrize(("text", "platform"), TOKENS.items())
def test_a_token_is_told_by_its_platform_however_it_is_written(text: str, platform: str) -> None:
    for sent in (text, quote(text), quote(text, safe=""), f"  {text}\n"):
        found, whole = find_unreplaced(sent), is_unreplaced(sent)
        assert found is not None
        assert found == whole
        assert (found.text, found.platform) == (text, platform)


@pytest.mark.parametrize(
    "text", ["$[revenue]", "42[revenue]", "[a] [b]", "Hi {{name}}, call #id#", "%5Brevenue%5D USD"]
)
def test_a_token_among_other_text_is_found_but_is_not_the_whole_value(text: str) -> None:
    assert find_unreplaced(text) is not None
    assert is_unreplaced(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "42.50",
        "Jane Doe",
        "100 %",
        "50% off",
        "#1",
        "[]",
        "{}",
        "[42]",
        "{1}",
        "a -- b",
        "--A--",
        "--A----B--",
        "{{}}",
        "[two words]",
        "{two words}",
        "# heading #",
        "%zz[",
        "[" + "x" * 200 + "]",
    ],
)
def test_what_is_no_token_is_left_alone(text: str) -> None:
    assert find_unreplaced(text) is None
    assert is_unreplaced(text) is None


def test_what_is_shown_is_cut() -> None:
    found = find_unreplaced("[" + "x" * 120 + "]")
    assert found is not None
    assert found.text == "[" + "x" * 79


@pytest.mark.parametrize(("pattern", "platform"), PATTERNS.items())
@given(name=st.from_regex(r"[a-z_][a-z0-9_]{0,20}", fullmatch=True))
def test_every_name_in_a_platforms_brackets_is_its_token(pattern: str, platform: str, name: str) -> None:
    found = is_unreplaced(pattern % name)
    assert found is not None
    assert found.platform == platform


@given(st.text("[]{}#$%-AB:.ab5 ", max_size=40) | st.text(max_size=40))
def test_a_whole_token_is_a_token_and_any_text_can_be_asked(text: str) -> None:
    whole = is_unreplaced(text)
    assert whole is None or find_unreplaced(text) is not None


@pytest.mark.parametrize("text", ["[" * 50_000, "{{" * 50_000, "#a" * 50_000, "--A--" * 20_000, "%5B" * 50_000])
def test_hostile_text_ends_soon(text: str) -> None:
    assert is_unreplaced(text) is None
