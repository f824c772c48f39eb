"""The Postman collection, run by newman from top to bottom, twice: every request is answered as it is described."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from ringback import clock, entropy
from ringback.domain.access import AccessType
from ringback.domain.postbacks import Definition, Owner, Pause, Postback, Trigger
from ringback.store import postbacks
from tests.blackbox.clients import HERE
from tests.blackbox.stage import Stage
from tests.docs.test_postman import COLLECTION, ENVIRONMENT
from tests.world import World, make_token

NEWMAN = HERE / "node" / "node_modules" / ".bin" / "newman"


def test_newman_runs_the_collection(stage: Stage, tmp_path: Path) -> None:
    world, report = stage.world, tmp_path / "report.json"
    with world.database.write() as tx:
        token = make_token(tx, world.charlie, world.zeta, access_type=AccessType.EVERYTHING)
    add_postback(world)
    told = {
        "base_url": f"http://127.0.0.1:{stage.port}/a/zeta",
        "public_key": token.public_key,
        "private_key": token.private_key,
    }
    line = [str(NEWMAN), "run", str(COLLECTION), "--environment", str(ENVIRONMENT)]
    line += [word for name, value in told.items() for word in ("--env-var", f"{name}={value}")]
    line += ["--iteration-count", "2", "--color", "off"]
    line += ["--reporters", "cli,json", "--reporter-json-export", str(report)]
    done = subprocess.run(line, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    requests = [each for folder in json.loads(COLLECTION.read_text())["item"] for each in folder["item"]]
    assertions = json.loads(report.read_text())["run"]["stats"]["assertions"]
    assert assertions == {"total": 2 * len(requests), "pending": 0, "failed": 0}


def add_postback(world: World) -> None:
    """A postback of Zeta's, which can't be made by the API."""
    with world.database.write() as tx:
        now, number = clock.now(), postbacks.new_number(tx, world.zeta)
        definition = Definition("GET", "https://summit.example/converted?payout=[payout]", body_kind="none")
        kept = (world.zeta, number, entropy.new_id(), "Tell Summit", Owner.ACCOUNT, None, Trigger.OFFER_CONVERTED, 1)
        postbacks.add(tx, Postback(*kept, definition, Pause.PERSON, now, now), world.charlie)
