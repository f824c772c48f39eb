"""Who is asking: callers of the reading API, and what they may do in an account."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from ringback.domain import access as rules
from ringback.domain.access import Principal
from ringback.domain.calls import Call
from ringback.domain.credentials import Credential
from ringback.domain.decisions import CallRef, shared_with
from ringback.domain.errors import Refusal
from ringback.domain.receipts import Member, Update
from ringback.store import access
from ringback.store.access import Account, Known

_UNAUTHORIZED = 401


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, and where: a subdomain, the credential that was read (or why it couldn't be), an address."""

    account: str
    credential: Credential | Refusal
    ip: str


def no_account(subdomain: str) -> Refusal:
    """That there is no such account, or that none was named."""
    return Refusal("account_not_found", subdomain=subdomain) if subdomain else Refusal("account_not_named")


def identify(tx: Connection, caller: Caller) -> tuple[Account, Principal]:
    """The account and the principal of a caller.

    Raises:
        Refusal: ``account_not_found``, ``account_not_named``, and what is wrong with the credential.
    """
    handle = caller.credential.handle if isinstance(caller.credential, Credential) else ""
    known = access.find_by_credential(tx, [(caller.account, handle)])[caller.account, handle]
    if known.account is None:
        raise no_account(caller.account)
    if isinstance(caller.credential, Refusal):
        raise caller.credential
    if caller.credential.scheme == "auth_token" and not known.account.reads_auth_token:
        raise Refusal("auth_token_off")
    if known.principal is None or not rules.is_his(caller.credential, known.principal):
        raise Refusal("unknown_credentials")
    return known.account, known.principal


def find_sender(tx: Connection, update: Update) -> Known:
    """Whom an update says it is from; whether that is proven is decided when it is applied."""
    sender = update.sender
    if isinstance(sender, Member):
        return access.find_member(tx, sender.account_id, sender.user_id)
    handle = sender.handle if isinstance(sender, Credential) else ""
    return access.find_by_credential(tx, [(update.account, handle)])[update.account, handle]


def check_credential(tx: Connection, caller: Caller, now: datetime) -> None:
    """Check that a caller's credential is good, whatever it may be used for.

    Raises:
        Refusal: as :func:`identify`; ``revoked``, ``expired``.
    """
    _, principal = identify(tx, caller)
    try:
        rules.check_token(principal, now=now, ip=caller.ip, writes=True)
    except Refusal as refusal:
        if refusal.code.status == _UNAUTHORIZED:
            raise


def check_reader(tx: Connection, caller: Caller, now: datetime) -> tuple[Account, Principal]:
    """The account and principal of a caller who may read there.

    Raises:
        Refusal: as :func:`identify`; what is wrong with the token; ``no_team``, ``api_access_off``.
    """
    account, principal = identify(tx, caller)
    rules.check_token(principal, now=now, ip=caller.ip, writes=False)
    rules.check_membership(principal)
    return account, principal


@dataclass(frozen=True, slots=True)
class Myself:
    """Who a caller is in an account, and what keeps him from updating calls there, if anything does."""

    account: Account
    principal: Principal
    obstacle: Refusal | None

    @property
    def is_stranger(self) -> bool:
        """Whether the account doesn't know him: no role there, no team."""
        return self.principal.role is None and not self.principal.teams

    def may_update(self, attribute: str) -> bool:
        """Whether he may update this attribute of some call."""
        if self.obstacle is not None:
            return False
        return self.principal.runs_account or bool(rules.granting(self.principal, attribute))

    @property
    def may_record(self) -> bool:
        """Whether he may record calls."""
        try:
            rules.as_recorder(self.principal)
        except Refusal:
            return False
        return self.obstacle is None


def who_am_i(tx: Connection, caller: Caller, now: datetime) -> Myself:
    """Who a caller is; to have no team there, or none with API access, is told rather than refused.

    Raises:
        Refusal: as :func:`identify`; what is wrong with the token where it may not even read.
    """
    account, principal = identify(tx, caller)
    rules.check_token(principal, now=now, ip=caller.ip, writes=False)
    obstacle = None
    try:
        rules.check_token(principal, now=now, ip=caller.ip, writes=True)
        rules.check_membership(principal)
    except Refusal as refusal:
        obstacle = refusal
    return Myself(account, principal, obstacle)


def see_call(principal: Principal, call: Call | None, ref: CallRef) -> tuple[Call, frozenset[str]]:
    """A call and the attributes of it that the principal may read.

    Raises:
        Refusal: ``call_not_found``; ``buyer_not_shared`` where the UUID can't have been guessed.
    """
    if call is None:
        raise Refusal("call_not_found", call=ref.value)
    return call, rules.readable(principal, shared_with(principal, call, ref))
