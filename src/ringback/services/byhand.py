"""What the operator does to calls at the command line, in the name of who runs the account."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Connection

from ringback.domain.bodies import Fields
from ringback.domain.decisions import CallRef, RefKind
from ringback.domain.errors import Mistake
from ringback.domain.receipts import Update
from ringback.domain.recordings import read_recording
from ringback.services import accounts, calls
from ringback.services.calls import Shown
from ringback.services.waiting import NewId

SOURCE = "command line"
"""Where the fields of such a recording stand."""


def record(
    tx: Connection, subdomain: str, values: Mapping[str, str], *, now: datetime, new_uuid: str, new_id: NewId
) -> Shown:
    """Record a call in an account, or update what is named of one that is there; the arguments as of the API.

    Raises:
        Mistake: there is no such account, or nobody who runs it.
        Refusal: what is named can't be recorded.
    """
    account = accounts.find(tx, subdomain)
    fields = Fields(dict(values), dict.fromkeys(values, SOURCE), ())
    recording = read_recording(fields, keys={}, dry_run=None)
    update = Update(
        receipt_id=new_id(),
        received_at=now,
        route="record",
        account=account.subdomain,
        sender=accounts.acting(tx, account),
        ref=CallRef(RefKind.UUID, recording.uuid or ""),
        reading=recording.reading,
    )
    outcome = calls.record(tx, update, recording, now=now, new_uuid=new_uuid, new_id=new_id)
    if outcome.refusal is not None or outcome.call is None:
        raise outcome.refusal or Mistake("the call was not recorded")
    return Shown(outcome.call, outcome.decision.readable, account.time_zone)
