"""Calls as a file: page by page, so that neither the database nor the memory holds more than one of them."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from decimal import Decimal

from ringback.domain.access import Principal
from ringback.domain.answers import iso
from ringback.domain.attributes import ATTRIBUTES, Kind
from ringback.domain.calls import Partner
from ringback.domain.money import format_amount
from ringback.services import seen_calls
from ringback.services.seen_calls import Line
from ringback.store.call_search import Place, Wanted
from ringback.store.engine import Database

MOST = 100_000
"""How many calls a file has at most."""

_CHUNK = 500
_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_OWN = ("number", "uuid", "created_at", "caller_number", "buyer", "traffic_source", "offer", "status")
_DURATIONS = ("total_duration", "answered_duration")


def write_calls(database: Database, principal: Principal, wanted: Wanted, time_zone: str) -> Iterator[str]:
    """The lines of a file of calls, newest first, with what the person may read of them."""
    attributes = [
        each.name for each in ATTRIBUTES if each.kind is not Kind.FIELDS and each.name in seen_calls.readable(principal)
    ]
    yield csv_lines([(*_OWN, *_DURATIONS, *attributes)])
    before: Place | None = None
    written = 0
    while written < MOST:
        with database.read() as tx:
            found = seen_calls.search(tx, principal, wanted, before=before, limit=_CHUNK)
        yield csv_lines([_cells(line, attributes, time_zone) for line in found.lines])
        if found.older is None:
            return
        before, written = found.older, written + len(found.lines)


def harmless(text: str) -> str:
    """A text that no spreadsheet takes for a formula; numbers stay as they are."""
    return f"'{text}" if text.startswith(_FORMULA) and not _NUMBER.fullmatch(text) else text


def _cells(line: Line, attributes: Sequence[str], time_zone: str) -> list[str]:
    call = line.call
    own = [
        call.number,
        call.uuid,
        iso(call.created_at, time_zone),
        call.caller_number,
        *(_name(partner) for partner in (call.buyer, call.traffic_source, call.offer)),
        call.status,
        call.total_duration,
        call.answered_duration,
    ]
    worth = [call.state[name] if name in line.readable else None for name in attributes]
    return [_cell(value) for value in (*own, *worth)]


def _name(partner: Partner | None) -> str | None:
    return None if partner is None else partner.name


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return format_amount(value) if isinstance(value, Decimal) else harmless(str(value))


def csv_lines(rows: Sequence[Sequence[str]]) -> str:
    """Rows of cells as lines of a file."""
    file = io.StringIO(newline="")
    csv.writer(file).writerows(rows)
    return file.getvalue()
