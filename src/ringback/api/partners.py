"""The routes that list, show, make and change buyers, offers and traffic sources: the same for each kind."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Path
from starlette.requests import Request
from starlette.responses import Response

from ringback.api import lists
from ringback.api.desk import Answer, Desk, Root, single
from ringback.api.partner_operations import PARTNERS
from ringback.api.requests import Incoming
from ringback.api.updates import call_text
from ringback.domain.partner_forms import Asked, read_partner
from ringback.domain.receipts import Json
from ringback.domain.updates import Warned
from ringback.services import partner_access
from ringback.services.partner_access import Done
from ringback.store.partner_search import Wanted

PartnerId = Annotated[str, Path(description="Its number in this account, its UUID, or the id that you gave it.")]


@dataclass(frozen=True, slots=True)
class PartnerRoutes:
    """``/api/v1/buyers`` and ``/api/v1/buyers/{partner}``, or those of another kind of partner."""

    desk: Desk
    new_id: Callable[[], str]
    noun: str

    @property
    def router(self) -> APIRouter:
        """The routes, to be included."""
        told = PARTNERS[self.noun]
        router = APIRouter(prefix=f"/api/v1/{self._plural}")
        router.add_api_route("", self.list, methods=["GET"], **told.list.told)
        router.add_api_route("", self.make, methods=["POST"], **told.make.told)
        router.add_api_route("/{partner}", self.read, methods=["GET"], **told.read.told)
        for method in ("POST", "PUT", "PATCH"):
            router.add_api_route("/{partner}", self.change, methods=[method], **told.change.told_of(method))
        return router

    async def list(self, request: Request) -> Response:
        """Show the partners that the caller may see, a page at a time."""
        asked, now = lists.read_asked(request), self.desk.now()
        query = asked.query
        wanted = Wanted(
            self.noun,
            archived=query.truth("archived") or False,
            paused=query.truth("paused"),
            search=query.text("fulltext"),
            external_id=query.text(f"user_{self.noun}_id"),
        )
        page = await self.desk.ask(
            request, lambda tx, caller: partner_access.list_page(tx, caller, wanted, asked.paging, now)
        )
        query.check()  # not before it is known who asks
        listed = lists.Listed(page.documents, page.total, page.next_number, usual=partner_access.columns(self.noun))
        return lists.answer(self._plural, asked, listed)

    async def read(self, request: Request, partner: PartnerId, root: Root = "") -> Response:
        """Show one partner."""
        now, text = self.desk.now(), call_text(partner)
        document = await self.desk.ask(
            request, lambda tx, caller: partner_access.read(tx, caller, self.noun, text, now)
        )
        return single(self.noun, document, root)

    async def make(self, request: Request) -> Response:
        """Make a partner."""
        incoming = await self.desk.receive(request)
        asked, now = self._asked(incoming), self.desk.now()
        done = await self.desk.act(
            request,
            incoming,
            lambda tx, caller: partner_access.make(tx, caller, asked, now=now, new_id=self.new_id),
        )
        return self._answer(incoming, asked, done)

    async def change(self, request: Request, partner: PartnerId) -> Response:
        """Change what is named of a partner."""
        incoming = await self.desk.receive(request)
        asked, now, text = self._asked(incoming), self.desk.now(), call_text(partner)
        done = await self.desk.act(
            request,
            incoming,
            lambda tx, caller: partner_access.change(tx, caller, text, asked, now=now, new_id=self.new_id),
        )
        return self._answer(incoming, asked, done)

    @property
    def _plural(self) -> str:
        return partner_access.PLURALS[self.noun]

    def _asked(self, incoming: Incoming) -> Asked:
        return read_partner(incoming.fields, self.noun, incoming.headers.dry_run)

    def _answer(self, incoming: Incoming, asked: Asked, done: Done) -> Response:
        return Answer(*done_document(asked, done, (*incoming.warnings, *asked.warnings)))


def done_document(asked: Asked, done: Done, warnings: Sequence[Warned]) -> tuple[int, Json]:
    """The HTTP status and the document that say what was done."""
    before, after = done.before, done.document
    changed = {
        name: {"from": before[name], "to": value}
        for name, value in after.items()
        if before is not None and before[name] != value
    }
    status, code = (201, "made") if before is None else (200, "applied" if changed else "unchanged")
    document: Json = {
        "status": status,
        "success": True,
        "code": code,
        "errors": {},
        asked.noun: after,
        "changed": changed,
        "ignored": list(asked.ignored),
        "warnings": [{"code": warned.code, "message": warned.message} for warned in warnings],
        "metadata": {"root": asked.noun},
    }
    return status, {**document, "dry_run": True} if asked.dry_run else document
