"""Bad weather: what a server needs is taken away and given back, or too many clients come at once."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from tests.crash.arena import Arena, Told
from tests.crash.servers import Server

ENOUGH = 150
"""Updates that are done in calm weather, before and after."""


@dataclass(frozen=True)
class Outage(Told):
    """What came of an outage; ``ready`` is what ``/readyz`` said before, during and after."""

    ready: tuple[int, int, int]


async def outage(
    arena: Arena, server: Server, begin: Callable[[], None], end: Callable[[], None], *, seconds: float = 0
) -> Outage:
    """Take something away under load, have the server refuse updates for a while, and give it back."""
    traffic = arena.traffic(server)

    async def ready() -> int:
        return await asyncio.to_thread(server.get, "/readyz")

    async with traffic.flowing():
        await traffic.until(ENOUGH)
        before = await ready()
        await asyncio.to_thread(begin)
        await traffic.until(3 * traffic.clients, "busy")
        await asyncio.sleep(seconds)
        during = await ready()
        await asyncio.to_thread(end)
        await traffic.until(ENOUGH)
        after = await ready()
    await asyncio.to_thread(server.terminate)
    return Outage(traffic, arena.audit(traffic), (before, during, after))


@dataclass(frozen=True)
class Flood(Told):
    """What came of a flood; rates are a second."""

    done: float
    refused: float
    peak_memory: int
    calm: float
    afterwards: Counter[str]


async def flood(arena: Arena, server: Server, *, clients: int, answers: int) -> Flood:
    """Send more than the server can do, until so many updates are done; then what it can do, which all is done."""
    many = arena.traffic(server, clients=clients)
    began = time.perf_counter()
    async with many.flowing():
        await many.until(answers)
        seconds = time.perf_counter() - began
        done, refused, peak = many.codes["applied"], many.codes["busy"], server.peak_memory()
    few = arena.traffic(server, first=len(many.sent) + 1)
    began = time.perf_counter()
    async with few.flowing():
        await few.until(answers)
        calm = few.codes["applied"] / (time.perf_counter() - began)
    await asyncio.to_thread(server.terminate)
    return Flood(many, arena.audit(many, few), done / seconds, refused / seconds, peak, calm, few.codes)
