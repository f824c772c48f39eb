"""Credentials of an account for the hosts that it sends to, as owners keep them. A secret goes in, and never out."""

from __future__ import annotations

from dataclasses import dataclass, replace

from sqlalchemy import Connection

from ringback.domain.hosts import HostPattern, UrlError
from ringback.domain.names import UnfitError, read_name
from ringback.domain.postbacks import BY_HOST
from ringback.domain.vault import Kind, Secret, read_secret
from ringback.sealing import Seal
from ringback.services import audit
from ringback.services.audit import Actor
from ringback.services.fields import Fields, read_field
from ringback.services.public_suffixes import is_public_suffix
from ringback.store import accounts, vault
from ringback.store.vault import Sealed, about


@dataclass(frozen=True, slots=True)
class CredentialForm:
    """A credential as typed; ``header`` names the header of one of the kind header."""

    name: str
    kind: str
    host: str
    value: str = ""
    header: str = ""


def create(tx: Connection, actor: Actor, seal: Seal, form: CredentialForm) -> int:
    """Keep a credential; returns its number.

    Raises:
        Refusal: ``invalid_value`` with a problem for each field.
    """
    accounts.lock_settings(tx, actor.account_id)
    made = _read(tx, actor, seal, form, None)
    vault.add(tx, made)
    audit.note(tx, actor, "credential.made", f"credential {made.name}", _shown(made))
    return made.id


def change(tx: Connection, actor: Actor, seal: Seal, before: Sealed, form: CredentialForm) -> bool:
    """Change a credential; false if it was so already. Without a value the secret stays, unless its host changes.

    Raises:
        Refusal: ``invalid_value`` with a problem for each field.
    """
    accounts.lock_settings(tx, actor.account_id)
    made = _read(tx, actor, seal, form, before)
    if made == replace(before, updated_at=made.updated_at):
        return False
    vault.change(tx, made)
    told = {**_shown(made), "secret": "replaced"} if made.sealed != before.sealed else _shown(made)
    return audit.note_change(tx, actor, "credential.changed", f"credential {before.name}", _shown(before), told)


def remove(tx: Connection, actor: Actor, credential: Sealed) -> None:
    """Forget a credential; postbacks that name it hold their deliveries from now on."""
    vault.remove(tx, actor.account_id, credential.id)
    audit.note(tx, actor, "credential.removed", f"credential {credential.name}", _shown(credential))


def find_for(tx: Connection, account_id: int, wanted: str, host: str) -> Sealed | None:
    """The credential that a delivery to a host gets: the one that is wanted, or by host the one bound most closely."""
    patterns = [(HostPattern.parse(each.host), each) for each in vault.list_credentials(tx, [account_id])]
    fit = [each for each in patterns if each[0].matches(host) and wanted in {BY_HOST, str(each[1].id)}]
    return max(fit, key=lambda each: each[0].rank, default=(None, None))[1]


def read_form_secret(form: CredentialForm) -> Secret:
    """The secret that a form has.

    Raises:
        Refusal: ``invalid_value``.
    """
    return read_field("value", lambda text: read_secret(Kind(form.kind), text, name=form.header), form.value)


def _read(tx: Connection, actor: Actor, seal: Seal, form: CredentialForm, before: Sealed | None) -> Sealed:
    fields = Fields()
    name = fields.read("name", read_name, form.name)
    if name is not None:
        there = vault.find_by_name(tx, actor.account_id, name)
        if there is not None and (before is None or there.id != before.id):
            fields.refuse("name", "There is a credential of this name already")
    host = fields.read("host", _read_host, form.host)
    kind = fields.read("kind", _read_kind, form.kind)
    keeps = before is not None and not form.value.strip()
    secret = None
    if before is not None and keeps and (host != before.host or kind is not before.kind):
        fields.refuse("value", "The secret is bound to its host and kind; to change these, give it again")
    elif not keeps and kind is not None:
        secret = fields.read("value", lambda text: read_secret(kind, text, name=form.header), form.value)
    fields.check()
    assert name is not None  # noqa: S101 - checked above
    assert host is not None  # noqa: S101 - the same
    assert kind is not None  # noqa: S101 - the same
    number = before.id if before else vault.new_number(tx, actor.account_id)
    if before is not None and secret is None:
        return replace(before, name=name, updated_at=actor.now)
    assert secret is not None  # noqa: S101 - checked above
    return Sealed(
        account_id=actor.account_id,
        id=number,
        name=name,
        kind=kind,
        host=host,
        sealed=seal.close(secret.keep(), about(actor.account_id, number, host)),
        key_id=seal.fingerprint,
        created_at=before.created_at if before else actor.now,
        updated_at=actor.now,
    )


def _read_kind(text: str) -> Kind:
    try:
        return Kind(text)
    except ValueError:
        raise UnfitError(f"choose one of {', '.join(Kind)}") from None


def _read_host(text: str) -> str:
    try:
        pattern = HostPattern.parse(text.strip().lower())
    except UrlError as error:
        raise UnfitError(f"{error}") from error
    if pattern.below and is_public_suffix(pattern.name):
        raise UnfitError(f"anybody can have a name below {pattern.name}; name a domain, such as *.example.com")
    return str(pattern)


def _shown(credential: Sealed) -> dict[str, object]:
    return {"name": credential.name, "kind": credential.kind.value, "host": credential.host}
