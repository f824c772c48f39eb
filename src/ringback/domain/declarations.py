"""The apply file: companies and people as they are declared (SETUP, "apply file").

What isn't named stays None, and is left as it is; a list that is named is the whole list.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeAlias

from ringback.domain import declared_keys as keys
from ringback.domain.callers import read_offer_token
from ringback.domain.declared_sending import (
    DeclaredCredential,
    DeclaredPostback,
    read_credential,
    read_postback,
)
from ringback.domain.money import Payout, parse_amount, parse_payout
from ringback.domain.names import name_key, read_email, read_name, read_subdomain, read_time_zone
from ringback.domain.rights import read_attribute
from ringback.domain.tomltext import Table, read_document

EVERY_BUYER = "every"
"""What stands in place of a list of buyers."""


@dataclass(frozen=True, slots=True)
class DeclaredUser:
    """A person."""

    source: Table
    email: str
    name: str | None
    verified: bool | None


@dataclass(frozen=True, slots=True)
class DeclaredOffer:
    """An offer, what it pays, and the token by which updates name it."""

    source: Table
    name: str
    payout: Payout | None
    token: str | None = None


@dataclass(frozen=True, slots=True)
class DeclaredBuyer:
    """A buyer, and the revenue agreed with him."""

    source: Table
    name: str
    revenue: Decimal | None


@dataclass(frozen=True, slots=True)
class DeclaredSource:
    """A traffic source."""

    source: Table
    name: str


@dataclass(frozen=True, slots=True)
class DeclaredTeam:
    """A team; ``update`` and ``read`` are names of attributes."""

    source: Table
    name: str
    users: Sequence[str] | None
    buyers: Sequence[str] | None
    every_buyer: bool | None
    developer_api: bool | None
    records_calls: bool | None
    update: Sequence[str] | None
    read: Sequence[str] | None


Named: TypeAlias = (
    "DeclaredOffer | DeclaredSource | DeclaredBuyer | DeclaredTeam | DeclaredCredential | DeclaredPostback"
)
"""What has a name of its own in an account."""


@dataclass(frozen=True, slots=True)
class DeclaredAccount:
    """A company with what belongs to it."""

    source: Table
    subdomain: str
    name: str | None
    time_zone: str | None
    reads_auth_token: bool | None
    keeps_unknown_fields: bool | None
    owners: Sequence[str] | None
    managers: Sequence[str] | None
    offers: Sequence[DeclaredOffer]
    traffic_sources: Sequence[DeclaredSource]
    buyers: Sequence[DeclaredBuyer]
    teams: Sequence[DeclaredTeam]
    credentials: Sequence[DeclaredCredential] = ()
    postbacks: Sequence[DeclaredPostback] = ()

    @property
    def lists(self) -> tuple[Sequence[Named], ...]:
        """Its lists of what has a name, each of which names everything once."""
        return self.offers, self.traffic_sources, self.buyers, self.teams, self.credentials, self.postbacks


@dataclass(frozen=True, slots=True)
class Declarations:
    """Everything that a file declares."""

    users: Sequence[DeclaredUser]
    accounts: Sequence[DeclaredAccount]

    @property
    def owners(self) -> frozenset[str]:
        """Who is declared an owner of some account, by the key of his address."""
        return frozenset(name_key(email) for account in self.accounts for email in account.owners or ())


def read_declarations(text: str) -> Declarations:
    """Read an apply file.

    Raises:
        SpoiledError: at the first thing that can't be taken, with its line.
    """
    document = read_document(text)
    document.only(*(name for name in keys.TABLES if "." not in name))
    users = [_user(table) for table in document.tables("users")]
    accounts = [_account(table) for table in document.tables("accounts")]
    _distinct("email", ((user.source, user.email) for user in users))
    _distinct("subdomain", ((account.source, account.subdomain) for account in accounts))
    return Declarations(users, accounts)


def _user(table: Table) -> DeclaredUser:
    table.only(*keys.names(keys.USER))
    return DeclaredUser(
        source=table,
        email=table.required("email", read_email, "a user"),
        name=table.name("name", read_name),
        verified=table.flag("verified"),
    )


def _account(table: Table) -> DeclaredAccount:
    table.only(*keys.names(keys.ACCOUNT))
    account = DeclaredAccount(
        source=table,
        subdomain=table.required("subdomain", read_subdomain, "an account"),
        name=table.name("name", read_name),
        time_zone=table.name("time_zone", read_time_zone),
        reads_auth_token=table.flag("reads_auth_token"),
        keeps_unknown_fields=table.flag("keeps_unknown_fields"),
        owners=table.names("owners", read_email),
        managers=table.names("managers", read_email),
        offers=[_offer(each) for each in table.tables("offers")],
        traffic_sources=[_source(each) for each in table.tables("traffic_sources")],
        buyers=[_buyer(each) for each in table.tables("buyers")],
        teams=[_team(each) for each in table.tables("teams")],
        credentials=[read_credential(each) for each in table.tables("credentials")],
        postbacks=[read_postback(each) for each in table.tables("postbacks")],
    )
    for named in account.lists:
        _distinct("name", ((each.source, each.name) for each in named))
    _check_roles(account)
    return account


def _check_roles(account: DeclaredAccount) -> None:
    if account.owners is not None and not account.owners:
        raise account.source.refuse("owners", "an account needs at least one owner")
    owners = {name_key(email) for email in account.owners or ()}
    for email in account.managers or ():
        if name_key(email) in owners:
            raise account.source.refuse("managers", f"{email} is an owner already", email)


def _offer(table: Table) -> DeclaredOffer:
    table.only(*keys.names(keys.OFFER))
    return DeclaredOffer(
        table,
        table.required("name", read_name, "an offer"),
        table.amount("payout", parse_payout),
        table.name("token", read_offer_token),
    )


def _source(table: Table) -> DeclaredSource:
    table.only(*keys.names(keys.TRAFFIC_SOURCE))
    return DeclaredSource(table, table.required("name", read_name, "a traffic source"))


def _buyer(table: Table) -> DeclaredBuyer:
    table.only(*keys.names(keys.BUYER))
    return DeclaredBuyer(table, table.required("name", read_name, "a buyer"), table.amount("revenue", parse_amount))


def _team(table: Table) -> DeclaredTeam:
    table.only(*keys.names(keys.TEAM))
    every_buyer = table.values.get("buyers") == EVERY_BUYER
    return DeclaredTeam(
        source=table,
        name=table.required("name", read_name, "a team"),
        users=table.names("users", read_email),
        buyers=None if every_buyer else table.names("buyers", read_name),
        every_buyer=every_buyer or (False if "buyers" in table.values else None),
        developer_api=table.flag("developer_api"),
        records_calls=table.flag("record_calls"),
        update=table.names("update", _attribute_name),
        read=table.names("read", _attribute_name),
    )


def _attribute_name(text: str) -> str:
    return read_attribute(text).name


def _distinct(key: str, declared: Iterable[tuple[Table, str]]) -> None:
    seen: set[str] = set()
    for table, name in declared:
        if name_key(name) in seen:
            raise table.refuse(key, f"{name} is declared twice")
        seen.add(name_key(name))
