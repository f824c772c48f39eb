"""What an agent says of a call: text under rights of its own."""

from __future__ import annotations

from typing import Any

import pytest

from ringback import clock
from ringback.domain.access import Level
from ringback.domain.attributes import UPDATABLE
from ringback.domain.calls import Call
from ringback.store import erasures, receipts
from tests.api.rows import texts
from tests.api.wire import check_envelope
from tests.live import Live, Reply

ALL = [attribute.name for attribute in UPDATABLE]
READ = ("disposition_id", "disposition_key", "disposition_name", "call_disposition_id")
NOTES = ("disposition_notes", "agent_call_disposition_notes")


def update(stage: Live, call: Call, values: dict[str, Any], **more: Any) -> Reply:  # noqa: ANN401
    more.setdefault("auth", stage.world.bob_token.authorization)
    return stage.update(call.uuid, values, **more)


def test_they_are_kept_and_read_under_every_name_of_clients(stage: Live) -> None:
    stage.world.grant(ALL)
    call = stage.world.call()
    said = {"call_disposition_id": 7910992782, "agent_call_disposition_notes": " Wants a quote [by mail] "}
    told = check_envelope(update(stage, call, said))
    assert {name: told["call"][name] for name in READ} == dict.fromkeys(READ, "7910992782")
    assert {name: told["call"][name] for name in NOTES} == dict.fromkeys(NOTES, "Wants a quote [by mail]")
    assert told["changed"]["disposition"] == {"from": None, "to": "7910992782"}
    assert update(stage, call, said).json["code"] == "unchanged"


def test_null_takes_them_away_and_blank_leaves_them_alone(stage: Live) -> None:
    stage.world.grant(ALL)
    call = stage.world.call()
    update(stage, call, {"call_disposition_id": "sold"})
    assert update(stage, call, {"call_disposition_id": " "}).json["call"]["disposition_key"] == "sold"
    told = update(stage, call, {"call_disposition_id": None}).json
    assert told["changed"]["disposition"] == {"from": "sold", "to": None}
    assert told["call"]["disposition_key"] is None


@pytest.mark.parametrize(
    ("value", "code"),
    [(["x"], "invalid_value"), ("x" * 4097, "invalid_value"), ("a\0b", "invalid_value"), ("[d]", "unreplaced_token")],
)
def test_what_can_t_be_read_is_refused(stage: Live, value: object, code: str) -> None:
    stage.world.grant(ALL)
    told = check_envelope(update(stage, stage.world.call(), {"call_disposition_id": value, "revenue": "1"}))
    assert told["codes"] == {"call_disposition_id": code}


@pytest.mark.parametrize(("name", "label"), [(READ[-1], "Disposition"), (NOTES[-1], "Disposition Notes")])
def test_each_has_a_right_of_its_own(stage: Live, name: str, label: str) -> None:
    world = stage.world
    world.grant([each for each in ALL if "disposition" not in each])
    call = world.call()
    told = check_envelope(update(stage, call, {name: "sold"}))
    assert [missing["attribute"] for missing in told["missing_permissions"]] == [label]
    assert "held_until" in told


def test_only_who_may_read_them_is_told(stage: Live) -> None:
    world = stage.world
    call = world.call()
    update(stage, call, {"call_disposition_id": "sold", "agent_call_disposition_notes": "Jane"}, auth=ada(stage))
    for rights in ({}, {"disposition": Level.READ}):
        world.grant(rights)
        told = stage.request("GET", f"/api/v1/calls/{call.uuid}", auth=world.bob_token.authorization).json["call"]
        assert [name for name in (*READ, *NOTES) if name in told] == ([*READ] if rights else [])
    told = stage.request("GET", f"/api/v1/calls/{call.uuid}", auth=ada(stage)).json["call"]
    assert (told["disposition_id"], told["disposition_notes"]) == ("sold", "Jane")


def test_the_notes_go_with_the_person(stage: Live) -> None:
    world = stage.world
    call = world.call()
    said = {"call_disposition_id": "sold", "agent_call_disposition_notes": "Jane of Elm Street"}
    told = update(stage, call, said, auth=ada(stage), headers={"Idempotency-Key": "k"}).json
    with world.database.write() as tx:
        erasures.erase(tx, world.acme, call.uuid, clock.now())
    shown = stage.request("GET", f"/api/v1/calls/{call.uuid}", auth=ada(stage)).json["call"]
    assert (shown["disposition_name"], shown["disposition_notes"]) == ("sold", None)
    with world.database.read() as tx:
        found = receipts.find(tx, world.acme, told["receipt_id"])
    assert found is not None
    assert [row[0] for row in found[0].changed] == ["disposition"]
    assert not [place for place, text in texts(world.database) if b"Elm Street" in text]


def ada(stage: Live) -> str:
    return stage.world.ada_token.authorization
