"""How both clients are connected: by the same HTTP library, with the same habits."""

from __future__ import annotations

from typing import Any

from ringback.client.address import Address
from ringback.client.version import __version__

TIMEOUT = 10.0
"""Seconds that one try may take."""

RETRIES = 3
"""How many times a request is sent again."""


def options(address: Address, timeout: float) -> dict[str, Any]:
    """What the HTTP library is told. Redirects are not followed: a credential goes where it was meant to go."""
    return {
        "base_url": address.base,
        "headers": {
            "Accept": "application/json",
            "Authorization": address.authorization,
            "User-Agent": f"ringback-client/{__version__}",
        },
        "timeout": timeout,
        "follow_redirects": False,
        "trust_env": not address.is_local,
    }
