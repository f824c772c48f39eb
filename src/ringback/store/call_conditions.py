"""Conditions of lists of calls that no index tells, looked at call by call."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import cast

from ringback.domain.attributes import BUYER_CONVERTED, CONTACT_FIELDS, OFFER_CONVERTED, Scalar
from ringback.domain.details import status_key
from ringback.store.call_search import Condition
from ringback.store.values import from_document, maybe_moment

UNDER_WAY = frozenset({"calling-leads", "established", "forwarded", "initiated", "on-hold", "waiting"})
"""The statuses of calls that are not over."""

_FIELD = re.compile(r"(?P<name>[^:]+):(?P<relation>!=|>=|<=|>|<)?(?P<value>.*)", re.DOTALL)
_NUMBER = re.compile(r"-?[0-9]{1,18}(\.[0-9]{1,18})?", re.ASCII)
_RELATIONS: Mapping[str, Callable[[Decimal, Decimal], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
}


def is_one_of(*, uuid: str | None = None, number: int | None = None, caller_number: str | None = None) -> Condition:
    """It has this UUID, or this number, or is this caller's."""

    def holds(uuid_of_it: str, number_of_it: int, caller_of_it: str | None) -> bool:
        is_his = caller_number is not None and caller_of_it == caller_number
        return is_his or uuid_of_it == uuid or number_of_it == number

    return Condition(("uuid", "number", "caller_number"), holds)


def has_status(status: str) -> Condition:
    """Its status is this, however it is spelt."""
    key = status_key(status)
    return Condition(("status",), lambda value: value is not None and status_key(value) == key)


def has_buyer() -> Condition:
    """A buyer is assigned."""
    return Condition(("buyer_id",), lambda value: value is not None)


def offer_converted(*, wanted: bool) -> Condition:
    """Its offer converted, or didn't."""
    return Condition((OFFER_CONVERTED.name,), lambda value: value is wanted, (OFFER_CONVERTED.name,))


def either_converted(*, wanted: bool) -> Condition:
    """Its buyer or its offer converted, or neither did."""
    names = (BUYER_CONVERTED.name, OFFER_CONVERTED.name)
    return Condition(names, lambda buyer, offer: (buyer or offer) is wanted, names)


def in_progress(*, wanted: bool) -> Condition:
    """It isn't over: its status says so, and it neither ended nor has a duration; or it is."""

    def holds(status: str | None, ended_at: int | None, total_duration: int | None) -> bool:
        is_live = status in UNDER_WAY and ended_at is None and total_duration is None
        return is_live is wanted

    return Condition(("status", "ended_at", "total_duration"), holds)


def ended(since: datetime | None, until: datetime | None) -> Condition:
    """It ended within a time; ``until`` is not included."""
    least, most = maybe_moment(since), maybe_moment(until)

    def holds(at: int | None) -> bool:
        return at is not None and (least is None or at >= least) and (most is None or at < most)

    return Condition(("ended_at",), holds)


def has_field(name: str) -> Condition:
    """It has this contact field."""
    return _about_fields(lambda fields: name in fields)


def field_fits(text: str) -> Condition | None:
    """A contact field is as ``interest:auto``, ``amount:>=10000`` or ``geo:!=800`` say; None for other texts."""
    found = _FIELD.fullmatch(text)
    if found is None:
        return None
    name, relation, value = found["name"].strip(), found["relation"], found["value"].strip()
    if relation is None:
        return _about_fields(lambda fields: _said(fields.get(name)) == value)
    if relation == "!=":
        return _about_fields(lambda fields: _said(fields.get(name)) != value)
    if not _NUMBER.fullmatch(value):
        return None
    limit, compares = Decimal(value), _RELATIONS[relation]

    def holds(fields: Mapping[str, Scalar]) -> bool:
        said = _said(fields.get(name))
        return said is not None and bool(_NUMBER.fullmatch(said)) and compares(Decimal(said), limit)

    return _about_fields(holds)


def _about_fields(holds: Callable[[Mapping[str, Scalar]], bool]) -> Condition:
    def reads(document: str) -> bool:
        return holds(cast("Mapping[str, Scalar]", from_document(document)))

    return Condition((CONTACT_FIELDS.name,), reads, (CONTACT_FIELDS.name,))


def _said(value: Scalar | None) -> str | None:
    """A value as a query string writes it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return None if value is None else str(value)
