"""What every client must find: the same call state, the same status and code, whatever it is written in."""

from __future__ import annotations

from ringback import entropy
from ringback.domain.attributes import blank_state
from tests.api.wire import CHALLENGE
from tests.blackbox.clients import Running
from tests.blackbox.stage import Stage
from tests.blackbox.ways import worth


def check_update(stage: Stage, client: Running, body: str, credential: str) -> None:
    """An update is applied, and applied again is no change."""
    call = stage.world.call()
    reply = client.post(stage.ask(call.uuid, body, credential))
    assert (reply.status, reply.json["code"]) == (200, "applied"), reply.json
    assert stage.world.state(call) == worth(body)
    assert reply.headers["content-type"] == "application/json"
    assert (reply.json["call"]["uuid"], reply.json["ignored"]) == (call.uuid, [])


def check_answers(stage: Stage, client: Running) -> None:
    """What is not applied is answered in full: the dry run, the refusals, the repeated update."""
    world = stage.world
    call = world.call()
    dry = client.post(stage.ask(call.uuid, query="?dry_run=true"))
    assert (dry.status, dry.json["code"], dry.json["dry_run"]) == (200, "applied", True)
    nobody = client.post(stage.ask(call.uuid, credential="none"))
    assert (nobody.status, nobody.headers["www-authenticate"]) == (401, CHALLENGE)
    assert world.state(call) == blank_state()
    codes = [client.post(stage.ask(call.uuid)).json["code"] for _ in range(2)]
    assert codes == ["applied", "unchanged"]
    early = client.post(stage.ask(entropy.new_call_uuid()))
    assert (early.status, early.json["code"]) == (404, "call_not_found")
    assert early.json["held_until"]


def check_explained(stage: Stage, client: Running) -> None:
    """A refusal says which rights are missing, and where they are granted; nothing is applied."""
    dim, _ = stage.dora
    call = stage.world.call(buyer=dim)
    reply = client.post(stage.ask_of_dora(call.uuid))
    assert (reply.status, reply.json["code"]) == (403, "permission_denied")
    missing = {each["attribute"]: each for each in reply.json["missing_permissions"]}
    assert set(missing) == {"Buyer Revenue", "TS Converted"}
    assert missing["Buyer Revenue"]["right"] == "update"
    assert missing["Buyer Revenue"]["grant_at"].startswith("/company/teams/")
    assert stage.world.state(call) == blank_state()
