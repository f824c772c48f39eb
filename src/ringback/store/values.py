"""How values of the domain are kept: times as UTC microseconds, money as micro-units, documents as JSON text."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any, cast

import msgspec
from sqlalchemy import RowMapping

from ringback.domain.attributes import ATTRIBUTES, Kind, Scalar, Value
from ringback.domain.calls import Terms
from ringback.domain.money import from_micros, parse_payout, to_micros

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder()


def to_moment(moment: datetime) -> int:
    """Microseconds since 1970 of an aware time."""
    return (moment - _EPOCH) // _MICROSECOND


def from_moment(micros: int) -> datetime:
    """The UTC time of microseconds since 1970."""
    return _EPOCH + timedelta(microseconds=micros)


def maybe_moment(moment: datetime | None) -> int | None:
    """Like :func:`to_moment`, none for none."""
    return None if moment is None else to_moment(moment)


def maybe_from_moment(micros: int | None) -> datetime | None:
    """Like :func:`from_moment`, none for none."""
    return None if micros is None else from_moment(micros)


def lowest_id(moment: datetime) -> str:
    """What no id made at this time or later is below: ids of ours begin with their milliseconds (UUID version 7)."""
    digits = f"{max(0, to_moment(moment)) // 1000:012x}"
    return f"{digits[:8]}-{digits[8:12]}-0000-0000-000000000000"


def time_of(row_id: str) -> datetime:
    """When an id of ours was made, to the millisecond."""
    return from_moment(int(row_id[:8] + row_id[9:13], 16) * 1000)


def to_document(value: object) -> str:
    """JSON text that every database takes: half characters are replaced, NUL is escaped."""
    try:
        text = _encoder.encode(value).decode()
    except UnicodeEncodeError:
        text = _encoder.encode(_whole(value)).decode()
    return text


def from_document(text: str) -> Any:  # noqa: ANN401 - JSON may hold anything
    """What :func:`to_document` wrote."""
    return _decoder.decode(text)


def to_columns(state: Mapping[str, Value]) -> dict[str, object]:
    """The attribute columns of a call."""
    return {attribute.name: _TO_COLUMN[attribute.kind](state[attribute.name]) for attribute in ATTRIBUTES}


def from_columns(row: RowMapping) -> dict[str, Value]:
    """The state in the attribute columns of a call."""
    return {attribute.name: _FROM_COLUMN[attribute.kind](row[attribute.name]) for attribute in ATTRIBUTES}


@lru_cache(maxsize=1024)
def to_terms(agreed_revenue: int | None, payout: str | None) -> Terms:
    """The terms in the columns of a buyer and of an offer."""
    return Terms(
        None if agreed_revenue is None else from_micros(agreed_revenue),
        None if payout is None else parse_payout(payout),
    )


def _whole(value: object) -> object:
    if isinstance(value, str):
        return value.encode(errors="replace").decode()
    if isinstance(value, Mapping):
        return {_whole(key): _whole(each) for key, each in value.items()}
    return [_whole(each) for each in value] if isinstance(value, (list, tuple)) else value


_TO_COLUMN: dict[Kind, Any] = {
    Kind.BOOLEAN: bool,
    Kind.MONEY: lambda amount: None if amount is None else to_micros(cast("Decimal", amount)),
    Kind.FIELDS: to_document,
}
_FROM_COLUMN: dict[Kind, Any] = {
    Kind.BOOLEAN: bool,
    Kind.MONEY: lambda micros: None if micros is None else from_micros(micros),
    Kind.FIELDS: lambda text: cast("dict[str, Scalar]", from_document(text)),
}
