"""Access tokens of others, blocked in an account by its owner: only their users can revoke them."""

from __future__ import annotations

from sqlalchemy import Connection

from ringback.domain.errors import Refusal
from ringback.services import audit
from ringback.services.audit import Actor
from ringback.store import accounts, blocked_tokens
from ringback.store.blocked_tokens import SeenToken


def block(tx: Connection, actor: Actor, token_id: str) -> SeenToken:
    """Have every request with a token refused in this account from now on; elsewhere it goes on working.

    Raises:
        Refusal: ``not_found``: there is none that may be blocked here.
    """
    token = _find(tx, actor, token_id)
    if token.blocked_at is None:
        blocked_tokens.block(tx, actor.account_id, token.id, actor.principal.user_id, actor.now)
        audit.note(tx, actor, "token.blocked", _subject(token))
    return token


def unblock(tx: Connection, actor: Actor, token_id: str) -> SeenToken:
    """Let a token count here again.

    Raises:
        Refusal: as :func:`block`.
    """
    token = _find(tx, actor, token_id)
    if token.blocked_at is not None:
        blocked_tokens.unblock(tx, actor.account_id, token.id)
        audit.note(tx, actor, "token.unblocked", _subject(token))
    return token


def _find(tx: Connection, actor: Actor, token_id: str) -> SeenToken:
    accounts.lock_settings(tx, actor.account_id)
    token = blocked_tokens.find(tx, actor.account_id, token_id)
    if token is None:
        raise Refusal("not_found", path=f"/settings/tokens/{token_id}")
    return token


def _subject(token: SeenToken) -> str:
    return f"access token of {token.user}: {token.key}"
