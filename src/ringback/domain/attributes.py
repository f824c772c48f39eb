"""THE table: everything of a call that an update can change, one row an attribute.

The parser, the rights page, the permission check, the columns of ``calls``, the call object and the reference
documentation are all driven by it. A further attribute is one more row here and one more column in a migration.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType

Scalar = str | int | bool
"""The value of one contact field."""

Value = bool | Decimal | Mapping[str, Scalar] | None
"""The value of one attribute: a boolean, an amount of money or none, or contact fields by name."""

State = Mapping[str, Value]
"""What a call is worth: its value for each attribute, by the attribute's name."""


class Kind(StrEnum):
    """What values an attribute has, and with that how they are read, merged, stored and shown.

    A partner and a text are no part of what a call is worth: they change no state. The ledger has their changes, too.
    """

    BOOLEAN = "boolean"
    MONEY = "money"
    FIELDS = "fields"
    PARTNER = "partner"
    TEXT = "text"


@dataclass(frozen=True, slots=True)
class Attribute:
    """One thing of a call that can be updated.

    ``name`` is its word in code, rights, tables and ledger; ``label`` the one on the team page. ``sets`` and ``adds``
    are the wire names that write it, ``reads`` the names it has in the call object (TrackDrive's columns, and the
    write names where they differ). ``events`` are the words for a change of it: to true and back, or just one.
    """

    name: str
    label: str
    kind: Kind
    sets: tuple[str, ...]
    adds: tuple[str, ...] = ()
    reads: tuple[str, ...] = ()
    events: tuple[str, ...] = ()

    @property
    def blank(self) -> Value:
        """The value before anything was written."""
        return {} if self.kind is Kind.FIELDS else _BLANK[self.kind]


_BLANK: Mapping[Kind, Value] = {Kind.BOOLEAN: False, Kind.MONEY: None}

BUYER_CONVERTED = Attribute(
    "buyer_converted",
    "Buyer Converted?",
    Kind.BOOLEAN,
    sets=("buyer_converted",),
    reads=("buyer_converted",),
    events=("buyer_converted", "buyer_unconverted"),
)
REVENUE = Attribute(
    "revenue",
    "Buyer Revenue",
    Kind.MONEY,
    sets=("revenue",),
    adds=("add_revenue",),
    reads=("revenue", "buyer_revenue"),
    events=("revenue_changed",),
)
OFFER_CONVERTED = Attribute(
    "offer_converted",
    "TS Converted",
    Kind.BOOLEAN,
    sets=("offer_converted",),
    reads=("offer_converted", "traffic_source_converted"),
    events=("offer_converted", "offer_unconverted"),
)
PAYOUT = Attribute(
    "payout",
    "TS Payout",
    Kind.MONEY,
    sets=("payout",),
    adds=("add_payout",),
    reads=("payout", "traffic_source_payout"),
    events=("payout_changed",),
)
CONTACT_FIELDS = Attribute(
    "contact_fields",
    "Contact Fields",
    Kind.FIELDS,
    sets=("post_call_tokens", "data"),
    reads=("contact_fields", "post_call_tokens", "token_values"),
    events=("contact_fields_changed",),
)

ATTRIBUTES: tuple[Attribute, ...] = (BUYER_CONVERTED, REVENUE, OFFER_CONVERTED, PAYOUT, CONTACT_FIELDS)
"""Every attribute, in the order of the team page."""

BUYER = Attribute("buyer", "Buyer", Kind.PARTNER, sets=("trackdrive_buyer_id",))
TRAFFIC_SOURCE = Attribute("traffic_source", "Traffic Source", Kind.PARTNER, sets=("trackdrive_traffic_source_id",))
PARTNERS: tuple[Attribute, ...] = (BUYER, TRAFFIC_SOURCE)
"""Whom a call belongs to, where a team can have the right to change it: they are no part of what a call is worth."""

DISPOSITION = Attribute(
    "disposition",
    "Disposition",
    Kind.TEXT,
    sets=("call_disposition_id",),
    reads=("disposition_id", "disposition_key", "disposition_name", "call_disposition_id"),
)
DISPOSITION_NOTES = Attribute(
    "disposition_notes",
    "Disposition Notes",
    Kind.TEXT,
    sets=("agent_call_disposition_notes",),
    reads=("disposition_notes", "agent_call_disposition_notes"),
)
TEXTS: tuple[Attribute, ...] = (DISPOSITION, DISPOSITION_NOTES)
"""What an agent says of a call: no part of what it is worth either."""

UPDATABLE: tuple[Attribute, ...] = (*ATTRIBUTES, *PARTNERS, *TEXTS)
"""Everything that a team can have a right to, in the order of the team page."""

BY_NAME: Mapping[str, Attribute] = MappingProxyType({attribute.name: attribute for attribute in UPDATABLE})
BY_WIRE_NAME: Mapping[str, Attribute] = MappingProxyType(
    {wire: attribute for attribute in UPDATABLE for wire in (*attribute.sets, *attribute.adds)}
)


def blank_state() -> dict[str, Value]:
    """The state of a call that nobody has updated yet."""
    return {attribute.name: attribute.blank for attribute in ATTRIBUTES}
