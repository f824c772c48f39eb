"""Many clients at once, and waiting for what is bound to happen."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from tests.crash.traffic import Line, Reply

PATIENCE = 30.0
"""Seconds after which what is bound to happen doesn't."""


@dataclass(frozen=True)
class Post:
    """One update to be sent."""

    uuid: str
    body: Mapping[str, object]
    key: str | None = None


def post_together(ports: Sequence[int], authorization: str, posts: Sequence[Post]) -> list[Reply]:
    """Send updates all at once, each on a connection of its own, and return their answers in the same order."""
    return asyncio.run(_post_together(ports, authorization, posts))


async def _post_together(ports: Sequence[int], authorization: str, posts: Sequence[Post]) -> list[Reply]:
    lines = [Line(ports[number % len(ports)], authorization) for number in range(len(posts))]
    try:
        each: list[Awaitable[Reply]] = [
            line.post(post.uuid, post.body, post.key) for line, post in zip(lines, posts, strict=True)
        ]
        return await asyncio.gather(*each)
    finally:
        for line in lines:
            line.hang_up()


def wait_until(condition: Callable[[], object]) -> None:
    """Wait for something that is bound to happen; the test fails if it doesn't."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "it does not happen"
        time.sleep(0.005)
