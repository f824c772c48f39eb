"""When a request is sent again, and after how long: only where a second time can do no harm and may do good."""

from __future__ import annotations

import json
import random
from decimal import Decimal
from typing import Any

import httpx2

from ringback.client.address import Address
from ringback.client.errors import ConnectionFailed, RingbackError, TimedOut, UnexpectedAnswer, refused
from ringback.client.requests import Reply, Request

LONGEST_WAIT = 30.0
"""Seconds that are waited at most; an answer that asks for more is handed to the caller."""

_FIRST_WAIT, _LONGEST_USUAL = 0.5, 8.0
_PASSING = frozenset({408, 429, 502, 503, 504})
"""The statuses of what may be over in a moment."""

_UNSENT = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout, httpx2.ProxyError)


class Tries:
    """The tries of one request. Updates carry a key, so that sending one twice never counts twice."""

    def __init__(self, request: Request[Any], address: Address, most_retries: int) -> None:
        self._request = request
        self._address = address
        self._host = address.host
        self._left = most_retries
        self._usual = _FIRST_WAIT

    def wait_after(self, error: RingbackError) -> float:
        """The seconds to wait before the next try.

        Raises:
            RingbackError: the error itself, where another try is of no use, or none is left.
        """
        error.idempotency_key = self._request.key
        asked = getattr(error, "retry_after", None) or 0.0
        if self._left <= 0 or not _may_pass(error) or asked > LONGEST_WAIT:
            raise error
        self._left -= 1
        usual, self._usual = self._usual, min(self._usual * 2, _LONGEST_USUAL)
        return asked + usual * random.uniform(0.5, 1.0)  # noqa: S311 - spreads tries, guards nothing

    def failure(self, error: httpx2.RequestError) -> ConnectionFailed:
        """What it means that no answer came."""
        was_sent = not isinstance(error, _UNSENT)
        if isinstance(error, httpx2.TimeoutException):
            is_doubtful = was_sent and self._request.key and not self._request.dry_run
            doubt = "; whether it was recorded is not known" if is_doubtful else ""
            return TimedOut(f"{self._host} did not answer in time{doubt}", was_sent=was_sent)
        is_named_here = self._host.endswith(".localhost") and not was_sent
        cure = f"; use {self._address.by_path} instead" if is_named_here else ""
        told = str(error) or type(error).__name__
        failed = ConnectionFailed(f"no answer from {self._host}: {told}{cure}", was_sent=was_sent)
        failed.__suppress_context__ = is_named_here  # the cure says it all
        return failed

    def read(self, response: httpx2.Response) -> Reply | RingbackError:
        """What an answer says: a yes to be read, or the error that it is."""
        document = _document(response)
        if response.is_success and document is not None and document.get("success") is True:
            return Reply(document, is_replay=response.headers.get("idempotent-replayed") == "true")
        if response.is_error and document is not None and "code" in document:
            return refused(response.status_code, document, retry_after=_retry_after(response))
        return UnexpectedAnswer(
            f"{self._host} answered {response.status_code}, but not as Ringback does; is the address right?",
            response.status_code,
        )


def _may_pass(error: RingbackError) -> bool:
    return isinstance(error, ConnectionFailed) or getattr(error, "status", None) in _PASSING


def _document(response: httpx2.Response) -> dict[str, Any] | None:
    """The JSON object that an answer is; None if it is none."""
    try:
        document = json.loads(response.content, parse_float=Decimal)
    except ValueError:
        return None
    return document if isinstance(document, dict) else None


def _retry_after(response: httpx2.Response) -> float | None:
    """The seconds that ``Retry-After`` asks for; a date in it is not read."""
    try:
        return max(0.0, float(response.headers.get("retry-after", "")))
    except ValueError:
        return None
