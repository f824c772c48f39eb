"""The endpoint of updates: one ASGI application before the framework's router, since most requests are for it."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime

from ringback.api.answers import Send, send_answer, send_refusal
from ringback.api.places import Place, Scope
from ringback.api.requests import Disconnected, Incoming, Receive, read_request
from ringback.domain.answers import answer
from ringback.domain.decisions import CallRef, read_ref, unreadable
from ringback.domain.errors import Problem, Refusal
from ringback.domain.receipts import Outcome, Update
from ringback.domain.throttle import WrongCredentials
from ringback.domain.updates import Reading, read_patch

_DOUBLED = re.compile(r"/api/v1/.*(?:/api/v1/|https?:)|/update_call/(?:.*/)?update_call(?:/|$)")
_BY_UUID = re.compile(r"/api/v1/calls/update_call(?:/(.*))?", re.DOTALL)
_BY_ID = re.compile(r"/api/v1/calls/([^/]+)/?")
_UNAUTHORIZED = 401


@dataclass(frozen=True, slots=True)
class Target:
    """Which call a path means to update, and by which route."""

    route: str
    text: str


def find_target(method: str, path: str) -> Target | None:
    """What a request means to update; None if it is for somebody else.

    Raises:
        Refusal: ``doubled_path``, ``method_not_allowed``.
    """
    if not path.startswith("/api/v1/calls/"):
        return None
    if _DOUBLED.search(path):
        raise Refusal("doubled_path")
    if found := _BY_UUID.fullmatch(path):
        if method not in {"POST", "PUT", "PATCH", "GET"}:
            raise Refusal("method_not_allowed", method=method, allowed="POST, PUT, PATCH, GET")
        return Target("update_call", call_text(found[1] or ""))
    if method in {"POST", "PUT", "PATCH"} and (found := _BY_ID.fullmatch(path)):
        return Target("calls", call_text(found[1]))
    return None


@dataclass(frozen=True, slots=True)
class UpdateEndpoint:
    """Answers requests that update one call; ``submit`` has an update recorded and returns after the commit."""

    submit: Callable[[Update], Awaitable[Outcome]]
    wrong_credentials: WrongCredentials
    now: Callable[[], datetime]
    new_id: Callable[[], str]

    async def __call__(self, scope: Scope, receive: Receive, send: Send, place: Place, target: Target, ip: str) -> None:
        """Read, have recorded, and answer one update."""
        try:
            incoming = await read_request(scope, receive, ip)
        except Disconnected:
            return
        accept = incoming.headers.accept
        try:
            outcome = await self.submit(self._update(incoming, place, target))
        except Refusal as refusal:
            await send_refusal(send, refusal, accept=accept)
            return
        if _is_guess(outcome) and self.wrong_credentials.is_too_many(ip):
            await send_refusal(send, Refusal("rate_limited"), accept=accept)
            return
        status, document = answer(outcome)
        await send_answer(send, status, document, accept=accept, replayed=outcome.replay is not None)

    def _update(self, incoming: Incoming, place: Place, target: Target) -> Update:
        ref, problems = read_target(target)
        reading = Reading()
        if incoming.refusal is None:
            headers = incoming.headers
            reading = read_patch(incoming.fields, keys=headers.keys, dry_run=headers.dry_run)
        if problems or incoming.warnings:
            problems, warnings = (*problems, *reading.problems), (*incoming.warnings, *reading.warnings)
            reading = replace(reading, problems=problems, warnings=warnings)
        return Update(
            receipt_id=self.new_id(),
            received_at=self.now(),
            route=target.route,
            account=place.account,
            sender=incoming.credential,
            ref=ref,
            reading=reading,
            arrived=incoming.arrived,
            refusal=incoming.refusal,
            hops=incoming.headers.hops,
        )


def _is_guess(outcome: Outcome) -> bool:
    """Whether a wrong credential was sent; none at all is how wget asks for the challenge."""
    is_unknown = outcome.principal is None and outcome.code_status == _UNAUTHORIZED
    return is_unknown and outcome.code != "missing_credentials"


def read_target(target: Target) -> tuple[CallRef, tuple[Problem, ...]]:
    """The call that is meant, and what is wrong with how it is named."""
    ref = read_ref(target.text, numbers=target.route != "update_call")
    return ref, unreadable(target.text, ref)


def call_text(text: str) -> str:
    """What a path says about the call, without what senders leave around it."""
    return text.strip().strip("/\"'").removesuffix(".json")
