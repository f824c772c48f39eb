from __future__ import annotations

import shlex

import pytest

from ringback import cli, entropy
from ringback.cli import updates as commands
from ringback.services import accounts, receipts
from tests.cli.shell import PROGRAM, Shell
from tests.services.arriving import post
from tests.statements import asked
from tests.world import World

SALE = {"buyer_converted": "true", "revenue": "42.00", "payout": "9", "foo": 1}
ACME = ("--account", "acme")


def denied(world: World) -> str:
    """An update that was denied for want of one right; returns its id."""
    world.grant(["buyer_converted", "revenue"])
    return post(world, world.call().uuid, SALE).update.receipt_id


def test_the_list_has_the_keys_that_were_promised(at_acme: Shell, world: World) -> None:
    call = world.call()
    applied = post(world, call.uuid, {"revenue": "42"}).update.receipt_id
    row = at_acme.ok("updates", "list", *ACME, "--json").json[0]
    assert (row["id"], row["call_uuid"], row["user"]) == (applied, call.uuid, "bob@bright.example")
    assert (row["outcome"], row["code"], row["dry_run"]) == ("applied", "applied", False)
    assert row["changed"] == {"revenue": {"from": None, "to": "42.00", "origin": "update"}}
    assert row["missing_permissions"] == []
    assert row["received_at"].endswith(("-05:00", "-04:00"))


def test_the_list_can_be_cut_by_outcome_and_call(at_acme: Shell, world: World) -> None:
    waiting = denied(world)
    other = world.call()
    post(world, other.uuid, {"revenue": "1,25"})
    rows = at_acme.ok("updates", "list", *ACME, "--outcome", "denied", "--json").json
    assert [(row["id"], row["tries"]) for row in rows] == [(waiting, 1)]
    assert rows[0]["missing_permissions"][0]["attribute"] == "TS Payout"
    assert "waits_until" in rows[0]
    assert len(at_acme.ok("updates", "list", *ACME, "--call", other.uuid, "--json").json) == 1
    assert len(at_acme.ok("updates", "list", *ACME, "--limit", "1", "--json").json) == 1
    assert at_acme.ok("updates", "list", *ACME, "--outcome", "early").lines == ["Nothing waits."]
    assert at_acme.ok("updates", "list", *ACME, "--outcome", "applied").lines == ["There is no such update."]
    assert at_acme.fails("updates", "list", *ACME, "--call", "7") == "7 is not the UUID of a call"


def test_a_person_sees_in_a_few_words_what_it_is(at_acme: Shell, world: World) -> None:
    call = world.call()
    post(world, call.uuid, {"revenue": "42"})
    post(world, call.uuid, {"revenue": "1,25"})
    post(world, call.uuid, {"revenue": "43", "dry_run": True})
    world.grant([])
    post(world, call.uuid, SALE)
    post(world, call.uuid, SALE)
    told = [line.rsplit("  ", 1)[-1].strip() for line in at_acme.ok("updates", "list", *ACME).lines[1:]]
    lacks = ", ".join(f"{label} (Bright Roofing)" for label in ("Buyer Converted?", "Buyer Revenue", "TS Payout"))
    assert told == [f"lacks {lacks}", f"lacks {lacks}", "dry run", "invalid_value", "Buyer Revenue: nothing → 42.00"]
    waiting = at_acme.ok("updates", "list", *ACME, "--outcome", "denied").lines[1]
    assert waiting.endswith(f"lacks {lacks}; 2 tries")


def test_an_update_is_told_in_four_blocks(at_acme: Shell, world: World) -> None:
    told = at_acme.ok("updates", "show", denied(world)).out
    blocks = ["What arrived", "What we understood", "How it was decided", "What changed"]
    assert [line for line in told.splitlines() if line in blocks] == blocks
    for part in (
        "denied · permission_denied",
        "from 192.0.2.7, by bob@bright.example with the access token a test's",
        '{"buyer_converted": "true"',
        "TS Payout: 9.00 (payout in the JSON body)",
        "Ignored, since nothing here has these names: foo",
        "✗ The user of this token may not update: TS Payout.",
        "TS Payout: team Bright Roofing lacks Update",
        "It waits until ",
    ):
        assert part in told


def test_the_cure_that_is_told_cures(at_acme: Shell, world: World) -> None:
    update = denied(world)
    cures = [line.split("→ ")[1] for line in at_acme.ok("updates", "show", update).lines if line.startswith("  → /")]
    assert len(cures) == 2
    for cure in cures:
        program, *arguments = shlex.split(cure)
        assert program == PROGRAM
        assert cli.run(arguments) == 0
    later = at_acme.ok("updates", "show", update).lines[-1]
    assert later.startswith("  It was applied later, as update ")
    applied = at_acme.ok("updates", "show", later.split()[-1].rstrip(".")).out
    assert "Nothing from outside: it was done here, in the name of bob@bright.example" in applied
    assert "Buyer Revenue: nothing → 42.00" in applied


def test_the_list_says_what_was_applied_later(at_acme: Shell, world: World) -> None:
    applied, superseded = denied(world), denied(world)
    uuids = [at_acme.ok("updates", "show", each, "--json").json["call_uuid"] for each in (applied, superseded)]
    again = post(world, uuids[0], SALE).update.receipt_id
    early = post(world, entropy.new_call_uuid(), SALE).update.receipt_id
    world.grant(["buyer_converted", "revenue", "payout"])
    at_acme.ok("updates", "apply", applied)
    post(world, uuids[1], SALE)
    lines = {line.split()[0]: line for line in at_acme.ok("updates", "list", *ACME).lines}
    for update, words in (
        (applied, "denied, applied later"),
        (again, "denied, applied later"),
        (superseded, "denied, superseded"),
        (early, "early"),
    ):
        assert f"  {words}  " in lines[update]
    rows = {row["id"]: row for row in at_acme.ok("updates", "list", *ACME, "--json").json}
    told = [(rows[each]["outcome"], rows[each]["waiting"]) for each in (applied, superseded, early)]
    assert told == [("denied", "applied"), ("denied", "superseded"), ("early", "waiting")]
    assert next(row["waiting"] for row in rows.values() if row["outcome"] == "applied") is None


def test_the_list_asks_no_more_of_many_updates(world: World) -> None:
    def count() -> int:
        with world.database.read() as tx, asked(world.database) as statements:
            receipts.list_updates(tx, accounts.find(tx, "acme"), outcome=None, call_uuid=None, limit=50)
        return len(statements)

    denied(world)
    once = count()
    denied(world)
    assert count() == once


def test_times_of_an_update_are_in_one_zone_that_is_named(at_acme: Shell, world: World) -> None:
    told = at_acme.ok("updates", "show", denied(world)).lines
    waits = next(line for line in told if "It waits until" in line)
    assert " America/New_York · denied" in told[1]
    assert waits.endswith(" America/New_York. To grant and apply:")


def test_an_early_one_says_how_long_it_waits(at_acme: Shell, world: World) -> None:
    early = post(world, entropy.new_call_uuid(), SALE).update.receipt_id
    last = at_acme.ok("updates", "show", early).lines[-1]
    assert last.startswith("  It waits until ")
    assert last.endswith(", and is applied when its call is recorded.")


def test_a_settled_one_says_so(at_acme: Shell, world: World) -> None:
    update = denied(world)
    world.grant(["buyer_converted", "revenue", "payout"])
    uuid = at_acme.ok("updates", "show", update, "--json").json["call_uuid"]
    post(world, uuid, SALE)
    assert at_acme.ok("updates", "show", update).lines[-1] == "  It waits no longer: it is superseded."
    assert at_acme.fails("updates", "apply", update) == f"the update {update} does not wait; it is superseded"


def test_all_that_is_kept_of_an_update_as_json(at_acme: Shell, world: World) -> None:
    update = denied(world)
    document = at_acme.ok("updates", "show", update, *ACME, "--json").json
    assert (document["id"], document["account"], document["arrived"]["ip"]) == (update, "acme", "192.0.2.7")
    assert document["understood"]["ignored"] == ["foo"]
    assert document["decided"]["missing"] == [["payout", 1, "Bright Roofing"]]
    assert document["waiting"] == {"id": update, "state": "waiting", "tries": 1}


def test_what_a_sender_wrote_cannot_steer_the_terminal(at_acme: Shell, world: World) -> None:
    call = world.call()
    update = post(world, call.uuid, {"post_call_tokens": {"first_name": "\x1b[31mred\u202e\x07"}}).update.receipt_id
    for told in (
        at_acme.ok("updates", "show", update).out,
        at_acme.ok("updates", "list", *ACME).out,
        at_acme.ok("call", "show", call.uuid, *ACME).out,
        at_acme.ok("updates", "show", update, "--json").out,
    ):
        assert not {"\x1b", "\u202e", "\x07"} & set(told)
        assert "\\x1b[31mred" in told or "\\u001b[31mred" in told


def test_what_was_refused_is_applied_after_the_grant(at_acme: Shell, world: World) -> None:
    update = denied(world)
    refused = at_acme.run("updates", "apply", update)
    assert refused.code == 1
    assert refused.lines[0].endswith("The user of this token may not update: TS Payout.")
    granted = at_acme.ok("team", "grant", *ACME, "--team", "Bright Roofing", "--update", "payout").lines
    assert granted[1] == "1 denied update waits for this team. To apply what it may do now:"
    applied = at_acme.ok("updates", "apply", update).lines
    assert applied[0].startswith(f"✓ {update} of call ")
    assert applied[1:] == [
        "    Buyer Converted?: no → yes",
        "    Buyer Revenue: nothing → 42.00",
        "    TS Payout: nothing → 9.00",
    ]
    assert at_acme.fails("updates", "apply", update).endswith("does not wait; it is applied")


def test_all_of_a_team_are_applied_in_the_order_in_which_they_came(
    at_acme: Shell, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commands, "AT_ONCE", 2)
    world.grant([])
    call = world.call()
    ids = [post(world, call.uuid, {"revenue": str(revenue)}).update.receipt_id for revenue in (1, 2, 3)]
    world.grant(["revenue"])
    every = ("--all-denied-for", "bright roofing")
    made = at_acme.ok("updates", "apply", *every, *ACME, "--json").json
    assert [each["id"] for each in made] == ids
    assert [each["changed"]["revenue"]["to"] for each in made] == ["1.00", "2.00", "3.00"]
    assert world.state(call)["revenue"] == 3
    assert at_acme.ok("updates", "apply", *every, *ACME).lines == ["Nothing waits."]


def test_a_person_sees_how_far_it_is(at_acme: Shell, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "AT_ONCE", 1)
    monkeypatch.setattr(commands, "is_terminal", lambda: True)
    world.grant([])
    calls = [world.call(), world.call()]
    ids = [post(world, call.uuid, {"revenue": "1"}).update.receipt_id for call in calls]
    world.grant(["revenue"])
    at_acme.ok("updates", "apply", *ids)
    assert [world.state(call)["revenue"] for call in calls] == [1, 1]


def test_a_newer_value_stays_unless_it_is_overridden(at_acme: Shell, world: World) -> None:
    call = world.call()
    world.grant(["buyer_converted"])
    first = post(world, call.uuid, {"revenue": "1"}).update.receipt_id
    second = post(world, call.uuid, {"revenue": "2"}).update.receipt_id
    world.grant(["revenue"])
    post(world, call.uuid, {"revenue": "3"})
    kept = at_acme.ok("updates", "apply", first).lines
    assert kept[1:] == ["    Nothing.", "    revenue was changed since this update was sent; the newer value was kept."]
    assert world.state(call)["revenue"] == 3
    at_acme.ok("updates", "apply", second, "--override-later")
    assert world.state(call)["revenue"] == 2


def test_what_it_says_beside_worth_is_told_too(at_acme: Shell, world: World) -> None:
    call = world.call()
    world.grant([])
    updates = [post(world, call.uuid, {"call_disposition_id": said}).update.receipt_id for said in ("SOLD", "LOST")]
    world.grant(["disposition"])
    assert at_acme.ok("updates", "apply", updates[0]).lines[1:] == ["    Disposition: nothing → SOLD"]
    (made,) = at_acme.ok("updates", "apply", updates[1], "--json").json
    assert made["changed"] == {"disposition": {"from": "SOLD", "to": "LOST", "origin": "late"}}
    assert [line.split("  ")[1].strip() for line in at_acme.ok("call", "show", call.uuid, *ACME).lines[-2:]] == [
        "Disposition: nothing → SOLD",
        "Disposition: SOLD → LOST",
    ]


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ((), "give ids of updates, or --all-denied-for TEAM"),
        (("x", "--all-denied-for", "Bright Roofing"), "give ids of updates, or --all-denied-for TEAM"),
        (("--all-denied-for", "Bright Roofing"), "--all-denied-for needs --account"),
        (("--all-denied-for", "Bright", *ACME), "there is no team Bright; did you mean Bright Roofing?"),
        (("x",), "there is no update x"),
        (("x", *ACME), "there is no update x in acme"),
    ],
)
def test_what_cannot_be_applied_is_told(at_acme: Shell, arguments: tuple[str, ...], reason: str) -> None:
    assert at_acme.fails("updates", "apply", *arguments) == reason


def test_one_that_never_waited_is_told(at_acme: Shell, world: World) -> None:
    update = post(world, world.call().uuid, {"revenue": "1"}).update.receipt_id
    assert at_acme.fails("updates", "apply", update) == f"the update {update} does not wait"
