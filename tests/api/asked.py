"""Updates as the services get them: read from a body and a credential, but without a socket."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from ringback import clock, entropy
from ringback.domain.bodies import read_fields
from ringback.domain.credentials import read_credential
from ringback.domain.decisions import read_ref
from ringback.domain.receipts import Update
from ringback.domain.updates import read_patch


def ask(authorization: str, call: str, body: Mapping[str, Any], *, key: str = "", dry_run: bool = False) -> Update:
    """An update of a call of Acme's, named by UUID or number."""
    fields = read_fields(b"", "application/json", msgspec.json.encode(body))
    return Update(
        receipt_id=entropy.new_id(),
        received_at=clock.now(),
        route="calls",
        account="acme",
        sender=read_credential([authorization.encode()], []),
        ref=read_ref(call, numbers=True),
        reading=read_patch(fields, keys={"Idempotency-Key": key} if key else {}, dry_run="1" if dry_run else None),
    )
