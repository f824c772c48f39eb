"""Amounts: every accepted spelling, every refused one with its reason, and that nothing is lost on the way."""

from __future__ import annotations

import json
from decimal import Decimal, Inexact

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringback.domain.errors import RingbackError
from ringback.domain.money import (
    MAXIMUM,
    MICRO,
    AmountError,
    Payout,
    format_amount,
    from_micros,
    parse_amount,
    parse_payout,
    to_micros,
)

AMOUNTS = st.decimals(min_value=0, max_value=MAXIMUM, places=6)
PERCENTAGES = st.decimals(min_value=0, max_value=100, places=4)
NUMERALS = st.text("0123456789.,eE+-$ USD%٤€\xa0'", max_size=30)


def outcome(text: str) -> Decimal | AmountError:
    try:
        return parse_amount(text)
    except AmountError as error:
        return error


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("42", "42"),
        ("42.50", "42.5"),
        ("42.500000", "42.5"),
        ("42.5000000000", "42.5"),
        ("0", "0"),
        ("-0", "0"),
        ("-0.00", "0"),
        ("007", "7"),
        (".5", "0.5"),
        ("5.", "5"),
        ("+5", "5"),
        ("0.000001", "0.000001"),
        ("999999.999999", "999999.999999"),
        (" 42 ", "42"),
        ("\t42.50\r\n", "42.5"),
        ("1,250", "1250"),
        ("1,250.5", "1250.5"),
        ("12,345", "12345"),
        ("999,999.999999", "999999.999999"),
        ("$1,250.50", "1250.5"),
        ("$ 42", "42"),
        ("42$", "42"),
        ("+$5", "5"),
        ("$+5", "5"),
        ("$.5", "0.5"),
        ("US$42", "42"),
        ("USD 42", "42"),
        ("usd42", "42"),
        ("42 USD", "42"),
        ("42USD", "42"),
        ("$42.00 USD", "42"),
        ("USD\xa042.00", "42"),
        ("4.2e1", "42"),
        ("42E0", "42"),
        ("1e+2", "100"),
        ("425e-1", "42.5"),
        ("1e-6", "0.000001"),
        ("0e999", "0"),
    ],
)
def test_reads_every_spelling_of_an_amount(text: str, amount: str) -> None:
    assert parse_amount(text) == Decimal(amount)
    assert not parse_amount(text).is_signed()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "the amount is empty"),
        ("  ", "the amount is empty"),
        ("1,25", "1,25 is ambiguous: write 1.25 or 125"),
        ("$1,25", "$1,25 is ambiguous: write 1.25 or 125"),
        ("0,125", "0,125 is ambiguous: write 0.125 or 125"),
        ("0,00", "0,00 is ambiguous: write 0.00 or 0"),
        ("1,00,0", "1,00,0 is ambiguous: write it as in 1250.50 or 1,250.50"),
        ("1.250,50", "1.250,50 is ambiguous: write it as in 1250.50 or 1,250.50"),
        ("1,250,00", "1,250,00 is ambiguous: write it as in 1250.50 or 1,250.50"),
        ("1 250", "1 250 is ambiguous: write it as in 1250.50 or 1,250.50"),
        ("1'250", "1'250 is ambiguous: write it as in 1250.50 or 1,250.50"),
        ("1,234,", "1,234, is ambiguous: write it as in 1250.50 or 1,250.50"),
        ("1.2.3", "1.2.3 is ambiguous: write it as in 1250.50 or 1,250.50"),
        ("-5", "-5 is negative"),
        ("-$5", "-$5 is negative"),
        ("$-5", "$-5 is negative"),
        ("-1e-9", "-1e-9 is negative"),
        ("1000000", "1000000 is more than 999,999.999999"),
        ("1,250,000.5", "1,250,000.5 is more than 999,999.999999"),
        ("999999.9999991", "999999.9999991 is more than 999,999.999999"),
        ("1e99", "1e99 is more than 999,999.999999"),
        ("0.1234567", "0.1234567 has more than 6 decimals"),
        ("1e-7", "1e-7 has more than 6 decimals"),
        ("1e999999999", "1e999999999 has an exponent that no amount has"),
        ("1e-999999999999999999999", "1e-999999999999999999999 has an exponent that no amount has"),
        ("$1e2", "$1e2 is not an amount"),
        ("1,250e2", "1,250e2 is not an amount"),
        ("NaN", "NaN is not an amount"),
        ("-Infinity", "-Infinity is not an amount"),
        ("yes", "yes is not an amount"),
        ("1_000", "1_000 is not an amount"),
        ("0x10", "0x10 is not an amount"),
        ("12:30", "12:30 is not an amount"),
        (".", ". is not an amount"),
        (",", ", is not an amount"),
        ("$", "$ is not an amount"),
        ("--5", "--5 is not an amount"),
        ("+$+5", "+$+5 is not an amount"),
        ("5-", "5- is not an amount"),
        ("C$5", "C$5 is not an amount"),
        ("€42", "€42 is in a currency other than US dollars"),
        ("42 EUR", "42 EUR is in a currency other than US dollars"),
        ("USD 42 EUR", "USD 42 EUR is in a currency other than US dollars"),
        ("٤٢", "٤٢ is not written in the digits 0 to 9"),
        ("\uff14\uff12", "\uff14\uff12 is not written in the digits 0 to 9"),
        ("4\n2 x", r"4\n2 x is not an amount"),
        ("\ud800", r"\ud800 is not an amount"),
        ("9" * 10**6, "9" * 39 + "… is too long for an amount"),
        ("é" * 41, "é" * 39 + "… is not an amount"),
    ],
)
def test_refuses_with_a_reason(text: str, reason: str) -> None:
    with pytest.raises(AmountError) as error:
        parse_amount(text)
    assert error.value.reason == str(error.value) == reason
    assert isinstance(error.value, RingbackError)


@given(AMOUNTS)
def test_reads_what_it_writes(amount: Decimal) -> None:
    assert parse_amount(format_amount(amount)) == amount
    assert parse_amount(f"${amount:,}") == amount
    assert parse_amount(json.dumps(float(amount))) == Decimal(json.dumps(float(amount)))


@given(NUMERALS | st.text(max_size=80))
def test_any_text_is_an_amount_in_range_or_has_a_reason(text: str) -> None:
    result = outcome(text)
    if isinstance(result, AmountError):
        assert result.reason.isprintable()
        assert len(result.reason) < 120
    else:
        assert 0 <= result <= MAXIMUM
        assert result == result.quantize(MICRO)


@given(st.integers(min_value=-(2**63), max_value=2**63 - 1))
def test_micros_and_back(micros: int) -> None:
    assert to_micros(from_micros(micros)) == micros


def test_micros_are_never_rounded() -> None:
    assert to_micros(Decimal("42.5")) == 42_500_000
    assert to_micros(Decimal("1e3")) == 1_000_000_000
    with pytest.raises(Inexact):
        to_micros(Decimal("0.0000001"))


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        ("42", "42.00"),
        ("0", "0.00"),
        ("-0", "0.00"),
        ("0.125", "0.125"),
        ("42.100000", "42.10"),
        ("0.000001", "0.000001"),
        ("1E+3", "1000.00"),
        ("999999.999999", "999999.999999"),
        ("-0.5", "-0.50"),
    ],
)
def test_writes_an_amount_in_one_way(amount: str, text: str) -> None:
    assert format_amount(Decimal(amount)) == text
    assert format_amount(from_micros(to_micros(Decimal(amount)))) == text


@pytest.mark.parametrize(
    ("text", "canonical", "of_15", "of_unknown"),
    [
        ("9.00", "9.00", "9.00", "9.00"),
        (" $9 ", "9.00", "9.00", "9.00"),
        ("0", "0.00", "0.00", "0.00"),
        ("60%", "60%", "9.00", None),
        ("60.00 %", "60%", "9.00", None),
        ("12.5%", "12.5%", "1.88", None),
        ("0.0333%", "0.0333%", "0.00", None),
        ("0%", "0%", "0.00", None),
        ("100%", "100%", "15.00", None),
    ],
)
def test_a_payout_is_fixed_or_a_percentage(text: str, canonical: str, of_15: str, of_unknown: str | None) -> None:
    payout = parse_payout(text)
    assert str(payout) == canonical
    assert parse_payout(canonical) == payout
    assert payout.amount(Decimal(15)) == Decimal(of_15)
    assert payout.amount(None) == (None if of_unknown is None else Decimal(of_unknown))


@pytest.mark.parametrize("text", ["100.0001%", "-5%", "+5%", "$5%", "60.12345%", "1e1%", "%", "60%%", "x" * 99 + "%"])
def test_refuses_what_is_no_percentage(text: str) -> None:
    with pytest.raises(AmountError, match="is not a percentage from 0 to 100 with at most 4 decimals"):
        parse_payout(text)


@pytest.mark.parametrize("text", ["", "9,5", "sixty"])
def test_refuses_what_is_no_payout(text: str) -> None:
    with pytest.raises(AmountError):
        parse_payout(text)


def test_a_payout_is_never_both_or_neither() -> None:
    with pytest.raises(ValueError, match="either fixed or a percentage"):
        Payout()
    with pytest.raises(ValueError, match="either fixed or a percentage"):
        Payout(fixed=Decimal(9), percent=Decimal(60))


@pytest.mark.parametrize(("revenue", "cents"), [("0.01", "0.01"), ("0.009999", "0.00"), ("0.03", "0.02")])
def test_half_a_cent_is_rounded_up(revenue: str, cents: str) -> None:
    assert Payout(percent=Decimal(50)).amount(Decimal(revenue)) == Decimal(cents)


@given(PERCENTAGES, AMOUNTS)
def test_a_percentage_is_within_half_a_cent(percent: Decimal, revenue: Decimal) -> None:
    payout = Payout(percent=percent)
    amount = payout.amount(revenue)
    assert parse_payout(str(payout)) == payout
    assert amount is not None
    assert abs(amount - revenue * percent / 100) <= Decimal("0.005")
