"""Access tokens: their secrets told once, their successors, their end."""

from __future__ import annotations

from datetime import timedelta
from hashlib import sha256
from typing import Any

import pytest
from sqlalchemy import select

from ringback import entropy
from ringback.domain.access import AccessType
from ringback.domain.credentials import PRIVATE, PUBLIC, TOKEN, checksum_fits, read_credential
from ringback.services import tokens
from ringback.services.tokens import BASIC, DEVELOPER, NewToken, TokenForm
from ringback.store import accounts
from ringback.store.accounts import TokenRow
from ringback.store.schema import access_tokens
from tests.api.rows import texts
from tests.services.requests import NOW, apply, codes, credential, request
from tests.world import World

DAY = timedelta(days=1)


def random() -> tuple[bytes, bytes]:
    return entropy.secret_bytes(), entropy.secret_bytes()


def row_of(world: World, token: NewToken) -> TokenRow:
    with world.database.read() as tx:
        (row,) = accounts.list_tokens(tx, token_id=token.id)
    return row


def rotate(world: World, token: NewToken, overlap: timedelta) -> NewToken:
    with world.database.write() as tx:
        return tokens.rotate(
            tx, row_of(world, token), token_id=entropy.new_id(), random=random(), overlap=overlap, now=NOW
        )


def code_at(world: World, token: NewToken, now: Any) -> str:  # noqa: ANN401
    (outcome,) = apply(world, request(world, world.call(), {}, sender=credential(token)), now=now)
    return outcome.code


class TestANewToken:
    def test_is_a_pair_with_its_ready_basic_value(self, world: World) -> None:
        made = world.token(world.bob, world.acme, kind=BASIC)
        assert made.public_key is not None
        assert made.private_key is not None
        assert made.token is None
        assert (made.public_key[:6], made.private_key[:6]) == (PUBLIC, PRIVATE)
        assert checksum_fits(made.public_key)
        assert checksum_fits(made.private_key)
        read = read_credential([made.authorization.encode()], [])
        assert (read.scheme, read.public_key, read.secret) == ("basic", made.public_key, made.private_key)
        assert made.authorization == f"Basic {made.basic}"

    def test_or_one_value(self, world: World) -> None:
        made = world.token(world.bob, world.acme, kind=DEVELOPER)
        assert made.token is not None
        assert (made.public_key, made.private_key, made.basic) == (None, None, None)
        assert made.token.startswith(TOKEN)
        assert checksum_fits(made.token)
        assert made.authorization == f"Token {made.token}"

    def test_keeps_what_its_form_says(self, world: World) -> None:
        made = world.token(
            world.bob,
            world.acme,
            description="Zapier",
            access_type=AccessType.CALLS_READ,
            expires_at=NOW + DAY,
            networks=["203.0.113.0/24"],
            accounts=[world.acme],
        )
        row = row_of(world, made)
        assert (row.user_id, row.account_id, row.kind, row.description) == (world.bob, world.acme, BASIC, "Zapier")
        assert (row.access_type, row.expires_at) == (AccessType.CALLS_READ, NOW + DAY)
        assert (row.networks, row.accounts) == (("203.0.113.0/24",), (world.acme,))
        assert (row.revoked_at, row.last_used_at, row.last_used_ip) == (None, None, None)

    @pytest.mark.parametrize("kind", [BASIC, DEVELOPER])
    def test_is_kept_without_its_secret(self, world: World, kind: str) -> None:
        made = world.token(world.bob, world.acme, kind=kind)
        secret = (made.private_key or made.token or "").encode()
        assert secret
        assert [place for place, value in texts(world.database) if secret in value] == []
        with world.database.read() as tx:
            digest = tx.execute(select(access_tokens.c.digest).where(access_tokens.c.id == made.id)).scalar_one()
        assert digest == sha256(secret).digest()
        assert secret.decode() not in repr(made)

    def test_is_made_of_the_randomness_it_is_given(self, world: World) -> None:
        form, bits = TokenForm(world.bob, world.acme, "x"), (bytes(24), b"\xff" * 24)
        with world.database.write() as tx:
            one = tokens.create(tx, form, token_id=entropy.new_id(), random=bits, now=NOW)
        assert world.token(world.bob, world.acme).public_key != one.public_key
        assert one.public_key is not None
        assert one.public_key.startswith("rbpub_000000")


class TestRotating:
    def test_gives_a_successor_and_the_old_one_an_end(self, world: World) -> None:
        old = world.token(world.bob, world.acme, description="Zapier", networks=["0.0.0.0/0"], accounts=[world.acme])
        new = rotate(world, old, DAY)
        assert row_of(world, old).expires_at == NOW + DAY
        kept = [
            (row.user_id, row.account_id, row.kind, row.description, row.access_type, row.networks, row.accounts)
            for row in (row_of(world, old), row_of(world, new))
        ]
        assert kept[0] == kept[1]
        assert row_of(world, new).expires_at is None
        assert [code_at(world, token, NOW + DAY - timedelta(seconds=1)) for token in (old, new)] == ["unchanged"] * 2
        assert [code_at(world, token, NOW + DAY) for token in (old, new)] == ["expired", "unchanged"]

    def test_keeps_the_kind(self, world: World) -> None:
        assert rotate(world, world.bob_developer_token, DAY).token is not None

    def test_without_overlap_ends_the_old_one_at_once(self, world: World) -> None:
        rotate(world, world.bob_token, timedelta())
        assert code_at(world, world.bob_token, NOW) == "expired"

    @pytest.mark.parametrize(("expires", "ends"), [(DAY / 2, DAY / 2), (DAY * 9, DAY)])
    def test_never_makes_the_old_one_last_longer(self, world: World, expires: timedelta, ends: timedelta) -> None:
        old = world.token(world.bob, world.acme, expires_at=NOW + expires)
        rotate(world, old, DAY)
        assert row_of(world, old).expires_at == NOW + ends

    def test_gives_the_successor_a_life_as_long_as_the_first_had(self, world: World) -> None:
        old = row_of(world, token := world.token(world.bob, world.acme, expires_at=NOW + DAY * 9))
        assert old.expires_at is not None
        assert row_of(world, rotate(world, token, DAY)).expires_at == NOW + (old.expires_at - old.created_at)


def test_revoking_ends_a_token_at_once_and_no_other(world: World) -> None:
    with world.database.write() as tx:
        tokens.revoke(tx, world.bob_token.id, NOW)
    lot = [
        request(world, world.call(), {}, sender=credential(each))
        for each in (world.bob_token, world.bob_developer_token)
    ]
    assert codes(apply(world, *lot)) == ["revoked", "unchanged"]
    assert row_of(world, world.bob_token).revoked_at == NOW
