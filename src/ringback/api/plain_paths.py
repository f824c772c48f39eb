"""Requests to the API as the framework knows them."""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send

_ALWAYS = (".json",)
_SUFFIXES = {"GET": (".json", ".csv")}
"""What may stand at the end of a path, by method."""


def as_asked(method: str, path: str) -> str:
    """The method that a request is answered as."""
    return "GET" if method == "HEAD" and path.startswith("/api/v1/") else method


class PlainPaths:
    """Takes off what senders may leave at the end of an API path: a slash, ``.json``, ``.csv``.

    Which suffix it was is kept in the state of the request, for lists to be answered in that form. HEAD is answered as
    GET, whose body the server leaves out; updates by GET don't come here.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand on the request with its plain path."""
        path = scope.get("path", "")
        if path.startswith("/api/"):
            plain, suffix = path.rstrip("/"), ""
            if path.startswith("/api/v1/"):
                scope = {**scope, "method": as_asked(scope["method"], path)}
                suffixes = _SUFFIXES.get(scope["method"], _ALWAYS)
                suffix = next((each for each in suffixes if plain.endswith(each)), "")
            state = {**scope.get("state", {}), "suffix": suffix}
            scope = {**scope, "path": plain.removesuffix(suffix), "state": state}
        await self._app(scope, receive, send)
