"""Many updates in one request: each is decided, kept and answered as if it had come alone."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog
from fastapi import APIRouter
from msgspec.structs import replace
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from ringback.api.answers import RETRY_AFTER_BUSY
from ringback.api.desk import Answer, Desk
from ringback.api.operations import UPDATE_BULK
from ringback.api.requests import Incoming, head_credential, part_of
from ringback.api.updates import BY_CALLER, Target, about, call_text, read_meant
from ringback.domain.answers import answer, refusal_document
from ringback.domain.bodies import BODY_LIMIT, Fields, Value, read_part
from ringback.domain.bulks import BULK_LIMIT, KEY, keys_of, read_updates
from ringback.domain.callers import Meant, without_names
from ringback.domain.credentials import Credential
from ringback.domain.decisions import CallRef, RefKind
from ringback.domain.errors import Problem, Refusal
from ringback.domain.masking import mask_keys
from ringback.domain.receipts import Json, Outcome, Update
from ringback.domain.updates import CONTROL, Reading, is_dry, read_patch
from ringback.services.access import Caller, check_credential

AT_ONCE = 250
"""How many of them are given to the intake at a time, so that others get their turn."""

_ROUTE = "bulk"
_BUSY = 503
_WAYS = {"uuid": "update_call", "id": "calls", "caller_id": BY_CALLER}
"""The names by which an update says which call it means, each with the route of the same update alone."""

Submit = Callable[[Sequence[Update]], Awaitable[list[Outcome | Exception]]]
"""Has updates recorded; returns after the commit, with what became of each."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class BulkRoute:
    """``POST /api/v1/calls/bulk_update``."""

    desk: Desk
    submit: Submit
    new_id: Callable[[], str]

    @property
    def router(self) -> APIRouter:
        """The route, to be included."""
        router = APIRouter()
        router.add_api_route("/api/v1/calls/bulk_update", self.update, methods=["POST"], **UPDATE_BULK.told)
        return router

    async def update(self, request: Request) -> Response:
        """Update many calls; only what is wrong with the request as a whole is answered as a whole."""
        incoming, is_known = await self._receive(request)
        items, problems = read_updates(incoming.fields)
        if incoming.refusal is not None or problems or not is_known:
            return await self._refuse(request, incoming, problems)
        updates = await run_in_threadpool(self._updates, request.state.account, incoming, items)
        outcomes = await self._submit(updates)
        results = await run_in_threadpool(_results, updates, outcomes)
        is_busy = any(result["status"] == _BUSY for result in results)
        return Answer(200, _document(results, incoming), retry_after=RETRY_AFTER_BUSY if is_busy else "")

    async def _receive(self, request: Request) -> tuple[Incoming, bool]:
        """The request, and whether its credential is good; of nobody known a large body is not even looked into."""
        credential = head_credential(dict(request.scope))
        is_known = await self._is_known(request, credential)
        incoming = await self.desk.receive(request, BULK_LIMIT if is_known else BODY_LIMIT)
        if incoming.credential != credential:
            is_known = await self._is_known(request, incoming.credential)
        if not is_known and incoming.refusal is not None and incoming.refusal.code.name == "too_large":
            incoming = replace(incoming, refusal=None)  # he is told who he is not, whatever he sent
        return incoming, is_known

    async def _is_known(self, request: Request, credential: Credential | Refusal) -> bool:
        """Whether the credential is good; if not, all its updates get one answer."""
        caller = Caller(request.state.account, credential, request.state.ip)
        try:
            await self.desk.look(lambda tx: check_credential(tx, caller, self.desk.now()))
        except Refusal as refusal:
            if refusal.code.status == _BUSY:
                raise
            return False
        return True

    async def _refuse(self, request: Request, incoming: Incoming, problems: Sequence[Problem]) -> Response:
        """Answer the whole request as one update that can't be done; a known sender gets a receipt for it."""
        nothing = CallRef(RefKind.UNREADABLE, "")
        whole = Update(
            receipt_id=self.new_id(),
            received_at=self.desk.now(),
            route=_ROUTE,
            account=request.state.account,
            sender=incoming.credential,
            ref=nothing,
            reading=about(Meant(nothing, problems=[*problems]), Reading(), incoming),
            arrived=incoming.arrived,
            refusal=incoming.refusal,
        )
        (outcome,) = await self.submit([whole])
        if isinstance(outcome, Exception):
            raise outcome
        if outcome.refusal is not None and outcome.principal is None:
            outcome = outcome.refused(self.desk.throttled(outcome.refusal, request.state.ip, is_known=False))
        status, document = answer(outcome)
        return Answer(status, document, accept=incoming.headers.accept)

    async def _submit(self, updates: Sequence[Update]) -> list[Outcome | Exception]:
        """What became of each; where the intake is full no later one is tried, so that none overtakes another."""
        done: list[Outcome | Exception] = []
        for start in range(0, len(updates), AT_ONCE):
            done += await self.submit(updates[start : start + AT_ONCE])
            if any(isinstance(each, Refusal) and each.code.status == _BUSY for each in done[start:]):
                break
        return [*done, *(Refusal("busy") for _ in updates[len(done) :])]

    def _updates(self, account: str, incoming: Incoming, items: Sequence[Value]) -> list[Update]:
        now = self.desk.now()
        return [self._update(account, incoming, place, item, now) for place, item in enumerate(items, 1)]

    def _update(self, account: str, incoming: Incoming, place: int, item: Value, now: datetime) -> Update:
        fields, refusal = _fields(item, incoming.fields.notes)
        way, meant = _meant(item, fields, now)
        rest = _without(fields, {way, KEY})
        headers = incoming.headers
        reading = read_patch(
            without_names(rest) if way == "caller_id" else rest,
            keys=keys_of(fields, headers.keys, place),
            dry_run="true" if is_dry(incoming.fields, headers.dry_run) else None,
        )
        return Update(
            receipt_id=self.new_id(),
            received_at=now,
            route=_WAYS[way],
            account=account,
            sender=incoming.credential,
            ref=meant.ref,
            reading=about(meant, reading, incoming),
            arrived=part_of(incoming, item),
            refusal=refusal,
            hops=headers.hops,
        )


def _fields(item: Value, notes: tuple[str, ...]) -> tuple[Fields, Refusal | None]:
    """What one update names, or why that can't be read."""
    try:
        return read_part(item if isinstance(item, dict) else {}, notes), None
    except Refusal as refusal:
        return Fields({}, {}, ()), refusal


def _meant(item: Value, fields: Fields, now: datetime) -> tuple[str, Meant]:
    """By which name an update says which call it means, and which that is: a UUID goes before all else."""
    if not isinstance(item, dict):
        return "uuid", _unknown("updates", "invalid_value", reason="each of the updates must be an object")
    for way, route in _WAYS.items():
        raw = fields.values.get(way)
        if isinstance(raw, str) and raw.strip():
            return way, read_meant(Target(route, call_text(raw)), fields, now)
        if raw is not None and not isinstance(raw, str):
            return way, _unknown(way, "invalid_value", reason=f"{way} must be a text or a number")
    return "uuid", _unknown("uuid", "missing_value", name="uuid")


def _unknown(field: str, code: str, **details: str) -> Meant:
    return Meant(CallRef(RefKind.UNREADABLE, ""), problems=[Problem(field, code, details)])


def _without(fields: Fields, names: Iterable[str]) -> Fields:
    rest = {name: raw for name, raw in fields.values.items() if name not in names}
    return Fields(rest, fields.sources, fields.notes)


def _results(updates: Sequence[Update], outcomes: Sequence[Outcome | Exception]) -> list[Json]:
    return [_result(update, outcome) for update, outcome in zip(updates, outcomes, strict=True)]


def _result(update: Update, outcome: Outcome | Exception) -> Json:
    """What the sender of one update alone would have been answered."""
    if isinstance(outcome, Outcome):
        _, document = answer(outcome)
        return document if outcome.replay is None else {**document, "replayed": True}
    if isinstance(outcome, Refusal):
        return refusal_document(outcome)
    log.error("update failed", receipt_id=update.receipt_id, exc_info=outcome)
    return refusal_document(Refusal("internal_error", request_id=update.receipt_id))


def _document(results: Sequence[Json], incoming: Incoming) -> Json:
    succeeded = sum(bool(result["success"]) for result in results)
    return {
        "status": 200,
        "success": True,
        "code": "processed",
        "errors": {},
        "results": results,
        "counts": {"updates": len(results), "succeeded": succeeded, "failed": len(results) - succeeded},
        "ignored": sorted(map(mask_keys, incoming.fields.values.keys() - CONTROL - {"updates"})),
        "metadata": {"root": "results"},
    }
