"""Accounts and their people, as the operator makes and finds them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Connection

from ringback.domain.access import Principal, Role
from ringback.domain.errors import Mistake
from ringback.domain.names import did_you_mean, read_email, read_name, read_subdomain, read_time_zone
from ringback.domain.receipts import Member
from ringback.store import access, accounts
from ringback.store.access import Account
from ringback.store.accounts import User


def find(tx: Connection, subdomain: str) -> Account:
    """The account of a subdomain.

    Raises:
        Mistake: there is none.
    """
    account = accounts.find_account(tx, subdomain)
    if account is None:
        near = did_you_mean(subdomain, (each.subdomain for each in accounts.list_accounts(tx)))
        raise Mistake(f"there is no account {subdomain}{near}")
    return account


def find_user(tx: Connection, email: str) -> User:
    """The user of an e-mail address.

    Raises:
        Mistake: there is none.
    """
    user = accounts.find_user(tx, email)
    if user is None:
        near = did_you_mean(email, (each.email for each in accounts.list_users(tx)))
        raise Mistake(f"there is no user {email}{near}")
    return user


def create(tx: Connection, subdomain: str, name: str, time_zone: str, owner: str, now: datetime) -> Account:
    """Make an account and its owner, who is made too if he isn't there.

    Raises:
        UnfitError: a name that can't be used.
        Mistake: the account is there.
    """
    subdomain = read_subdomain(subdomain)
    if accounts.find_account(tx, subdomain) is not None:
        raise Mistake(f"there is an account {subdomain} already")
    account_id = accounts.add_account(tx, subdomain, read_name(name), read_time_zone(time_zone), now)
    user = accounts.find_user(tx, owner) or create_user(tx, owner, "", now, verified=True)
    accounts.set_role(tx, account_id, user.id, Role.OWNER)
    return find(tx, subdomain)


def create_user(tx: Connection, email: str, name: str, now: datetime, *, verified: bool) -> User:
    """Make a user.

    Raises:
        UnfitError: a name or address that can't be used.
        Mistake: he is there.
    """
    email = read_email(email)
    if accounts.find_user(tx, email) is not None:
        raise Mistake(f"there is a user {email} already")
    accounts.add_user(tx, email, read_name(name) if name else "", now, verified=verified)
    return find_user(tx, email)


def set_role(tx: Connection, account: Account, user: User, role: Role) -> None:
    """Make a user owner, manager or member of an account.

    Raises:
        Mistake: it would be left without an owner.
    """
    roles = {**accounts.list_roles(tx, account.id), user.id: role}
    if Role.OWNER not in roles.values():
        raise Mistake(f"{user.email} is the last owner of {account.subdomain}; make somebody else owner first")
    accounts.set_role(tx, account.id, user.id, role)


def places_of(tx: Connection, user: User) -> Mapping[str, Principal]:
    """What a user is in each account where he is something, by subdomain."""
    found = {each.subdomain: access.find_member(tx, each.id, user.id).principal for each in accounts.list_accounts(tx)}
    return {subdomain: each for subdomain, each in found.items() if each is not None and (each.role or each.teams)}


def acting(tx: Connection, account: Account) -> Member:
    """In whose name the operator acts in an account: an owner, else a manager, the longest-standing first.

    Raises:
        Mistake: there is neither.
    """
    roles = accounts.list_roles(tx, account.id)
    for role in (Role.OWNER, Role.MANAGER):
        for user_id in sorted(user_id for user_id, held in roles.items() if held is role):
            return Member(account.id, user_id)
    raise Mistake(
        f"{account.subdomain} has no owner or manager to act for; "
        f"make one: ringback user role EMAIL --account {account.subdomain} --role owner"
    )
