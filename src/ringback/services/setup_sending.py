"""What an apply file declares of sending: credentials and postbacks, made or changed where they differ."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from ringback.domain.declared_sending import DeclaredCredential, DeclaredPostback
from ringback.domain.errors import Refusal
from ringback.domain.names import did_you_mean, name_key
from ringback.domain.postbacks import BY_HOST, Definition, Owner, Postback
from ringback.domain.tomltext import Table
from ringback.domain.vault import Secret
from ringback.sealing import Seal
from ringback.services import postbacks as postback_service
from ringback.services import vault as vault_service
from ringback.services.audit import Actor
from ringback.services.postbacks import PostbackForm
from ringback.services.vault import CredentialForm
from ringback.store import partners, postbacks, signing, vault
from ringback.store.access import Account

FindSecret = Callable[[DeclaredCredential], str]
"""Reads the secret of a credential from where it was declared to be."""


@dataclass(slots=True)
class SetUpSending:
    """One account's credentials and postbacks, noting what it changes."""

    tx: Connection
    account: Account
    actor: Actor
    find_seal: Callable[[], Seal]
    find_secret: FindSecret
    told: list[str]

    def credential(self, wanted: DeclaredCredential) -> None:
        """Make or change a credential; its secret is compared, and sealed anew only if it is another."""
        seal, value = self.find_seal(), self.find_secret(wanted)
        form = CredentialForm(wanted.name, wanted.kind.value, wanted.host, value, wanted.header)
        title = f"credential {wanted.name} in {self.account.subdomain}"
        there = vault.find_by_name(self.tx, self.account.id, wanted.name)
        with _spoiled(wanted.source):
            if there is None:
                vault_service.create(self.tx, self.actor, seal, form)
                self.told.append(f"+ {title}")
                return
            kept = Secret.read(seal.open(there.sealed, there.about))
            if vault_service.read_form_secret(form) == kept:
                form = replace(form, value="") if (form.host, form.kind) == (there.host, there.kind.value) else form
            if vault_service.change(self.tx, self.actor, seal, there, form):
                self.told.append(f"~ {title}: {'changed' if form.value else 'renamed'}")

    def postback(self, wanted: DeclaredPostback) -> None:
        """Make or change a postback."""
        definition = wanted.definition
        if wanted.credential not in {"", BY_HOST}:
            definition = replace(definition, credential=self._credential_number(wanted))
        form = PostbackForm(
            wanted.name, wanted.trigger.value, definition, wanted.owner.value, self._owner_number(wanted)
        )
        title = f"postback {wanted.name} in {self.account.subdomain}"
        there: Postback | None = postbacks.find_by_name(self.tx, self.account.id, wanted.name)
        with _spoiled(wanted.source):
            if there is None:
                made = postback_service.create(self.tx, self.actor, form)
                self.told.append(f"+ {title}{self._wanting(made.id, definition)}")
            elif postback_service.change(self.tx, self.actor, there, form):
                self.told.append(f"~ {title}: changed{self._wanting(there.id, definition)}")

    def _wanting(self, number: int, definition: Definition) -> str:
        """What a postback still wants: a signing secret is shown once, to a person who passes it on."""
        valid = signing.list_valid(self.tx, [self.account.id], self.actor.now) if definition.signed else ()
        if not definition.signed or any(each.postback_id == number for each in valid):
            return ""
        return "; make its signing secret on its page, nothing is sent until then"

    def _credential_number(self, wanted: DeclaredPostback) -> str:
        found = vault.find_by_name(self.tx, self.account.id, wanted.credential)
        if found is None:
            names = [each.name for each in vault.list_credentials(self.tx, [self.account.id])]
            near = did_you_mean(wanted.credential, [*names, BY_HOST])
            raise wanted.source.refuse("credential", f"there is no credential {wanted.credential}{near}")
        return str(found.id)

    def _owner_number(self, wanted: DeclaredPostback) -> int | None:
        if wanted.owner is Owner.ACCOUNT:
            return None
        rows = {row["name_key"]: row for row in partners.list_partners(self.tx, self.account.id, wanted.owner.value)}
        row = rows.get(name_key(wanted.owner_name))
        if row is None:
            near = did_you_mean(wanted.owner_name, (each["name"] for each in rows.values()))
            noun = wanted.owner.value.replace("_", " ")
            reason = f"{self.account.subdomain} has no {noun} {wanted.owner_name}{near}"
            raise wanted.source.refuse(wanted.owner.value, reason)
        return int(row["id"])


@contextmanager
def _spoiled(source: Table) -> Iterator[None]:
    """Turn what a use case refuses into the refusal of the place in the file."""
    try:
        yield
    except Refusal as refusal:
        problem = refusal.problems[0]
        raise source.refuse(problem.field, problem.message.removesuffix(".")) from refusal
