"""Ringback for Python: post back what a call was worth, read it, and know why not if not.

    from ringback.client import Client

    with Client("https://acme.ringback.example", basic="public key:private key") as acme:
        acme.update_call(uuid, buyer_converted=True, revenue="42.00", offer_converted=True)

``AsyncClient`` is the same with ``await``. Nothing of Ringback's server is needed or imported; see docs/how-to.
"""

from __future__ import annotations

from ringback.client.answers import Call, Change, Me, Partner, Updated, Warned
from ringback.client.asynchronous import AsyncClient
from ringback.client.errors import (
    BadRequest,
    Busy,
    Conflict,
    ConnectionFailed,
    InvalidValue,
    MissingPermission,
    NotConfigured,
    NotFound,
    PermissionDenied,
    RateLimited,
    Refused,
    RingbackError,
    ServerError,
    SignatureMismatch,
    TimedOut,
    TooLarge,
    Unauthorized,
    UnexpectedAnswer,
)
from ringback.client.synchronous import Client
from ringback.client.values import (
    BulkChanges,
    BuyerFilters,
    CallFilters,
    Changes,
    OfferFilters,
    PartnerFilters,
    Recording,
    TrafficSourceFilters,
)
from ringback.client.version import __version__
from ringback.client.webhooks import verify_webhook

__all__ = [
    "AsyncClient",
    "BadRequest",
    "BulkChanges",
    "Busy",
    "BuyerFilters",
    "Call",
    "CallFilters",
    "Change",
    "Changes",
    "Client",
    "Conflict",
    "ConnectionFailed",
    "InvalidValue",
    "Me",
    "MissingPermission",
    "NotConfigured",
    "NotFound",
    "OfferFilters",
    "Partner",
    "PartnerFilters",
    "PermissionDenied",
    "RateLimited",
    "Recording",
    "Refused",
    "RingbackError",
    "ServerError",
    "SignatureMismatch",
    "TimedOut",
    "TooLarge",
    "TrafficSourceFilters",
    "Unauthorized",
    "UnexpectedAnswer",
    "Updated",
    "Warned",
    "__version__",
    "verify_webhook",
]
