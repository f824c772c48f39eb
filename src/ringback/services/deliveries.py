"""Deliveries as they come about.

They are enqueued in the transaction that changed the call, so that neither is without the other; held where a value is
missing, and made anew when the call gets it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import lru_cache

from sqlalchemy import Connection

from ringback.domain.calls import Call
from ringback.domain.compiling import UnfitDefinitionError, compile_definition
from ringback.domain.conditions import all_hold
from ringback.domain.deliveries import State
from ringback.domain.postbacks import MOST_HOPS, Happening, Postback, is_undone
from ringback.domain.rendering import Compiled, Rendered
from ringback.domain.template_tokens import Values, call_values
from ringback.domain.templates import REASONS, HeldError
from ringback.services.public_suffixes import is_public_suffix
from ringback.store import deliveries, postbacks
from ringback.store.access import Account
from ringback.store.deliveries import NewDelivery, Over, Request


def enqueue(
    tx: Connection,
    happenings: Sequence[Happening],
    accounts: Mapping[int, Account],
    now: datetime,
) -> int:
    """Make the deliveries that are owed for what happened; returns how many can be sent.

    What was held for a missing value is made anew where its call has changed; where a later delivery of the same
    postback and call comes, it is given up instead.

    Args:
        tx: the transaction in which it happened.
        happenings: what happened, in order.
        accounts: by id, those that the calls belong to.
        now: the time of it.
    """
    rules = postbacks.list_postbacks(tx, {each.call.account_id for each in happenings})
    if not rules:
        return 0
    by_account: dict[int, list[Postback]] = {}
    for rule in rules:
        by_account.setdefault(rule.account_id, []).append(rule)
    made = [
        _delivery(rule, each, accounts[each.call.account_id], now)
        for each in happenings
        if each.hops < MOST_HOPS
        for rule in by_account.get(each.call.account_id, ())
        if each.concerns(rule)
    ]
    wanted = [each for each in made if each is not None]
    calls = {(each.call.account_id, each.call.uuid): each.call for each in happenings}
    let_go = _look_at_held(tx, calls, wanted, {(rule.account_id, rule.id): rule for rule in rules}, accounts, now)
    deliveries.add(tx, wanted)
    return let_go + sum(each.due_at is not None for each in wanted)


def values_of(rule: Postback, call: Call, account: Account, *, trigger: str, delivery_id: str) -> Values:
    """What the template tokens of a postback stand for."""
    return call_values(
        call,
        subdomain=account.subdomain,
        account=account.name,
        trigger=trigger,
        postback=rule.name,
        delivery_id=delivery_id,
    )


def request_of(rendered: Rendered) -> Request:
    """A rendered request as it is kept."""
    trace = [(each.written, each.value, each.position.value, each.rule) for each in rendered.trace]
    return Request(rendered.method, rendered.url, rendered.headers, rendered.body, trace)


def compiled(rule: Postback) -> Compiled:
    """The definition of a saved postback, ready to be filled.

    Raises:
        HeldError: it could be saved once, but can't any more.
    """
    try:
        return _compiled(_Definition(rule))
    except UnfitDefinitionError as error:
        raise HeldError("unfit_definition", error.problems[0].field) from error


def _delivery(rule: Postback, happened: Happening, account: Account, now: datetime) -> NewDelivery | None:
    """The delivery of a postback for what happened; None if its conditions don't hold."""
    call, trigger = happened.call, rule.trigger.value
    # Made of the receipt and the postback: the same happening can't be told twice, and ids are in order of time.
    delivery_id = f"{happened.receipt_id[:-8]}{rule.id:08x}"
    values = values_of(rule, call, account, trigger=trigger, delivery_id=delivery_id)
    if not all_hold(rule.definition.conditions, values):
        return None
    made = NewDelivery(
        account_id=rule.account_id,
        id=delivery_id,
        postback_id=rule.id,
        version=rule.version,
        trigger=trigger,
        call_uuid=call.uuid,
        seq=call.changes,
        receipt_id=happened.receipt_id,
        host="",
        hops=happened.hops,
        created_at=now,
        due_at=now + timedelta(seconds=rule.definition.delay),
    )
    try:
        rendered = compiled(rule).render(values)
    except HeldError as held:
        return replace(made, due_at=None, state=State.HELD, code=held.code, details={"name": held.name})
    return replace(made, host=rendered.host, request=request_of(rendered))


def _look_at_held(
    tx: Connection,
    calls: Mapping[tuple[int, str], Call],
    made: Sequence[NewDelivery],
    rules: Mapping[tuple[int, int], Postback],
    accounts: Mapping[int, Account],
    now: datetime,
) -> int:
    """Give up what is held and told better by a later delivery, or is so no longer; make anew what can be now."""
    later = {(each.account_id, each.postback_id, each.call_uuid) for each in made}
    over: list[Over] = []
    rendered: dict[tuple[int, str], tuple[str, Request]] = {}
    for held in deliveries.list_held(tx, calls.keys()):
        call, rule = calls[held.account_id, held.call_uuid], rules.get((held.account_id, held.postback_id))
        if (held.account_id, held.postback_id, held.call_uuid) in later:
            over.append((held.account_id, held.id, "superseded"))
        elif is_undone(held.trigger, call):
            over.append((held.account_id, held.id, "no_longer_so"))
        elif rule is not None and held.code in REASONS:
            values = values_of(rule, call, accounts[held.account_id], trigger=held.trigger, delivery_id=held.id)
            if not rule.is_about(call) or not all_hold(rule.definition.conditions, values):
                over.append((held.account_id, held.id, "no_longer_so"))
                continue
            try:
                made_anew = compiled(rule).render(values)
            except HeldError:
                continue
            rendered[held.account_id, held.id] = made_anew.host, request_of(made_anew)
    deliveries.give_up(tx, over, now)
    deliveries.let_go(tx, rendered, now)
    return len(rendered)


class _Definition:
    """A saved postback as the key under which its compiled definition is remembered: a version never changes."""

    __slots__ = ("key", "rule")

    def __init__(self, rule: Postback) -> None:
        self.rule = rule
        self.key = (rule.account_id, rule.id, rule.uuid, rule.version)

    def __hash__(self) -> int:
        return hash(self.key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Definition) and other.key == self.key


@lru_cache(maxsize=1024)
def _compiled(saved: _Definition) -> Compiled:
    return compile_definition(saved.rule.definition, fields=None, is_public_suffix=is_public_suffix)
