"""What a worker is given to send: secrets at the last moment, and nothing that stands in the way of the others."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import update

from ringback import clock, entropy
from ringback.delivery.hosts import FAILURES, Hosts, Sign
from ringback.domain.deliveries import State
from ringback.domain.postbacks import Postback
from ringback.services import dispatch, postbacks, vault
from ringback.services.dispatch import PUT_OFF, Job, Taken
from ringback.services.vault import CredentialForm
from ringback.store.sending_schema import signing_secrets
from ringback.store.sending_schema import vault as credentials
from tests.delivery.desk import HOST, SEAL, Desk
from tests.statements import asked
from tests.world import World

LIMIT = 512


@pytest.fixture
def desk(world: World) -> Desk:
    return Desk(world)


def hosts() -> Hosts:
    return Hosts(lambda: 1000.0)


def take(desk: Desk, known: Hosts | None = None) -> Taken:
    with desk.world.database.write() as tx:
        now = clock.now() + timedelta(seconds=1)
        return dispatch.take(tx, SEAL, entropy.new_id(), now=now, limit=LIMIT, hosts=known or hosts())


def keep_credential(desk: Desk, host: str = HOST) -> None:
    with desk.world.database.write() as tx:
        vault.create(tx, desk.actor, SEAL, CredentialForm(f"of {host}", "basic", host, "public:private"))


def make_signing_secret(desk: Desk, rule: Postback) -> None:
    with desk.world.database.write() as tx:
        postbacks.make_signing_secret(tx, desk.actor, SEAL, rule, entropy.secret_bytes())


def obstacles(jobs: list[Job]) -> dict[int, str]:
    """By postback, what keeps its delivery from being sent."""
    return {each.claimed.due.postback_id: each.obstacle for each in jobs}


@pytest.mark.parametrize("spoiled", [b"", b"short", b"x" * 60])
def test_a_secret_that_cannot_be_opened_holds_up_nothing_but_what_needs_it(desk: Desk, spoiled: bytes) -> None:
    keep_credential(desk)
    spoils, signs = desk.postback("spoils", credential="by host"), desk.postback("signs", signed=True)
    make_signing_secret(desk, signs)
    with desk.world.database.write() as tx:
        tx.execute(update(credentials).values(sealed=spoiled))
        tx.execute(update(signing_secrets).values(sealed=spoiled))
    keep_credential(desk, "other.localhost")
    other, plain = desk.postback("other", credential="by host"), desk.postback("plain")
    desk.enqueue(
        *(desk.delivery(each) for each in (spoils, signs, plain)), desk.delivery(other, host="other.localhost")
    )
    assert obstacles(take(desk).jobs) == {
        spoils.id: "credential_unopened",
        signs.id: "signing_secret_unopened",
        plain.id: "",
        other.id: "",
    }


def test_what_is_to_be_signed_is_never_sent_unsigned(desk: Desk) -> None:
    rule = desk.postback(signed=True)
    desk.enqueue(desk.delivery(rule))
    assert obstacles(take(desk).jobs) == {rule.id: "no_signing_secret"}
    make_signing_secret(desk, rule)
    desk.enqueue(desk.delivery(rule))
    [job] = take(desk).jobs
    assert job.outgoing is not None
    assert job.outgoing.header("webhook-signature") is not None


def test_orphans_at_the_head_of_the_queue_hold_up_nobody(desk: Desk) -> None:
    rule = desk.postback()
    desk.enqueue(*(desk.delivery(rule, postback_id=99) for _ in range(2 * dispatch.AT_A_TIME)))
    desk.enqueue(desk.delivery(rule))
    [job] = take(desk).jobs
    assert job.claimed.due.postback_id == rule.id
    assert desk.stand().count(("cancelled", "postback_deleted")) == 2 * dispatch.AT_A_TIME


def test_what_waits_for_a_host_that_is_down_is_not_touched(desk: Desk) -> None:
    known = hosts()
    for _ in range(FAILURES):
        known.take("down.localhost")
        known.begin("down.localhost")
        known.end("down.localhost", Sign.DOWN)
    rule = desk.postback()
    desk.enqueue(*(desk.delivery(rule, host="down.localhost") for _ in range(100)), desk.delivery(rule))
    before = [(row.due_at, row.code) for row in desk.rows() if row.host == "down.localhost"]
    with asked(desk.world.database) as statements:
        assert [job.host for job in take(desk, known).jobs] == [HOST]
    assert before == [(row.due_at, row.code) for row in desk.rows() if row.host == "down.localhost"]
    assert len(statements) <= 4


def test_what_is_paused_is_put_off_some_at_a_time(desk: Desk) -> None:
    rule, other = desk.postback("paused"), desk.postback("other")
    with desk.world.database.write() as tx:
        postbacks.pause(tx, desk.actor, rule, pauses=True)
    desk.enqueue(*(desk.delivery(rule) for _ in range(PUT_OFF + 10)))
    desk.enqueue(desk.delivery(other))
    first, second = take(desk), take(desk)
    assert (first.jobs, first.has_more) == ([], True)
    assert ([job.claimed.due.postback_id for job in second.jobs], second.has_more) == ([other.id], False)
    assert desk.stand().count((State.PENDING.value, "paused")) == PUT_OFF + 10
