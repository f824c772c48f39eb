"""Headers that Ringback itself sets: neither a postback nor a credential can say them otherwise."""

from __future__ import annotations

from ringback.domain.exchanges import OF_CONNECTION
from ringback.domain.postbacks import HOPS, TEST
from ringback.domain.signatures import ID, SIGNATURE, TIMESTAMP

_RESERVED = OF_CONNECTION | {each.lower() for each in (HOPS, TEST, ID, TIMESTAMP, SIGNATURE)}


def objection(name: str) -> str:
    """Why a header can't be given, as a sentence without its full stop; nothing if it can."""
    return f"{name[:80]} is set by Ringback itself" if name.lower() in _RESERVED else ""
