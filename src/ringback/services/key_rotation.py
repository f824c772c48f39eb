"""Sealing everything that is secret with another key."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import Connection

from ringback.domain.errors import Mistake
from ringback.sealing import Seal, SealError
from ringback.services.secret_key import FINGERPRINT
from ringback.store import installation, signing, vault
from ringback.store.signing import SigningSecret
from ringback.store.vault import Sealed


def rotate(tx: Connection, old: Seal, new: Seal) -> int:
    """Seal everything with another key; returns how many secrets that were.

    Raises:
        Mistake: the old key doesn't open one of them; nothing is to be committed then.
    """
    credentials, secrets = vault.list_everything(tx), signing.list_everything(tx)
    for each in credentials:
        sealed = _resealed(old, new, each, f"the credential {each.name}")
        vault.change(tx, replace(each, sealed=sealed, key_id=new.fingerprint))
    for secret in secrets:
        sealed = _resealed(old, new, secret, f"the signing secret of postback {secret.postback_id}")
        signing.reseal(tx, replace(secret, sealed=sealed, key_id=new.fingerprint))
    installation.put(tx, FINGERPRINT, new.fingerprint)
    return len(credentials) + len(secrets)


def _resealed(old: Seal, new: Seal, kept: Sealed | SigningSecret, words: str) -> bytes:
    try:
        return new.close(old.open(kept.sealed, kept.about), kept.about)
    except SealError as error:
        raise Mistake(f"{words} (account {kept.account_id}) can't be opened: make it anew or delete it") from error
