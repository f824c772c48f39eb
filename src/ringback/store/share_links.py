"""Links that show a buyer's posting instructions to whoever has them; there are only those that work."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, and_, delete, func, insert, select

from ringback.store.schema import accounts, buyers, share_links, users
from ringback.store.values import from_moment, to_moment


@dataclass(frozen=True, slots=True)
class ShareLink:
    """A link as the list of a buyer's links shows it; ``user`` is the e-mail address of who made it."""

    id: str
    user: str
    created_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Shared:
    """What a link opens: all that its reader is told of the account and the buyer."""

    subdomain: str
    account: str
    buyer: str
    expires_at: datetime


def add(
    connection: Connection,
    account_id: int,
    link_id: str,
    *,
    buyer_id: int,
    digest: bytes,
    user_id: int,
    now: datetime,
    expires_at: datetime,
) -> None:
    """Keep a link under the digest of its secret."""
    connection.execute(
        insert(share_links).values(
            account_id=account_id,
            id=link_id,
            buyer_id=buyer_id,
            digest=digest,
            user_id=user_id,
            created_at=to_moment(now),
            expires_at=to_moment(expires_at),
        )
    )


def find(connection: Connection, digest: bytes, now: datetime) -> Shared | None:
    """What a link opens, if it works."""
    buyer = and_(buyers.c.account_id == share_links.c.account_id, buyers.c.id == share_links.c.buyer_id)
    statement = (
        select(accounts.c.subdomain, accounts.c.name, buyers.c.name, share_links.c.expires_at)
        .select_from(share_links)
        .join(accounts, accounts.c.id == share_links.c.account_id)
        .join(buyers, buyer)
        .where(share_links.c.digest == digest, share_links.c.expires_at > to_moment(now))
    )
    row = connection.execute(statement).one_or_none()
    return None if row is None else Shared(row[0], row[1], row[2], from_moment(row[3]))


def list_of_buyer(connection: Connection, account_id: int, buyer_id: int, now: datetime) -> list[ShareLink]:
    """The links of a buyer that work, the newest first."""
    statement = (
        select(share_links.c.id, users.c.email, share_links.c.created_at, share_links.c.expires_at)
        .join(users, users.c.id == share_links.c.user_id)
        .where(
            share_links.c.account_id == account_id,
            share_links.c.buyer_id == buyer_id,
            share_links.c.expires_at > to_moment(now),
        )
        .order_by(share_links.c.id.desc())
    )
    return [
        ShareLink(link_id, email, from_moment(created_at), from_moment(expires_at))
        for link_id, email, created_at, expires_at in connection.execute(statement)
    ]


def count_of_buyer(connection: Connection, account_id: int, buyer_id: int, now: datetime) -> int:
    """How many links of a buyer work."""
    statement = select(func.count()).where(
        share_links.c.account_id == account_id,
        share_links.c.buyer_id == buyer_id,
        share_links.c.expires_at > to_moment(now),
    )
    return connection.execute(statement).scalar_one()


def remove(connection: Connection, account_id: int, buyer_id: int, link_id: str) -> bool:
    """End a link of a buyer; false if it was gone already."""
    mine = (share_links.c.account_id == account_id, share_links.c.buyer_id == buyer_id, share_links.c.id == link_id)
    return connection.execute(delete(share_links).where(*mine)).rowcount == 1


def forget(connection: Connection, now: datetime) -> int:
    """Forget links whose time is over; returns how many those were."""
    return connection.execute(delete(share_links).where(share_links.c.expires_at <= to_moment(now))).rowcount
