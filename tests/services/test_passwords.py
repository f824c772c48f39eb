"""Passwords: which are good enough, and how they are kept."""

from __future__ import annotations

import subprocess
import sys

import pytest

from ringback.domain.errors import Refusal
from ringback.services import passwords
from ringback.store.accounts import User

BOB = User(2, "bob@bright.example", "Bob", verified=True)


@pytest.mark.parametrize(
    "password",
    ["correct horse", "1234567890x!", "          ", "пароль-подлиннее", "\u200bzero width", "x" * 200, "PASSWORD 123 "],
)
def test_any_long_one_is_taken_exactly_as_it_is(password: str) -> None:
    chosen = passwords.choose(password)
    chosen.check()
    assert passwords.prove((BOB, chosen.hash), password).user == BOB
    for other in (f"{password} ", password[:-1], password.swapcase()):
        if other != password:
            with pytest.raises(Refusal):
                passwords.prove((BOB, chosen.hash), other)


@pytest.mark.parametrize(
    ("password", "words"),
    [
        ("", "10 to 200 characters"),
        ("x" * 9, "10 to 200 characters"),
        ("x" * 201, "10 to 200 characters"),
        ("1234567890", "tried first"),
        ("Password123", "tried first"),
        ("QWERTYUIOP", "tried first"),
        ("# the 3,000", ""),
    ],
)
def test_what_is_short_or_common_is_not(password: str, words: str) -> None:
    chosen = passwords.choose(password)
    if words:
        with pytest.raises(Refusal, match=words):
            chosen.check()
        assert chosen.hash == ""
    else:
        chosen.check()


def test_they_are_kept_as_argon2id_with_a_salt_of_their_own() -> None:
    one, other = (passwords.choose("correct horse battery").hash for _ in range(2))
    assert one.startswith("$argon2id$")
    assert one != other


def test_the_program_keeps_them_as_rfc_9106_recommends_it() -> None:
    kept = "from ringback.services.passwords import choose; print(choose('correct horse battery').hash)"
    told = subprocess.run([sys.executable, "-c", kept], capture_output=True, text=True, check=True).stdout
    assert told.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
