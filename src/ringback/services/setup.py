"""The apply file, carried out: what is declared is made or changed, the rest stays; twice is the same as once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection

from ringback.domain.access import Principal, Role
from ringback.domain.declarations import Declarations, DeclaredAccount, DeclaredTeam, DeclaredUser
from ringback.domain.money import format_amount, from_micros, to_micros
from ringback.domain.names import did_you_mean, name_key
from ringback.domain.rights import declared
from ringback.sealing import Seal
from ringback.services import teams as team_service
from ringback.services.audit import Actor
from ringback.services.setup_sending import FindSecret, SetUpSending
from ringback.services.teams import TeamForm
from ringback.store import accounts, partners, teams
from ringback.store.access import Account
from ringback.store.accounts import User
from ringback.store.teams import TeamRow

NewId = Callable[[], str]
"""Makes the UUID of a partner."""


def apply(
    tx: Connection,
    declarations: Declarations,
    *,
    now: datetime,
    new_id: NewId,
    dry_run: bool = False,
    find_seal: Callable[[], Seal] | None = None,
    find_secret: FindSecret | None = None,
) -> list[str]:
    """Carry out what a file declares; a dry run undoes it again. Credentials need both, the seal and their secrets.

    Returns:
        What was made (``+``) and changed (``~``), a line each; none if everything was so already.

    Raises:
        SpoiledError: something that is referred to isn't there, or a new account lacks what it needs.
    """
    setup = _Setup(tx, declarations.owners, now, new_id, find_seal, find_secret)
    savepoint = tx.begin_nested()
    for user in declarations.users:
        setup.user(user)
    for account in declarations.accounts:
        setup.account(account)
    if dry_run:
        savepoint.rollback()
    else:
        savepoint.commit()
    return setup.told


@dataclass(slots=True)
class _Setup:
    """One pass over a file, noting what it changes. Who owns a declared account is taken for verified."""

    tx: Connection
    owners: frozenset[str]
    now: datetime
    new_id: NewId
    find_seal: Callable[[], Seal] | None
    find_secret: FindSecret | None
    told: list[str] = field(default_factory=list)

    def user(self, wanted: DeclaredUser) -> None:
        """Make or change a person."""
        user = self._person(wanted.email, wanted.name or "", verified=bool(wanted.verified))
        changes: dict[str, Any] = {}
        if wanted.name is not None and wanted.name != user.name:
            changes["name"] = wanted.name
        if wanted.verified is not None and wanted.verified != user.verified and not self._is_owner(user.email):
            changes["verified"] = wanted.verified
        if changes:
            accounts.change_user(self.tx, user.id, **changes)
            self._change(f"user {user.email}", _worded(changes))

    def account(self, wanted: DeclaredAccount) -> None:
        """Make or change a company with everything in it."""
        account = accounts.find_account(self.tx, wanted.subdomain) or self._new_account(wanted)
        columns = ("name", "time_zone", "reads_auth_token", "keeps_unknown_fields")
        changes = _changes(wanted, account, columns)
        if changes:
            accounts.change_account(self.tx, account.id, **changes)
            self._change(f"account {account.subdomain}", _worded(changes))
        self._roles(account, wanted)
        self._check_tokens(account, wanted)
        offers = {each.name: {"payout": each.payout, "token": each.token} for each in wanted.offers}
        self._partners(account, "offer", offers)
        self._partners(account, "traffic_source", {each.name: {} for each in wanted.traffic_sources})
        self._partners(account, "buyer", {each.name: {"agreed_revenue": each.revenue} for each in wanted.buyers})
        for team in wanted.teams:
            self._team(account, team)
        if wanted.credentials or wanted.postbacks:
            self._sending(account, wanted)

    def _sending(self, account: Account, wanted: DeclaredAccount) -> None:
        roles = accounts.list_roles(self.tx, account.id)
        owner = min(user_id for user_id, role in roles.items() if role is Role.OWNER)
        actor = Actor(Principal(account.id, owner, "", Role.OWNER), self.now, self.new_id)
        assert self.find_seal is not None  # noqa: S101 - given by whoever reads files that declare sending
        assert self.find_secret is not None  # noqa: S101 - the same
        sending = SetUpSending(self.tx, account, actor, self.find_seal, self.find_secret, self.told)
        for credential in wanted.credentials:
            sending.credential(credential)
        for postback in wanted.postbacks:
            sending.postback(postback)

    def _new_account(self, wanted: DeclaredAccount) -> Account:
        lacking = [key for key in ("name", "owners") if getattr(wanted, key) is None]
        if lacking:
            raise wanted.source.refuse("subdomain", f"the new account {wanted.subdomain} needs {' and '.join(lacking)}")
        accounts.add_account(self.tx, wanted.subdomain, wanted.name or "", wanted.time_zone or "UTC", self.now)
        self.told.append(f"+ account {wanted.subdomain} ({wanted.name})")
        made = accounts.find_account(self.tx, wanted.subdomain)
        assert made is not None  # noqa: S101 - it was just made
        return made

    def _roles(self, account: Account, wanted: DeclaredAccount) -> None:
        before = accounts.list_roles(self.tx, account.id)
        after = dict(before)
        for role, emails in ((Role.OWNER, wanted.owners), (Role.MANAGER, wanted.managers)):
            if emails is not None:
                after |= {user_id: Role.MEMBER for user_id, held in after.items() if held is role}
                after |= {self._person(email).id: role for email in emails}
        if Role.OWNER in before.values() and Role.OWNER not in after.values():
            raise wanted.source.refuse("managers", f"{account.subdomain} would be left without an owner")
        names = accounts.find_emails(self.tx, after)
        for user_id, role in sorted(after.items()):
            if before.get(user_id) is not role:
                accounts.set_role(self.tx, account.id, user_id, role)
                self._change(f"account {account.subdomain}", [f"{names[user_id]} is {role.value}"])

    def _partners(self, account: Account, noun: str, wanted: Mapping[str, Mapping[str, object]]) -> None:
        rows = {row["name_key"]: row for row in partners.list_partners(self.tx, account.id, noun)}
        for name, terms in wanted.items():
            row = rows.get(name_key(name))
            title = f"{noun.replace('_', ' ')} {name} in {account.subdomain}"
            columns = {column: _column(value) for column, value in terms.items() if value is not None}
            if row is None:
                partners.add(self.tx, account.id, noun, name, self.new_id(), self.now, **columns)
                self.told.append(f"+ {': '.join([title, *_worded(columns)])}")
            elif changes := {key: value for key, value in {"name": name, **columns}.items() if value != row[key]}:
                partners.change(self.tx, account.id, noun, row["id"], **changes)
                self._change(title, _worded(changes))

    def _check_tokens(self, account: Account, wanted: DeclaredAccount) -> None:
        """No two offers have one token."""
        owners = {row["token"]: row["name_key"] for row in partners.list_partners(self.tx, account.id, "offer")}
        for offer in wanted.offers:
            if offer.token and owners.setdefault(offer.token, name_key(offer.name)) != name_key(offer.name):
                raise offer.source.refuse("token", f"another offer of {account.subdomain} has this token")

    def _team(self, account: Account, wanted: DeclaredTeam) -> None:
        team = self._find_team(account, wanted.name)
        is_new = team is None
        if team is None:
            teams.add(self.tx, account.id, wanted.name, self.now)
            team = team_service.find(self.tx, account.id, wanted.name)
        told = [] if team.name == wanted.name else _worded({"name": wanted.name})
        if told:
            teams.change(self.tx, account.id, team.id, name=wanted.name)
        told += team_service.change(self.tx, account.id, team, self._form(account, team, wanted, is_new=is_new))
        title = f"team {wanted.name} in {account.subdomain}"
        if is_new:
            self.told.append(f"+ {title}{': ' if told else ''}{', '.join(told)}")
        else:
            self._change(title, told)

    def _find_team(self, account: Account, name: str) -> TeamRow | None:
        rows = teams.list_teams(self.tx, account.id)
        return next((team for team in rows if name_key(team.name) == name_key(name)), None)

    def _form(self, account: Account, team: TeamRow, wanted: DeclaredTeam, *, is_new: bool) -> TeamForm:
        """What the team is to be; a new one that names no buyers sees every one's calls."""
        users = None if wanted.users is None else frozenset(self._person(email).id for email in wanted.users)
        return TeamForm(
            users=users,
            buyers=self._buyers(account, wanted),
            every_buyer=True if is_new and wanted.buyers is None else wanted.every_buyer,
            developer_api=wanted.developer_api,
            records_calls=wanted.records_calls,
            rights=declared(team.rights, wanted.update, wanted.read),
        )

    def _buyers(self, account: Account, wanted: DeclaredTeam) -> frozenset[int] | None:
        if wanted.buyers is None:
            return None
        rows = {row["name_key"]: row for row in partners.list_partners(self.tx, account.id, "buyer")}
        for name in wanted.buyers:
            if name_key(name) not in rows:
                near = did_you_mean(name, (row["name"] for row in rows.values()))
                raise wanted.source.refuse("buyers", f"{account.subdomain} has no buyer {name}{near}", name)
        return frozenset(rows[name_key(name)]["id"] for name in wanted.buyers)

    def _person(self, email: str, name: str = "", *, verified: bool = False) -> User:
        """The user of an address, made if he isn't there, and verified if he owns a declared account."""
        verified = verified or self._is_owner(email)
        user = accounts.find_user(self.tx, email)
        if user is None:
            user_id = accounts.add_user(self.tx, email, name, self.now, verified=verified)
            self.told.append(f"+ user {email}{'' if verified else ' (not verified)'}")
            return User(user_id, email, name, verified)
        if verified and not user.verified:
            accounts.change_user(self.tx, user.id, verified=True)
            self._change(f"user {user.email}", ["verified"])
            return User(user.id, user.email, user.name, verified=True)
        return user

    def _is_owner(self, email: str) -> bool:
        return name_key(email) in self.owners

    def _change(self, title: str, told: Sequence[str]) -> None:
        self.told.extend(f"~ {title}: {each}" for each in told)


def _changes(wanted: object, there: object, names: Sequence[str]) -> dict[str, Any]:
    """What is wanted and different."""
    asked = {name: getattr(wanted, name) for name in names}
    return {name: value for name, value in asked.items() if value is not None and value != getattr(there, name)}


def _column(value: object) -> object:
    return to_micros(value) if isinstance(value, Decimal) else str(value)


def _worded(changes: Mapping[str, Any]) -> list[str]:
    return [_WORDS.get(name, _plain)(name, value) for name, value in changes.items()]


def _plain(name: str, value: object) -> str:
    return f"{name.replace('_', ' ')} {value}"


_WORDS: Mapping[str, Callable[[str, Any], str]] = {
    "verified": lambda _, value: "verified" if value else "not verified any more",
    "agreed_revenue": lambda _, value: f"revenue {format_amount(from_micros(value))}",
    "reads_auth_token": lambda _, value: f"auth_token is {'' if value else 'not '}read",
    "keeps_unknown_fields": lambda _, value: f"unknown fields are {'' if value else 'not '}kept",
}
