"""The client whose answers are awaited."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from types import TracebackType
from typing import Self, TypeVar, Unpack

import httpx2

from ringback.client import lists, requests
from ringback.client.address import find_address, read_environment
from ringback.client.answers import Call, Me, Partner, Updated
from ringback.client.connection import RETRIES, TIMEOUT, options
from ringback.client.errors import Refused
from ringback.client.lists import FIRST, Listing
from ringback.client.requests import CallId, Request
from ringback.client.tries import Tries
from ringback.client.values import (
    BulkChanges,
    BuyerFilters,
    CallFilters,
    Changes,
    OfferFilters,
    Recording,
    TrafficSourceFilters,
)

Result = TypeVar("Result")
Row = TypeVar("Row")


class AsyncClient:
    """``Client`` for programs that run on asyncio: the same arguments, methods and errors, with ``await``."""

    def __init__(
        self,
        base_url: str,
        *,
        basic: str | tuple[str, str] | None = None,
        token: str | None = None,
        account: str | None = None,
        timeout: float = TIMEOUT,
        retries: int = RETRIES,
    ) -> None:
        self._address = find_address(base_url, basic=basic, token=token, account=account)
        self._http = httpx2.AsyncClient(**options(self._address, timeout))
        self._retries = retries

    @classmethod
    def from_env(cls, *, timeout: float = TIMEOUT, retries: int = RETRIES) -> Self:
        """The client of the environment, as ``Client.from_env``."""
        return cls(**read_environment(), timeout=timeout, retries=retries)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._address.base!r})"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def update_call(
        self,
        uuid: CallId,
        *,
        dry_run: bool = False,
        idempotency_key: str | None = None,
        **changes: Unpack[Changes],
    ) -> Updated:
        """Say what a call became, as ``Client.update_call``."""
        return await self._ask(requests.update_call(uuid, changes, dry_run=dry_run, key=idempotency_key))

    async def update_by_caller_id(
        self,
        caller_id: str,
        *,
        offer_token: str,
        call_timeframe: int | None = None,
        dry_run: bool = False,
        idempotency_key: str | None = None,
        **changes: Unpack[Changes],
    ) -> Updated:
        """Say what the newest call of a caller became, as ``Client.update_by_caller_id``."""
        asked = requests.update_by_caller_id(
            caller_id, offer_token, call_timeframe, changes, dry_run=dry_run, key=idempotency_key
        )
        return await self._ask(asked)

    async def bulk_update(
        self, updates: Iterable[BulkChanges], *, dry_run: bool = False, idempotency_key: str | None = None
    ) -> list[Updated | Refused]:
        """Say what up to 1,000 calls became, as ``Client.bulk_update``."""
        return await self._ask(requests.bulk_update(updates, dry_run=dry_run, key=idempotency_key))

    async def record_call(
        self,
        caller_number: str,
        *,
        dry_run: bool = False,
        idempotency_key: str | None = None,
        **recording: Unpack[Recording],
    ) -> Updated:
        """Report a call, as ``Client.record_call``."""
        return await self._ask(requests.record_call(caller_number, recording, dry_run=dry_run, key=idempotency_key))

    async def call(self, which: CallId) -> Call:
        """The call with this UUID or number, as ``Client.call``."""
        return await self._ask(requests.call(which))

    async def me(self) -> Me:
        """Who the credential is and what it may update, as ``Client.me``."""
        return await self._ask(requests.me())

    def calls(self, *, page_size: int = lists.PAGE_SIZE, **filters: Unpack[CallFilters]) -> AsyncIterator[Call]:
        """The calls that pass the filters, for ``async for``, as ``Client.calls``."""
        return self._rows(lists.calls(filters, page_size))

    def buyers(self, *, page_size: int = lists.PAGE_SIZE, **filters: Unpack[BuyerFilters]) -> AsyncIterator[Partner]:
        """The buyers, page by page as ``calls``."""
        return self._rows(lists.partners("buyers", filters, page_size))

    def traffic_sources(
        self, *, page_size: int = lists.PAGE_SIZE, **filters: Unpack[TrafficSourceFilters]
    ) -> AsyncIterator[Partner]:
        """The traffic sources, page by page as ``calls``."""
        return self._rows(lists.partners("traffic_sources", filters, page_size))

    def offers(self, *, page_size: int = lists.PAGE_SIZE, **filters: Unpack[OfferFilters]) -> AsyncIterator[Partner]:
        """The offers, page by page as ``calls``."""
        return self._rows(lists.partners("offers", filters, page_size))

    async def _rows(self, listing: Listing[Row]) -> AsyncIterator[Row]:
        place: lists.Place | None = FIRST
        while place is not None:
            page = await self._ask(listing.page(place))
            for row in page.rows:
                yield row
            place = page.following

    async def _ask(self, request: Request[Result]) -> Result:
        tries = Tries(request, self._address, self._retries)
        while True:
            try:
                reply = tries.read(await self._http.request(**request.sent))
            except httpx2.RequestError as error:
                wait = tries.wait_after(tries.failure(error))
            else:
                if not isinstance(reply, Exception):
                    return request.read(reply)
                wait = tries.wait_after(reply)
            await asyncio.sleep(wait)
