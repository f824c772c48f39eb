"""Passwords: hashed and compared with Argon2id, which takes long on purpose, so that no transaction waits for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from threading import BoundedSemaphore

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from ringback.domain.errors import Problem, Refusal
from ringback.store.accounts import User

SHORTEST = 10
LONGEST = 200

AT_ONCE = 4
"""How many passwords are looked at in the same moment: each takes a core, and 64 MiB of memory."""

_turns = BoundedSemaphore(AT_ONCE)
_hasher = PasswordHasher()


@cache
def _nobodys() -> str:
    """What a password is compared with where there is no user, so that this takes as long; made when first needed."""
    return _hasher.hash("no user has this password")


@dataclass(frozen=True, slots=True)
class Chosen:
    """A password that somebody chose: its hash, or what is wrong with it."""

    hash: str = field(default="", repr=False)
    problems: Sequence[Problem] = ()

    def check(self) -> None:
        """Go on only if nothing is wrong with it.

        Raises:
            Refusal: ``invalid_value``.
        """
        if self.problems:
            raise Refusal("invalid_value", problems=self.problems)


@dataclass(frozen=True, slots=True)
class Proof:
    """That somebody knows the password of a user, as it was kept when it was looked at.

    ``renewed`` is a new hash of it, if it was kept in an older way.
    """

    user: User
    hash: str = field(repr=False)
    renewed: str | None = field(default=None, repr=False)


def problems(password: str) -> list[Problem]:
    """What is wrong with a new password (NIST SP 800-63B: length counts, composition rules don't)."""
    if not SHORTEST <= len(password) <= LONGEST:
        reason = f"A password has {SHORTEST} to {LONGEST} characters"
    elif password.casefold() in _common():
        reason = "This password is one of those that are tried first; choose another"
    else:
        return []
    return [Problem("password", "invalid_value", {"reason": reason})]


def choose(password: str) -> Chosen:
    """A new password, hashed unless something is wrong with it."""
    found = problems(password)
    return Chosen(problems=found) if found else Chosen(_hash(password))


def prove(found: tuple[User, str | None] | None, password: str) -> Proof:
    """The proof that a password is that of a user who was found, or not, with its hash.

    It takes as long for an unknown user as for a wrong password.

    Raises:
        Refusal: ``wrong_password``.
    """
    nobodys = _nobodys()  # in any case, so that the first time tells nothing either
    hashed = found[1] if found and found[1] else nobodys
    try:
        with _turns:
            _hasher.verify(hashed, password)
    except (VerificationError, InvalidHashError) as error:
        raise Refusal("wrong_password") from error
    if found is None or found[1] is None:
        raise Refusal("wrong_password")
    return Proof(found[0], hashed, _hash(password) if _hasher.check_needs_rehash(hashed) else None)


@cache
def _common() -> frozenset[str]:
    """The passwords that are tried first."""
    lines = Path(__file__).with_name("common_passwords.txt").read_text(encoding="utf-8").splitlines()
    return frozenset(line for line in lines if not line.startswith("#"))


def _hash(password: str) -> str:
    with _turns:
        return _hasher.hash(password)
