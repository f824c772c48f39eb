"""Templates of other platforms are recognised, and written as ours."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringback.domain.dialects import convert, list_foreign

CONVERTED = {
    "{payout}": "[payout]",
    "https://x.example/?p={payout}&c={{call_id}}": "https://x.example/?p=[payout]&c=[call_id]",
    "#payout#": "[payout]",
    "--A--lead_id--B--": "[lead_id]",
    "${payout}": "[payout]",
    "{{ $json.payout }}": "[payout]",
    "{{call.payout}}": "[payout]",
    "[[a] [First Name]{b}{payout}": "[[a] [First Name]{b}[payout]",
}
OURS = (
    "[payout]",
    "[payout]{none}",
    "[Call:ConversionPayout]",
    "[tag:User:x]{0}",
    "[tag:User:First Name]{Unknown}",
    "[First Name]{Unknown}",
    "[[payout]{0}",
    '{"a": {}}',
    '{"a": "b"}',
    "",
    "# 1",
)


@pytest.mark.parametrize("text", CONVERTED)
def test_tokens_of_others_are_written_as_ours(text: str) -> None:
    assert list_foreign(text)
    assert convert(text) == CONVERTED[text]


@pytest.mark.parametrize("text", OURS)
def test_what_is_ours_or_none_stays(text: str) -> None:
    assert list_foreign(text) == []
    assert convert(text) == text


def test_each_is_named_once_with_its_platform() -> None:
    found = [(each.text, each.platform) for each in list_foreign("{a} {a} #b#")]
    assert found == [("{a}", "Everflow or TUNE"), ("#b#", "CAKE")]


def test_one_without_a_name_stays() -> None:
    assert convert("{{ 1 + 1 }}") == "{{ 1 + 1 }}"


@given(st.text(alphabet="[]{}#-AB$xy_. 1", max_size=30))
def test_what_was_converted_is_not_converted_again(text: str) -> None:
    once = convert(text)
    assert convert(once) == once or list_foreign(once)
