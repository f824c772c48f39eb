"""The ways to write the guide's update: kinds of bodies, kinds of credentials, and what comes of all of them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

BODIES = {
    "json": "JSON, labelled as such, with an empty object of contact fields",
    "json_as_form": "JSON, labelled as the client labels a text: mostly as a form",
    "json_nested": "JSON with a contact field",
    "json_empty_list": "JSON with an empty list of contact fields, as PHP writes none",
    "form": "a form",
    "nested_form": "a form with a contact field",
    "multipart": "multipart with a contact field",
    "query": "nothing but a query string, posted",
    "get": "a query string with a contact field, fetched",
}

CREDENTIALS = {
    "basic_url": "a pair in the URL, before the host",
    "basic_option": "a pair given to the client's own option",
    "basic_header": "a header Authorization: Basic …",
    "token": "a header Authorization: Token …",
    "token_quoted": 'a header Authorization: Token token="…"',
    "bearer": "a header Authorization: Bearer …",
    "auth_token_query": "auth_token in the query string",
    "auth_token_body": "auth_token in the body",
}

_WITH_FIELD = {"json_nested", "nested_form", "multipart", "get"}


def worth(body: str) -> dict[str, Any]:
    """What a call is worth after the update, whichever way it was written."""
    return {
        "buyer_converted": True,
        "revenue": Decimal(42),
        "offer_converted": True,
        "payout": Decimal("25.20"),  # the offer's 60 %
        "contact_fields": {"first_name": "Jane"} if body in _WITH_FIELD else {},
    }
