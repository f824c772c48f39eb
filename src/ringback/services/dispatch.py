"""What a worker asks of the database: which deliveries to send now and how, and to keep what came of them.

Credentials are opened here, at the last moment, and attached only to a host that they are bound to.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from ringback.domain.deliveries import State
from ringback.domain.exchanges import Exchange, Milliseconds, Outgoing
from ringback.domain.hosts import HostPattern
from ringback.domain.postbacks import BY_HOST, HOPS, TEST, Definition, Pause
from ringback.domain.signatures import ID, read_key, sign
from ringback.domain.vault import Secret
from ringback.sealing import Seal
from ringback.store import claims, postbacks, signing, vault
from ringback.store.claims import Claimed, Due, Finished
from ringback.store.deliveries import PAUSED
from ringback.store.vault import Sealed

MARGIN = timedelta(seconds=10)
"""How much longer than the timeout of its postback a worker has for what it claimed."""

CANDIDATES = 4
"""Times as many deliveries are looked at as there is room for, lest one host stand before all others."""


BEHIND_FOR = timedelta(seconds=45)
"""When a delivery is looked at again that waits for an earlier one, should nobody have let it go by then."""

PAUSED_FOR = timedelta(hours=1)
"""The same for one whose postback is paused."""

_GOES_ON = frozenset({State.RETRYING, State.PENDING, State.SENDING})


@dataclass(frozen=True, slots=True)
class Job:
    """A claimed delivery as it is to be sent; with an obstacle instead of a request if it can't be."""

    claimed: Claimed
    definition: Definition
    outgoing: Outgoing | None
    obstacle: str = ""
    credential: str | None = None
    secrets: tuple[Secret, ...] = ()


def take(
    tx: Connection,
    seal: Seal,
    claim_id: str,
    *,
    now: datetime,
    limit: int,
    room: Callable[[str], int],
    without: Collection[str],
) -> list[Job]:
    """Claim deliveries that are due, as many as there is room for in all and at each host."""
    due = claims.list_due(tx, now, limit=limit * CANDIDATES, without=without)
    if not due:
        return []
    ready = _in_order(tx, due, now)
    chosen: list[tuple[int, str]] = []
    taken: dict[str, int] = {}
    for each in ready:
        if len(chosen) < limit and taken.get(each.host, 0) < room(each.host):
            taken[each.host] = taken.get(each.host, 0) + 1
            chosen.append((each.account_id, each.id))
    claimed = claims.claim(tx, claim_id, chosen, now=now, margin=MARGIN)
    keys = _open(tx, seal, {each.account_id for each in claimed}, now)
    return [_job(each, keys[each.account_id], now) for each in claimed]


def _in_order(tx: Connection, due: Sequence[Due], now: datetime) -> list[Due]:
    """Of what is due the first of each postback and call; what comes later waits for it, and is let go after it."""
    paused = postbacks.list_paused(tx, {each.account_id for each in due})
    first = claims.list_first(tx, due)
    waiting = [each for each in due if each.line[:2] in paused and not each.is_test]
    behind = [each for each in due if first.get(each.line, each.seq) < each.seq and not each.is_test]
    claims.put_off(tx, waiting, PAUSED, now + PAUSED_FOR)
    claims.put_off(tx, behind, claims.BEHIND, now + BEHIND_FOR)
    left = {each.id for each in (*waiting, *behind)}
    return [each for each in due if each.id not in left]


def finish(tx: Connection, finished: Sequence[Finished], now: datetime) -> None:
    """Keep what came of attempts; a receiver that is gone for good pauses its postback."""
    if not finished:
        return
    claims.finish(tx, finished)
    claims.let_next(tx, [each.claimed for each in finished if each.state not in _GOES_ON], now)
    gone = {(each.claimed.account_id, each.claimed.postback_id) for each in finished if each.pauses}
    for account_id, postback_id in sorted(gone):
        postbacks.pause(tx, account_id, postback_id, Pause.GONE, now)


def obstructed(job: Job, now: datetime) -> Exchange:
    """The exchange of a delivery that was not sent, since something stands in its way."""
    return Exchange(now, Milliseconds(0), problem=job.obstacle)


def _job(claimed: Claimed, keys: _Keys, now: datetime) -> Job:
    definition = Definition.read(claimed.definition)
    request = claimed.request
    headers = [*request.headers, (HOPS, str(claimed.hops + 1))]
    if claimed.is_test:
        headers.append((TEST, "true"))
    credential, secrets = None, []
    if definition.credential:
        found = keys.find(definition.credential, claimed.host)
        if found is None:
            return Job(claimed, definition, None, obstacle="no_credential")
        credential, secret = found
        secrets.append(secret)
        headers.append((secret.header, secret.value))
    signs = keys.signing.get(claimed.postback_id, ()) if definition.signed else ()
    headers += sign(signs, claimed.id, now, request.body or b"") if signs else [(ID, claimed.id)]
    outgoing = Outgoing(request.method, request.url, tuple(headers), request.body, definition.timeout)
    return Job(claimed, definition, outgoing, credential=credential, secrets=tuple(secrets))


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


def _open(tx: Connection, seal: Seal, account_ids: Collection[int], now: datetime) -> dict[int, _Keys]:
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
