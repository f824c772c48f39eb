"""A receiver of the benchmarks, a process of its own: answers at once, late, or never, and counts what came.

``GET /count`` tells how many requests came, and when the first and the last one did, in seconds of the monotonic clock.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from contextlib import suppress

_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"


class Mailbox:
    """Counts requests; ``delay`` is how long an answer takes, in seconds."""

    def __init__(self, delay: float) -> None:
        self._delay = delay
        self._count = 0
        self._first = self._last = 0.0

    async def receive(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        with suppress(OSError, asyncio.IncompleteReadError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).lower()
                if head.startswith(b"get /count"):
                    writer.write(self._told())
                    continue
                size = int(head.partition(b"content-length:")[2].partition(b"\r\n")[0] or 0)
                await reader.readexactly(size)
                self._last = time.monotonic()
                self._first = self._first or self._last
                self._count += 1
                if self._delay:
                    await asyncio.sleep(self._delay)
                writer.write(_ANSWER)
        writer.close()

    def _told(self) -> bytes:
        body = json.dumps([self._count, self._first, self._last]).encode()
        return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)


async def main() -> None:
    """Serve on a port that is printed, until killed."""
    server = await asyncio.start_server(Mailbox(float(sys.argv[1])).receive, "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    import uvloop

    uvloop.run(main())
