"""Is it alive, is it ready, which version is it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from ringback.api.desk import Answer
from ringback.api.operations import ALIVE, READY, VERSION, Operation

OK, UNAVAILABLE = 200, 503


@dataclass(frozen=True, slots=True)
class HealthRoutes:
    """``/healthz``, ``/readyz`` and ``/version``; for them alone HEAD is as good as GET, since monitors send it.

    Args:
        version: of this program.
        is_ready: whether database and schema are there; run in a thread.
    """

    version: str
    is_ready: Callable[[], bool]

    @property
    def router(self) -> APIRouter:
        """The routes, to be included."""
        router = APIRouter()
        routes: tuple[tuple[str, Callable[[], object], Operation], ...] = (
            ("/healthz", self.healthz, ALIVE),
            ("/readyz", self.readyz, READY),
            ("/version", self.version_of, VERSION),
        )
        for path, endpoint, operation in routes:
            router.add_api_route(path, endpoint, methods=["GET"], **operation.told)
            router.add_api_route(path, endpoint, methods=["HEAD"], include_in_schema=False)
        return router

    async def healthz(self) -> Response:
        """The process answers."""
        return Answer(OK, {"status": "alive"})

    async def readyz(self) -> Response:
        """The database and its schema are there."""
        ready = await run_in_threadpool(self.is_ready)
        return Answer(OK if ready else UNAVAILABLE, {"status": "ready" if ready else "not ready"})

    async def version_of(self) -> Response:
        """Which version runs."""
        return Answer(OK, {"name": "ringback", "version": self.version})
