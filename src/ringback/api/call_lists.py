"""The routes that read calls as TrackDrive's do: lists, figures, and what happened to one of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Path
from fastapi import Query as QueryParameter
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from ringback.api import lists
from ringback.api.call_events import events_object, log_lines
from ringback.api.call_operations import CALL_EVENTS, CALL_LOGS, CALL_STATS, CALLS_OF_CALLER, LIST_CALLS, LIVE_CALLS
from ringback.api.call_queries import read_order, read_time_zone, read_wanted
from ringback.api.desk import Answer, Desk, Root, is_no
from ringback.api.lists import Listed, Row
from ringback.api.updates import Target, call_text, read_target
from ringback.domain.answers import call_columns, call_object
from ringback.domain.columns import EVERY, NOT_KEPT, WEBHOOKS
from ringback.domain.errors import Problem, Refusal
from ringback.domain.money import format_amount
from ringback.domain.queries import Query
from ringback.services import call_events, call_stats, listed_calls
from ringback.services.access import Caller
from ringback.services.call_events import Told
from ringback.services.call_stats import Group

CallId = Annotated[str, Path(description="The call's UUID, or its number in this account.")]
CallNumber = Annotated[str, QueryParameter(description="The call's UUID, or its number in this account.")]
CallerNumber = Annotated[str, Path(description="The caller's telephone number, best as `+17195550123`.")]

_STATS, _LOGS = "stats", "call_logs"


@dataclass(frozen=True, slots=True)
class CallListRoutes:
    """``GET /api/v1/calls``, and what stands beside it; to be included before what reads one call."""

    desk: Desk

    @property
    def router(self) -> APIRouter:
        """The routes, to be included."""
        router = APIRouter(prefix="/api/v1")
        router.add_api_route("/calls", self.list, methods=["GET"], **LIST_CALLS.told)
        router.add_api_route("/calls/live_calls", self.live, methods=["GET"], **LIVE_CALLS.told)
        router.add_api_route("/calls/stats", self.stats, methods=["GET"], **CALL_STATS.told)
        router.add_api_route("/calls/reports", self.reports, methods=["GET"], include_in_schema=False)
        router.add_api_route(
            "/calls/{caller_number}/by_caller_number", self.of_caller, methods=["GET"], **CALLS_OF_CALLER.told
        )
        router.add_api_route("/calls/{call}/events", self.events, methods=["GET"], **CALL_EVENTS.told)
        router.add_api_route("/call_logs", self.logs, methods=["GET"], **CALL_LOGS.told)
        return router

    async def list(self, request: Request) -> Response:
        """Show the calls that are asked for, a page at a time."""
        return await self._list(request)

    async def live(self, request: Request) -> Response:
        """Show the calls that are not over."""
        return await self._list(request, live=True)

    async def of_caller(self, request: Request, caller_number: CallerNumber) -> Response:
        """Show the calls of a caller."""
        return await self._list(request, number=call_text(caller_number))

    async def stats(self, request: Request) -> Response:
        """Show what the calls that are asked for come to, group by group."""
        query, now = Query(request.query_params), self.desk.now()
        is_bare, names = query.truth("root") is False, _names(query)

        def read(tx: Connection, caller: Caller) -> Sequence[Group]:
            account, principal = listed_calls.check_lister(tx, caller, now)
            zone, wanted = read_time_zone(query, account), read_wanted(query, tx, account, now)
            query.check()
            return call_stats.group_calls(tx, principal, wanted, **names, zone=zone)

        rows = [_figure(group, **names) for group in await self.desk.ask(request, read)]
        if is_bare:
            return lists.bare(rows)
        ignored = {"ignored": query.ignored} if query.ignored else {}
        return _enveloped(_STATS, rows, **names, **ignored)

    async def reports(self) -> Response:
        """Say what there is instead."""
        raise Refusal("no_reports")

    async def events(self, request: Request, call: CallId, root: Root = "") -> Response:
        """Show what happened to a call."""
        document = events_object(await self._told(request, call))
        if is_no(root):
            return Answer(200, document)
        envelope = {"status": 200, "success": True, "errors": {}, "metadata": {"root": "events"}}
        return Answer(200, {**envelope, **document})

    async def logs(self, request: Request, call_id: CallNumber = "", root: Root = "") -> Response:
        """Show what happened to a call, in sentences."""
        rows = log_lines(await self._told(request, call_id, field="call_id"))
        if is_no(root):
            return lists.bare(rows)
        return _enveloped(_LOGS, rows)

    async def _list(self, request: Request, *, number: str | None = None, live: bool = False) -> Response:
        asked, now = lists.read_asked(request), self.desk.now()

        def read(tx: Connection, caller: Caller) -> Listed:
            account, principal = listed_calls.check_lister(tx, caller, now)
            order, wanted = read_order(asked.query), read_wanted(asked.query, tx, account, now, caller=number)
            asked.query.check()
            if live:
                wanted = listed_calls.narrowed_to_live(wanted, now)
            page = listed_calls.list_calls(tx, principal, wanted, order, asked.paging, in_full=not live)
            rows = [call_object(line.call, line.readable, account.time_zone) for line in page.lines]
            if WEBHOOKS in asked.columns:
                counts = listed_calls.count_webhooks(tx, principal, [line.call for line in page.lines])
                rows = [{**row, WEBHOOKS: counts[str(row["uuid"])]} if counts else row for row in rows]
            usual = call_columns(listed_calls.readable(principal))
            return Listed(rows, page.total, page.next_cursor, usual, NOT_KEPT, EVERY)

        return lists.answer("calls", asked, await self.desk.ask(request, read))

    async def _told(self, request: Request, call: str, field: str = "call") -> Told:
        """What happened to the call that is named."""
        ref, problems = read_target(Target("calls", call_text(call)))

        def read(tx: Connection, caller: Caller) -> Told:
            listed_calls.check_lister(tx, caller, self.desk.now())
            if not call.strip():
                raise Refusal("missing_value", problems=[Problem(field, "missing_value", {"name": field})])
            if problems:
                raise Refusal(problems[0].code, problems=problems)
            return call_events.tell(tx, caller, ref, self.desk.now())

        return await self.desk.ask(request, read)


def _names(query: Query) -> dict[str, str]:
    """By what calls are put together, and what is added up of them; the period has to be named, too."""
    names = {"group_by": query.choice("group_by", call_stats.GROUPS), "stat": query.choice("stat", call_stats.STATS)}
    for name in (*names, "created_at_from", "created_at_to"):
        query.require(name)
    return names


def _figure(group: Group, group_by: str, stat: str) -> Row:
    amount = call_stats.figure(group.figures, stat)
    return {group_by: group.value, stat: amount if isinstance(amount, int) else format_amount(amount)}


def _enveloped(noun: str, rows: Sequence[Row], **metadata: object) -> Response:
    told = {"root": noun, **metadata}
    return Answer(200, {"status": 200, "success": True, "errors": {}, noun: rows, "metadata": told})
