"""Is it alive, is it ready, which version is it."""

from __future__ import annotations

from collections.abc import Callable

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route


def routes(version: str, is_ready: Callable[[], bool]) -> list[Route]:
    """``/healthz``, ``/readyz`` and ``/version``.

    Args:
        version: of this program.
        is_ready: whether database and schema are there; run in a thread.
    """

    async def healthz(_request: Request) -> Response:
        return JSONResponse({"status": "alive"})

    async def readyz(_request: Request) -> Response:
        ready = await run_in_threadpool(is_ready)
        return JSONResponse({"status": "ready" if ready else "not ready"}, 200 if ready else 503)

    async def version_of(_request: Request) -> Response:
        return JSONResponse({"name": "ringback", "version": version})

    return [Route("/healthz", healthz), Route("/readyz", readyz), Route("/version", version_of)]
