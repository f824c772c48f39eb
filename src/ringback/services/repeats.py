"""Sending deliveries again: made anew of what their postbacks and calls are now, so that mending the cause helps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from sqlalchemy import Connection

from ringback.domain.calls import Call
from ringback.domain.decisions import CallRef, RefKind
from ringback.domain.postbacks import Postback, is_undone
from ringback.domain.templates import HeldError
from ringback.services.deliveries import compiled, request_of, values_of
from ringback.store import calls, postbacks
from ringback.store import repeats as store
from ringback.store.access import Account
from ringback.store.repeats import Anew, Repeat, Unmade


@dataclass(frozen=True, slots=True)
class Repeated:
    """What came of it: the deliveries that are sent again, and by id why others are held."""

    sent: Sequence[str] = ()
    held: Mapping[str, str] = field(default_factory=dict)


def send_again(
    tx: Connection, account: Account, ids: Sequence[str], now: datetime, *, keeps_order: bool = False
) -> Repeated:
    """Send deliveries again that failed, are held, tried again or taken back, each under its id.

    Each is made anew of the present version of its postback and the present values of its call; where that can't be,
    it is held with its reason. One whose call is gone sends what it was to send.

    Args:
        tx: the transaction to do it in.
        account: whose deliveries they are.
        ids: the deliveries; what can't be sent again, as a test, is passed over.
        now: the time of it.
        keeps_order: whether to leave those that a later one has told better, and what was undone since.
    """
    # Calls are locked before deliveries, as wherever a change of a call makes some.
    refs = [(account.id, CallRef(RefKind.UUID, uuid)) for uuid in store.list_calls(tx, account.id, ids)]
    found = {ref.value: each.call for (_, ref), each in calls.lock(tx, refs).items()}
    rules = {rule.id: rule for rule in postbacks.list_postbacks(tx, [account.id])}
    repeats = store.lock(tx, account.id, ids, keeps_order=keeps_order)
    sent: list[Repeat] = []
    anew: dict[str, Anew] = {}
    unmade: dict[str, Unmade] = {}
    held: dict[str, str] = {}
    for each in repeats:
        rule, call = rules[each.postback_id], found.get(each.call_uuid)
        if keeps_order and call is not None and is_undone(each.trigger, call):
            continue
        try:
            if call is not None:
                anew[each.id] = _anew(each, rule, call, account)
        except HeldError as error:
            unmade[each.id], held[each.id] = Unmade(rule.version, error.code, error.name), str(error)
            continue
        if call is not None or each.request is not None:
            sent.append(each)
    store.keep_former(tx, account.id, [each for each in repeats if each.id in unmade or _differs(each, anew)])
    store.send(tx, account.id, sent, anew, now)
    store.hold(tx, account.id, unmade)
    return Repeated([each.id for each in sent], held)


def _anew(repeat: Repeat, rule: Postback, call: Call, account: Account) -> Anew:
    rendered = compiled(rule).render(values_of(rule, call, account, trigger=repeat.trigger, delivery_id=repeat.id))
    # It tells of the call as it is now, and so goes after what tells of it as it was before.
    return Anew(rendered.host, rule.version, call.changes, request_of(rendered))


def _differs(repeat: Repeat, anew: Mapping[str, Anew]) -> bool:
    """Whether something else is sent than before."""
    made, before = anew.get(repeat.id), repeat.request
    return made is not None and before is not None and replace(made.request, trace=()) != replace(before, trace=())
