"""What happened to a call, for the reading API: updates that came, changes by others, deliveries that were sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from ringback.domain.decisions import CallRef
from ringback.services import seen_calls
from ringback.services.access import Caller, see_call
from ringback.services.listed_calls import check_lister
from ringback.services.seen_calls import Event, Line
from ringback.store import call_logs, calls, delivery_search
from ringback.store.call_logs import Came, Sent, Tried
from ringback.store.delivery_search import Listed as Delivery

DELIVERIES_TOLD = 100
"""How many of the newest deliveries of a call are told."""


@dataclass(frozen=True, slots=True)
class Told:
    """A call and what happened to it, as far as somebody may know; ``came`` is by receipt, the rest by delivery."""

    line: Line
    time_zone: str
    events: Sequence[Event]
    deliveries: Sequence[Delivery]
    came: Mapping[str, Came]
    sent: Mapping[str, Sent]
    tried: Mapping[str, Tried]


def tell(tx: Connection, caller: Caller, ref: CallRef, now: datetime) -> Told:
    """What happened to a call: of other people's updates a member is told what they changed, and no deliveries.

    Raises:
        Refusal: as :func:`check_lister`; ``call_not_found``, ``buyer_not_shared``.
    """
    account, principal = check_lister(tx, caller, now)
    line = Line(*see_call(principal, calls.find(tx, account.id, ref), ref))
    uuid = line.call.uuid
    events = seen_calls.timeline(tx, principal, line).events
    deliveries: Sequence[Delivery] = ()
    if principal.runs_account:
        wanted = delivery_search.Wanted(call_uuid=uuid)
        deliveries = delivery_search.list_page(tx, account.id, wanted, limit=DELIVERIES_TOLD).lines
    receipt_ids = [event.receipt.id for event in events if event.receipt is not None]
    delivery_ids = [delivery.id for delivery in deliveries]
    return Told(
        line,
        account.time_zone,
        events,
        deliveries,
        call_logs.list_came(tx, account.id, receipt_ids),
        call_logs.list_sent(tx, account.id, delivery_ids),
        call_logs.list_tried(tx, account.id, delivery_ids),
    )
