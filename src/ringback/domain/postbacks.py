"""A postback: the rule that says when something is sent, where to and what (SENDING, "A postback")."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from msgspec import Struct

from ringback.domain.attributes import BUYER_CONVERTED, OFFER_CONVERTED
from ringback.domain.calls import Call
from ringback.domain.deliveries import SuccessRule
from ringback.domain.receipts import Outcome

BY_HOST = "by host"
"""In place of a credential: the one of the vault that is bound most closely to the host."""

HOPS = "Ringback-Hops"
"""The header that counts how many postbacks in a row led to a request."""

TEST = "Ringback-Test"
"""The header that marks a request that a person sent to try a postback."""

MOST_HOPS = 5
"""At so many an update is applied, but starts no further postback."""

SHORTEST_TIMEOUT, LONGEST_TIMEOUT, TIMEOUT = 1, 30, 10
LONGEST_DELAY = 300
"""Seconds."""


class Trigger(StrEnum):
    """What has to happen to a call."""

    CALL_RECORDED = "call_recorded"
    CALL_FORWARDED = "call_forwarded"
    CALL_ENDED = "call_ended"
    BUYER_CONVERTED = "buyer_converted"
    BUYER_UNCONVERTED = "buyer_unconverted"
    OFFER_CONVERTED = "offer_converted"
    OFFER_UNCONVERTED = "offer_unconverted"
    REVENUE_CHANGED = "revenue_changed"
    PAYOUT_CHANGED = "payout_changed"
    CONTACT_FIELDS_CHANGED = "contact_fields_changed"
    CALL_CHANGED = "call_changed"


TRIGGER_LABELS: Mapping[Trigger, str] = {
    Trigger.CALL_RECORDED: "A call is recorded",
    Trigger.CALL_FORWARDED: "A call is forwarded to a buyer (forward post)",
    Trigger.CALL_ENDED: "A call has ended",
    Trigger.BUYER_CONVERTED: "Buyer converted",
    Trigger.BUYER_UNCONVERTED: "Buyer conversion taken back",
    Trigger.OFFER_CONVERTED: "TS converted",
    Trigger.OFFER_UNCONVERTED: "TS conversion taken back",
    Trigger.REVENUE_CHANGED: "Buyer revenue changed",
    Trigger.PAYOUT_CHANGED: "TS payout changed",
    Trigger.CONTACT_FIELDS_CHANGED: "Contact fields changed",
    Trigger.CALL_CHANGED: "Anything of a call changed",
}
"""The triggers as people read them."""


_UNDONE: Mapping[str, tuple[str, bool]] = {
    Trigger.BUYER_CONVERTED: (BUYER_CONVERTED.name, False),
    Trigger.BUYER_UNCONVERTED: (BUYER_CONVERTED.name, True),
    Trigger.OFFER_CONVERTED: (OFFER_CONVERTED.name, False),
    Trigger.OFFER_UNCONVERTED: (OFFER_CONVERTED.name, True),
}
"""By trigger, how the call stands once what pulled it was undone."""


def is_undone(trigger: str, call: Call) -> bool:
    """Whether what pulled a trigger was undone since, as when a conversion is taken back."""
    if trigger not in _UNDONE:
        return False
    attribute, undone = _UNDONE[trigger]
    return call.state[attribute] is undone


class Owner(StrEnum):
    """Whose calls a postback is about: all of the account, or those of one partner."""

    ACCOUNT = "account"
    BUYER = "buyer"
    TRAFFIC_SOURCE = "traffic_source"
    OFFER = "offer"


class Pause(StrEnum):
    """Why a postback is paused."""

    PERSON = "person"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Definition:
    """What a postback sends, and how: the part of it that is kept in versions.

    Attributes:
        headers: names and templates.
        body_kind: ``json``, ``form``, ``text`` or ``none``.
        holes: by the name of a template token, what becomes of it where it has no value: ``blank`` or ``omit``; else
            the delivery is held.
        types: by the name of a template token, what it is in JSON: ``string``, ``number``, ``boolean``.
        conditions: rows of field, operator and value that all must hold.
        allowed_hosts: patterns; a token in the host can't lead elsewhere.
        credential: ``by host``, the number of one of the vault, or nothing.
        timeout: seconds.
        delay: seconds between what happens and the first attempt.
        signed: by Standard Webhooks.
    """

    method: str
    url: str
    headers: tuple[tuple[str, str], ...] = ()
    body_kind: str = "json"
    body: str = ""
    holes: Mapping[str, str] = field(default_factory=dict)
    types: Mapping[str, str] = field(default_factory=dict)
    conditions: tuple[tuple[str, str, str], ...] = ()
    allowed_hosts: tuple[str, ...] = ()
    credential: str = ""
    success: SuccessRule | None = None
    timeout: int = TIMEOUT
    delay: int = 0
    signed: bool = False

    @classmethod
    def read(cls, document: Mapping[str, Any]) -> Definition:
        """What :attr:`document` wrote."""
        success = document["success"]
        return cls(
            **{
                **document,
                "headers": tuple((name, value) for name, value in document["headers"]),
                "conditions": tuple((name, operator, value) for name, operator, value in document["conditions"]),
                "allowed_hosts": tuple(document["allowed_hosts"]),
                "success": None if success is None else SuccessRule(*success),
            }
        )

    @property
    def document(self) -> dict[str, object]:
        """The definition as it is kept."""
        return {
            "method": self.method,
            "url": self.url,
            "headers": self.headers,
            "body_kind": self.body_kind,
            "body": self.body,
            "holes": dict(self.holes),
            "types": dict(self.types),
            "conditions": self.conditions,
            "allowed_hosts": self.allowed_hosts,
            "credential": self.credential,
            "success": None if self.success is None else (self.success.path, self.success.value),
            "timeout": self.timeout,
            "delay": self.delay,
            "signed": self.signed,
        }


@dataclass(frozen=True, slots=True)
class Postback:
    """A postback of an account."""

    account_id: int
    id: int
    uuid: str
    name: str
    owner: Owner
    owner_id: int | None
    trigger: Trigger
    version: int
    definition: Definition
    paused: Pause | None
    created_at: datetime
    updated_at: datetime

    def is_about(self, call: Call) -> bool:
        """Whether a call is one of those that it is for."""
        if self.owner is Owner.ACCOUNT:
            return True
        partner = getattr(call, self.owner.value)
        return partner is not None and partner.id == self.owner_id


@dataclass(frozen=True, slots=True)
class Version:
    """A definition as it was saved."""

    number: int
    definition: Definition
    saved_at: datetime
    user: str


class Happening(Struct, frozen=True):
    """What happened to a call in one update, and how many postbacks in a row led to it.

    ``refires`` are the numbers of postbacks that are sent anew.
    """

    call: Call
    events: Sequence[str]
    receipt_id: str
    hops: int = 0
    refires: Sequence[int] = ()

    def concerns(self, rule: Postback) -> bool:
        """Whether a postback is sent for it: it listens to what happened, or is sent anew."""
        return (rule.trigger in self.events or rule.id in self.refires) and rule.is_about(self.call)


def happening(outcome: Outcome) -> Happening | None:
    """What an outcome lets happen; None for nothing, and for a dry run."""
    call, applied = outcome.call, outcome.applied
    if call is None or applied is None or outcome.replay is not None or outcome.update.reading.dry_run:
        return None
    events: list[str] = []
    if outcome.is_new:
        events.append(Trigger.CALL_RECORDED)
    if call.buyer is not None and (outcome.is_new or "buyer" in outcome.moved):
        events.append(Trigger.CALL_FORWARDED)
    if call.ended_at is not None and (outcome.is_new or "ended_at" in outcome.moved):
        events.append(Trigger.CALL_ENDED)
    events += applied.events
    if outcome.moved:
        events.append(Trigger.CALL_CHANGED)
    update = outcome.update
    if not events and not outcome.refires:
        return None
    return Happening(call, tuple(dict.fromkeys(events)), update.receipt_id, update.hops, outcome.refires)
