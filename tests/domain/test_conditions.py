"""Conditions of a postback: which rows hold of which values, and what is wrong with rows."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringback.domain.conditions import MOST, OPERATORS, WITHOUT_VALUE, Row, all_hold, problems

VALUES = {
    "payout": Decimal("25.2"),
    "revenue": None,
    "buyer_converted": True,
    "total_duration": 312,
    "status": "Ended",
    "field:zip": "07001",
    "field:name": "Jane Doe",
    "field:blank": "  ",
    "field:lead_id": "abc",
}


@pytest.mark.parametrize(
    "row",
    [
        ("payout", "=", "25.20"),
        ("Call:ConversionPayout", ">=", "25.2"),
        ("payout", "!=", "25.21"),
        ("payout", "<", "100"),
        ("payout", "<=", " 25.2 "),
        ("payout", ">", "-1"),
        ("total_duration", ">", "30"),
        ("buyer_converted", "=", "True"),
        ("status", "=", "ENDED"),
        ("status", "!=", "busy"),
        ("zip", "=", "07001"),
        ("zip", "!=", "7001"),
        ("name", "contains", "DOE"),
        ("lead_id", "exists", ""),
        ("field:lead_id", "exists", ""),
        ("tag:User:lead_id", "=", "ABC"),
        ("blank", "missing", ""),
        ("revenue", "missing", ""),
        ("revenue", "!=", "1"),
        ("unheard_of", "missing", ""),
    ],
)
def test_holds(row: Row) -> None:
    assert all_hold([row], VALUES)


@pytest.mark.parametrize(
    "row",
    [
        ("payout", "=", "25.21"),
        ("payout", ">", "25.2"),
        ("payout", "<", "25.2"),
        ("payout", "contains", "26"),
        ("status", "=", "ende"),
        ("status", ">", "1"),
        ("name", "<", "5"),
        ("revenue", "<", "1"),
        ("revenue", "=", "0"),
        ("revenue", "exists", ""),
        ("blank", "exists", ""),
        ("lead_id", "missing", ""),
        ("zip", ">", "1"),
    ],
)
def test_does_not_hold(row: Row) -> None:
    assert not all_hold([row], VALUES)


def test_all_must_hold_and_none_always_do() -> None:
    good, bad = ("payout", "exists", ""), ("revenue", "exists", "")
    assert all_hold([], VALUES)
    assert all_hold([good, good], VALUES)
    assert not all_hold([good, bad], VALUES)


NUMBERS = st.decimals(min_value=-1000, max_value=1000, places=2)


@given(NUMBERS, NUMBERS)
def test_numbers_compare_as_numbers(left: Decimal, right: Decimal) -> None:
    for operator, holds in (
        ("=", left == right), ("!=", left != right), ("<", left < right),
        ("<=", left <= right), (">", left > right), (">=", left >= right),
    ):  # fmt: skip
        assert all_hold([("field:n", operator, f"{right:f}")], {"field:n": f"{left:f}"}) is holds


@given(st.text(max_size=20), st.sampled_from(list(OPERATORS)), st.text(max_size=20))
def test_any_value_can_be_asked(actual: str, operator: str, value: str) -> None:
    assert all_hold([("field:x", operator, value)], {"field:x": actual}) in {True, False}


@pytest.mark.parametrize("number", ["1e999999999", "1" * 5000, "NaN", "Infinity", "٣", "1_0"])
def test_odd_numbers_are_texts(number: str) -> None:
    assert not all_hold([("field:x", ">", "0")], {"field:x": number})
    assert all_hold([("field:x", "=", number)], {"field:x": number})


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (("payot", "exists", ""), "Did you mean payout?"),
        (("zzzzz", "exists", ""), "write field:zzzzz"),
        (("", "exists", ""), "nothing is not a value"),
        (("payout", "~", "1"), "is not one of ="),
        (("payout", "=", " "), "say what payout is compared with"),
        (("payout", ">", "a lot"), "compares with a number"),
        (("payout", "=", "a\x00"), "NUL"),
        (("field:\ud800", "exists", ""), "half a character"),
    ],
)
def test_what_is_wrong_is_said(row: Row, said: str) -> None:
    found = problems([("payout", "exists", ""), row], ["lead_id"])
    assert len(found) == 1
    assert found[0].startswith("Condition 2: ")
    assert said in found[0]


def test_what_is_right_is_not_complained_about() -> None:
    rows = [("lead_id", operator, "" if operator in WITHOUT_VALUE else "1") for operator in OPERATORS]
    assert problems(rows, ["Lead_Id"]) == []


def test_there_are_so_many_and_no_more() -> None:
    row = ("payout", "exists", "")
    assert problems([row] * MOST, []) == []
    assert problems([row] * (MOST + 5), []) == [f"A postback has at most {MOST} conditions."]
