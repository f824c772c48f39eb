"""A sender for tests: it may send to this machine, and names mean what the test says."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from ringback.delivery.sender import Sender
from ringback.domain.addresses import Allowed
from ringback.domain.exchanges import Exchange, Outgoing

HERE = Allowed.parse("127.0.0.1")
SOON = 0.3
"""Seconds, for what is expected not to be answered."""


class Names:
    """A name server in the test's hand: each name has a row of answers, the last of which stays."""

    def __init__(self, **answers: Sequence[Sequence[str]]) -> None:
        self._answers = {name.replace("_", "."): list(rows) for name, rows in answers.items()}
        self.asked: list[str] = []

    async def __call__(self, name: str) -> Sequence[str]:
        self.asked.append(name)
        await asyncio.sleep(0)
        rows = self._answers.get(name)
        if rows is None:
            raise OSError(-2, "Name or service not known")
        return rows.pop(0) if len(rows) > 1 else rows[0]


async def send(url: str, *, allowed: Allowed = HERE, timeout: float = 5.0, **more: Any) -> Exchange:  # noqa: ANN401, ASYNC109
    """Send one request; ``more`` are parts of it, or options of the sender."""
    options = {name: more.pop(name) for name in ("tls", "lookup", "dns_seconds") if name in more}
    async with Sender.open(allowed, **options) as sender:
        return await sender.send(Outgoing(more.pop("method", "POST"), url, timeout=timeout, **more))
