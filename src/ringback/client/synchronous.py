"""The client that waits for its answers."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
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


class Client:
    """One account of one Ringback, asked with one credential. Threads may share it.

    Args:
        base_url: ``https://acme.ringback.example``; with ``account``, the address that all accounts share.
        basic: the credential of an access token: ``public key:private key``, the pair, or the ready base64.
        token: instead, the value of a developer access token.
        account: the subdomain, where it is not in the host name.
        timeout: seconds that each try may take.
        retries: how many times a request is sent again that got no answer, or 429 or 503. Each update has a key, so
            that it counts once however often it is sent.

    Raises:
        NotConfigured: the address or the credential can't be one.
    """

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
        self._http = httpx2.Client(**options(self._address, timeout))
        self._retries = retries

    @classmethod
    def from_env(cls, *, timeout: float = TIMEOUT, retries: int = RETRIES) -> Self:
        """The client of ``RINGBACK_URL``, ``RINGBACK_BASIC`` or ``RINGBACK_TOKEN``, and ``RINGBACK_ACCOUNT`` if set.

        Raises:
            NotConfigured: one is missing, or can't be right.
        """
        return cls(**read_environment(), timeout=timeout, retries=retries)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._address.base!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def update_call(
        self,
        uuid: CallId,
        *,
        dry_run: bool = False,
        idempotency_key: str | None = None,
        **changes: Unpack[Changes],
    ) -> Updated:
        """Say what a call became; what is not named is left alone.

        Args:
            uuid: the call's, as it came with the forward post.
            dry_run: only ask what would happen.
            idempotency_key: your own id of this update, if it may be sent again by another run of your program.
            **changes: ``buyer_converted``, ``revenue`` or ``add_revenue``, ``offer_converted``, ``payout`` or
                ``add_payout``, ``post_call_tokens``, ``call_disposition_id``, ``status``, and whatever else ``Changes``
                has.

        Raises:
            PermissionDenied: a right is missing; the error says which, and the update waits.
            NotFound: there is no such call yet; the update waits for it.
            InvalidValue: a value can't be taken.
            RingbackError: another refusal, or no answer.
        """
        return self._ask(requests.update_call(uuid, changes, dry_run=dry_run, key=idempotency_key))

    def update_by_caller_id(
        self,
        caller_id: str,
        *,
        offer_token: str,
        call_timeframe: int | None = None,
        dry_run: bool = False,
        idempotency_key: str | None = None,
        **changes: Unpack[Changes],
    ) -> Updated:
        """Say what the newest call of a caller became.

        Args:
            caller_id: who called, such as ``+17195550123``.
            offer_token: of the offer that the call belongs to.
            call_timeframe: how many minutes to look back.
            dry_run: only ask what would happen.
            idempotency_key: as of ``update_call``.
            **changes: as of ``update_call``.

        Raises:
            RingbackError: as ``update_call``.
        """
        asked = requests.update_by_caller_id(
            caller_id, offer_token, call_timeframe, changes, dry_run=dry_run, key=idempotency_key
        )
        return self._ask(asked)

    def bulk_update(
        self, updates: Iterable[BulkChanges], *, dry_run: bool = False, idempotency_key: str | None = None
    ) -> list[Updated | Refused]:
        """Say what up to 1,000 calls became; returns what came of each, in order, refusals among them.

        Args:
            updates: each with ``uuid``, or ``id``, or ``caller_id`` and ``offer_token``, and what became of that call.
            dry_run: only ask what would happen.
            idempotency_key: your own id of this list, if another run of your program may send it again in this order;
                an update may have one of its own.

        Raises:
            RingbackError: the request as a whole was refused, or got no answer.
        """
        return self._ask(requests.bulk_update(updates, dry_run=dry_run, key=idempotency_key))

    def record_call(
        self,
        caller_number: str,
        *,
        dry_run: bool = False,
        idempotency_key: str | None = None,
        **recording: Unpack[Recording],
    ) -> Updated:
        """Report a call, so that it can be updated; with the ``uuid`` of a call that is there, update it.

        Args:
            caller_number: such as ``+17195550123``.
            dry_run: only ask what would happen.
            idempotency_key: your own id of this report, if it may be sent again by another run of your program.
            **recording: ``uuid``, ``buyer``, ``traffic_source``, ``offer``, and what an update can name.

        Raises:
            RingbackError: a refusal, or no answer.
        """
        return self._ask(requests.record_call(caller_number, recording, dry_run=dry_run, key=idempotency_key))

    def call(self, which: CallId) -> Call:
        """The call with this UUID or number, as far as the credential's user may see it.

        Raises:
            NotFound: there is none, or, by number, none that may be seen.
            RingbackError: another refusal, or no answer.
        """
        return self._ask(requests.call(which))

    def me(self) -> Me:
        """Who the credential is in this account, and what it may update.

        Raises:
            RingbackError: a refusal, or no answer.
        """
        return self._ask(requests.me())

    def calls(self, *, page_size: int = lists.PAGE_SIZE, **filters: Unpack[CallFilters]) -> Iterator[Call]:
        """The calls that pass the filters, newest first, fetched page by page while they are looked at.

        Args:
            page_size: how many are fetched at once.
            **filters: such as ``created_at_from``, ``buyer_id``, ``buyer_converted`` or ``status``; with
                ``order_dir="asc"`` the oldest come first.

        Raises:
            TypeError: there is no such filter.
            RingbackError: a refusal, or no answer.
        """
        return self._rows(lists.calls(filters, page_size))

    def buyers(self, *, page_size: int = lists.PAGE_SIZE, **filters: Unpack[BuyerFilters]) -> Iterator[Partner]:
        """The buyers, page by page as ``calls``."""
        return self._rows(lists.partners("buyers", filters, page_size))

    def traffic_sources(
        self, *, page_size: int = lists.PAGE_SIZE, **filters: Unpack[TrafficSourceFilters]
    ) -> Iterator[Partner]:
        """The traffic sources, page by page as ``calls``."""
        return self._rows(lists.partners("traffic_sources", filters, page_size))

    def offers(self, *, page_size: int = lists.PAGE_SIZE, **filters: Unpack[OfferFilters]) -> Iterator[Partner]:
        """The offers, page by page as ``calls``."""
        return self._rows(lists.partners("offers", filters, page_size))

    def _rows(self, listing: Listing[Row]) -> Iterator[Row]:
        place: lists.Place | None = FIRST
        while place is not None:
            page = self._ask(listing.page(place))
            yield from page.rows
            place = page.following

    def _ask(self, request: Request[Result]) -> Result:
        tries = Tries(request, self._address, self._retries)
        while True:
            try:
                reply = tries.read(self._http.request(**request.sent))
            except httpx2.RequestError as error:
                wait = tries.wait_after(tries.failure(error))
            else:
                if not isinstance(reply, Exception):
                    return request.read(reply)
                wait = tries.wait_after(reply)
            time.sleep(wait)
