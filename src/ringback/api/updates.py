"""The endpoint of updates: one ASGI application before the framework's router, since most requests are for it."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import unquote

from msgspec import Struct
from msgspec.structs import replace

from ringback.api.answers import Send, send_answer, send_refusal
from ringback.api.places import Place, Scope
from ringback.api.requests import Disconnected, Incoming, Receive, read_request
from ringback.domain.answers import answer
from ringback.domain.bodies import Fields
from ringback.domain.callers import Meant, read_caller, without_names
from ringback.domain.decisions import CallRef, read_ref, unreadable
from ringback.domain.errors import Problem, Refusal
from ringback.domain.receipts import Outcome, Update
from ringback.domain.throttle import WrongCredentials
from ringback.domain.updates import Reading, read_patch
from ringback.services.calls import read_caller_number

_DOUBLED = re.compile(r"/api/v1/.*(?:/api/v1/|https?:)|/update_call/(?:.*/)?update_call(?:/|$)")
_BY_ID = re.compile(r"/api/v1/calls/([^/]+)/?")

BY_CALLER = "by_caller_id"
"""The route of updates that name who called."""

_WAYS: tuple[tuple[re.Pattern[str], str | None, tuple[str, ...]], ...] = (
    (re.compile(r"/api/v1/calls/update_call(?:/(.*))?", re.DOTALL), "update_call", ("POST", "PUT", "PATCH", "GET")),
    (re.compile(r"/api/v1/calls/update_by_caller_id(?:/(.*))?", re.DOTALL), BY_CALLER, ("POST", "PUT")),
    (re.compile(r"/api/v1/calls/bulk_update(?:\.json)?/?"), None, ("POST",)),
    (re.compile(r"/api/v1/calls/(?:live_calls|stats|reports)(?:\.json|\.csv)?/?"), None, ("GET", "HEAD")),
)
"""Paths that could also name a call by its id, their routes (none for what the framework answers), their methods."""

_UNAUTHORIZED = 401


class Target(Struct, frozen=True):
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
    for pattern, route, methods in _WAYS:
        if found := pattern.fullmatch(path):
            if method not in methods:
                raise Refusal("method_not_allowed", method=method, allowed=", ".join(methods))
            return None if route is None else Target(route, call_text(found[1] or ""))
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
        received_at, fields, headers = self.now(), incoming.fields, incoming.headers
        meant = read_meant(target, fields, received_at)
        reading = Reading()
        if incoming.refusal is None:
            rest = without_names(fields) if target.route == BY_CALLER else fields
            reading = read_patch(rest, keys=headers.keys, dry_run=headers.dry_run)
        return Update(
            receipt_id=self.new_id(),
            received_at=received_at,
            route=target.route,
            account=place.account,
            sender=incoming.credential,
            ref=meant.ref,
            reading=about(meant, reading, incoming),
            arrived=incoming.arrived,
            refusal=incoming.refusal,
            hops=incoming.headers.hops,
        )


def _is_guess(outcome: Outcome) -> bool:
    """Whether a wrong credential was sent; none at all is how wget asks for the challenge."""
    is_unknown = outcome.principal is None and outcome.code_status == _UNAUTHORIZED
    return is_unknown and outcome.code != "missing_credentials"


def read_meant(target: Target, fields: Fields, received_at: datetime) -> Meant:
    """The call that is meant, by what the path says and, of a caller, what else the request names."""
    if target.route == BY_CALLER:
        text = unquote(target.text)
        number = read_caller_number(text)
        return read_caller(text, number if number and number[0] == "+" else None, fields, received_at)
    ref, problems = read_target(target)
    return Meant(ref, problems=[*problems])


def about(meant: Meant, reading: Reading, incoming: Incoming) -> Reading:
    """A reading with how its call was understood, and what was odd about the credential."""
    if not (meant.problems or meant.trail or incoming.warnings):
        return reading
    return replace(
        reading,
        trail=(*meant.trail, *reading.trail),
        problems=(*meant.problems, *reading.problems),
        warnings=(*incoming.warnings, *reading.warnings),
    )


def read_target(target: Target) -> tuple[CallRef, tuple[Problem, ...]]:
    """The call that is meant, and what is wrong with how it is named."""
    ref = read_ref(target.text, numbers=target.route != "update_call")
    return ref, unreadable(target.text, ref)


def call_text(text: str) -> str:
    """What a path says about the call, without what senders leave around it."""
    return text.strip().strip("/\"'").removesuffix(".json")
