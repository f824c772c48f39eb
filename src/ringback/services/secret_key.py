"""The secret key of the install: found or made, and never a wrong one (ACCESS, "Secrets")."""

from __future__ import annotations

import os
from pathlib import Path

from sqlalchemy import Connection

from ringback.domain.errors import Mistake
from ringback.sealing import Seal, SealError
from ringback.store import installation, signing, vault
from ringback.store.engine import Database
from ringback.store.signing import SigningSecret
from ringback.store.vault import Sealed

FINGERPRINT = "secret_key"
"""What the fingerprint of the key is kept under."""


ROTATED = ".key.new"
"""What the file of a new key is called until everything is sealed with it."""


class SecretKey:
    """The secret key of the install, looked for when it is first wanted: the database may be away until then.

    Args:
        database: where its fingerprint is.
        given: the key as it was set, or nothing.
        file: where a key may be kept that is not set.
    """

    def __init__(self, database: Database, given: str, file: Path | None) -> None:
        self._database = database
        self._given = given
        self._file = file
        self._seal: Seal | None = None

    def find(self) -> Seal:
        """The key.

        Raises:
            Mistake: as :func:`find_key`.
            StoreError: the database did not do what it was asked.
        """
        if self._seal is None:
            with self._database.write() as tx:
                self._seal = find_key(tx, self._given, self._file)
        return self._seal


def find_key(tx: Connection, given: str, file: Path | None) -> Seal:
    """The key of this install. The first time, its fingerprint is noted; on SQLite a key is made then.

    Args:
        tx: a transaction that may write.
        given: the key as it was set, or nothing.
        file: where a key may be kept that is not set; None on PostgreSQL, where each process needs the same.

    Raises:
        Mistake: no key, one that can't be read, or another one than this database was used with.
    """
    known = installation.find(tx, FINGERPRINT)
    seal = _read_key(given, file, known)
    if known is None:
        installation.put(tx, FINGERPRINT, seal.fingerprint)
    return seal


def check_key(tx: Connection, given: str, file: Path | None) -> int:
    """Look whether the key opens every secret, and return how many there are; nothing is noted, no key made.

    Raises:
        Mistake: as :func:`find_key`, or the key doesn't open one of them.
    """
    known = installation.find(tx, FINGERPRINT)
    if known is None and not given and file is not None and not file.exists():
        return 0  # the first server makes one
    seal = _read_key(given, file, known)
    secrets: list[Sealed | SigningSecret] = [*vault.list_everything(tx), *signing.list_everything(tx)]
    spoiled = sum(not _opens(seal, each) for each in secrets)
    if spoiled:
        raise Mistake(
            f"the secret key doesn't open {spoiled} of {len(secrets)} secrets: make those anew or delete them"
        )
    return len(secrets)


def _opens(seal: Seal, kept: Sealed | SigningSecret) -> bool:
    try:
        seal.open(kept.sealed, kept.about)
    except SealError:
        return False
    return True


def _read_key(given: str, file: Path | None, known: str | None) -> Seal:
    """The key as it is set or kept, made sure to be the known one."""
    where = "RINGBACK_SECRET_KEY" if given else str(file)
    try:
        seal = Seal.read(given) if given else _from_file(file, known)
    except SealError as error:
        raise Mistake(f"{where}: {error}") from error
    if known not in (None, seal.fingerprint):
        raise Mistake(
            f"the secret key in {where} is not the one that this database was used with; put that one back "
            "(what is sealed with it can't be opened otherwise)"
        )
    return seal


def write_key(file: Path, seal: Seal) -> None:
    """Write a key into a new file that only its owner reads.

    Raises:
        Mistake: there is such a file, or it can't be written.
    """
    try:
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise Mistake(f"{file} can't be made: {error.strerror}") from error
    with os.fdopen(handle, "w", encoding="ascii") as stream:
        stream.write(seal.write() + "\n")
        stream.flush()
        os.fsync(stream.fileno())


def _from_file(file: Path | None, known: str | None) -> Seal:
    if file is None:
        raise Mistake(
            "set RINGBACK_SECRET_KEY (or RINGBACK_SECRET_KEY_FILE): 32 random bytes as base64, the same for every "
            "process on this database; make them with: openssl rand -base64 32"
        )
    rotated = file.with_suffix(ROTATED)
    if known is not None and rotated.exists() and _read(rotated).fingerprint == known:
        rotated.replace(file)  # a rotation was cut off between the database and the file
    if file.exists():
        return _read(file)
    if known is not None:
        raise Mistake(f"the secret key {file} is gone, and the database has secrets that only it opens; put it back")
    seal = Seal.make()
    write_key(file, seal)
    return seal


def _read(file: Path) -> Seal:
    return Seal.read(file.read_text(encoding="ascii", errors="replace"))
