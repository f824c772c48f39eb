"""Who tells the addresses of names."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeAlias

Lookup: TypeAlias = Callable[[str], Awaitable[Sequence[str]]]
"""What tells the addresses of a name, or raises ``OSError``."""

DNS_THREADS = 16
"""How many names can be asked for at once."""


class SystemLookup:
    """Asks the system, in threads of its own: what waits for a dead name server keeps nothing else waiting."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(DNS_THREADS, thread_name_prefix="dns")

    async def __call__(self, name: str) -> Sequence[str]:
        """The addresses of a name."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, _ask, name)

    def close(self) -> None:
        """Ask nothing more."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def _ask(name: str) -> Sequence[str]:
    found = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))
