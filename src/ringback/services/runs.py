"""Applying all that waits for one cause: what it lacks is granted, then chunk after chunk is decided anew.

Each call of these is one transaction, so that five or five thousand hold up nobody else's updates for long; a run
that nobody goes on with stays where it is, and anybody who runs the account can go on with it.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from sqlalchemy import Connection

from ringback.domain.errors import Refusal
from ringback.domain.receipts import Outcome
from ringback.services import audit, grants, waiting
from ringback.services.audit import Actor
from ringback.store import accounts, bundles, runs
from ringback.store.runs import Run

AT_ONCE = 500
"""How many updates are applied in one go."""

LEFT_OUT_KEPT = 1_000
"""Of how many updates a run remembers that a value of theirs was left out."""


def start(tx: Connection, actor: Actor, cause_name: str, limit: int = AT_ONCE) -> Run:
    """Grant what a cause lacks, and apply the first of what waits for it.

    Raises:
        Refusal: ``nothing_waits``: nothing waits for exactly that any more; ``own_team``.
    """
    accounts.lock_settings(tx, actor.account_id)
    found = {caused.cause.name: caused for caused in waiting.list_causes(tx, actor.account_id)}
    caused, newest = found.get(cause_name), bundles.newest(tx, actor.account_id)
    if caused is None or newest is None or not caused.can_apply:
        raise Refusal("nothing_waits")
    if caused.cause.grant is not None:
        grants.give(tx, actor, caused.cause.grant)
    run = Run(
        id=actor.new_id(),
        user=actor.principal.email,
        started_at=actor.now,
        cause=cause_name,
        bundles=caused.keys,
        up_to=newest,
        total=caused.count,
    )
    runs.add(tx, actor.account_id, actor.principal.user_id, run)
    audit.note(tx, actor, "updates.applied", f"{caused.count} waiting updates", {"cause": cause_name, "run": run.id})
    return go_on(tx, actor, run.id, limit)


def go_on(tx: Connection, actor: Actor, run_id: str, limit: int) -> Run:
    """Apply the next updates of a run, in the order in which they were received.

    Raises:
        Refusal: ``nothing_waits``: there is no such run.
    """
    run = runs.find(tx, actor.account_id, run_id, locks=True)
    if run is None:
        raise Refusal("nothing_waits")
    if run.ended_at is not None:
        return run
    limit = min(limit, AT_ONCE)
    places = bundles.list_places(tx, actor.account_id, run.bundles, after=run.done, up_to=run.up_to, limit=limit)
    ids = [waiting_id for _, waiting_id in places]
    made = waiting.apply(tx, actor.account_id, ids, now=actor.now, new_id=actor.new_id) if ids else []
    run = _counted(run, [outcome for _, outcome in made])
    is_over = len(places) < limit or run.handled >= run.total
    run = replace(run, done=places[-1] if places else run.done, ended_at=actor.now if is_over else None)
    runs.advance(tx, actor.account_id, run)
    return run


def _counted(run: Run, outcomes: list[Outcome]) -> Run:
    refused = Counter(outcome.code for outcome in outcomes if outcome.refusal is not None)
    left_out = [outcome.update.receipt_id for outcome in outcomes if waiting.left_out(outcome)]
    return replace(
        run,
        applied=run.applied + len(outcomes) - refused.total(),
        refused=dict(Counter(run.refused) + refused),
        left_out=(*run.left_out, *left_out)[:LEFT_OUT_KEPT],
    )
