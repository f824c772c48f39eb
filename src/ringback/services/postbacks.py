"""Postbacks as people make, change, pause and try them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

from sqlalchemy import Connection

from ringback.domain import conditions
from ringback.domain.calls import Call
from ringback.domain.compiling import UnfitDefinitionError, compile_definition
from ringback.domain.errors import Problem, Refusal
from ringback.domain.names import read_name
from ringback.domain.postbacks import (
    BY_HOST,
    LONGEST_DELAY,
    LONGEST_TIMEOUT,
    SHORTEST_TIMEOUT,
    Definition,
    Owner,
    Pause,
    Postback,
    Trigger,
)
from ringback.domain.rendering import Compiled
from ringback.domain.signatures import make_secret
from ringback.domain.templates import HeldError
from ringback.sealing import Seal
from ringback.services import audit, deliveries, repeats
from ringback.services.audit import Actor
from ringback.services.fields import Fields
from ringback.services.public_suffixes import is_public_suffix
from ringback.services.repeats import Repeated
from ringback.store import accounts, contact_fields, delivery_search, partners, postbacks, signing, vault
from ringback.store import deliveries as queue
from ringback.store.access import Account
from ringback.store.deliveries import NewDelivery
from ringback.store.signing import SigningSecret

TESTS_A_MINUTE = 10
OVERLAP = timedelta(hours=24)
"""How long the secret before still signs, after a new one was made."""

TESTED = "test"
"""What stands in place of a trigger when a person tries a postback."""


@dataclass(frozen=True, slots=True)
class PostbackForm:
    """A postback as typed; ``owner_id`` is the number of the partner whose it is."""

    name: str
    trigger: str
    definition: Definition
    owner: str = Owner.ACCOUNT.value
    owner_id: int | None = None


def create(tx: Connection, actor: Actor, form: PostbackForm) -> Postback:
    """Make a postback.

    Raises:
        Refusal: ``invalid_value`` with a problem for each field.
    """
    accounts.lock_settings(tx, actor.account_id)
    name = _check(tx, actor, form, None)
    made = Postback(
        account_id=actor.account_id,
        id=postbacks.new_number(tx, actor.account_id),
        uuid=actor.new_id(),
        name=name,
        owner=Owner(form.owner),
        owner_id=form.owner_id,
        trigger=Trigger(form.trigger),
        version=1,
        definition=form.definition,
        paused=None,
        created_at=actor.now,
        updated_at=actor.now,
    )
    postbacks.add(tx, made, actor.principal.user_id)
    audit.note_change(tx, actor, "postback.made", f"postback {name}", {}, _told(made))
    return made


def change(tx: Connection, actor: Actor, before: Postback, form: PostbackForm) -> bool:
    """Change a postback, and keep what it was as a version; false if it was so already.

    Raises:
        Refusal: ``invalid_value`` with a problem for each field.
    """
    accounts.lock_settings(tx, actor.account_id)
    name = _check(tx, actor, form, before)
    named = replace(before, name=name, owner=Owner(form.owner), owner_id=form.owner_id, trigger=Trigger(form.trigger))
    if form.definition != before.definition:
        made = replace(named, definition=form.definition, version=before.version + 1, updated_at=actor.now)
        postbacks.change(tx, made, actor.principal.user_id)
    elif named != before:
        made = replace(named, updated_at=actor.now)
        postbacks.rename(tx, made)
    else:
        return False
    return audit.note_change(tx, actor, "postback.changed", f"postback {before.name}", _told(before), _told(made))


def pause(tx: Connection, actor: Actor, postback: Postback, *, pauses: bool) -> bool:
    """Pause a postback, whose deliveries wait from then on, or let it go on; false if it was so already."""
    if pauses is (postback.paused is not None):
        return False
    postbacks.pause(tx, actor.account_id, postback.id, Pause.PERSON if pauses else None, actor.now)
    if not pauses:
        queue.resume(tx, actor.account_id, postback.id, actor.now)
    audit.note(tx, actor, "postback.paused" if pauses else "postback.resumed", f"postback {postback.name}")
    return True


def remove(tx: Connection, actor: Actor, postback: Postback) -> int:
    """Delete a postback; what is still to be sent of it is given up. Returns how many deliveries that were."""
    given_up = queue.cancel_open(tx, actor.account_id, postback.id, actor.now)
    postbacks.remove(tx, actor.account_id, postback.id)
    audit.note(tx, actor, "postback.removed", f"postback {postback.name}", {"given_up": given_up})
    return given_up


def check(tx: Connection, account_id: int, definition: Definition) -> Compiled:
    """A definition that is being written, ready to be filled.

    Raises:
        Refusal: ``invalid_value`` with a problem for each field.
    """
    fields = Fields()
    compiled = _check_definition(tx, account_id, definition, fields)
    fields.check()
    assert compiled is not None  # noqa: S101 - checked above
    return compiled


def overlapping(tx: Connection, account_id: int, form: PostbackForm, number: int | None) -> list[Postback]:
    """Other postbacks that would send to the same URL for the same event: the receiver would be told twice."""
    mine = _place(form.definition)
    return [
        other
        for other in postbacks.list_postbacks(tx, [account_id])
        if other.id != number
        and other.trigger.value == form.trigger
        and _place(other.definition) == mine
        # Only calls of one buyer are never those of another; a buyer and a traffic source may have one in common.
        and (other.owner.value != form.owner or other.owner_id == form.owner_id)
    ]


def fire(tx: Connection, actor: Actor, postback: Postback, account: Account, call: Call) -> str:
    """Send a postback for a call once, marked as a test; returns the id of the delivery.

    Raises:
        Refusal: ``rate_limited``; ``invalid_value`` if it can't be made of this call's values.
    """
    if delivery_search.count_tests(tx, actor.account_id, since=actor.now - timedelta(minutes=1)) >= TESTS_A_MINUTE:
        raise Refusal("rate_limited")
    delivery_id = actor.new_id()
    values = deliveries.values_of(postback, call, account, trigger=postback.trigger.value, delivery_id=delivery_id)
    try:
        rendered = deliveries.compiled(postback).render(values)
    except HeldError as held:
        raise Refusal("invalid_value", problems=[Problem("call", "invalid_value", {"reason": str(held)})]) from held
    made = NewDelivery(
        account_id=actor.account_id,
        id=delivery_id,
        postback_id=postback.id,
        version=postback.version,
        trigger=TESTED,
        call_uuid=call.uuid,
        seq=call.changes,
        receipt_id=None,
        host=rendered.host,
        hops=0,
        created_at=actor.now,
        due_at=actor.now,
        request=deliveries.request_of(rendered),
        is_test=True,
    )
    queue.add(tx, [made])
    audit.note(tx, actor, "postback.tested", f"postback {postback.name}", {"host": rendered.host, "call": call.uuid})
    return delivery_id


def make_signing_secret(tx: Connection, actor: Actor, seal: Seal, postback: Postback, random: bytes) -> str:
    """Make the secret that signs a postback's deliveries, to be shown once; the one before signs along for a day."""
    signing.end(tx, actor.account_id, postback.id, actor.now + OVERLAP)
    secret = make_secret(random)
    made = SigningSecret(
        account_id=actor.account_id,
        postback_id=postback.id,
        id=actor.new_id(),
        sealed=b"",
        key_id=seal.fingerprint,
        created_at=actor.now,
        expires_at=None,
    )
    signing.add(tx, replace(made, sealed=seal.close(secret, made.about)))
    audit.note(tx, actor, "postback.signing_secret_made", f"postback {postback.name}")
    return secret


def send_again(
    tx: Connection, actor: Actor, account: Account, ids: list[str], *, keeps_order: bool = False
) -> Repeated:
    """Send deliveries again, made anew, and as asked those only that no later one told better."""
    done = repeats.send_again(tx, account, ids, actor.now, keeps_order=keeps_order)
    if done.sent:
        count = len(done.sent)
        audit.note(tx, actor, "deliveries.sent_again", _counted(count), {"ids": done.sent[:20], "count": count})
    return done


def take_back(tx: Connection, actor: Actor, ids: list[str]) -> int:
    """Give deliveries up that are not to be sent any more; returns how many."""
    count = delivery_search.take_back(tx, actor.account_id, ids, actor.now)
    if count:
        audit.note(tx, actor, "deliveries.taken_back", _counted(count), {"ids": ids[:20], "count": count})
    return count


def _check(tx: Connection, actor: Actor, form: PostbackForm, before: Postback | None) -> str:
    """The name, after a look at everything else."""
    fields = Fields()
    name = fields.read("name", read_name, form.name)
    if name is not None:
        there = postbacks.find_by_name(tx, actor.account_id, name)
        if there is not None and (before is None or there.id != before.id):
            fields.refuse("name", "There is a postback of this name already")
    if form.trigger not in set(Trigger):
        fields.refuse("trigger", "Choose what has to happen")
    if form.owner not in set(Owner):
        fields.refuse("owner", "Choose whose calls it is for")
    elif form.owner != Owner.ACCOUNT and not _is_partner(tx, actor.account_id, form):
        fields.refuse("owner", f"Choose a {form.owner.replace('_', ' ')} of this account")
    _check_definition(tx, actor.account_id, form.definition, fields)
    fields.check()
    assert name is not None  # noqa: S101 - checked above
    return name


def _is_partner(tx: Connection, account_id: int, form: PostbackForm) -> bool:
    return form.owner_id is not None and partners.find_row(tx, account_id, form.owner, form.owner_id) is not None


def _check_definition(tx: Connection, account_id: int, definition: Definition, fields: Fields) -> Compiled | None:
    if not SHORTEST_TIMEOUT <= definition.timeout <= LONGEST_TIMEOUT:
        fields.refuse("timeout", f"A timeout is {SHORTEST_TIMEOUT} to {LONGEST_TIMEOUT} seconds")
    if not 0 <= definition.delay <= LONGEST_DELAY:
        fields.refuse("delay", f"A delay is 0 to {LONGEST_DELAY} seconds")
    if definition.success is not None and not definition.success.path:
        fields.refuse("success_path", "Say where in the answer the value stands that means success")
    wanted = definition.credential
    if wanted not in {"", BY_HOST} and not (wanted.isdigit() and vault.find(tx, account_id, int(wanted))):
        fields.refuse("credential", "There is no such credential; choose one, or by host")
    known = contact_fields.list_names(tx, account_id)
    for sentence in conditions.problems(definition.conditions, known):
        fields.refuse("conditions", sentence.removesuffix("."))
    try:
        return compile_definition(definition, fields=known, is_public_suffix=is_public_suffix)
    except UnfitDefinitionError as error:
        for problem in error.problems:
            fields.refuse(problem.field, problem.message.removesuffix("."))
    return None


def _counted(count: int) -> str:
    return "1 delivery" if count == 1 else f"{count} deliveries"


def _place(definition: Definition) -> tuple[str, str]:
    return definition.method, definition.url.strip().partition("?")[0].lower()


def _told(postback: Postback) -> dict[str, object]:
    """A postback as the audit log tells it."""
    return {
        "name": postback.name,
        "owner": postback.owner.value,
        "owner_id": postback.owner_id,
        "trigger": postback.trigger.value,
        **postback.definition.document,
    }
