"""Checking a postback before it is sent: the decision that its dry run would get, and nothing left behind."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from ipaddress import ip_network

from msgspec.structs import replace
from sqlalchemy import Connection

from ringback.domain.access import AccessToken, AccessType, Principal
from ringback.domain.bodies import BODY_LIMIT, read_fields
from ringback.domain.decisions import CallRef, RefKind, read_ref, unreadable
from ringback.domain.errors import Refusal
from ringback.domain.receipts import Arrived, Member, Outcome, Update
from ringback.domain.updates import Reading, read_patch
from ringback.services import updates
from ringback.store import accounts, memberships
from ringback.store.access import Account
from ringback.store.accounts import TokenRow


@dataclass(frozen=True, slots=True)
class Sender:
    """Whose postback is checked: a user's, with one of his tokens, or else with one of the type that is chosen."""

    user_id: int
    user: str
    token: TokenRow | None = field(default=None, repr=False)

    @property
    def name(self) -> str:
        """What tells it from the others of a form."""
        return f"token-{self.token.id}" if self.token else f"user-{self.user_id}"


@dataclass(frozen=True, slots=True)
class Check:
    """A postback to be checked. Without a ``call``, the step that looks at it is skipped."""

    sender: Sender
    access_type: AccessType
    call: str
    body: str
    ip: str = ""


def list_senders(tx: Connection, principal: Principal, *, limit: int = 200) -> list[Sender]:
    """Whose postbacks somebody may check: with tokens of his own; who runs the account, anybody's of the account."""
    rows = accounts.list_tokens(tx, user_id=principal.user_id)
    own = [Sender(row.user_id, row.user, row) for row in rows if row.revoked_at is None]
    if not principal.runs_account:
        return own
    people = memberships.list_people(tx, principal.account_id, limit=limit)
    return own + [Sender(person.user_id, person.email) for person in people]


def run(tx: Connection, account: Account, check: Check, *, now: datetime, new_id: str) -> Outcome:
    """The decision about a postback, as its dry run would get it; nothing is left of it."""
    sender, refusal, reading = check.sender, None, Reading()
    ref = read_ref(check.call, numbers=True) if check.call else CallRef(RefKind.UUID, new_id)
    try:
        reading = _read(check.body.encode(errors="replace"))
        reading = replace(reading, problems=(*unreadable(check.call, ref), *reading.problems))
    except Refusal as unread:
        refusal = unread
    update = Update(
        receipt_id=new_id,
        received_at=now,
        route="calls" if ref.kind is RefKind.NUMBER else "update_call",
        account=account.subdomain,
        sender=Member(account.id, sender.user_id, sender.token.id if sender.token else None, _token(account, check)),
        ref=ref,
        reading=reading,
        arrived=Arrived(ip=check.ip or _allowed_ip(sender)),
        refusal=refusal,
    )
    return updates.try_out(tx, update, now)


def _read(body: bytes) -> Reading:
    if len(body) > BODY_LIMIT:
        raise Refusal("too_large", limit=str(BODY_LIMIT // 1024))
    return read_patch(read_fields(b"", "application/json", body), keys={}, dry_run="true")


def _token(account: Account, check: Check) -> AccessToken:
    row = check.sender.token
    if row is None:
        return AccessToken("", account.id, check.access_type, b"")
    return AccessToken(
        id=row.id,
        home_account_id=row.account_id,
        access_type=row.access_type,
        digest=b"",
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
        networks=row.networks,
        accounts=frozenset(row.accounts),
    )


def _allowed_ip(sender: Sender) -> str:
    """Where no address is named, one from which the token may be used."""
    networks = sender.token.networks if sender.token else ()
    return str(ip_network(networks[0], strict=False).network_address) if networks else ""
