"""Paths of the API as the framework knows them."""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send


class PlainPaths:
    """Takes off what senders may leave at the end of an API path: ``.json``, or a slash."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand on the request with its plain path."""
        path = scope.get("path", "")
        if path.startswith("/api/"):
            plain = path.rstrip("/")
            scope = {**scope, "path": plain.removesuffix(".json") if path.startswith("/api/v1/") else plain}
        await self._app(scope, receive, send)
