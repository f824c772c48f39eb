"""The routes that record a call and read one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Path, Query
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from ringback.api.desk import Answer, Desk, Root, single
from ringback.api.lists import cut
from ringback.api.operations import READ_CALL, RECORD_CALL
from ringback.api.requests import Incoming
from ringback.api.updates import Target, call_text, read_target
from ringback.domain.answers import answer
from ringback.domain.columns import NOT_KEPT
from ringback.domain.decisions import CallRef, RefKind
from ringback.domain.errors import Refusal
from ringback.domain.receipts import RECORDING_ROUTE, Outcome, Update
from ringback.domain.recordings import Recording, read_recording
from ringback.domain.updates import Reading
from ringback.services import calls
from ringback.services.access import Caller
from ringback.services.calls import Shown

CallId = Annotated[str, Path(description="The call's UUID, or its number in this account.")]
Columns = Annotated[str, Query(description="Names of columns, separated by commas; the call is cut to these.")]


@dataclass(frozen=True, slots=True)
class CallRoutes:
    """``POST /api/v1/calls`` and ``GET /api/v1/calls/{call}``."""

    desk: Desk
    new_id: Callable[[], str]
    new_call_uuid: Callable[[], str]

    @property
    def router(self) -> APIRouter:
        """The routes, to be included."""
        router = APIRouter()
        router.add_api_route("/api/v1/calls", self.record, methods=["POST"], **RECORD_CALL.told)
        router.add_api_route("/api/v1/calls/{call}", self.read, methods=["GET"], **READ_CALL.told)
        return router

    async def record(self, request: Request) -> Response:
        """Record a call, or update what is named of one that is there."""
        incoming = await self.desk.receive(request)
        recording = _recording(incoming)
        update = self._update(request.state.account, incoming, recording)
        new_uuid = self.new_call_uuid()

        def record(tx: Connection) -> Outcome:
            return calls.record(tx, update, recording, now=self.desk.now(), new_uuid=new_uuid, new_id=self.new_id)

        outcome = await self.desk.write(record)
        if outcome.refusal is not None and outcome.principal is None:
            refusal = self.desk.throttled(outcome.refusal, request.state.ip, is_known=False)
            outcome = outcome.refused(refusal)
        status, document = answer(outcome)
        return Answer(status, document, accept=incoming.headers.accept, replayed=outcome.replay is not None)

    async def read(self, request: Request, call: CallId, root: Root = "", columns: Columns = "") -> Response:
        """Show one call, as far as the caller may see it."""
        ref, problems = read_target(Target("calls", call_text(call)))
        asked = [name.strip() for name in columns.split(",") if name.strip()]

        def read(tx: Connection, caller: Caller) -> Shown:
            try:
                return calls.read(tx, caller, ref, self.desk.now(), asked)
            except Refusal as refusal:
                if problems and refusal.code.name == "call_not_found":
                    raise Refusal(problems[0].code, problems=problems) from refusal
                raise

        shown = await self.desk.ask(request, read)
        return single("call", cut(shown.document, asked, NOT_KEPT), root)

    def _update(self, account: str, incoming: Incoming, recording: Recording) -> Update:
        return Update(
            receipt_id=self.new_id(),
            received_at=self.desk.now(),
            route=RECORDING_ROUTE,
            account=account,
            sender=incoming.credential,
            ref=CallRef(RefKind.UUID, recording.uuid or ""),
            reading=recording.reading,
            arrived=incoming.arrived,
            refusal=incoming.refusal,
            hops=incoming.headers.hops,
        )


def _recording(incoming: Incoming) -> Recording:
    if incoming.refusal is not None:
        return Recording(Reading())
    return read_recording(incoming.fields, keys=incoming.headers.keys, dry_run=incoming.headers.dry_run)
