"""The audit: what clients were told, against what the database holds."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from decimal import Decimal
from typing import Any

from sqlalchemy import func, select

from ringback.domain.attributes import blank_state
from ringback.domain.calls import Entry, replay
from ringback.domain.decisions import CallRef, RefKind
from ringback.domain.money import format_amount
from ringback.store import calls
from ringback.store.engine import Database
from ringback.store.schema import receipts
from tests.crash.traffic import Sent


@dataclass
class Findings:
    """What is wrong, each with the update or call that it is about; nothing is as it should be.

    ``untold`` is nothing wrong where a server was killed: updates in the ledger whose clients got no answer.
    """

    lost: list[str] = field(default_factory=list)
    """Answered 200, and not in the ledger."""
    doubled: list[str] = field(default_factory=list)
    """In the ledger twice."""
    denied: list[str] = field(default_factory=list)
    """In the ledger, though its client was told that nothing was done."""
    untrue: list[str] = field(default_factory=list)
    """Answered with another change than the ledger has."""
    unreceipted: list[str] = field(default_factory=list)
    """Answered with a receipt that isn't there, or is there for another call."""
    unbalanced: list[str] = field(default_factory=list)
    """Calls whose state is not the sum of their changes."""
    untold: list[str] = field(default_factory=list)

    def __bool__(self) -> bool:
        return any(self.counts.values())

    def __str__(self) -> str:
        told = [f"{name}: {', '.join(getattr(self, name)[:5])}" for name, count in self.counts.items() if count]
        return "; ".join(told) or "nothing"

    @property
    def counts(self) -> Mapping[str, int]:
        """How many of each kind of wrong."""
        return {each.name: len(getattr(self, each.name)) for each in fields(self) if each.name != "untold"}


def audit(database: Database, account_id: int, uuids: Iterable[str], sent: Sequence[Sent]) -> Findings:
    """Compare every update with the ledger, and every ledger with its call."""
    findings = Findings()
    done: defaultdict[tuple[str, str, Decimal], list[Entry]] = defaultdict(list)
    for uuid in uuids:
        entries = _check_call(database, account_id, uuid, findings)
        for entry in entries:
            done[uuid, *_amount(entry)].append(entry)
    for update in sent:
        _check_update(update, done[update.uuid, "revenue" if update.adds else "payout", update.amount], findings)
    _check_receipts(database, account_id, sent, findings)
    return findings


def _check_call(database: Database, account_id: int, uuid: str, findings: Findings) -> Sequence[Entry]:
    with database.read() as tx:
        call = calls.find(tx, account_id, CallRef(RefKind.UUID, uuid))
        entries = calls.list_entries(tx, account_id, uuid)
    assert call is not None
    in_row = [entry.seq for entry in entries] == list(range(1, call.changes + 1))
    state: Mapping[str, Any] = blank_state()
    for entry in entries:
        change = entry.change
        before = state[change.attribute] if change.field is None else state[change.attribute].get(change.field)
        in_row &= before == change.before
        state = replay([change], state)
    if not in_row or state != call.state:
        findings.unbalanced.append(uuid)
    return entries


def _amount(entry: Entry) -> tuple[str, Decimal]:
    """The attribute and the amount by which an update is known: what was added, or what was set."""
    change = entry.change
    before, after = change.before, change.after
    if change.attribute == "revenue" and isinstance(after, Decimal):
        return change.attribute, after - (before if isinstance(before, Decimal) else 0)
    return (change.attribute, after) if isinstance(after, Decimal) else ("", Decimal(0))


def _check_update(update: Sent, done: Sequence[Entry], findings: Findings) -> None:
    name = f"update {update.number} of {update.uuid}"
    if len(done) > 1:
        findings.doubled.append(name)
    if update.answer is None:
        if done:
            (findings.untold if update.unsure else findings.denied).append(name)
        return
    if not done:
        findings.lost.append(name)
        return
    change = done[0].change
    told = update.answer["changed"].get(change.attribute)
    if (
        told != {"from": _shown(change.before), "to": _shown(change.after)}
        or done[0].receipt_id != update.answer["receipt_id"]
    ):
        findings.untrue.append(name)


def _shown(value: object) -> str | None:
    return format_amount(value) if isinstance(value, Decimal) else None


def _check_receipts(database: Database, account_id: int, sent: Sequence[Sent], findings: Findings) -> None:
    """Each answer names a receipt of its own, and each of those is there, once, as applied to that call."""
    with database.read() as tx:
        rows = tx.execute(
            select(receipts.c.id, receipts.c.call_uuid, func.count())
            .where(receipts.c.account_id == account_id, receipts.c.result == "applied")
            .group_by(receipts.c.id, receipts.c.call_uuid)
        ).all()
    there = Counter({(receipt_id, uuid): count for receipt_id, uuid, count in rows})
    told = Counter((each.answer["receipt_id"], each.uuid) for each in sent if each.answer is not None)
    findings.unreceipted += [f"receipt {key[0]} of {key[1]}" for key, n in told.items() if n != 1 or there[key] != 1]
