"""The stage of the samples: requests and deeds at moments of the past, by the code that does them every day."""

from __future__ import annotations

import asyncio
import heapq
import itertools
import json
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from ringback import entropy
from ringback.api.places import Place, Scope
from ringback.api.requests import Receive, read_request
from ringback.api.updates import UpdateEndpoint, find_target
from ringback.domain.access import AccessType
from ringback.domain.decisions import CallRef, RefKind
from ringback.domain.receipts import Outcome, Update
from ringback.domain.recordings import read_recording
from ringback.domain.throttle import WrongCredentials
from ringback.entropy import Dice
from ringback.services import accounts, calls, tokens, updates
from ringback.services.audit import Actor
from ringback.services.tokens import BASIC, NewToken, TokenForm
from ringback.store import access
from ringback.store.access import Account

ACCOUNT = "acme"
SECOND, MINUTE, HOUR, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Request:
    """One request as it comes off the wire; what stands as a mapping is sent as JSON."""

    call: str
    body: Mapping[str, object] | bytes = b""
    auth: str | None = None
    method: str = "POST"
    query: str = ""
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)
    ip: str = "198.51.100.7"
    by: str = "update_call/"
    stalls: bool = False

    @property
    def path(self) -> str:
        """The path that names the call."""
        return f"/api/v1/calls/{self.by}{self.call}".rstrip("/")

    @property
    def content(self) -> bytes:
        """The bytes of the body."""
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


class Stage:
    """Where the samples are played: the time that it is there, chance, and who and what there is.

    Args:
        tx: the transaction that all of it happens in.
        now: when it begins.
        dice: chance.
    """

    def __init__(self, tx: Connection, now: datetime, dice: Dice) -> None:
        self.tx = tx
        self.now = now
        self.dice = dice
        self.calls: dict[str, list[str]] = defaultdict(list)
        """The UUIDs of the calls of each buyer, in the order of recording."""
        self.tokens: dict[str, NewToken] = {}
        """Access tokens, by what they are described as."""
        self._due: list[tuple[datetime, int, Callable[[], object]]] = []
        self._order = itertools.count()
        self._outcomes: list[Outcome] = []
        self._endpoint = UpdateEndpoint(
            self._submit, WrongCredentials(1_000_000, lambda: 0.0), lambda: self.now, self.new_id
        )

    def at(self, moment: datetime, deed: Callable[[], object]) -> None:
        """Have something happen at a moment."""
        heapq.heappush(self._due, (moment, next(self._order), deed))

    def play(self, until: datetime) -> None:
        """Let everything happen that is due until then, in its order; what comes later doesn't."""
        with asyncio.Runner() as self._runner:
            while self._due and self._due[0][0] < until:
                self.now, _, deed = heapq.heappop(self._due)
                deed()
        self.now = until

    def new_id(self) -> str:
        """The id of a row that is made at this moment."""
        return self.dice.new_id(self.now)

    def token(self, email: str, description: str, kind: str = BASIC, **more: Any) -> NewToken:  # noqa: ANN401
        """Make an access token in the account where the calls are; its keys are as random as anybody's."""
        user = accounts.find_user(self.tx, email)
        home = accounts.find(self.tx, more.pop("home", ACCOUNT))
        form = TokenForm(user.id, home.id, description, kind, more.pop("access_type", AccessType.CALLS), **more)
        random = entropy.secret_bytes(), entropy.secret_bytes()
        made = tokens.create(self.tx, form, token_id=self.new_id(), random=random, now=self.now)
        self.tokens[description] = made
        return made

    def actor(self, email: str, subdomain: str = ACCOUNT) -> Actor:
        """Somebody who does something at the console now."""
        user, account = accounts.find_user(self.tx, email), accounts.find(self.tx, subdomain)
        principal = access.find_member(self.tx, account.id, user.id).principal
        assert principal is not None  # noqa: S101 - the user and the account are there
        return Actor(principal, self.now, self.new_id)

    @property
    def account(self) -> Account:
        """The account that owns the calls, as it is now."""
        return accounts.find(self.tx, ACCOUNT)

    def send(self, request: Request) -> Outcome:
        """Have an update come in."""
        target = find_target(request.method, request.path)
        assert target is not None  # noqa: S101 - samples name a call
        asked = self._endpoint(_scope(request), _receive(request), _drop, Place(ACCOUNT, ""), target, request.ip)
        self._runner.run(asked)
        return self._outcomes.pop()

    def record(self, request: Request) -> Outcome:
        """Have a call be recorded."""
        incoming = self._runner.run(read_request(_scope(request), _receive(request), request.ip))
        recording = read_recording(incoming.fields, keys=incoming.headers.keys, dry_run=None)
        update = Update(
            receipt_id=self.new_id(),
            received_at=self.now,
            route="record",
            account=ACCOUNT,
            sender=incoming.credential,
            ref=CallRef(RefKind.UUID, recording.uuid or ""),
            reading=recording.reading,
            arrived=incoming.arrived,
        )
        outcome = calls.record(
            self.tx, update, recording, now=self.now, new_uuid=self.dice.new_call_uuid(), new_id=self.new_id
        )
        if outcome.call is not None and outcome.is_new:
            self.calls[outcome.call.buyer.name if outcome.call.buyer else ""].append(outcome.call.uuid)
        return outcome

    async def _submit(self, update: Update) -> Outcome:
        self._outcomes += updates.apply(self.tx, [update], self.now)
        return self._outcomes[-1]


def _scope(request: Request) -> Scope:
    headers = [(b"content-type", request.content_type.encode())] if request.content_type else []
    headers += [(b"authorization", request.auth.encode())] if request.auth is not None else []
    headers += [(name.lower().encode(), value.encode()) for name, value in request.headers.items()]
    return {
        "type": "http",
        "method": request.method,
        "path": request.path,
        "raw_path": request.path.encode(),
        "query_string": request.query.encode(),
        "headers": headers,
    }


def _receive(request: Request) -> Receive:
    async def receive() -> dict[str, Any]:
        if request.stalls:
            raise TimeoutError
        return {"type": "http.request", "body": request.content}

    return receive


async def _drop(_message: Mapping[str, Any]) -> None:
    """The answer; nobody waits for it."""
