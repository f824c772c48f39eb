"""The desk: where the framework's routes have their requests read, and answered by services in threads."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, TypeVar, cast

from fastapi import Query
from sqlalchemy import Connection
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from ringback.api import requests
from ringback.api.answers import send_answer
from ringback.api.requests import Incoming, read_request
from ringback.domain.bodies import BODY_LIMIT
from ringback.domain.errors import Refusal
from ringback.domain.throttle import WrongCredentials
from ringback.services.access import Caller
from ringback.store.engine import Database
from ringback.store.failures import ContendedError, RejectedError, UnavailableError, UnconfirmedError

Result = TypeVar("Result")

PATIENCE_SECONDS = 10.0
"""How long a transaction that meets others in its way is tried again."""

Root = Annotated[str, Query(description="`false` answers with the bare object, without its envelope.")]
"""The query parameter ``root``, as every reading route has it."""

_UNAUTHORIZED = 401
_OF_KNOWN_TOKENS = frozenset({"expired", "revoked"})
_NO = frozenset({"false", "0", "no", "off"})


@dataclass(frozen=True, slots=True)
class Desk:
    """What the routes share: the database, the count of wrong credentials, the time."""

    database: Database
    wrong_credentials: WrongCredentials
    now: Callable[[], datetime]

    async def receive(self, request: Request, limit: int = BODY_LIMIT) -> Incoming:
        """The request, read with the same leniency as an update; ``limit`` are the bytes of a body that are read."""
        receive = cast("requests.Receive", request.receive)
        return await read_request(dict(request.scope), receive, request.state.ip, limit)

    async def ask(self, request: Request, service: Callable[[Connection, Caller], Result]) -> Result:
        """What a service that only reads says to the sender of this request.

        Raises:
            Refusal: the service's; ``rate_limited``, ``busy``.
        """
        caller = _caller(request, await self.receive(request))
        try:
            return await run_in_threadpool(self._read, lambda tx: service(tx, caller))
        except Refusal as refusal:
            raise self._said(refusal, caller) from refusal

    async def act(
        self, request: Request, incoming: Incoming, service: Callable[[Connection, Caller], Result]
    ) -> Result:
        """What a service that changes something has done for the sender of this request; it is committed.

        Raises:
            Refusal: the service's; ``rate_limited``, ``busy``, ``unconfirmed``.
        """
        caller = _caller(request, incoming)
        try:
            return await self.write(lambda tx: service(tx, caller))
        except Refusal as refusal:
            raise self._said(refusal, caller) from refusal

    async def look(self, service: Callable[[Connection], Result]) -> Result:
        """What a service that only reads has found.

        Raises:
            Refusal: the service's; ``busy``.
        """
        return await run_in_threadpool(self._read, service)

    async def write(self, service: Callable[[Connection], Result]) -> Result:
        """What a service that writes has done; it is committed.

        Raises:
            Refusal: the service's; ``busy``, ``unconfirmed``.
        """
        return await run_in_threadpool(self._write, service)

    def throttled(self, refusal: Refusal, ip: str, *, is_known: bool) -> Refusal:
        """The same refusal; ``rate_limited`` instead for an address that sends too many wrong credentials."""
        is_guess = refusal.code.name != "missing_credentials" and not is_known
        wrong = refusal.code.status == _UNAUTHORIZED and is_guess
        return Refusal("rate_limited") if wrong and self.wrong_credentials.is_too_many(ip) else refusal

    def _said(self, refusal: Refusal, caller: Caller) -> Refusal:
        return self.throttled(refusal, caller.ip, is_known=refusal.code.name in _OF_KNOWN_TOKENS)

    def _read(self, service: Callable[[Connection], Result]) -> Result:
        try:
            with self.database.read() as tx:
                return service(tx)
        except (ContendedError, UnavailableError) as error:
            raise Refusal("busy") from error

    def _write(self, service: Callable[[Connection], Result]) -> Result:
        patient_until, broke = time.monotonic() + PATIENCE_SECONDS, False
        while True:
            try:
                with self.database.write() as tx:
                    return service(tx)
            except ContendedError as error:
                if time.monotonic() >= patient_until:
                    raise Refusal("busy") from error
            except RejectedError:
                # What it looked at may be gone meanwhile, as a buyer who was deleted; if not, it is a mistake of ours.
                if broke:
                    raise
                broke = True
            except UnconfirmedError as error:
                raise Refusal("unconfirmed") from error
            except UnavailableError as error:
                raise Refusal("busy") from error


def _caller(request: Request, incoming: Incoming) -> Caller:
    return Caller(request.state.account, incoming.refusal or incoming.credential, request.state.ip)


class Answer(Response):
    """A JSON answer of ours, as the framework wants it."""

    def __init__(
        self,
        status: int,
        document: Mapping[str, object],
        *,
        accept: str = "",
        replayed: bool = False,
        retry_after: str = "",
    ) -> None:
        super().__init__(status_code=status)
        self._document = document
        self._accept = accept
        self._replayed = replayed
        self._retry_after = retry_after

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - as ASGI has it
        """Send it."""
        await send_answer(
            send,
            self.status_code,
            self._document,
            accept=self._accept,
            replayed=self._replayed,
            retry_after=self._retry_after,
        )


def single(noun: str, document: Mapping[str, object], root: str) -> Answer:
    """The answer that shows one thing: in the envelope, or bare where ``root`` says no."""
    if is_no(root):
        return Answer(200, document)
    envelope = {"status": 200, "success": True, "errors": {}, noun: document, "metadata": {"root": noun}}
    return Answer(200, envelope)


def is_no(root: str) -> bool:
    """Whether ``root`` says that there shall be no envelope."""
    return root.strip().lower() in _NO
