"""What a worker asks of the database: which deliveries to send now and how, and to keep what came of them.

Credentials are opened here, at the last moment, and attached only to a host that they are bound to.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from msgspec import Struct
from sqlalchemy import Connection

from ringback.domain.deliveries import State
from ringback.domain.errors import RingbackError
from ringback.domain.exchanges import Exchange, Milliseconds, Outgoing
from ringback.domain.hosts import HostPattern
from ringback.domain.postbacks import BY_HOST, HOPS, TEST, Pause
from ringback.domain.signatures import ID, read_key, sign
from ringback.domain.vault import Secret
from ringback.sealing import Seal, SealError
from ringback.store import claims, deliveries, lines, postbacks, signing, vault
from ringback.store.claims import Claimed, Due, Finished, Look
from ringback.store.deliveries import PAUSED
from ringback.store.lines import BEHIND
from ringback.store.signing import SigningSecret
from ringback.store.vault import Sealed

MARGIN = timedelta(seconds=10)
"""How much longer than the timeout of its postback a worker has for what it claimed."""

AT_A_TIME, MOST_AT_A_TIME = 64, 512
"""Deliveries looked at and claimed with one pair of statements; the more if all of those before could be sent."""

PUT_OFF = 512
"""Deliveries put off or given up in one transaction, so that nobody else waits long for it."""

BEHIND_FOR = timedelta(seconds=45)
"""When a delivery is looked at again that waits for an earlier one, should nobody have let it go by then."""

PAUSED_FOR = timedelta(hours=1)
"""The same for one whose postback is paused."""

_GOES_ON = frozenset({State.RETRYING, State.PENDING, State.SENDING})


class Places(Protocol):
    """What each host may be sent now, as a worker knows it."""

    def room(self, host: str) -> int:
        """How many more requests it may be sent."""

    def without_room(self) -> Collection[str]:
        """The hosts that may be sent nothing more for now."""


class Job(Struct, frozen=True):
    """A claimed delivery as it is to be sent; with an obstacle instead of a request if it can't be."""

    claimed: Claimed
    outgoing: Outgoing | None
    obstacle: str = ""
    credential: str | None = None
    secrets: tuple[Secret, ...] = ()

    @property
    def host(self) -> str:
        """Where it goes."""
        return self.claimed.due.host


@dataclass(frozen=True, slots=True)
class Taken:
    """What a worker gets to send; ``has_more`` if more is due that was not looked at yet."""

    jobs: list[Job]
    has_more: bool = False


def take(tx: Connection, seal: Seal, claim_id: str, *, now: datetime, limit: int, hosts: Places) -> Taken:
    """Claim deliveries that are due, as many as there is room for in all and at each host."""
    claimed: list[Claimed] = []
    full = set(hosts.without_room())
    left: dict[str, int] = {}
    put_off, at_a_time = 0, AT_A_TIME
    while put_off < PUT_OFF and (at_most := min(limit - len(claimed), at_a_time)) > 0:
        look = claims.look(tx, now, limit=at_most, without=full)
        ready = _ready(tx, look, now)
        put_off += look.count - len(ready)
        left |= {host: hosts.room(host) for host in {each.host for each in ready} - left.keys()}
        chosen = []
        for each in ready:
            if left[each.host] > 0:
                left[each.host] -= 1
                chosen.append(each)
        claimed += claims.claim(tx, claim_id, chosen, now=now, margin=MARGIN)
        full |= {host for host, room in left.items() if room <= 0}
        if look.count < at_most:
            break
        at_a_time = MOST_AT_A_TIME if len(chosen) == look.count else AT_A_TIME
    keys = _open(tx, seal, claimed, now)
    return Taken([_job(each, keys, now) for each in claimed], has_more=put_off >= PUT_OFF)


def _ready(tx: Connection, look: Look, now: datetime) -> list[Due]:
    """Of what is due all that is neither over nor paused, nor behind an earlier one.

    The others are put off: what comes later is let go after what it waits for.
    """
    paused = [each for each in look.due if each.is_paused]
    behind = [each for each in look.due if each.is_behind and not each.is_paused]
    deliveries.give_up(tx, look.over, now)
    claims.put_off(tx, paused, PAUSED, now + PAUSED_FOR)
    claims.put_off(tx, behind, BEHIND, now + BEHIND_FOR)
    return [each for each in look.due if not each.is_paused and not each.is_behind]


def finish(tx: Connection, finished: Sequence[Finished], now: datetime) -> None:
    """Keep what came of attempts; a receiver that is gone for good pauses its postback."""
    if not finished:
        return
    claims.finish(tx, finished)
    over = [each.claimed.due for each in finished if each.state not in _GOES_ON]
    lines.let_next(tx, {each.line for each in over if not each.is_test}, now)
    gone = {(each.claimed.due.account_id, each.claimed.due.postback_id) for each in finished if each.pauses}
    for account_id, postback_id in sorted(gone):
        postbacks.pause(tx, account_id, postback_id, Pause.GONE, now)


def obstructed(job: Job, now: datetime) -> Exchange:
    """The exchange of a delivery that was not sent, since something stands in its way."""
    return Exchange(now, Milliseconds(0), problem=job.obstacle)


class _ObstacleError(RingbackError):
    """A delivery that can't be sent; the message is the code that says why."""


def _job(claimed: Claimed, keys: Mapping[int, _Keys], now: datetime) -> Job:
    try:
        return _ready_job(claimed, keys, now)
    except _ObstacleError as obstacle:
        return Job(claimed, None, obstacle=str(obstacle))


def _ready_job(claimed: Claimed, keys: Mapping[int, _Keys], now: datetime) -> Job:
    due, definition = claimed.due, claimed.due.definition
    request = due.request
    headers = [*request.headers, (HOPS, str(due.hops + 1))]
    if due.is_test:
        headers.append((TEST, "true"))
    credential, secrets = None, []
    if definition.credential:
        credential, secret = keys[due.account_id].find(definition.credential, due.host)
        secrets.append(secret)
        headers.append((secret.header, secret.value))
    if definition.signed:
        headers += sign(keys[due.account_id].list_signing(due.postback_id), due.id, now, request.body or b"")
    else:
        headers.append((ID, due.id))
    outgoing = Outgoing(request.method, request.url, tuple(headers), request.body, definition.timeout)
    return Job(claimed, outgoing, credential=credential, secrets=tuple(secrets))


@dataclass(frozen=True, slots=True)
class _Keys:
    """An account's secrets: credentials with their names and hosts, and the keys that sign; None can't be opened."""

    credentials: Sequence[tuple[Sealed, HostPattern, Secret | None]]
    signing: Mapping[int, Sequence[bytes | None]]

    def find(self, wanted: str, host: str) -> tuple[str, Secret]:
        """The name and secret of the credential that is wanted for a host.

        Raises:
            _ObstacleError: none is bound to that host, or it can't be opened.
        """
        fit = [each for each in self.credentials if each[1].matches(host) and wanted in {BY_HOST, str(each[0].id)}]
        best = max(fit, key=lambda each: each[1].rank, default=None)
        if best is None:
            raise _ObstacleError("no_credential")
        if best[2] is None:
            raise _ObstacleError("credential_unopened")
        return best[0].name, best[2]

    def list_signing(self, postback_id: int) -> list[bytes]:
        """The keys that sign a postback's deliveries.

        Raises:
            _ObstacleError: it has none, or the newest can't be opened.
        """
        keys = self.signing.get(postback_id, ())
        if not keys:
            raise _ObstacleError("no_signing_secret")
        if keys[0] is None:
            raise _ObstacleError("signing_secret_unopened")
        return [key for key in keys if key is not None]


def _open(tx: Connection, seal: Seal, claimed: Iterable[Claimed], now: datetime) -> dict[int, _Keys]:
    """The secrets of the accounts that need any, by account."""
    guarded = [each.due for each in claimed if each.due.definition.credential or each.due.definition.signed]
    account_ids = {each.account_id for each in guarded}
    if not account_ids:
        return {}
    credentials: dict[int, list[tuple[Sealed, HostPattern, Secret | None]]] = defaultdict(list)
    keys: dict[int, dict[int, list[bytes | None]]] = defaultdict(lambda: defaultdict(list))
    for kept in vault.list_credentials(tx, account_ids):
        opened = _opened(seal, kept)
        secret = None if opened is None else Secret.read(opened)
        credentials[kept.account_id].append((kept, HostPattern.parse(kept.host), secret))
    for each in signing.list_valid(tx, account_ids, now):
        opened = _opened(seal, each)
        keys[each.account_id][each.postback_id].append(None if opened is None else read_key(opened))
    return {account_id: _Keys(credentials[account_id], keys[account_id]) for account_id in account_ids}


def _opened(seal: Seal, kept: Sealed | SigningSecret) -> str | None:
    """A secret; one that can't be opened holds those deliveries alone that need it."""
    try:
        return seal.open(kept.sealed, kept.about)
    except SealError:
        return None
