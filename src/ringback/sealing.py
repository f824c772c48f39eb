"""Secrets at rest: sealed with AES-GCM under the secret key of the install (ACCESS, "Secrets")."""

from __future__ import annotations

import binascii
from base64 import b64decode, b64encode
from dataclasses import dataclass, field
from hashlib import sha256

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ringback.entropy import random_bytes

KEY_BYTES = 32

_NONCE_BYTES = 12


class SealError(Exception):
    """A text that is no secret key, or a sealed secret that this key doesn't open; the message says which."""


@dataclass(frozen=True, slots=True)
class Seal:
    """The secret key of an install: closes secrets, and opens what it closed.

    Raises:
        SealError: the key doesn't have 32 bytes.
    """

    key: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.key) != KEY_BYTES:
            raise SealError(f"a secret key is {KEY_BYTES} random bytes as base64: openssl rand -base64 {KEY_BYTES}")

    @classmethod
    def make(cls) -> Seal:
        """A new one."""
        return cls(random_bytes(KEY_BYTES))

    @classmethod
    def read(cls, text: str) -> Seal:
        """The key that is written as base64, of either alphabet.

        Raises:
            SealError: it isn't one.
        """
        standard = text.strip().replace("-", "+").replace("_", "/").rstrip("=")
        try:
            return cls(b64decode(standard + "=" * (-len(standard) % 4), validate=True))
        except (binascii.Error, ValueError):
            return cls(b"")

    def write(self) -> str:
        """The key as base64."""
        return b64encode(self.key).decode()

    @property
    def fingerprint(self) -> str:
        """Tells this key from others without giving it away."""
        return sha256(b"ringback secret key\0" + self.key).hexdigest()[:16]

    def close(self, secret: str, about: str) -> bytes:
        """Seal a secret; ``about`` says what it belongs to, and has to be said again to open it."""
        nonce = random_bytes(_NONCE_BYTES)
        return nonce + AESGCM(self.key).encrypt(nonce, secret.encode(), about.encode())

    def open(self, sealed: bytes, about: str) -> str:
        """The secret that :meth:`close` sealed.

        Raises:
            SealError: it was sealed with another key, about something else, or was changed since.
        """
        try:
            return AESGCM(self.key).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], about.encode()).decode()
        except (InvalidTag, ValueError) as error:  # or too short to be sealed
            raise SealError("the secret was sealed with another key, or was changed") from error
