from __future__ import annotations

import pytest

from ringback import entropy
from ringback.domain.access import Role
from ringback.store import accounts
from tests.cli.shell import Shell
from tests.services.arriving import post
from tests.world import World

RECORD = ("call", "record", "--account", "acme", "--caller-number", "(719) 555-0123")


def test_a_call_is_recorded_and_shown_as_the_api_shows_it(at_acme: Shell) -> None:
    uuid = entropy.new_call_uuid()
    named = (
        "--buyer",
        "bright roofing",
        "--offer",
        "Roofing",
        "--uuid",
        uuid,
        "--set",
        "first_name=Jane",
        "--set",
        "q=a=b",
    )
    document = at_acme.ok(*RECORD, *named, "--json").json
    assert (document["uuid"], document["caller_number"], document["buyer"]) == (uuid, "+17195550123", "Bright Roofing")
    assert document["contact_fields"] == {"first_name": "Jane", "q": "a=b"}
    shown = at_acme.ok("call", "show", uuid.upper(), "--account", "acme", "--json").json
    assert shown["call"] == document
    assert [(each["attribute"], each["to"], each["origin"]) for each in shown["timeline"]] == [
        ("contact_fields.first_name", "Jane", "recording"),
        ("contact_fields.q", "a=b", "recording"),
    ]


def test_a_person_is_told_the_uuid_and_what_is_known(at_acme: Shell) -> None:
    told = at_acme.ok(*RECORD, "--set", "first_name=Jane").lines
    assert told[0].startswith("The call ")
    assert "  contact_fields            first_name = Jane" in told
    assert not any("ended_at" in line for line in told)


def test_a_person_reads_everything_once_a_program_every_name(at_acme: Shell) -> None:
    said = ("revenue=10", "payout=6", "offer_converted=1", "hangup_cause=busy", "a=b")
    uuid = at_acme.ok(*RECORD, *(part for each in said for part in ("--set", each)), "--json").json["uuid"]
    shown = at_acme.ok("call", "show", uuid, "--account", "acme")
    names = [line.split()[0] for line in shown.lines[: shown.lines.index("")]]
    for once, *others in (
        ("revenue", "buyer_revenue"),
        ("payout", "traffic_source_payout"),
        ("offer_converted", "traffic_source_converted"),
        ("contact_fields", "post_call_tokens", "token_values"),
        ("hangup_cause", "hangup_reason"),
    ):
        assert once in names
        assert not {*others} & {*names}
        document = at_acme.ok("call", "show", uuid, "--account", "acme", "--json").json["call"]
        assert {*others} < {*document}


def test_what_was_erased_is_called_erased(at_acme: Shell) -> None:
    uuid = at_acme.ok(*RECORD, "--buyer", "1", "--set", "first_name=Jane", "--json").json["uuid"]
    at_acme.ok("erase", "--account", "acme", "--call", uuid, "--yes")
    assert "Contact Fields, first_name: erased" in at_acme.ok("call", "show", uuid, "--account", "acme").out


def test_the_timeline_tells_every_change_with_its_update(at_acme: Shell, world: World) -> None:
    uuid = at_acme.ok(*RECORD, "--buyer", "1", "--offer", "1", "--json").json["uuid"]
    assert (
        at_acme.ok("call", "show", uuid, "--account", "acme").lines[-1] == "Nothing has changed since it was recorded."
    )
    receipt_id = post(world, uuid, {"buyer_converted": "1", "revenue": "10", "offer_converted": "1"}).update.receipt_id
    told = at_acme.ok("call", "show", uuid, "--account", "acme").lines[-4:]
    assert ["Buyer Converted?: no → yes" in line for line in told] == [True, False, False, False]
    assert "TS Payout: nothing → 6.00 (follows from the conversion)  effect" in told[-1]
    assert all(line.endswith(receipt_id) for line in told)


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (
            ("--buyer", "Zeta", "--caller-number", "7"),
            "The account has no buyer Zeta. caller_number must be a telephone",
        ),
        (("--set", "first_name"), "--set first_name: write NAME=VALUE"),
        (("--set", "=x"), "--set =x: write NAME=VALUE"),
        (("--set", "revenue=1,25"), "revenue: 1,25 is ambiguous"),
        (("--uuid", "7"), "uuid must be a UUID"),
        (("--account", "acm"), "there is no account acm; did you mean acme?"),
    ],
)
def test_a_call_that_cannot_be_recorded_is_refused(at_acme: Shell, arguments: tuple[str, ...], reason: str) -> None:
    assert at_acme.fails(*RECORD, *arguments).startswith(reason)


def test_a_call_that_there_is_not_is_told(at_acme: Shell) -> None:
    uuid = entropy.new_call_uuid()
    assert at_acme.fails("call", "show", uuid, "--account", "acme") == f"This account has no call {uuid}."
    assert at_acme.fails("call", "show", "7", "--account", "acme") == "7 is not the UUID of a call"


def test_an_account_without_owner_or_manager_says_what_to_do(at_acme: Shell, world: World) -> None:
    with world.database.write() as tx:
        accounts.set_role(tx, world.acme, world.ada, Role.MEMBER)
    reason = at_acme.fails(*RECORD)
    assert reason.startswith(
        "acme has no owner or manager to act for; make one: ringback user role EMAIL --account acme"
    )
