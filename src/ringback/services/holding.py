"""Keeping what was refused and can still be applied, until somebody does or its sender succeeds."""

from __future__ import annotations

from dataclasses import dataclass, field

from msgspec.structs import replace
from sqlalchemy import Connection

from ringback.domain.access import Principal
from ringback.domain.calls import Origin
from ringback.domain.receipts import Outcome
from ringback.domain.waiting import Kind, Waiting, lacks_buyer, tells
from ringback.store import waiting


@dataclass(slots=True)
class Inbox:
    """What waits because of a batch: the calls of which something does, and how much more may."""

    tx: Connection
    awaited: set[tuple[int, str]] = field(default_factory=set)
    room: dict[tuple[int, int, Kind], int] = field(default_factory=dict)

    def hold(self, outcome: Outcome, principal: Principal, kind: Kind) -> Outcome:
        """The same outcome, its update kept if there is room; its sender is told until when, if he may know."""
        update = outcome.update
        key = update.reading.key
        place = (principal.account_id, principal.user_id, kind)
        if place not in self.room:
            self.room[place] = waiting.room(self.tx, *place)
        if self.room[place] <= 0:
            return outcome
        self.room[place] -= 1
        held = Waiting(
            account_id=principal.account_id,
            id=update.receipt_id,
            user_id=principal.user_id,
            call_uuid=outcome.call.uuid if outcome.call else update.ref.value,
            key=update.waiting_key,
            key_name=None if key is None else key.name,
            token_id=None if principal.token is None else principal.token.id,
            kind=kind,
            code=outcome.code,
            patch=update.reading.patch,
            details=update.details,
            route=update.route,
            hops=update.hops,
            received_at=update.received_at,
        )
        until = waiting.hold(self.tx, held, keeps_early=lacks_buyer(outcome))
        self.awaited.add((held.account_id, held.call_uuid))
        return replace(outcome, waits_until=until) if tells(outcome) else outcome

    def settle(self, outcome: Outcome) -> None:
        """What waits under the key of an update that was done needn't any more."""
        call, principal, update = outcome.call, outcome.principal, outcome.update
        if call is None or principal is None or update.origin not in (Origin.UPDATE, Origin.RECORDING):
            return
        if (call.account_id, call.uuid) in self.awaited:
            waiting.supersede(self.tx, call.account_id, principal.user_id, call.uuid, update.waiting_key)
