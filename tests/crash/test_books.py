"""The audit finds each kind of wrong that it has a name for, and nothing where nothing is wrong."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import pytest
from sqlalchemy import delete, update

from ringback.domain.answers import answer
from ringback.domain.calls import Call
from ringback.domain.receipts import Outcome
from ringback.store.schema import call_changes, calls, receipts
from tests.crash.books import Findings, audit
from tests.crash.traffic import Sent
from tests.domain.samples import understood
from tests.reliability.desk import make_update, submit_together
from tests.world import World


@dataclass
class Books:
    """Three updates of one call, done and answered."""

    world: World
    call: Call
    sent: list[Sent]

    def audit(self) -> Findings:
        """What the audit finds."""
        return audit(self.world.database, self.world.acme, [self.call.uuid], self.sent)


@pytest.fixture
def books(world: World) -> Books:
    call = world.call()
    sent = [Sent(number, call.uuid, adds=number != 3, has_key=False) for number in (1, 2, 3)]
    record(world, call, sent)
    return Books(world, call, sent)


def record(world: World, call: Call, sent: Sequence[Sent]) -> None:
    """Do updates, and note the answers."""
    readings = [understood(each.body, keys={"Idempotency-Key": str(each.key)} if each.has_key else {}) for each in sent]
    results = submit_together(world, [make_update(world, call, reading) for reading in readings])
    for each, outcome in zip(sent, results, strict=True):
        assert isinstance(outcome, Outcome), outcome
        each.answer = answer(outcome)[1]


def lose(books: Books) -> None:
    books.sent.append(Sent(4, books.call.uuid, adds=True, has_key=False, answer=books.sent[0].answer))


def double(books: Books) -> None:
    record(books.world, books.call, [Sent(1, books.call.uuid, adds=True, has_key=True)])


def deny(books: Books) -> None:
    books.sent[0].answer = None


def misreport(books: Books) -> None:
    books.sent[0].answer = {**(books.sent[0].answer or {}), "changed": {"revenue": {"from": "0.50", "to": "0.60"}}}


def drop_receipt(books: Books) -> None:
    assert books.sent[0].answer is not None
    with books.world.database.write() as tx:
        tx.execute(delete(receipts).where(receipts.c.id == books.sent[0].answer["receipt_id"]))


def change_state(books: Books) -> None:
    with books.world.database.write() as tx:
        tx.execute(update(calls).values(payout=7))


def break_chain(books: Books) -> None:
    with books.world.database.write() as tx:
        tx.execute(update(call_changes).where(call_changes.c.seq == 1).values(before='"5.00"'))


def test_there_is_nothing_to_find_where_nothing_is_wrong(books: Books) -> None:
    assert not books.audit()
    assert books.audit().untold == []


@pytest.mark.parametrize(
    ("spoil", "kind"),
    [
        (lose, "lost"),
        (double, "doubled"),
        (deny, "denied"),
        (misreport, "untrue"),
        (drop_receipt, "unreceipted"),
        (change_state, "unbalanced"),
        (break_chain, "unbalanced"),
    ],
)
def test_what_is_wrong_is_found(books: Books, spoil: Callable[[Books], None], kind: str) -> None:
    spoil(books)
    findings = books.audit()
    assert findings.counts[kind] == 1
    assert kind in str(findings)


def test_what_a_client_was_not_told_is_no_wrong(books: Books) -> None:
    books.sent[0] = replace(books.sent[0], answer=None, unsure=True)
    findings = books.audit()
    assert not findings
    assert len(findings.untold) == 1
