"""Teams, principals, calls and readings, as the tests of the rules need them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from hypothesis import strategies as st

from ringback.domain.access import AccessToken, AccessType, Level, Principal, Role, Team
from ringback.domain.attributes import ATTRIBUTES, Kind, Value, blank_state
from ringback.domain.bodies import Fields
from ringback.domain.bodies import Value as Raw
from ringback.domain.calls import Call, Operation, Partner, Patch, Write
from ringback.domain.credentials import Credential
from ringback.domain.decisions import CallRef, RefKind
from ringback.domain.money import MAXIMUM
from ringback.domain.updates import Reading, read_patch

NOW = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)
ACME, BOB = 1, 2
UUID = "3f2b8c1e-0000-4000-8000-000000000000"
BY_UUID = CallRef(RefKind.UUID, UUID)
BY_NUMBER = CallRef(RefKind.NUMBER, "7")
SECRET = "a secret"
CREDENTIAL = Credential("token", None, SECRET)
BRIGHT = Partner(1, "11111111-0000-4000-8000-000000000000", "Bright Roofing")
EVERY_RIGHT: Mapping[str, Level] = {attribute.name: Level.UPDATE for attribute in ATTRIBUTES}


def make_team(number: int = 1, rights: Mapping[str, Level] | Iterable[str] = EVERY_RIGHT, **changes: Any) -> Team:  # noqa: ANN401
    """A team with API access that sees Bright's calls; bare names of rights mean Update."""
    levels = rights if isinstance(rights, Mapping) else dict.fromkeys(rights, Level.UPDATE)
    settings = {"developer_api": True, "every_buyer": False, "records_calls": False, "buyers": frozenset({BRIGHT.id})}
    return Team(number, f"Team {number}", rights=levels, **{**settings, **changes})


def make_token(**changes: Any) -> AccessToken:  # noqa: ANN401
    """An access token of type Calls, made in Acme."""
    values = {"home_account_id": ACME, "access_type": AccessType.CALLS, "digest": sha256(SECRET.encode()).digest()}
    return AccessToken("t", **{**values, **changes})


def make_principal(*teams: Team, role: Role | None = Role.MEMBER, token: AccessToken | None = None) -> Principal:
    """Bob in Acme on these teams, with his token."""
    return Principal(ACME, BOB, "bob@bright.example", role, teams, token or make_token())


def make_call(buyer: Partner | None = BRIGHT, **values: Any) -> Call:  # noqa: ANN401
    """A call of Bright; ``values`` are of attributes, or of the call itself."""
    state = {**blank_state(), **{name: values.pop(name) for name in blank_state() if name in values}}
    return Call(ACME, UUID, 7, "+17195550100", state, NOW, NOW, buyer=buyer, **values)


def named(values: Mapping[str, Raw], source: str = "json") -> Fields:
    """What a request names, read from one source."""
    return Fields(dict(values), dict.fromkeys(values, source), ())


def understood(values: Mapping[str, Raw], keys: Mapping[str, str] | None = None, dry_run: str | None = None) -> Reading:
    """What is understood of a request that names this."""
    return read_patch(named(values), keys=keys or {}, dry_run=dry_run)


AMOUNTS = st.decimals(min_value=0, max_value=MAXIMUM, places=6)
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)
SCALARS = TEXTS | st.booleans() | st.integers(-(10**15) + 1, 10**15 - 1)
NAMES = st.text("abc_", min_size=1, max_size=3)
_VALUES: Mapping[Kind, st.SearchStrategy[Any]] = {
    Kind.BOOLEAN: st.booleans(),
    Kind.MONEY: AMOUNTS,
    Kind.FIELDS: st.dictionaries(NAMES, SCALARS | st.none(), max_size=3),
}
_STATES: Mapping[Kind, st.SearchStrategy[Any]] = {
    Kind.BOOLEAN: st.booleans(),
    Kind.MONEY: st.none() | AMOUNTS,
    Kind.FIELDS: st.dictionaries(NAMES, SCALARS, max_size=3),
}
_OPERATIONS: Mapping[Kind, st.SearchStrategy[Operation]] = {
    Kind.BOOLEAN: st.just(Operation.SET),
    Kind.MONEY: st.sampled_from([Operation.SET, Operation.ADD]),
    Kind.FIELDS: st.just(Operation.MERGE),
}
WRITES: Mapping[str, st.SearchStrategy[Write]] = {
    each.name: st.builds(Write, st.just(each.name), _OPERATIONS[each.kind], _VALUES[each.kind]) for each in ATTRIBUTES
}
STATES: st.SearchStrategy[dict[str, Value]] = st.fixed_dictionaries(
    {each.name: _STATES[each.kind] for each in ATTRIBUTES}
)
RIGHTS: st.SearchStrategy[dict[str, Level]] = st.dictionaries(st.sampled_from(list(WRITES)), st.sampled_from(Level))


@st.composite
def patches(draw: st.DrawFn) -> Patch:
    """Any patch: at most one write an attribute, in the order of the table."""
    return tuple(draw(write) for write in WRITES.values() if draw(st.booleans()))
