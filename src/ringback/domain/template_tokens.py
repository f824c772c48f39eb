"""THE table of what a template can name: each value of a call once, with the names that the field has for it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum
from types import MappingProxyType
from typing import cast

from ringback.domain.attributes import Scalar
from ringback.domain.calls import Call

FIELD = "field:"
"""Before the name of a contact field: names it, whether or not any call has it yet."""


class Kind(StrEnum):
    """What values a template token has."""

    TEXT = "text"
    NUMBER = "number"
    AMOUNT = "amount"
    BOOLEAN = "true or false"
    TIME = "time"


@dataclass(frozen=True, slots=True)
class TemplateToken:
    """One value: its name, what it is for a reader, an example, its kind, and its names on other platforms."""

    name: str
    label: str
    sample: str
    aliases: tuple[str, ...] = ()
    kind: Kind = Kind.TEXT


TOKENS: tuple[TemplateToken, ...] = (
    TemplateToken(
        "call_uuid", "UUID of the call here", "7d0c5a52-6d2c-4a53-9d0e-3b1f6a1c9e55", ("Call:InboundCallId",)
    ),
    TemplateToken("call_id", "Number of the call here", "1042", (), Kind.NUMBER),
    TemplateToken("subdomain", "Subdomain of this account", "acme"),
    TemplateToken("account_name", "Name of this account", "Acme Media"),
    TemplateToken(
        "caller_number",
        "Caller's number",
        "+13055550123",
        ("caller_id_e164", "Call:InboundPhoneNumber", "tag:InboundNumber:Number"),
    ),
    TemplateToken(
        "caller_id", "Caller's number, digits only", "13055550123", ("tag:InboundNumber:Number-NoPlus",), Kind.NUMBER
    ),
    TemplateToken("caller_id_short", "Caller's number without +1", "3055550123", (), Kind.NUMBER),
    TemplateToken("status", "Status of the call", "ended", ("call_status",)),
    TemplateToken("total_duration", "Seconds in all", "312", ("duration", "tag:CallLength:Total"), Kind.NUMBER),
    TemplateToken("answered_duration", "Seconds with the buyer", "287", (), Kind.NUMBER),
    TemplateToken("created_at", "When the call was recorded, in UTC", "2026-11-23T15:04:05Z", (), Kind.TIME),
    TemplateToken("ended_at", "When the call ended, in UTC", "2026-11-23T15:09:17Z", (), Kind.TIME),
    TemplateToken("buyer", "Name of the buyer", "Bright Roofing", ("buyer_name", "tag:Buyer:Name", "tag:Target:Name")),
    TemplateToken("buyer_id", "Number of the buyer", "3", ("tag:Buyer:Id", "tag:Target:Id"), Kind.NUMBER),
    TemplateToken(
        "traffic_source", "Name of the traffic source", "Search Co", ("traffic_source_name", "tag:Publisher:Name")
    ),
    TemplateToken("traffic_source_id", "Number of the traffic source", "2", ("tag:Publisher:Id",), Kind.NUMBER),
    TemplateToken("offer", "Name of the offer", "Roofing", ("offer_name", "tag:Campaign:Name")),
    TemplateToken("offer_id", "Number of the offer", "1", ("tag:Campaign:Id",), Kind.NUMBER),
    TemplateToken("buyer_converted", "Whether the buyer converted it", "true", (), Kind.BOOLEAN),
    TemplateToken(
        "offer_converted",
        "Whether it is a conversion of the traffic source",
        "true",
        ("traffic_source_converted", "ts_converted"),
        Kind.BOOLEAN,
    ),
    TemplateToken(
        "revenue",
        "What the buyer pays us; the receiver should rarely know it",
        "42.00",
        ("buyer_revenue", "Call:ConversionAmount"),
        Kind.AMOUNT,
    ),
    TemplateToken(
        "payout",
        "What we pay the traffic source; it is the revenue of the receiver",
        "25.20",
        ("Call:ConversionPayout", "traffic_source_payout", "ts_payout", "payout_amount"),
        Kind.AMOUNT,
    ),
    TemplateToken("trigger", "What happened", "buyer_converted"),
    TemplateToken("postback", "Name of this postback", "Tell the traffic source"),
    TemplateToken(
        "delivery_id", "Id of this delivery, the same in every attempt", "0199f0c2-5f00-7000-8000-000000000001"
    ),
)
"""Every value of a call that is not a contact field, in the order of the picker.

The names with colons are Ringba's, whose ``Call:ConversionAmount`` is what the buyer pays and ``Call:ConversionPayout``
what the traffic source gets: what a buyer's platform posts back as our revenue is *its* payout.
"""

PARTNER_FIELDS: Mapping[str, str] = MappingProxyType(
    {
        "trackdrive_subdomain": "Subdomain that the traffic source sent with the call",
        "trackdrive_call_uuid": "UUID that the traffic source sent with the call",
        "first_name": "First name",
        "last_name": "Last name",
        "email": "E-mail address",
        "address": "Street address",
        "city": "City",
        "state": "State",
        "zip": "ZIP code",
        "jornaya_leadid": "Jornaya LeadiD",
        "trusted_form_cert_url": "TrustedForm certificate",
    }
)
"""Contact fields that partners usually send; they can be named before any call has them."""

Values = Mapping[str, object]
"""Values by key."""

_US_DIGITS = 11
_FIELD_PREFIXES = (FIELD, "tag:user:")
_BY_ALIAS: Mapping[str, TemplateToken] = {
    name.lower(): token for token in TOKENS for name in (token.name, *token.aliases)
}
BY_NAME: Mapping[str, TemplateToken] = MappingProxyType({token.name: token for token in TOKENS})


@dataclass(frozen=True, slots=True)
class Unknown:
    """A name that means nothing here, and the nearest that does."""

    name: str
    suggestion: str | None


def resolve(name: str, fields: Iterable[str] = ()) -> str | Unknown:
    """The key of the value that a name means: ``payout``, or ``field:first_name`` for a contact field.

    A name of ours goes before a contact field of the same name, which ``field:`` (or Ringba's ``tag:User:``) names.

    Args:
        name: as it stands in the template; capitals don't count.
        fields: the contact fields that calls of the account have.
    """
    wanted, known = name.strip().lower(), {each.lower() for each in fields} | PARTNER_FIELDS.keys()
    key = _key(wanted)
    if key is not None:
        return key
    if wanted in known:
        return FIELD + wanted
    written = {each: each for each in known} | {each.lower(): each for token in TOKENS for each in _names(token)}
    near = get_close_matches(wanted, written, n=1, cutoff=0.6)
    return Unknown(name, written[near[0]] if near else None)


def _key(wanted: str) -> str | None:
    """The key of a name that means the same in every account."""
    token = _BY_ALIAS.get(wanted)
    if token is not None:
        return token.name
    for prefix in _FIELD_PREFIXES:
        if wanted.startswith(prefix) and len(wanted) > len(prefix):
            return FIELD + wanted.removeprefix(prefix).strip()
    return None


def call_values(call: Call, *, subdomain: str, account: str, trigger: str, postback: str, delivery_id: str) -> Values:
    """Every value of a call under its key; contact fields by their names in small letters."""
    digits = "".join(character for character in call.caller_number or "" if character.isdigit())
    values: dict[str, object] = {
        "call_uuid": call.uuid,
        "call_id": call.number,
        "subdomain": subdomain,
        "account_name": account,
        "caller_number": call.caller_number,
        "caller_id": digits,
        "caller_id_short": digits.removeprefix("1") if len(digits) == _US_DIGITS else digits,
        "status": call.status,
        "total_duration": call.total_duration,
        "answered_duration": call.answered_duration,
        "created_at": call.created_at,
        "ended_at": call.ended_at,
        "buyer_converted": call.state["buyer_converted"],
        "offer_converted": call.state["offer_converted"],
        "revenue": call.state["revenue"],
        "payout": call.state["payout"],
        "trigger": trigger,
        "postback": postback,
        "delivery_id": delivery_id,
    }
    for noun in ("buyer", "traffic_source", "offer"):
        partner = getattr(call, noun)
        values[noun] = partner and partner.name
        values[f"{noun}_id"] = partner and partner.id
    fields = cast("Mapping[str, Scalar]", call.state["contact_fields"])
    return values | {FIELD + name.lower(): value for name, value in fields.items()}


def sample_values(fields: Iterable[str] = ()) -> Values:
    """Values for a preview without a call."""
    samples: dict[str, object] = {token.name: token.sample for token in TOKENS}
    samples |= {FIELD + name.lower(): name for name in [*fields, *PARTNER_FIELDS]}
    return samples | {FIELD + "trackdrive_subdomain": "acme", FIELD + "trackdrive_call_uuid": samples["call_uuid"]}


def key_of(name: str) -> str:
    """The key of the value that a name means; one that is no name of ours is taken for a contact field."""
    wanted = name.strip().lower()
    return _key(wanted) or FIELD + wanted


def value_at(values: Values, name: str) -> object:
    """The value that a name means."""
    return values.get(key_of(name))


def _names(token: TemplateToken) -> tuple[str, ...]:
    return (token.name, *token.aliases)
