"""Sending postbacks of a call anew, because somebody who runs the account asks for it."""

from __future__ import annotations

from msgspec.structs import replace
from sqlalchemy import Connection

from ringback.domain.access import Principal
from ringback.domain.calls import Call
from ringback.domain.receipts import Refires, Update
from ringback.domain.refires import NAMES, take_refires
from ringback.domain.updates import Warned
from ringback.store import deliveries, postbacks


def with_refires(update: Update, principal: Principal) -> Update:
    """An update with the postbacks that it asks for, from somebody who may; of others they are unknown names."""
    named = [] if update.reading.unknown is None else [*(update.reading.unknown.values.keys() & NAMES)]
    if not named:
        return update
    if principal.runs_account:
        reading, refires = take_refires(update.reading)
        return replace(update, reading=reading, refires=refires)
    warnings = (Warned("refire_ignored", {"name": name}) for name in sorted(named))
    return replace(update, reading=replace(update.reading, warnings=(*update.reading.warnings, *warnings)))


def find_refires(tx: Connection, call: Call, asked: Refires) -> tuple[tuple[int, ...], tuple[Warned, ...]]:
    """The numbers of the postbacks that are sent anew, and what is to be said of that."""
    if not asked:
        return (), ()
    told = deliveries.list_told(tx, call.account_id, call.uuid) if asked.every else ()
    there = {rule.id: rule for rule in postbacks.list_postbacks(tx, [call.account_id]) if rule.is_about(call)}
    wanted = dict.fromkeys([*told, *asked.ids])
    found = tuple(number for number in wanted if number in there)
    missing = (Warned("postback_unknown", {"id": str(number)}) for number in asked.ids if number not in there)
    return found, (Warned("refired", {"count": str(len(found))}), *missing)
