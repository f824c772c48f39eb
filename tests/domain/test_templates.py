"""The grammar of templates, and how single values are written."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringback.domain.templates import REASONS, HeldError, Reference, Token, joined, names, scan, spelled


def written(text: str) -> list[str | tuple[str, str | None]]:
    """What is found in a template: texts as they are, tokens as name and default."""
    return [each if isinstance(each, str) else (each.name, each.default) for each in scan(text)]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", []),
        ("plain", ["plain"]),
        ("[payout]", [("payout", None)]),
        ("a[b]c", ["a", ("b", None), "c"]),
        ("[a][b]", [("a", None), ("b", None)]),
        ("[payout]{0.00}", [("payout", "0.00")]),
        ("[payout]{}", [("payout", "")]),
        ("[payout] {0}", [("payout", None), " {0}"]),
        ("[payout]{[a]}", [("payout", None), "{", ("a", None), "}"]),
        ("[payout]{open", [("payout", None), "{open"]),
        ("[Call:ConversionPayout]", [("Call:ConversionPayout", None)]),
        ("[tag:InboundNumber:Number-NoPlus]", [("tag:InboundNumber:Number-NoPlus", None)]),
        ("[Zip 5]", [("Zip 5", None)]),
        ("[prénom]", [("prénom", None)]),
    ],
)
def test_tokens_are_found_between_texts(text: str, found: list[object]) -> None:
    assert written(text) == found
    assert names(text) == [each[0] for each in written(text) if isinstance(each, tuple)]


@pytest.mark.parametrize(
    "text", ["[]", "[1,2]", "[[1,2],[3]]", '["a"]', "[ a]", "[", "]", "a[", "[" + "x" * 200 + "]", "{a}", "[[", "[a,b]"]
)
def test_brackets_that_hold_no_name_are_text(text: str) -> None:
    assert "".join(str(each) for each in scan(text)) == text
    assert names(text) == []


@pytest.mark.parametrize(
    ("text", "plain"), [("[[payout]", "[payout]"), ("x[[a]{b}", "x[a]{b}"), ("[[[payout]", "[[payout]")]
)
def test_a_doubled_bracket_is_a_plain_one(text: str, plain: str) -> None:
    assert names(text) == []
    assert joined([str(each) for each in scan(text)]) == (plain,)


@given(st.text("[]{}a_:1 -,\"'", max_size=30) | st.text(max_size=30))
def test_nothing_of_a_template_is_lost(text: str) -> None:
    again = "".join(each.source if isinstance(each, Reference) else each for each in scan(text))
    assert again == text or (len(again) < len(text) and "[[" in text)


def test_neighbouring_texts_become_one() -> None:
    token = Token("payout", "payout")
    assert joined(["a", "", "b", token, "", token, "c", "d"]) == ("ab", token, token, "cd")
    assert joined([""]) == ()


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        ("", ""),
        ("as it is ", "as it is "),
        (True, "true"),
        (False, "false"),
        (312, "312"),
        (Decimal(42), "42.00"),
        (Decimal("25.2"), "25.20"),
        (Decimal("0.125"), "0.125"),
        (Decimal("-0"), "0.00"),
        (datetime(2026, 11, 23, 15, 4, 5, 999, tzinfo=UTC), "2026-11-23T15:04:05Z"),
        (datetime(2026, 11, 23, 1, 0, tzinfo=timezone(timedelta(hours=2))), "2026-11-22T23:00:00Z"),
    ],
)
def test_values_are_written_in_one_way(value: object, text: str) -> None:
    assert spelled(value) == text


@pytest.mark.parametrize("code", REASONS)
def test_every_reason_is_a_sentence_about_what_it_names(code: str) -> None:
    held = HeldError(code, "first_name")
    assert (held.code, held.name) == (code, "first_name")
    assert "first_name" in str(held)
    assert str(held).endswith(".")
