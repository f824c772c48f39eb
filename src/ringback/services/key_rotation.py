"""Sealing everything that is secret with another key."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import Connection

from ringback.sealing import Seal
from ringback.services.secret_key import FINGERPRINT
from ringback.store import installation, signing, vault


def rotate(tx: Connection, old: Seal, new: Seal) -> int:
    """Seal everything with another key; returns how many secrets that were."""
    credentials, secrets = vault.list_everything(tx), signing.list_everything(tx)
    for each in credentials:
        sealed = new.close(old.open(each.sealed, each.about), each.about)
        vault.change(tx, replace(each, sealed=sealed, key_id=new.fingerprint))
    for secret in secrets:
        sealed = new.close(old.open(secret.sealed, secret.about), secret.about)
        signing.reseal(tx, replace(secret, sealed=sealed, key_id=new.fingerprint))
    installation.put(tx, FINGERPRINT, new.fingerprint)
    return len(credentials) + len(secrets)
