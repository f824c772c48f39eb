"""Access tokens as their users make, change, rotate and end them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Connection

from ringback import entropy
from ringback.domain.access import AccessType, Role
from ringback.domain.errors import Refusal
from ringback.services import own_tokens, tokens
from ringback.services.audit import Actor
from ringback.services.own_tokens import Lifetime, State, Wish
from ringback.store import access, accounts, audit, teams
from ringback.store.accounts import TokenRow
from tests.services.acting import actor
from tests.services.requests import NOW
from tests.world import World

DAY = timedelta(days=1)
NEVER = Lifetime("never", "", "UTC")
WISH = Wish("Zapier", "calls", "")


def random() -> tuple[bytes, bytes]:
    return entropy.secret_bytes(), entropy.secret_bytes()


def row_of(world: World, token_id: str) -> TokenRow:
    with world.database.read() as tx:
        (row,) = accounts.list_tokens(tx, token_id=token_id)
    return row


def told(world: World, action: str, account: int | None = None) -> list[tuple[str, Mapping[str, Any]]]:
    with world.database.read() as tx:
        deeds = audit.list_deeds(tx, account or world.acme, action=action)
    return [(deed.subject, deed.details) for deed in deeds]


def as_bob(world: World, what: Callable[[Connection, Actor], Any], account: int | None = None) -> Any:  # noqa: ANN401
    """What comes of something that Bob does."""
    with world.database.write() as tx:
        return what(tx, actor(tx, account or world.acme, world.bob))


def create(world: World, wish: Wish = WISH, lifetime: Lifetime = NEVER, kind: str = tokens.BASIC) -> TokenRow:
    made = as_bob(world, lambda tx, bob: own_tokens.create(tx, bob, kind, wish, lifetime, random()))
    return row_of(world, made.id)


def complaints(world: World, wish: Wish = WISH, lifetime: Lifetime = NEVER) -> dict[str, str]:
    with pytest.raises(Refusal) as caught:
        create(world, wish, lifetime)
    return {problem.field: problem.message for problem in caught.value.problems}


class TestMaking:
    def test_keeps_what_was_typed_and_notes_it(self, world: World) -> None:
        row = create(world, Wish(" Global  Basic ", "calls-read", "203.0.113.9/24\n"), Lifetime("30", "", "UTC"))
        assert (row.user_id, row.account_id, row.kind, row.description) == (
            world.bob,
            world.acme,
            "basic",
            "Global Basic",
        )
        assert (row.access_type, row.networks, row.accounts) == (AccessType.CALLS_READ, ("203.0.113.0/24",), ())
        assert (row.created_at, row.expires_at) == (NOW, NOW + 30 * DAY)
        ((subject, details),) = told(world, "token.made")
        assert subject == "an access token of his own"
        assert details["after"] == {
            "access_type": "Calls, read only",
            "expires": f"{NOW + 30 * DAY:%Y-%m-%d %H:%M} UTC",
        }

    def test_counts_only_accounts_of_his_own(self, world: World) -> None:
        chosen = [str(world.acme), str(world.zeta), "99", "x"]
        assert create(world, replace(WISH, accounts=chosen)).accounts == (world.acme,)

    def test_tells_everything_that_is_wrong(self, world: World) -> None:
        assert complaints(world, Wish(" ", "all", "here"), Lifetime("soon", "", "UTC")) == {
            "description": "A name is empty.",
            "access_type": "Choose an access type.",
            "networks": "This is no address and no CIDR, as 203.0.113.0/24 is: here.",
            "lasts": "Choose when the token expires.",
        }
        assert told(world, "token.made") == []

    @pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Pacific/Kiritimati"])
    def test_a_last_day_ends_where_the_account_is(self, world: World, zone: str) -> None:
        today = NOW.astimezone(ZoneInfo(zone)).date()
        for day in (today, today + DAY, today + 3660 * DAY):
            expires_at = create(world, lifetime=Lifetime("day", day.isoformat(), zone)).expires_at
            assert expires_at is not None
            local = expires_at.astimezone(ZoneInfo(zone))
            assert (local.date(), local.hour, local.minute) == (day + DAY, 0, 0)

    @pytest.mark.parametrize("day", ["", "tomorrow", "2020-01-01", "9999-12-31", "2026-02-30"])
    def test_a_last_day_that_cannot_be_is_told(self, world: World, day: str) -> None:
        assert complaints(world, lifetime=Lifetime("day", day, "UTC")) == {
            "day": "Choose a day from today on, at most ten years ahead."
        }


class TestChanging:
    def test_changes_what_was_typed_and_notes_it(self, world: World) -> None:
        token = create(world, replace(WISH, networks="10.0.0.0/8"))
        wish = Wish("Retreaver", "everything", "", [str(world.acme)])
        assert as_bob(world, lambda tx, bob: own_tokens.change(tx, bob, token, wish))
        after = row_of(world, token.id)
        assert (after.description, after.access_type) == ("Retreaver", AccessType.EVERYTHING)
        assert (after.networks, after.accounts) == ((), (world.acme,))
        assert (after.handle, after.expires_at) == (token.handle, token.expires_at)
        assert told(world, "token.changed") == [
            (
                "an access token of his own",
                {
                    "before": {"access_type": "Calls"},
                    "after": {"access_type": "Everything"},
                    "also_changed": ["description", "IP allow-list", "accounts"],
                },
            )
        ]

    def test_notes_nothing_if_nothing_is_different(self, world: World) -> None:
        token = create(world)
        assert not as_bob(world, lambda tx, bob: own_tokens.change(tx, bob, token, WISH))
        assert told(world, "token.changed") == []

    def test_an_account_that_he_left_goes_on_restricting(self, world: World) -> None:
        made = world.token(world.bob, world.acme, accounts=[world.zeta])
        token = row_of(world, made.id)
        as_bob(world, lambda tx, bob: own_tokens.change(tx, bob, token, replace(WISH, accounts=[str(world.acme)])))
        assert row_of(world, token.id).accounts == (world.acme, world.zeta)
        as_bob(world, lambda tx, bob: own_tokens.change(tx, bob, token, WISH))
        assert row_of(world, token.id).accounts == (world.zeta,)


class TestRotating:
    def rotate(self, world: World, token: TokenRow, overlap: str = "24", lasts: str = "never") -> TokenRow:
        made = as_bob(
            world,
            lambda tx, bob: own_tokens.rotate(
                tx, bob, token, overlap=overlap, lifetime=Lifetime(lasts, "", "UTC"), random=random()
            ),
        )
        return row_of(world, made.id)

    @pytest.mark.parametrize(("overlap", "hours"), [("0", 0), ("1", 1), ("24", 24), ("168", 168)])
    def test_gives_the_old_one_its_time(self, world: World, overlap: str, hours: int) -> None:
        token = create(world, lifetime=Lifetime("30", "", "UTC"))
        new = self.rotate(world, token, overlap, "90")
        assert row_of(world, token.id).expires_at == NOW + timedelta(hours=hours)
        assert (new.expires_at, new.description, new.handle == token.handle) == (NOW + 90 * DAY, "Zapier", False)
        ((_, details),) = told(world, "token.rotated")
        assert set(details) == {"old_one_works_on", "new_one_expires"}

    def test_wants_a_choice(self, world: World) -> None:
        token = create(world)
        with pytest.raises(Refusal) as caught:
            self.rotate(world, token, "1000", "x")
        assert [problem.field for problem in caught.value.problems] == ["overlap", "lasts"]
        assert row_of(world, token.id).expires_at is None

    @pytest.mark.parametrize(
        ("days", "usual"), [(None, "never"), (1, "30"), (45, "30"), (89, "90"), (300, "365"), (3000, "365")]
    )
    def test_offers_about_the_life_that_the_old_one_had(self, world: World, days: int | None, usual: str) -> None:
        token = create(world)
        lived = replace(token, expires_at=None if days is None else token.created_at + days * DAY)
        assert own_tokens.usual(lived) == usual


class TestWhatTheLogSays:
    @pytest.mark.parametrize("role", [Role.OWNER, Role.MANAGER])
    def test_all_of_it_where_its_user_runs_the_account(self, world: World, role: Role) -> None:
        with world.database.write() as tx:
            accounts.set_role(tx, world.acme, world.bob, role)
        token = create(world, replace(WISH, networks="10.0.0.0/8"))
        as_bob(world, lambda tx, bob: own_tokens.change(tx, bob, token, replace(WISH, accounts=[str(world.acme)])))
        assert told(world, "token.made")[0][0] == "access token Zapier"
        assert told(world, "token.changed") == [
            (
                "access token Zapier",
                {
                    "before": {"allowed_from": ["10.0.0.0/8"], "restricted_to_accounts": None},
                    "after": {"allowed_from": None, "restricted_to_accounts": 1},
                },
            )
        ]

    def test_nothing_of_the_sender_where_he_is_a_guest(self, world: World) -> None:
        token = create(world, Wish("Ping tree of Bright", "calls", "10.1.2.3"))
        as_bob(world, lambda tx, bob: own_tokens.change(tx, bob, token, Wish("Bright's CRM", "calls", "10.3.2.1")))
        self.rotate_and_revoke(world, token)
        with world.database.read() as tx:
            deeds = audit.list_deeds(tx, world.acme)
        assert len(deeds) == 4
        for secret in ("Bright", "10.1.2.3", "10.3.2.1"):
            assert secret not in str(deeds)

    def rotate_and_revoke(self, world: World, token: TokenRow) -> None:
        never = Lifetime("never", "", "UTC")
        as_bob(
            world,
            lambda tx, bob: own_tokens.rotate(tx, bob, token, overlap="1", lifetime=never, random=random()),
        )
        as_bob(world, lambda tx, bob: own_tokens.revoke(tx, bob, token))


class TestRevoking:
    def test_ends_it_and_is_noted_where_it_was_made(self, world: World) -> None:
        with world.database.write() as tx:
            accounts.set_role(tx, world.zeta, world.bob, Role.MEMBER)
        token = create(world)
        as_bob(world, lambda tx, bob: own_tokens.revoke(tx, bob, token), world.zeta)
        assert row_of(world, token.id).revoked_at == NOW
        assert told(world, "token.revoked") == [("an access token of his own", {})]
        assert told(world, "token.revoked", world.zeta) == []

    def test_nothing_is_done_with_what_has_ended(self, world: World) -> None:
        token = create(world)
        as_bob(world, lambda tx, bob: own_tokens.revoke(tx, bob, token))
        tries: list[Callable[[Connection, Actor], Any]] = [
            lambda tx, bob: own_tokens.revoke(tx, bob, token),
            lambda tx, bob: own_tokens.change(tx, bob, token, replace(WISH, description="x")),
            lambda tx, bob: own_tokens.rotate(tx, bob, token, overlap="0", lifetime=NEVER, random=random()),
        ]
        for attempt in tries:
            with pytest.raises(Refusal, match="nothing at"):
                as_bob(world, attempt)


class TestFinding:
    def test_finds_only_his_own_of_the_kind(self, world: World) -> None:
        with world.database.read() as tx:
            found = own_tokens.find(tx, world.bob, tokens.BASIC, world.bob_token.id.upper())
            assert found.id == world.bob_token.id
            for kind, text in (
                (tokens.DEVELOPER, world.bob_token.id),
                (tokens.BASIC, world.ada_token.id),
                (tokens.BASIC, entropy.new_id()),
                (tokens.BASIC, "1; --"),
            ):
                with pytest.raises(Refusal, match="nothing at"):
                    own_tokens.find(tx, world.bob, kind, text)


class TestStates:
    @pytest.mark.parametrize(
        ("expires", "revoked", "state"),
        [
            (None, None, State.ACTIVE),
            (15 * DAY, None, State.ACTIVE),
            (14 * DAY, None, State.EXPIRES_SOON),
            (timedelta(0), None, State.EXPIRED),
            (15 * DAY, timedelta(0), State.REVOKED),
            (-DAY, timedelta(0), State.REVOKED),
        ],
    )
    def test_are_told(self, world: World, expires: timedelta | None, revoked: timedelta | None, state: State) -> None:
        token = replace(
            row_of(world, world.bob_token.id),
            expires_at=None if expires is None else NOW + expires,
            revoked_at=None if revoked is None else NOW + revoked,
        )
        assert own_tokens.state(token, NOW) is state


class TestWhatATokenMayUpdate:
    def names(self, world: World, user: int, account: int | None = None, **changes: Any) -> list[str]:  # noqa: ANN401
        token = replace(row_of(world, world.bob_token.id), **changes)
        with world.database.read() as tx:
            principal = access.find_member(tx, account or world.acme, user).principal
        assert principal is not None
        return [attribute.name for attribute in own_tokens.may_update(principal, token)]

    def test_is_what_his_teams_may(self, world: World) -> None:
        world.grant(["revenue", "payout"])
        assert self.names(world, world.bob) == ["revenue", "payout"]
        assert len(self.names(world, world.ada)) == 9
        world.grant(["revenue"], developer_api=False)
        assert self.names(world, world.bob) == []
        with world.database.write() as tx:
            teams.change(tx, world.acme, world.team, developer_api=True)
            teams.set_buyers(tx, world.acme, world.team, [])
        assert self.names(world, world.bob) == []

    def test_within_its_access_type_and_accounts(self, world: World) -> None:
        assert self.names(world, world.ada, access_type=AccessType.CALLS_READ) == []
        assert len(self.names(world, world.ada, access_type=AccessType.EVERYTHING)) == 9
        assert self.names(world, world.ada, access_type=AccessType.EVERYTHING, account_id=world.zeta) == []
        assert self.names(world, world.ada, accounts=(world.zeta,)) == []
        assert len(self.names(world, world.ada, accounts=(world.zeta, world.acme))) == 9


def test_own_tokens_are_listed_page_by_page(world: World) -> None:
    made = [world.token(world.bob, world.acme).id for _ in range(3)]
    with world.database.read() as tx:
        first = accounts.list_own_tokens(tx, world.bob, tokens.BASIC, limit=2)
        rest = accounts.list_own_tokens(tx, world.bob, tokens.BASIC, before=first[-1].id)
        developer = accounts.list_own_tokens(tx, world.bob, tokens.DEVELOPER)
    assert [row.id for row in (*first, *rest)] == [*reversed(made), world.bob_token.id]
    assert [row.id for row in developer] == [world.bob_developer_token.id]
