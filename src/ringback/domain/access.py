"""Who may do what: rights, teams, access tokens, and the decision about one update.

The rules are those of ACCESS and of RECEIVING ("Deciding"): the first failure answers, and one denied attribute
refuses the whole update. Dry run, live update, console and command line all call :func:`decide`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum, StrEnum
from ipaddress import ip_address, ip_network

from msgspec import Struct
from msgspec.structs import replace

from ringback.domain.attributes import ATTRIBUTES, BY_NAME, CONTACT_FIELDS, TEXTS
from ringback.domain.credentials import Credential, same
from ringback.domain.errors import Refusal
from ringback.domain.names import UnfitError

MOST_NETWORKS = 100
"""How many lines the IP allow-list of a token may have."""


class Level(IntEnum):
    """How far a right goes; Update includes Read."""

    NONE = 0
    READ = 1
    UPDATE = 2


class Role(StrEnum):
    """What a person is in an account."""

    OWNER = "owner"
    MANAGER = "manager"
    MEMBER = "member"


class AccessType(StrEnum):
    """What an access token is for ("Data Access" on its form)."""

    CALLS = "calls"
    CALLS_READ = "calls-read"
    EVERYTHING = "everything"

    @property
    def label(self) -> str:
        """The words on the form."""
        return {"calls": "Calls", "calls-read": "Calls, read only", "everything": "Everything"}[self.value]


class Team(Struct, frozen=True):
    """A team of the account that the user sits on: its rights, and the buyers whose calls it sees."""

    id: int
    name: str
    developer_api: bool
    every_buyer: bool
    records_calls: bool
    rights: Mapping[str, Level]
    buyers: frozenset[int] = frozenset()

    def sees(self, buyer_id: int | None) -> bool:
        """Whether calls of this buyer are shown to the team; a call without buyer only to a team that sees all."""
        return self.every_buyer or buyer_id in self.buyers


@dataclass(frozen=True, slots=True)
class AccessToken:
    """What is known of a credential when it is used; its secret only as a SHA-256 digest.

    It ``is_blocked`` where an owner of the account doesn't want it: what else it may do elsewhere.
    """

    id: str
    home_account_id: int
    access_type: AccessType
    digest: bytes = field(repr=False)
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    networks: tuple[str, ...] = ()
    accounts: frozenset[int] = frozenset()
    last_used_at: datetime | None = None
    is_blocked: bool = False


class Principal(Struct, frozen=True):
    """Somebody in one account: a user with his role and teams there, and the access token he came with.

    ``token`` is None where a person acts without one (console, command line, a waiting update applied late).
    """

    account_id: int
    user_id: int
    email: str
    role: Role | None
    teams: tuple[Team, ...] = ()
    token: AccessToken | None = None

    @property
    def runs_account(self) -> bool:
        """Owners and managers pass the team checks and hold every right on calls."""
        return self.role in (Role.OWNER, Role.MANAGER)

    @property
    def api_teams(self) -> tuple[Team, ...]:
        """The teams that count for a token: those with "Enable Developer API Access" on."""
        return tuple(team for team in self.teams if team.developer_api)


@dataclass(frozen=True, slots=True)
class MissingRight:
    """A right that was needed and isn't there, told by one of the user's own teams."""

    attribute: str
    team_id: int
    team: str


class PermissionDenied(Refusal):
    """403 ``permission_denied``: the call is shared, but a right is missing for at least one attribute."""

    def __init__(self, missing: tuple[MissingRight, ...]) -> None:
        labels = ", ".join(BY_NAME[right.attribute].label for right in missing)
        super().__init__("permission_denied", attributes=labels)
        self.missing = missing


def is_his(credential: Credential, principal: Principal | None) -> bool:
    """Whether a credential proves this principal: its secret is that of his token (compared in constant time)."""
    return principal is not None and principal.token is not None and same(principal.token.digest, credential.digest)


def check_token(principal: Principal, *, now: datetime, ip: str, writes: bool) -> None:
    """Check expiry, a block, IP allow-list, access type and list of accounts of the token, in this order.

    Raises:
        Refusal: ``revoked``, ``expired``, ``token_blocked``, ``ip_not_allowed``, ``access_type``,
            ``account_not_allowed``.
    """
    token = principal.token
    if token is None:
        return
    if token.revoked_at is not None and token.revoked_at <= now:
        raise Refusal("revoked")
    if token.expires_at is not None and token.expires_at <= now:
        raise Refusal("expired", expired_on=f"{token.expires_at:%Y-%m-%d %H:%M} UTC")
    if token.is_blocked:
        raise Refusal("token_blocked")
    if token.networks and not _inside(ip, token.networks):
        raise Refusal("ip_not_allowed", ip=ip)
    foreign = token.access_type is AccessType.EVERYTHING and principal.account_id != token.home_account_id
    if foreign or (writes and token.access_type is AccessType.CALLS_READ):
        raise Refusal("access_type", access_type=token.access_type.label)
    if token.accounts and principal.account_id not in token.accounts:
        raise Refusal("account_not_allowed")


def check_membership(principal: Principal) -> None:
    """Check that the user is on a team here with developer API access; owners and managers pass.

    Raises:
        Refusal: ``no_team``, ``api_access_off``.
    """
    if principal.runs_account:
        return
    if not principal.teams:
        raise Refusal("no_team")
    if not any(team.developer_api for team in principal.teams):
        raise Refusal("api_access_off")


def check_shared(principal: Principal, buyer_id: int | None) -> tuple[Team, ...]:
    """The teams with API access that see calls of this buyer; none are needed by owners and managers.

    Raises:
        Refusal: ``buyer_not_shared``; ``api_access_off`` if only teams without API access see them.
    """
    if principal.runs_account:
        return ()
    seeing = tuple(team for team in principal.teams if team.sees(buyer_id))
    if not seeing:
        raise Refusal("buyer_not_shared")
    through = tuple(team for team in seeing if team.developer_api)
    if not through:
        raise Refusal("api_access_off")
    return through


def check_rights(principal: Principal, seeing: tuple[Team, ...], attributes: Iterable[str]) -> None:
    """Check that the teams together grant Update on each attribute.

    Raises:
        PermissionDenied: naming each attribute that is not granted.
    """
    if principal.runs_account:
        return
    missing = [name for name in attributes if not any(team.rights.get(name) is Level.UPDATE for team in seeing)]
    if missing:
        raise PermissionDenied(tuple(MissingRight(name, seeing[0].id, seeing[0].name) for name in missing))


def seeing(principal: Principal, buyer_id: int | None) -> tuple[Team, ...]:
    """The teams that show calls of this buyer to a person at the console, where API access doesn't matter."""
    return tuple(team for team in principal.teams if team.sees(buyer_id))


def readable(principal: Principal, seeing: tuple[Team, ...]) -> frozenset[str]:
    """The attributes whose values the caller may be told: those with Read or Update; all for who runs the account."""
    if principal.runs_account:
        return EVERY_ATTRIBUTE
    return frozenset(name for team in seeing for name, level in team.rights.items() if level >= Level.READ)


def granting(principal: Principal, attribute: str) -> tuple[Team, ...]:
    """The teams that let the principal update an attribute of some call: API access, the right, and buyers to see."""
    return tuple(
        team
        for team in principal.api_teams
        if (team.every_buyer or team.buyers) and team.rights.get(attribute, Level.NONE) >= Level.UPDATE
    )


EVERY_ATTRIBUTE = frozenset(attribute.name for attribute in (*ATTRIBUTES, *TEXTS))


def may_record(principal: Principal) -> bool:
    """Whether somebody may tell of calls: that there is one, and how it went."""
    try:
        as_recorder(principal)
    except Refusal:
        return False
    return True


def as_recorder(principal: Principal) -> Principal:
    """The principal with what recording a call entails: Update on the contact fields that come with it.

    Raises:
        Refusal: ``may_not_record`` unless it is an owner's or manager's *Everything* token, or a team of his has the
            right "Record calls".
    """
    if principal.runs_account:
        if principal.token is None or principal.token.access_type is AccessType.EVERYTHING:
            return principal
        raise Refusal("may_not_record")
    if not any(team.records_calls for team in principal.api_teams):
        raise Refusal("may_not_record")
    return replace(principal, teams=tuple(_recording(team) for team in principal.teams))


def _recording(team: Team) -> Team:
    if not team.records_calls:
        return team
    return replace(team, rights={**team.rights, CONTACT_FIELDS.name: Level.UPDATE})


def read_networks(text: str) -> tuple[str, ...]:
    """Networks from which a token may be used, as CIDR or single addresses, one a line.

    Raises:
        UnfitError: a line that is none, or too many of them.
    """
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if len(lines) > MOST_NETWORKS:
        raise UnfitError(f"an allow-list has at most {MOST_NETWORKS} lines")
    return tuple(dict.fromkeys(_network(line) for line in lines))


def _network(line: str) -> str:
    try:
        return str(ip_network(line, strict=False))
    except ValueError as error:
        shown = line[:60] if line.isprintable() else ascii(line[:60])
        raise UnfitError(f"this is no address and no CIDR, as 203.0.113.0/24 is: {shown}") from error


def _inside(ip: str, networks: Iterable[str]) -> bool:
    try:
        address = ip_address(ip)
    except ValueError:
        return False
    address = getattr(address, "ipv4_mapped", None) or address  # how a socket for both versions shows IPv4
    return any(address in ip_network(network, strict=False) for network in networks)
