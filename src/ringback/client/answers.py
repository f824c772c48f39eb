"""What Ringback answers, as values: times aware, amounts exact; each has the ``document`` as it came.

What the user of the credential may not read is left out of answers, and is None here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

Document = Mapping[str, Any]

_AMOUNTS = frozenset({"revenue", "payout"})


@dataclass(frozen=True, slots=True)
class Call:
    """A call. ``buyer_converted``, ``offer_converted`` and ``contact_fields`` are None where they may not be read.

    ``disposition`` is what an update names ``call_disposition_id``.
    """

    uuid: str
    id: int
    created_at: datetime
    updated_at: datetime
    ended_at: datetime | None
    caller_number: str | None
    status: str | None
    total_duration: int | None
    answered_duration: int | None
    hangup_cause: str | None
    disposition: str | None
    disposition_notes: str | None
    buyer: str | None
    buyer_id: int | None
    traffic_source: str | None
    traffic_source_id: int | None
    offer: str | None
    offer_id: int | None
    buyer_converted: bool | None
    revenue: Decimal | None
    offer_converted: bool | None
    payout: Decimal | None
    contact_fields: Mapping[str, str | int | bool] | None
    document: Document = field(repr=False)

    @classmethod
    def of(cls, document: Document) -> Call:
        """The call of a call object."""
        return cls(
            uuid=document["uuid"],
            id=document["id"],
            created_at=datetime.fromisoformat(document["created_at"]),
            updated_at=datetime.fromisoformat(document["updated_at"]),
            ended_at=datetime.fromisoformat(document["ended_at"]) if document.get("ended_at") else None,
            caller_number=document.get("caller_number"),
            status=document.get("status"),
            total_duration=document.get("total_duration"),
            answered_duration=document.get("answered_duration"),
            hangup_cause=document.get("hangup_cause"),
            disposition=document.get("disposition_id"),
            disposition_notes=document.get("disposition_notes"),
            buyer=document.get("buyer"),
            buyer_id=document.get("buyer_id"),
            traffic_source=document.get("traffic_source"),
            traffic_source_id=document.get("traffic_source_id"),
            offer=document.get("offer"),
            offer_id=document.get("offer_id"),
            buyer_converted=_truth(document, "buyer_converted"),
            revenue=_amount(document.get("revenue")),
            offer_converted=_truth(document, "offer_converted"),
            payout=_amount(document.get("payout")),
            contact_fields=document.get("contact_fields"),
            document=document,
        )


@dataclass(frozen=True, slots=True)
class Change:
    """What one attribute was and is; ``origin`` says why, where it was not named: ``effect``."""

    before: Any
    after: Any
    origin: str = "update"

    @classmethod
    def of(cls, name: str, document: Document) -> Change:
        """The change of an attribute."""
        read = _amount if name in _AMOUNTS else _as_it_is
        return cls(read(document["from"]), read(document["to"]), document.get("origin", "update"))


@dataclass(frozen=True, slots=True)
class Warned:
    """Something odd that was taken all the same."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Updated:
    """An update that was applied, or found to be so already, or would be (``dry_run``).

    Attributes:
        code: ``applied``, ``unchanged`` or ``recorded``.
        call: the call as it is now; None in a dry run for a call that there is not yet.
        changed: by attribute, from what to what; effects, such as a payout by the offer's rule, are among them.
        unchanged: the attributes that were so already.
        ignored: names that Ringback doesn't know.
        warnings: what was odd.
        receipt_id: of what Ringback keeps of this update.
        dry_run: whether it was only asked what would happen; nothing was changed then.
        verdicts: in a dry run, ``allowed`` or ``denied`` by attribute.
        is_replay: whether this is the answer of an earlier try with the same idempotency key.
    """

    code: str
    call: Call | None
    changed: Mapping[str, Change]
    unchanged: tuple[str, ...]
    ignored: tuple[str, ...]
    warnings: tuple[Warned, ...]
    receipt_id: str | None
    dry_run: bool
    verdicts: Mapping[str, str]
    is_replay: bool
    document: Document = field(repr=False)

    @classmethod
    def of(cls, document: Document, *, is_replay: bool = False) -> Updated:
        """What an answer says."""
        call = document.get("call")
        return cls(
            code=document["code"],
            call=Call.of(call) if call else None,
            changed={name: Change.of(name, each) for name, each in document.get("changed", {}).items()},
            unchanged=tuple(document.get("unchanged", ())),
            ignored=tuple(document.get("ignored", ())),
            warnings=tuple(Warned(each["code"], each["message"]) for each in document.get("warnings", ())),
            receipt_id=document.get("receipt_id"),
            dry_run=bool(document.get("dry_run")),
            verdicts=document.get("verdicts", {}),
            is_replay=is_replay,
            document=document,
        )


@dataclass(frozen=True, slots=True)
class Me:
    """Who a credential is in an account, and what it may update there.

    Attributes:
        email: the user's.
        account: the subdomain.
        role: ``owner``, ``manager`` or ``member``; None for a user who is none of these here.
        may_update: the attributes that may be updated, such as ``revenue``.
        may_record_calls: whether ``record_call`` is allowed.
        obstacle: what stands in the way of everything, with what to do about it; None if nothing does.
    """

    email: str
    account: str
    role: str | None
    may_update: frozenset[str]
    may_record_calls: bool
    obstacle: str | None
    document: Document = field(repr=False)

    @classmethod
    def of(cls, document: Document) -> Me:
        """Who an answer says that one is."""
        obstacle = document["obstacle"]
        return cls(
            email=document["user"]["email"],
            account=document["account"]["subdomain"],
            role=document["role"],
            may_update=frozenset(each["attribute"] for each in document["attributes"] if each["may_update"]),
            may_record_calls=document["may_record_calls"],
            obstacle=f"{obstacle['message']} {obstacle['hint']}".strip() if obstacle else None,
            document=document,
        )


@dataclass(frozen=True, slots=True)
class Partner:
    """A buyer, a traffic source or an offer; ``offer_token`` names an offer in updates by caller."""

    id: int
    uuid: str
    name: str
    offer_token: str | None
    document: Document = field(repr=False)

    @classmethod
    def of(cls, document: Document) -> Partner:
        """The partner of a row."""
        return cls(document["id"], document["uuid"], document["name"], document.get("offer_token"), document)


def _truth(document: Document, name: str) -> bool | None:
    return bool(document[name]) if name in document else None


def _amount(value: str | int | Decimal | None) -> Decimal | None:
    return None if value is None else Decimal(value)


def _as_it_is(value: object) -> object:
    return value
