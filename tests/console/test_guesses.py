"""Wrong passwords are slowed, by sender and by user."""

from __future__ import annotations

import pytest

from ringback.console.guesses import MINUTES, MOST_FOR_A_USER, Guesses
from ringback.domain.errors import Refusal


class Door:
    """A door with guesses counted, and a clock in the test's hand."""

    def __init__(self, limit: int = 1000) -> None:
        self.seconds = 0.0
        self.guesses = Guesses(limit, lambda: self.seconds)

    def knock(self, *, right: bool, ip: str = "203.0.113.1", email: str = "bob@bright.example") -> str:
        """What becomes of a password: ``in``, ``wrong_password`` or ``too_many_passwords``."""
        try:
            with self.guesses.one(ip, email):
                look(right=right)
        except Refusal as refusal:
            return refusal.code.name
        return "in"


def look(*, right: bool) -> None:
    """Look at a password."""
    if not right:
        raise Refusal("wrong_password")


def test_a_user_is_guessed_at_so_often_from_wherever_it_comes() -> None:
    door = Door()
    for number in range(MOST_FOR_A_USER):
        assert door.knock(right=False, ip=f"203.0.113.{number}", email=" BOB@Bright.example") == "wrong_password"
    assert door.knock(right=True) == "too_many_passwords"
    assert door.knock(right=True, email="ada@acme.example") == "in"
    door.seconds = MINUTES * 60
    assert door.knock(right=True) == "in"


@pytest.mark.parametrize(
    ("first", "second", "is_one"),
    [
        ("203.0.113.1", "203.0.113.1", True),
        ("203.0.113.1", "203.0.113.2", False),
        ("2001:db8:0:1::1", "2001:db8:0:1:ffff::2", True),
        ("2001:db8:0:1::1", "2001:db8:0:2::1", False),
        ("::ffff:203.0.113.1", "::ffff:203.0.113.2", False),
        ("", "", True),
    ],
)
def test_a_sender_guesses_so_often_at_whomever(first: str, second: str, is_one: bool) -> None:  # noqa: FBT001
    door = Door(limit=3)
    for number in range(3):
        assert door.knock(right=False, ip=first, email=f"{number}@x.example") == "wrong_password"
    assert door.knock(right=True, ip=second) == ("too_many_passwords" if is_one else "in")
    door.seconds = 60
    assert door.knock(right=True, ip=second) == "in"


def test_right_ones_are_not_counted() -> None:
    door = Door(limit=3)
    assert {door.knock(right=True) for _ in range(100)} == {"in"}


@pytest.mark.parametrize(("limit", "wait", "seconds"), [(1, "a minute", "60"), (1000, "15 minutes", "900")])
def test_how_long_to_wait_is_told(limit: int, wait: str, seconds: str) -> None:
    door = Door(limit)
    for _ in range(MOST_FOR_A_USER if limit > 1 else limit):
        door.knock(right=False)
    with (
        pytest.raises(Refusal, match=f"Wait {wait}, then try again") as caught,
        door.guesses.one("203.0.113.1", "bob@bright.example"),
    ):
        pytest.fail("it was looked at")
    assert caught.value.details["seconds"] == seconds
