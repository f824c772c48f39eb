"""Both clients, asked in the same way, so that each test tests both."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest

from ringback.client import AsyncClient, Client
from tests.live import Live

Make = Callable[..., Any]
"""Makes a client as ``Client`` does; its methods return what those of ``Client`` return."""


class Awaiting:
    """An ``AsyncClient`` whose answers are waited for."""

    def __init__(self, client: AsyncClient, runner: asyncio.Runner) -> None:
        self._client = client
        self._runner = runner

    def __repr__(self) -> str:
        return repr(self._client)

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def ask(*given: Any, **named: Any) -> Any:  # noqa: ANN401
            asked = getattr(self._client, name)(*given, **named)
            return self._runner.run(asked if inspect.iscoroutine(asked) else _gather(asked))

        return ask


async def _gather(rows: AsyncIterator[Any]) -> list[Any]:
    return [row async for row in rows]


@pytest.fixture(params=[Client, AsyncClient], ids=["Client", "AsyncClient"])
def make(request: pytest.FixtureRequest) -> Iterator[Make]:
    """Makes clients of one kind, which are closed when the test is over."""
    made: list[Any] = []
    with asyncio.Runner() as runner:

        def make(*given: Any, **named: Any) -> Any:  # noqa: ANN401
            client = request.param(*given, **named)
            made.append(client if isinstance(client, Client) else Awaiting(client, runner))
            return made[-1]

        yield make
        for client in made:
            client.close()


@pytest.fixture
def bob(live: Live, make: Make) -> Any:  # noqa: ANN401
    """Bob's client at Acme, on each kind of database in turn."""
    return make(f"http://127.0.0.1:{live.port}", account="acme", basic=live.world.bob_token.basic)


@pytest.fixture
def ada(live: Live, make: Make) -> Any:  # noqa: ANN401
    """The owner's client at Acme."""
    return make(f"http://127.0.0.1:{live.port}", account="acme", basic=live.world.ada_token.basic)
