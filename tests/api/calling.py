"""Recording a call and reading one, as the tests of calls do it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.live import Live, Reply

RECORDED = {"caller_number": "+17195550123"}


def record(stage: Live, body: Mapping[str, Any] | str | None = None, **more: Any) -> Reply:  # noqa: ANN401
    """Record a call with Ada's token, if no other is named."""
    more.setdefault("auth", stage.world.ada_token.authorization)
    return stage.request("POST", more.pop("path", "/api/v1/calls"), body=RECORDED if body is None else body, **more)


def read(stage: Live, call: object, query: str = "", **more: Any) -> Reply:  # noqa: ANN401
    """Read a call with Bob's token, if no other is named."""
    more.setdefault("auth", stage.world.bob_token.authorization)
    return stage.request("GET", f"/api/v1/calls/{call}{query}", **more)
