"""The same job by Procrastinate: a job a delivery, sent by aiohttp, 64 at a time, on the same PostgreSQL."""

from __future__ import annotations

import sys
from typing import Any

import aiohttp
import procrastinate
import uvloop

IN_FLIGHT = 64
BODY = b'{"buyer_converted": "true", "revenue": "25.20", "offer_converted": "true", "post_call_tokens": {}}'


async def main(step: str, database: str, url: str, count: int) -> None:
    """Enqueue so many jobs, or do all there are."""
    app = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=database, max_size=8))
    sessions: list[aiohttp.ClientSession] = []

    @app.task(name="deliver", retry=10)
    async def deliver(number: int, target: str) -> None:
        headers = {"Content-Type": "application/json", "webhook-id": str(number)}
        async with sessions[0].post(target, data=BODY, headers=headers) as answer:
            await answer.read()
            answer.raise_for_status()

    async with app.open_async():
        if step == "enqueue":
            await app.schema_manager.apply_schema_async()
            jobs: list[dict[str, Any]] = [{"number": number, "target": url} for number in range(count)]
            await deliver.batch_defer_async(*jobs)
            return
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=IN_FLIGHT)) as session:
            sessions.append(session)
            await app.run_worker_async(concurrency=IN_FLIGHT, wait=False)


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])))
