"""Updates that are posted to a call, and how lists show them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ringback import clock, entropy
from ringback.domain.calls import Call
from ringback.store import partners
from tests.console.visitor import Shown
from tests.live import Live

LIST = "/a/acme/updates"
SALE = {"buyer_converted": "true", "revenue": "42.00"}
ROW = re.compile(r"<tr data-row[^>]*>(.*?)</tr>", re.DOTALL)


def post(live: Live, call: Call | str, body: Mapping[str, Any] | bytes | str = SALE, **more: Any) -> Any:  # noqa: ANN401
    """Bob's platform posts; returns what it is answered."""
    uuid = call if isinstance(call, str) else call.uuid
    auth = more.pop("auth", live.world.bob_token.authorization)
    path = more.pop("path", f"/api/v1/calls/update_call/{uuid}")
    return live.request(more.pop("method", "POST"), path, body=body, auth=auth, **more).json


def rows(page: Shown) -> list[str]:
    """The rows of a list, each as what a reader reads."""
    return [" ".join(re.sub(r"<[^>]*>", " ", row).split()) for row in ROW.findall(page.html)]


def another_buyer(live: Live, name: str = "Cool Air & Sons") -> int:
    """A buyer of Acme's whose calls Bob's team doesn't see."""
    with live.world.database.write() as tx:
        return partners.add(tx, live.world.acme, "buyer", name, entropy.new_id(), clock.now())
