"""The bare loop: the same requests by aiohttp, 64 in flight, and nothing recorded."""

from __future__ import annotations

import asyncio
import sys

import aiohttp
import uvloop

IN_FLIGHT = 64


async def main(url: str, count: int) -> None:
    """Post so many times, and read every answer."""
    left = iter(range(count))
    body = b'{"buyer_converted": "true", "revenue": "25.20", "offer_converted": "true", "post_call_tokens": {}}'
    headers = {"Content-Type": "application/json", "Authorization": "Basic cHVibGljOnByaXZhdGU="}

    async def work(session: aiohttp.ClientSession) -> None:
        for number in left:
            async with session.post(url, data=body, headers={**headers, "webhook-id": str(number)}) as answer:
                await answer.read()

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=IN_FLIGHT)) as session:
        await asyncio.gather(*(work(session) for _ in range(IN_FLIGHT)))


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1], int(sys.argv[2])))
