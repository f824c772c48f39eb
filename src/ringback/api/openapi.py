"""The documented JSON API, as a FastAPI application."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from fastapi import FastAPI

from ringback.api import health
from ringback.api.throttle import WrongCredentials
from ringback.store.engine import Database


def build(
    database: Database,
    *,
    version: str,
    is_ready: Callable[[], bool],
    now: Callable[[], datetime],
    new_id: Callable[[], str],
    new_call_uuid: Callable[[], str],
    wrong_credentials: WrongCredentials,
) -> FastAPI:
    """Build the application."""
    web = FastAPI(title="Ringback", version=version, docs_url=None, redoc_url=None, openapi_url="/api/openapi.json")
    web.router.routes.extend(health.routes(version, is_ready))
    return web
