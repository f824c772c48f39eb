"""Updates that come in at a service, read as the API reads them, without a server."""

from __future__ import annotations

import json
from collections.abc import Mapping

from ringback import clock, entropy
from ringback.domain.bodies import read_fields
from ringback.domain.credentials import read_credential
from ringback.domain.decisions import CallRef, RefKind
from ringback.domain.receipts import Arrived, Outcome, Update
from ringback.domain.updates import read_patch
from ringback.services import updates
from ringback.services.tokens import NewToken
from tests.world import World


def post(world: World, uuid: str, body: Mapping[str, object], token: NewToken | None = None, key: str = "") -> Outcome:
    """Have Bob, or the user of another token, update a call of Acme's."""
    content = json.dumps(body).encode()
    keys = {"Idempotency-Key": key} if key else {}
    update = Update(
        receipt_id=entropy.new_id(),
        received_at=clock.now(),
        route="update_call",
        account="acme",
        sender=read_credential([(token or world.bob_token).authorization.encode()], ()),
        ref=CallRef(RefKind.UUID, uuid),
        reading=read_patch(read_fields(b"", "application/json", content), keys=keys, dry_run=None),
        arrived=Arrived("POST", f"/api/v1/calls/update_call/{uuid}", "application/json", content, "192.0.2.7"),
    )
    with world.database.write() as tx:
        return updates.apply(tx, [update], clock.now())[0]
