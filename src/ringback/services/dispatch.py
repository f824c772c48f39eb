"""What a worker asks of the database: which deliveries to send now and how, and to keep what came of them.

Credentials are opened here, at the last moment, and attached only to a host that they are bound to.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from sqlalchemy import Connection

from ringback.domain.deliveries import State
from ringback.domain.exchanges import Exchange, Milliseconds, Outgoing
from ringback.domain.hosts import HostPattern
from ringback.domain.postbacks import BY_HOST, HOPS, TEST, Pause
from ringback.domain.signatures import ID, read_key, sign
from ringback.domain.vault import Secret
from ringback.sealing import Seal
from ringback.store import claims, postbacks, signing, vault
from ringback.store.claims import Claimed, Due, Finished
from ringback.store.deliveries import PAUSED
from ringback.store.vault import Sealed

MARGIN = timedelta(seconds=10)
"""How much longer than the timeout of its postback a worker has for what it claimed."""

AT_A_TIME = 64
"""Deliveries looked at and claimed with one pair of statements."""

BEHIND_FOR = timedelta(seconds=45)
"""When a delivery is looked at again that waits for an earlier one, should nobody have let it go by then."""

PAUSED_FOR = timedelta(hours=1)
"""The same for one whose postback is paused."""

_GOES_ON = frozenset({State.RETRYING, State.PENDING, State.SENDING})


class Places(Protocol):
    """What each host may be sent now, as a worker knows it."""

    def room(self, host: str) -> int:
        """How many more requests it may be sent."""

    def pause(self, host: str) -> float:
        """For how many seconds it is left in peace, since it is down; 0 if it isn't."""

    def without_room(self) -> Collection[str]:
        """The hosts that may be sent nothing more, though they are well."""


@dataclass(frozen=True, slots=True)
class Job:
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


def take(tx: Connection, seal: Seal, claim_id: str, *, now: datetime, limit: int, hosts: Places) -> list[Job]:
    """Claim deliveries that are due, as many as there is room for in all and at each host."""
    claimed: list[Claimed] = []
    full = set(hosts.without_room())
    taken: Counter[str] = Counter()
    while (at_most := min(limit - len(claimed), AT_A_TIME)) > 0:
        due = claims.list_due(tx, now, limit=at_most, without=full)
        ready = _ready(tx, due, hosts, now)
        chosen = []
        for each in ready:
            if taken[each.host] < hosts.room(each.host):
                taken[each.host] += 1
                chosen.append(each)
        claimed += claims.claim(tx, claim_id, chosen, now=now, margin=MARGIN)
        full |= {each.host for each in ready if taken[each.host] >= hosts.room(each.host)}
        if len(due) < at_most:
            break
    keys = _open(tx, seal, claimed, now)
    return [_job(each, keys, now) for each in claimed]


def _ready(tx: Connection, due: Sequence[Due], hosts: Places, now: datetime) -> list[Due]:
    """Of what is due all that is neither paused nor behind an earlier one, nor for a host that is down.

    The others are put off: what comes later is let go after what it waits for.
    """
    left: dict[str | None, list[Due]] = defaultdict(list)
    down: dict[str, list[Due]] = defaultdict(list)
    ready = []
    for each in due:
        if each.is_paused:
            left[PAUSED].append(each)
        elif each.is_behind:
            left[claims.BEHIND].append(each)
        elif hosts.pause(each.host) > 0:
            down[each.host].append(each)
        else:
            ready.append(each)
    claims.put_off(tx, left[PAUSED], PAUSED, now + PAUSED_FOR)
    claims.put_off(tx, left[claims.BEHIND], claims.BEHIND, now + BEHIND_FOR)
    for host, waiting in down.items():
        claims.put_off(tx, waiting, None, now + timedelta(seconds=hosts.pause(host)))
    return ready


def finish(tx: Connection, finished: Sequence[Finished], now: datetime) -> None:
    """Keep what came of attempts; a receiver that is gone for good pauses its postback."""
    if not finished:
        return
    claims.finish(tx, finished)
    claims.let_next(tx, [each.claimed.due for each in finished if each.state not in _GOES_ON], now)
    gone = {(each.claimed.due.account_id, each.claimed.due.postback_id) for each in finished if each.pauses}
    for account_id, postback_id in sorted(gone):
        postbacks.pause(tx, account_id, postback_id, Pause.GONE, now)


def obstructed(job: Job, now: datetime) -> Exchange:
    """The exchange of a delivery that was not sent, since something stands in its way."""
    return Exchange(now, Milliseconds(0), problem=job.obstacle)


def _job(claimed: Claimed, keys: Mapping[int, _Keys], now: datetime) -> Job:
    due, definition = claimed.due, claimed.due.definition
    request = due.request
    headers = [*request.headers, (HOPS, str(due.hops + 1))]
    if due.is_test:
        headers.append((TEST, "true"))
    credential, secrets = None, []
    if definition.credential:
        found = keys[due.account_id].find(definition.credential, due.host)
        if found is None:
            return Job(claimed, None, obstacle="no_credential")
        credential, secret = found
        secrets.append(secret)
        headers.append((secret.header, secret.value))
    signs = keys[due.account_id].signing.get(due.postback_id, ()) if definition.signed else ()
    headers += sign(signs, due.id, now, request.body or b"") if signs else [(ID, due.id)]
    outgoing = Outgoing(request.method, request.url, tuple(headers), request.body, definition.timeout)
    return Job(claimed, outgoing, credential=credential, secrets=tuple(secrets))


@dataclass(frozen=True, slots=True)
class _Keys:
    """What is open of an account's secrets: credentials with their names and hosts, and the keys that sign."""

    credentials: Sequence[tuple[Sealed, HostPattern, Secret]]
    signing: Mapping[int, Sequence[bytes]]

    def find(self, wanted: str, host: str) -> tuple[str, Secret] | None:
        """The name and secret of the credential that is wanted for a host; none if none is bound to that host."""
        fit = [each for each in self.credentials if each[1].matches(host) and wanted in {BY_HOST, str(each[0].id)}]
        best = max(fit, key=lambda each: each[1].rank, default=None)
        return None if best is None else (best[0].name, best[2])


def _open(tx: Connection, seal: Seal, claimed: Iterable[Claimed], now: datetime) -> dict[int, _Keys]:
    """The secrets of the accounts that need any, by account."""
    guarded = [each.due for each in claimed if each.due.definition.credential or each.due.definition.signed]
    account_ids = {each.account_id for each in guarded}
    if not account_ids:
        return {}
    credentials: dict[int, list[tuple[Sealed, HostPattern, Secret]]] = defaultdict(list)
    keys: dict[int, dict[int, list[bytes]]] = defaultdict(lambda: defaultdict(list))
    for kept in vault.list_credentials(tx, account_ids):
        secret = Secret.read(seal.open(kept.sealed, kept.about))
        credentials[kept.account_id].append((kept, HostPattern.parse(kept.host), secret))
    for each in signing.list_valid(tx, account_ids, now):
        keys[each.account_id][each.postback_id].append(read_key(seal.open(each.sealed, each.about)))
    return {account_id: _Keys(credentials[account_id], keys[account_id]) for account_id in account_ids}
