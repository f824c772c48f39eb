"""Amounts of money: read leniently, kept exactly, written one way.

An amount is a ``Decimal`` of US dollars with at most six decimals, from 0 to 999,999.999999. What can be read in two
ways is refused with a reason; nothing is ever taken for 0.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Context, Decimal, Inexact, InvalidOperation
from functools import lru_cache
from typing import cast

from ringback.domain.errors import RingbackError

MICRO = Decimal("0.000001")
MAXIMUM = Decimal("999999.999999")

_CENT = Decimal("0.01")
_EXACT = Context(prec=60, traps=[Inexact, InvalidOperation])
_LONGEST = 64
_LONGEST_EXPONENT = 3
_SHOWN = 40

_PLAIN = re.compile(r"[0-9]{1,6}(?:\.[0-9]{1,6})?")
_DOLLARS = re.compile(
    r"(?P<outer>[+-]?)[\s\xa0]*(?:US\$|\$|USD)?[\s\xa0]*(?P<inner>[+-]?)"
    r"(?P<whole>[0-9]+|[1-9][0-9]{0,2}(?:,[0-9]{3})+|(?=\.[0-9]))(?:\.(?P<decimals>[0-9]*))?"
    r"[\s\xa0]*(?:USD|\$)?",
    re.ASCII | re.IGNORECASE,
)
_SCIENTIFIC = re.compile(r"[+-]?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?[eE](?P<exponent>[+-]?[0-9]+)")
_TWO_READINGS = re.compile(r"[0-9]{1,12},[0-9]{1,12}")
_GROUPED = re.compile(r"(?=[^0-9]*[0-9])[0-9]*[.,\s'\u2019][0-9.,\s'\u2019]*")
_CURRENCY_CODE = re.compile(r"(?<![A-Z])[A-Z]{3}(?![A-Z])")
_PERCENTAGE = re.compile(r"([0-9]{1,3}(?:\.[0-9]{1,4})?)\s*%")


class AmountError(RingbackError):
    """A text that is no amount.

    Attributes:
        reason: why, as a sentence without its full stop; the value in it is cut at 40 characters.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def parse_amount(text: str) -> Decimal:
    """Read an amount of US dollars: ``42``, ``42.50``, ``$1,250.50``, ``+5``, ``.5``, ``4.2e1``, ``42 USD``.

    Raises:
        AmountError: it is ambiguous, negative, too large, too precise, in another currency, or no number at all.
    """
    if _PLAIN.fullmatch(text):
        return Decimal(text)
    text = text.strip()
    amount = _number(text)
    if amount < 0:
        raise AmountError(f"{_shown(text)} is negative")
    if amount > MAXIMUM:
        raise AmountError(f"{_shown(text)} is more than {MAXIMUM:,}")
    try:
        return _EXACT.quantize(amount, MICRO).copy_abs()
    except Inexact:
        raise AmountError(f"{_shown(text)} has more than 6 decimals") from None


def to_micros(amount: Decimal) -> int:
    """The amount in millionths of a dollar, as it is stored.

    Raises:
        decimal.Inexact: the amount has more than six decimals.
    """
    return int(_EXACT.scaleb(_EXACT.quantize(amount, MICRO), 6))


def from_micros(micros: int) -> Decimal:
    """The amount in dollars from millionths of a dollar."""
    return _EXACT.scaleb(Decimal(micros), -6)


@lru_cache(maxsize=4096)
def format_amount(amount: Decimal) -> str:
    """The one way an amount is written: two to six decimals, no exponent, no grouping."""
    # Remembered: ledger, receipt and answer of one update write the same amounts.
    return _written(amount, at_least=2)


@dataclass(frozen=True, slots=True)
class Payout:
    """What a traffic source gets for a conversion: a fixed amount or a percentage of the revenue, never both.

    Args:
        fixed: US dollars.
        percent: 0 to 100.
    """

    fixed: Decimal | None = None
    percent: Decimal | None = None

    def __post_init__(self) -> None:
        if (self.fixed is None) == (self.percent is None):
            message = "a payout is either fixed or a percentage"
            raise ValueError(message)

    def __str__(self) -> str:
        if self.percent is not None:
            return f"{_written(self.percent, at_least=0)}%"
        return format_amount(cast("Decimal", self.fixed))

    def amount(self, revenue: Decimal | None) -> Decimal | None:
        """The payout in dollars; a percentage is rounded half up to the cent, and unknown while revenue is."""
        if self.percent is None or revenue is None:
            return self.fixed
        return min((revenue * self.percent / 100).quantize(_CENT, ROUND_HALF_UP), MAXIMUM)


def parse_payout(text: str) -> Payout:
    """Read a payout rule: ``60%`` or an amount such as ``9.00``.

    Raises:
        AmountError: it is neither.
    """
    text = text.strip()
    if not text.endswith("%"):
        return Payout(fixed=parse_amount(text))
    match = _PERCENTAGE.fullmatch(text)
    if match is None or (percent := Decimal(match[1])) > 100:  # noqa: PLR2004
        raise AmountError(f"{_shown(text)} is not a percentage from 0 to 100 with at most 4 decimals")
    return Payout(percent=percent)


def _number(text: str) -> Decimal:
    if len(text) > _LONGEST:
        raise AmountError(f"{_shown(text)} is too long for an amount")
    scientific = _SCIENTIFIC.fullmatch(text)
    if scientific and len(scientific["exponent"]) <= _LONGEST_EXPONENT:
        return Decimal(text)
    match = _DOLLARS.fullmatch(text)
    if match is None or (match["outer"] and match["inner"]):
        raise AmountError(_reason(text))
    sign = match["outer"] or match["inner"]
    return Decimal(f"{sign}{match['whole'].replace(',', '')}.{match['decimals'] or 0}")


def _reason(text: str) -> str:
    """Why a text can't be read as an amount."""
    return f"{_shown(text)} {_fault(text)}" if text else "the amount is empty"


def _fault(text: str) -> str:
    bare = text.upper().replace("USD", "").strip("$ \xa0").lstrip("+-$ ")
    if _TWO_READINGS.fullmatch(bare):
        whole = bare.replace(",", "").lstrip("0") or "0"
        return f"is ambiguous: write {bare.replace(',', '.')} or {whole}"
    if _GROUPED.fullmatch(bare):
        return "is ambiguous: write it as in 1250.50 or 1,250.50"
    if _SCIENTIFIC.fullmatch(text):
        return "has an exponent that no amount has"
    if any(character.isdigit() and not character.isascii() for character in text):
        return "is not written in the digits 0 to 9"
    if _other_currency(text):
        return "is in a currency other than US dollars"
    return "is not an amount"


def _other_currency(text: str) -> bool:
    symbols = [character for character in text if unicodedata.category(character) == "Sc"]
    codes = _CURRENCY_CODE.findall(text) if any(map(str.isdigit, text)) else []
    return any(symbol != "$" for symbol in symbols) or any(code != "USD" for code in codes)


def _shown(text: str) -> str:
    """A value as a reason shows it: printable, and no longer than a glance."""
    text = text[: _SHOWN + 1]
    if not text.isprintable():
        text = ascii(text)[1:-1]
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"


def _written(number: Decimal, *, at_least: int) -> str:
    whole, _, decimals = f"{number or abs(number):.6f}".partition(".")
    decimals = decimals.rstrip("0").ljust(at_least, "0")
    return f"{whole}.{decimals}" if decimals else whole
