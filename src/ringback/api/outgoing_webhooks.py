"""The routes that show postbacks under TrackDrive's names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Path
from starlette.requests import Request
from starlette.responses import Response

from ringback.api import lists
from ringback.api.desk import Desk, Root, single
from ringback.api.partner_operations import LIST_WEBHOOKS, READ_WEBHOOK
from ringback.api.updates import call_text
from ringback.domain.outgoing_webhooks import COLUMNS
from ringback.services import outgoing_webhooks

PLURAL = "outgoing_webhooks"

WebhookId = Annotated[str, Path(description="The postback's number in this account, or its UUID.")]


@dataclass(frozen=True, slots=True)
class WebhookRoutes:
    """``GET /api/v1/outgoing_webhooks`` and ``GET /api/v1/outgoing_webhooks/{webhook}``."""

    desk: Desk

    @property
    def router(self) -> APIRouter:
        """The routes, to be included."""
        router = APIRouter(prefix=f"/api/v1/{PLURAL}")
        router.add_api_route("", self.list, methods=["GET"], **LIST_WEBHOOKS.told)
        router.add_api_route("/{webhook}", self.read, methods=["GET"], **READ_WEBHOOK.told)
        return router

    async def list(self, request: Request) -> Response:
        """Show the postbacks, a page at a time."""
        asked, now = lists.read_asked(request), self.desk.now()
        page = await self.desk.ask(
            request, lambda tx, caller: outgoing_webhooks.list_page(tx, caller, asked.paging, now)
        )
        asked.query.check()  # not before it is known who asks
        return lists.answer(PLURAL, asked, lists.Listed(page.documents, page.total, page.next_number, usual=COLUMNS))

    async def read(self, request: Request, webhook: WebhookId, root: Root = "") -> Response:
        """Show one postback."""
        now, text = self.desk.now(), call_text(webhook)
        document = await self.desk.ask(request, lambda tx, caller: outgoing_webhooks.read(tx, caller, text, now))
        return single("outgoing_webhook", document, root)
