"""THE table of what a template can name: each value of a call once, with the names that the field has for it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from types import MappingProxyType
from typing import cast

from ringback.domain.attributes import Scalar
from ringback.domain.calls import Call

FIELD = "field:"
"""Before the name of a contact field: names it, whether or not any call has it yet."""


@dataclass(frozen=True, slots=True)
class TemplateToken:
    """One value: its name, what it is for a reader, an example, and its names on other platforms."""

    name: str
    label: str
    sample: str
    aliases: tuple[str, ...] = ()


TOKENS: tuple[TemplateToken, ...] = (
    TemplateToken("call_uuid", "UUID of the call here", "7d0c5a52-6d2c-4a53-9d0e-3b1f6a1c9e55", ("Call:UUID",)),
    TemplateToken("call_id", "Number of the call here", "1042", ("id", "Call:Id")),
    TemplateToken("subdomain", "Subdomain of this account", "acme"),
    TemplateToken("account_name", "Name of this account", "Acme Media"),
    TemplateToken("caller_number", "Caller's number", "+13055550123", ("Call:InboundPhoneNumber", "caller_id_e164")),
    TemplateToken("caller_id", "Caller's number, digits only", "13055550123", ("tag:InboundNumber:Number-NoPlus",)),
    TemplateToken("caller_id_short", "Caller's number without +1", "3055550123"),
    TemplateToken("status", "Status of the call", "ended", ("call_status",)),
    TemplateToken("total_duration", "Seconds in all", "312", ("duration", "Call:CallLengthInSeconds")),
    TemplateToken("answered_duration", "Seconds with the buyer", "287", ("Call:ConnectedCallLengthInSeconds",)),
    TemplateToken("created_at", "When the call was recorded, in UTC", "2026-11-23T15:04:05Z", ("Call:CallDt",)),
    TemplateToken("ended_at", "When the call ended, in UTC", "2026-11-23T15:09:17Z"),
    TemplateToken("buyer", "Name of the buyer", "Bright Roofing", ("buyer_name", "Buyer:Name")),
    TemplateToken("buyer_id", "Number of the buyer", "3", ("Buyer:Id",)),
    TemplateToken("traffic_source", "Name of the traffic source", "Search Co", ("Publisher:Name",)),
    TemplateToken("traffic_source_id", "Number of the traffic source", "2", ("Publisher:Id",)),
    TemplateToken("offer", "Name of the offer", "Roofing", ("offer_name", "Campaign:Name")),
    TemplateToken("offer_id", "Number of the offer", "1", ("Campaign:Id",)),
    TemplateToken("buyer_converted", "Whether the buyer converted it", "true", ("Call:HasConversion",)),
    TemplateToken("offer_converted", "Whether it is a conversion of the traffic source", "true", ("ts_converted",)),
    TemplateToken("revenue", "What the buyer pays us", "42.00", ("buyer_revenue", "Call:ConversionRevenue")),
    TemplateToken(
        "payout",
        "What we pay the traffic source; it is the revenue of the receiver",
        "25.20",
        ("Call:ConversionPayout", "Call:ConversionAmount", "traffic_source_payout", "ts_payout"),
    ),
    TemplateToken("trigger", "What happened", "buyer_converted", ("event",)),
    TemplateToken("postback", "Name of this postback", "Tell the traffic source"),
    TemplateToken("delivery_id", "Id of this delivery, the same in every attempt", "0199f0c2-…"),
)
"""Every value of a call that is not a contact field, in the order of the picker."""

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
_FIELD_ALIASES = ("tag:user:", "tag:", "token:", "data:", "contact:", FIELD)
_BY_NAME = {name.lower(): token.name for token in TOKENS for name in (token.name, *token.aliases)}


@dataclass(frozen=True, slots=True)
class Unknown:
    """A name that means nothing here, and the nearest that does."""

    name: str
    suggestion: str | None


def resolve(name: str, fields: Iterable[str] = ()) -> str | Unknown:
    """The key of the value that a name means: ``payout``, or ``field:first_name`` for a contact field.

    Args:
        name: as it stands in the template; capitals don't count.
        fields: the contact fields that calls of the account have.
    """
    wanted = name.strip().lower()
    if wanted in _BY_NAME:
        return _BY_NAME[wanted]
    for alias in _FIELD_ALIASES:
        if wanted.startswith(alias) and len(wanted) > len(alias):
            return FIELD + wanted.removeprefix(alias)
    known = {each.lower() for each in fields} | PARTNER_FIELDS.keys()
    if wanted in known:
        return FIELD + wanted
    written = {key: key for key in known} | {each.lower(): each for token in TOKENS for each in _names(token)}
    near = get_close_matches(wanted, written, n=1, cutoff=0.6)
    return Unknown(name, written[near[0]] if near else None)


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


def value_at(values: Values, name: str) -> object:
    """The value that a name means."""
    key = resolve(name)
    return values.get(key if isinstance(key, str) else FIELD + name.strip().lower())


def _names(token: TemplateToken) -> tuple[str, ...]:
    return (token.name, *token.aliases)
