"""Why updates wait today, and what would let them through: the smallest grant to one team.

Waiting updates of one user, for calls of one buyer, that name the same attributes are decided alike: a bundle. Bundles
that the same grant lets through have one cause, and are shown and cured together.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from ringback.domain import access
from ringback.domain.access import Level, Principal, Team
from ringback.domain.errors import Refusal
from ringback.domain.waiting import HELD, Kind

READY = "ready"
"""The cause of what has nothing in its way any more: it waits for a person."""

BundleKey = tuple[str, str, int, int, str]
"""What the updates of a bundle have in common: kind, code, user, buyer (0 for none), attributes joined by commas."""


@dataclass(frozen=True, slots=True)
class Bundle:
    """Waiting updates that are decided alike; ``code`` is what they were refused for last."""

    kind: Kind
    code: str
    user_id: int
    buyer_id: int | None
    attributes: tuple[str, ...]
    user: str
    buyer: str
    count: int
    first: datetime
    last: datetime
    expires: datetime
    revoked: int = 0

    @property
    def key(self) -> BundleKey:
        """What its updates are found by."""
        return self.kind.value, self.code, self.user_id, self.buyer_id or 0, ",".join(self.attributes)


@dataclass(frozen=True, slots=True)
class Grant:
    """What a team lacks: to see a buyer, Developer API access, Update on attributes."""

    team_id: int
    team: str
    buyer_id: int | None
    developer_api: bool
    rights: tuple[str, ...]

    @property
    def size(self) -> tuple[bool, bool, int, int]:
        """How much it gives away; of two that help, the smaller is wanted."""
        return self.buyer_id is not None, self.developer_api, len(self.rights), self.team_id


@dataclass(frozen=True, slots=True)
class Cause:
    """Why updates wait today. With a grant it can be cured; it then says exactly what is granted."""

    code: str
    grant: Grant | None = None
    user_id: int | None = None
    buyer_id: int | None = None

    @property
    def name(self) -> str:
        """Its name in addresses; two causes of one name are the same, down to every right that is granted."""
        parts = [self.code]
        if self.grant is not None:
            parts += ["team", str(self.grant.team_id), *self.grant.rights]
            parts += ["api"] if self.grant.developer_api else []
            parts += ["buyer", str(self.grant.buyer_id)] if self.grant.buyer_id is not None else []
        parts += ["user", str(self.user_id)] if self.user_id is not None else []
        parts += ["of", str(self.buyer_id)] if self.buyer_id is not None else []
        return "-".join(parts)


@dataclass(frozen=True, slots=True)
class Caused:
    """A cause and the bundles that wait for it."""

    cause: Cause
    bundles: tuple[Bundle, ...]

    @property
    def keys(self) -> tuple[BundleKey, ...]:
        """What the updates that wait for it are found by."""
        return tuple(bundle.key for bundle in self.bundles)

    @property
    def count(self) -> int:
        """How many updates wait for it."""
        return sum(bundle.count for bundle in self.bundles)

    @property
    def revoked(self) -> int:
        """How many of them came with an access token that was revoked since."""
        return sum(bundle.revoked for bundle in self.bundles)

    @property
    def can_apply(self) -> bool:
        """Whether there is something to do about all of them here: grant and apply, or just apply."""
        return self.cause.grant is not None or self.cause.code not in _DECIDED_ANEW


_DECIDED_ANEW = frozenset(HELD) - {"access_type"}
"""The refusals that are over as soon as call, team and rights are there. A late update comes without its token, so what
was refused for the type of that is up to a person, as is what was refused for its values."""


def find_cause(principal: Principal, bundle: Bundle) -> Cause:
    """Why the updates of a bundle wait, by what its user may do today."""
    if bundle.kind is Kind.EARLY:
        return Cause("call_not_found")
    obstacle = _obstacle(principal, bundle.buyer_id, bundle.attributes)
    if obstacle is None:
        return Cause(READY if bundle.code in _DECIDED_ANEW else bundle.code)
    if obstacle == "no_team":
        return Cause(obstacle, user_id=bundle.user_id, buyer_id=bundle.buyer_id)
    grants = [_grant(principal, team, bundle) for team in principal.teams]
    helpful = [grant for grant in grants if grant is not None]
    return Cause(obstacle, min(helpful, key=lambda grant: grant.size) if helpful else None)


def gather(principals: Mapping[int, Principal], bundles: Iterable[Bundle]) -> list[Caused]:
    """The causes of bundles, those first that can be cured here, then those with the most updates."""
    found: dict[Cause, list[Bundle]] = {}
    for bundle in bundles:
        found.setdefault(find_cause(principals[bundle.user_id], bundle), []).append(bundle)
    gathered = [Caused(cause, tuple(of_cause)) for cause, of_cause in found.items()]
    return sorted(gathered, key=lambda caused: (not caused.can_apply, -caused.count, caused.cause.name))


def _obstacle(principal: Principal, buyer_id: int | None, attributes: Sequence[str]) -> str | None:
    try:
        access.check_membership(principal)
        access.check_rights(principal, access.check_shared(principal, buyer_id), attributes)
    except Refusal as refusal:
        return refusal.code.name
    return None


def _grant(principal: Principal, team: Team, bundle: Bundle) -> Grant | None:
    """What this team lacks to let the bundle through; none if its call has no buyer that could be shared."""
    sees = team.sees(bundle.buyer_id)
    if not sees and bundle.buyer_id is None:
        return None
    through = [each for each in principal.api_teams if each.sees(bundle.buyer_id)]
    lacking = tuple(
        name
        for name in bundle.attributes
        if not any(each.rights.get(name, Level.NONE) >= Level.UPDATE for each in (team, *through))
    )
    return Grant(team.id, team.name, None if sees else bundle.buyer_id, not team.developer_api, lacking)
