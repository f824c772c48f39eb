"""Accounts, users, roles, tokens, numbers, partners and teams as they are made and listed."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest
from sqlalchemy import text

from ringback import clock, entropy
from ringback.domain.access import Level, Role
from ringback.domain.calls import Partner, Terms
from ringback.domain.money import Payout
from ringback.store import accounts, partners, teams
from ringback.store.engine import Database
from ringback.store.failures import ContendedError, RejectedError
from ringback.store.schema import buyers, calls
from tests.world import World

NOW = clock.now()


class TestAccounts:
    def test_are_found_by_subdomain_in_any_case(self, world: World) -> None:
        with world.database.write() as tx:
            made = accounts.add_account(tx, "BrightLeads", "Bright", "UTC", NOW)
            found = accounts.find_account(tx, "brightLEADS")
            assert found is not None
            assert (found.id, found.subdomain, found.reads_auth_token) == (made, "brightleads", True)
            assert accounts.find_account(tx, "nowhere") is None
            assert [account.subdomain for account in accounts.list_accounts(tx)] == ["acme", "brightleads", "zeta"]

    def test_are_changed_one_at_a_time(self, world: World) -> None:
        with world.database.write() as tx:
            accounts.change_account(tx, world.acme, name="Acme", keeps_unknown_fields=True)
        with world.database.read() as tx:
            acme, zeta = accounts.list_accounts(tx)
        assert (acme.name, acme.keeps_unknown_fields) == ("Acme", True)
        assert (zeta.name, zeta.keeps_unknown_fields) == ("Zeta Leads", False)

    def test_count_in_one_currency(self, world: World) -> None:
        with world.database.read() as tx:
            assert accounts.currency_of(tx, world.acme) == "USD"

    @staticmethod
    def lock_impatiently(database: Database, account: int) -> None:
        with database.write() as tx:
            tx.execute(text("SET LOCAL lock_timeout = 50"))
            accounts.lock_settings(tx, account)

    def test_are_changed_by_one_person_after_the_other(self, postgres_world: World) -> None:
        database = postgres_world.database
        with database.write() as tx:
            accounts.lock_settings(tx, postgres_world.acme)
            with pytest.raises(ContendedError):
                self.lock_impatiently(database, postgres_world.acme)
            assert postgres_world.call().number == 1  # updates don't wait for them

    def test_have_a_subdomain_of_their_own(self, world: World) -> None:
        with pytest.raises(RejectedError), world.database.write() as tx:
            accounts.add_account(tx, "ACME", "Another", "UTC", NOW)


class TestUsers:
    def test_are_found_by_address_in_any_spelling(self, world: World) -> None:
        with world.database.write() as tx:
            made = accounts.add_user(tx, " Éve@Bright.example ", "Ève", NOW, verified=False)
            found = accounts.find_user(tx, "éVE@bright.EXAMPLE")
            assert found is not None
            assert (found.id, found.email, found.name, found.verified) == (made, "Éve@Bright.example", "Ève", False)
            accounts.change_user(tx, made, verified=True)
            assert accounts.find_user(tx, "nobody@bright.example") is None
            emails = [user.email for user in accounts.list_users(tx)]
            assert emails == ["ada@acme.example", "bob@bright.example", "charlie@zeta.example", "Éve@Bright.example"]
            assert accounts.find_emails(tx, [made, world.ada]) == {
                made: "Éve@Bright.example",
                world.ada: "ada@acme.example",
            }

    def test_have_one_role_an_account(self, world: World) -> None:
        with world.database.write() as tx:
            accounts.set_role(tx, world.acme, world.bob, Role.MANAGER)
            assert accounts.list_roles(tx, world.acme) == {world.ada: Role.OWNER, world.bob: Role.MANAGER}
            assert accounts.list_roles(tx, world.zeta) == {world.charlie: Role.OWNER}


class TestTokens:
    def test_are_listed_oldest_first_for_one_user_by_id_or_all(self, world: World) -> None:
        with world.database.read() as tx:
            everyones = [token.id for token in accounts.list_tokens(tx)]
            bobs = accounts.list_tokens(tx, user_id=world.bob)
            (one,) = accounts.list_tokens(tx, token_id=world.ada_token.id)
            assert accounts.list_tokens(tx, token_id=entropy.new_id()) == []
        made = [world.ada_token, world.bob_token, world.bob_developer_token, world.charlie_token]
        assert everyones == [token.id for token in made]
        assert [token.id for token in bobs] == [world.bob_token.id, world.bob_developer_token.id]
        assert (one.user, one.account, one.kind) == ("ada@acme.example", "acme", "basic")


class TestNumbers:
    def test_are_counted_by_account_and_noun(self, world: World) -> None:
        with world.database.write() as tx:
            assert [accounts.next_number(tx, world.acme, calls) for _ in range(3)] == [1, 2, 3]
            assert accounts.next_number(tx, world.zeta, calls) == 1
            assert accounts.next_number(tx, world.acme, buyers) == world.bright + 1

    def test_are_not_used_up_by_what_was_undone(self, world: World) -> None:
        with pytest.raises(RejectedError), world.database.write() as tx:
            accounts.add_account(tx, "acme", str(accounts.next_number(tx, world.acme, calls)), "UTC", NOW)
        assert world.call().number == 1

    def test_are_never_given_twice(self, world: World) -> None:
        def draw(_: int) -> int:
            with world.database.write() as tx:
                return accounts.next_number(tx, world.zeta, calls)

        with ThreadPoolExecutor(4) as pool:
            assert sorted(pool.map(draw, range(20))) == list(range(1, 21))


class TestPartners:
    @pytest.mark.parametrize("value", ["{number}", "{uuid}", "{upper}", "Bright Roofing", " bright   ROOFING "])
    def test_are_found_by_number_uuid_or_name(self, world: World, value: str) -> None:
        with world.database.read() as tx:
            (row,) = partners.list_partners(tx, world.acme, "buyer")
            asked = value.format(number=row["id"], uuid=row["uuid"], upper=row["uuid"].upper())
            assert partners.find(tx, world.acme, "buyer", asked) == Partner(row["id"], row["uuid"], "Bright Roofing")
            assert partners.find(tx, world.zeta, "buyer", asked) is None
            assert partners.find(tx, world.acme, "traffic_source", asked) is None

    @pytest.mark.parametrize(
        "value", ["", "0", "9" * 18, "9" * 19, "-1", "1.0", "\u0661", "Bright", "%", "Bright_Roofing"]
    )
    def test_are_not_found_by_something_like_it(self, world: World, value: str) -> None:
        with world.database.read() as tx:
            assert partners.find(tx, world.acme, "buyer", value) is None

    def test_named_by_a_number_or_uuid_are_found_too(self, world: World) -> None:
        odd = entropy.new_id()
        with world.database.write() as tx:
            numbered = partners.add(tx, world.acme, "buyer", "4711", entropy.new_id(), NOW)
            named = partners.add(tx, world.acme, "buyer", odd, entropy.new_id(), NOW)
            for value, number in (("4711", numbered), (odd, named)):
                found = partners.find(tx, world.acme, "buyer", value)
                assert found is not None
                assert found.id == number

    def test_have_terms(self, world: World) -> None:
        buyer, offer = Partner(world.bright, "", ""), Partner(world.offer, "", "")
        agreed, share = Decimal(42), Payout(percent=Decimal(60))
        told: Mapping[tuple[Partner | None, Partner | None], Terms] = {
            (buyer, offer): Terms(agreed, share),
            (buyer, None): Terms(agreed),
            (None, offer): Terms(payout=share),
            (None, None): Terms(),
        }
        with world.database.read() as tx:
            for (one, other), terms in told.items():
                assert partners.find_terms(tx, world.acme, one, other) == terms
            assert partners.find_terms(tx, world.zeta, buyer, offer) == Terms()

    def test_are_changed_and_listed_by_name(self, world: World) -> None:
        with world.database.write() as tx:
            partners.add(tx, world.acme, "buyer", "aardvark", entropy.new_id(), NOW)
            partners.change(tx, world.acme, "buyer", world.bright, agreed_revenue=None)
        with world.database.read() as tx:
            rows = partners.list_partners(tx, world.acme, "buyer")
        assert [(row["name"], row["agreed_revenue"]) for row in rows] == [("aardvark", None), ("Bright Roofing", None)]

    @pytest.mark.parametrize("noun", partners.NOUNS)
    def test_have_a_name_of_their_own(self, world: World, noun: str) -> None:
        with world.database.write() as tx:
            partners.add(tx, world.acme, noun, "New One", entropy.new_id(), NOW)
            partners.add(tx, world.zeta, noun, "New One", entropy.new_id(), NOW)
        with pytest.raises(RejectedError), world.database.write() as tx:
            partners.add(tx, world.acme, noun, "new  ONE", entropy.new_id(), NOW)


class TestTeams:
    def test_are_listed_by_name_with_users_buyers_and_rights(self, world: World) -> None:
        with world.database.write() as tx:
            early = teams.add(tx, world.acme, "a team", NOW)
            teams.set_rights(tx, world.acme, early, {"payout": Level.READ, "revenue": Level.NONE})
            teams.set_users(tx, world.acme, early, [world.ada, world.bob, world.ada])
            first, second = teams.list_teams(tx, world.acme)
            assert teams.list_teams(tx, world.zeta) == []
        assert (first.id, set(first.users), set(first.buyers)) == (early, {world.ada, world.bob}, set())
        assert (first.rights, first.developer_api, first.records_calls) == ({"payout": Level.READ}, False, False)
        assert (second.id, set(second.users), set(second.buyers)) == (world.team, {world.bob}, {world.bright})

    def test_can_be_emptied(self, world: World) -> None:
        with world.database.write() as tx:
            teams.set_users(tx, world.acme, world.team, [])
            teams.set_buyers(tx, world.acme, world.team, [])
            (team,) = teams.list_teams(tx, world.acme)
        assert (team.users, team.buyers) == (frozenset(), frozenset())

    def test_have_no_buyers_of_others(self, world: World) -> None:
        with pytest.raises(RejectedError), world.database.write() as tx:
            teams.set_buyers(tx, world.acme, world.team, [world.bright + 1])


def test_a_fresh_database_has_nobody(database: Database) -> None:
    with database.read() as tx:
        assert (accounts.list_accounts(tx), accounts.list_users(tx), accounts.list_tokens(tx)) == ([], [], [])
