"""Erasing a person: nothing of him is left anywhere, and everything of what the call was worth."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, select

from ringback import entropy
from ringback.cli.samples.stage import Request, Stage
from ringback.domain.answers import answer
from ringback.domain.attributes import blank_state
from ringback.domain.calls import Call, replay
from ringback.domain.decisions import CallRef, RefKind
from ringback.domain.errors import Mistake
from ringback.domain.explanations import arrived
from ringback.domain.receipts import Outcome
from ringback.entropy import Dice
from ringback.services import accounts, byhand, erasing, receipts, waiting
from ringback.store import calls, schema, sending_schema
from ringback.store import waiting as waiting_store
from ringback.store.schema import metadata
from ringback.store.values import to_document
from tests.cli.test_samples import NOW
from tests.services.conftest import Weeks

NUMBER, NAME = "+14155552671", "Zebedee Quux"
LATER = NOW + timedelta(hours=1)


class Person:
    """Somebody who called, and what was told of him wherever something can be told."""

    def __init__(self, tx: Connection, weeks: Weeks) -> None:
        self.tx = tx
        self.acme = accounts.find(tx, "acme").id
        self.outcomes: list[Outcome] = []
        reported = {"caller_number": NUMBER, "buyer": "Bright Roofing", "offer": "Roofing", "first_name": NAME}
        made = byhand.record(tx, "acme", reported, now=NOW, new_uuid=entropy.new_call_uuid(), new_id=entropy.new_id)
        self.uuid = made.call.uuid
        told = {"post_call_tokens": {"name": NAME, "phone": NUMBER}}
        sale = {"buyer_converted": "true", "revenue": "50.00", "offer_converted": "true", **told}
        bright, summit = weeks.samples.bright_basic, weeks.samples.summit_basic
        self.stage = Stage(tx, NOW, Dice(9))
        for body, auth in (
            ({**sale, "event_id": "sale-1"}, bright),
            ({"add_revenue": "5.00", **told}, bright),
            ({"revenue": "99.00", **told}, summit),
            (told, summit),
            ({"post_call_tokens": {"name": ["a", NAME]}}, bright),
            ({"revenue": "1.00", "buyer_name": NAME}, "Token 2f7c1d9e0b8a4c6f9d3e"),
        ):
            self.post(Request(self.uuid, body, auth, query=f"caller={NAME.replace(' ', '+')}"))
        self.post(Request(str(made.call.number), told, bright, by=""))

    def post(self, request: Request) -> Outcome:
        """Have an update of his call come in."""
        self.stage.at(LATER - timedelta(minutes=50), lambda: self.outcomes.append(self.stage.send(request)))
        self.stage.play(LATER)
        return self.outcomes[-1]

    @property
    def call(self) -> Call:
        """His call as it is now."""
        found = calls.find(self.tx, self.acme, CallRef(RefKind.UUID, self.uuid))
        assert found is not None
        return found

    @property
    def traces(self) -> set[str]:
        """The tables in which something of him stands."""
        return {table.name for table in metadata.sorted_tables if self._is_in(table.name)}

    def _is_in(self, name: str) -> bool:
        rows = [tuple(row) for row in self.tx.execute(select(metadata.tables[name]))]
        return any(mark in repr(rows) for mark in (NAME, "Zebedee", NUMBER))


@pytest.fixture
def person(tx: Connection, weeks: Weeks) -> Person:
    """The person."""
    return Person(tx, weeks)


def erase(person: Person) -> erasing.Erased:
    erased = erasing.erase(person.tx, "acme", person.uuid, LATER, entropy.new_id)
    assert erased is not None
    return erased


def test_nothing_of_him_is_left(person: Person) -> None:
    assert person.traces == {
        *{"calls", "call_changes", "receipt_payloads", "waiting_updates"},
        *{"idempotency_keys", "credential_failures"},
    }
    assert erase(person) == erasing.Erased("acme", person.uuid, 0)
    assert person.traces == set()
    assert person.call.caller_number is None
    assert person.call.state["contact_fields"] == {}


def test_everything_of_what_the_call_was_worth_is(person: Person) -> None:
    before = person.call
    table = schema.call_changes
    others = select(table).where(table.c.call_uuid != person.uuid).order_by(table.c.call_uuid, table.c.seq)
    ledger = person.tx.execute(others).all()
    erase(person)
    after = person.call
    assert {**after.state, "contact_fields": before.state["contact_fields"]} == before.state
    assert (after.number, after.changes, after.buyer) == (before.number, before.changes, before.buyer)
    entries = calls.list_entries(person.tx, person.acme, person.uuid)
    assert replay((entry.change for entry in entries), blank_state()) == after.state
    assert len(entries) == before.changes
    assert person.tx.execute(others).all() == ledger


def test_what_waits_can_still_be_applied(person: Person) -> None:
    erase(person)
    found = waiting_store.list_by_id(person.tx, person.acme, [o.update.receipt_id for o in person.outcomes])
    assert [(each.state.value, [write.attribute for write in each.patch]) for each in found] == [
        ("waiting", ["revenue"]),
        ("expired", []),
    ]
    ((_, outcome),) = waiting.apply(person.tx, person.acme, [found[0].id], now=LATER, new_id=entropy.new_id)
    assert outcome.code == "buyer_not_shared"
    assert person.traces == set()


def test_a_retry_gets_its_answer_less_the_person(person: Person, weeks: Weeks) -> None:
    erase(person)
    body = {"buyer_converted": "true", "revenue": "50.00", "offer_converted": "true", "event_id": "sale-1"}
    told = {"post_call_tokens": {"name": NAME, "phone": NUMBER}}
    outcome = person.post(Request(person.uuid, {**body, **told}, weeks.samples.bright_basic))
    document: Any = answer(outcome)[1]
    assert (document["code"], document["call"]["uuid"]) == ("applied", person.uuid)
    assert document["changed"]["revenue"] == {"from": None, "to": "50.00"}
    assert NAME not in repr(document)
    assert person.call.state["contact_fields"] == {}


def test_its_updates_can_still_be_explained(person: Person) -> None:
    erase(person)
    opened = receipts.find(person.tx, person.outcomes[0].update.receipt_id)
    payload = opened.payload
    told = arrived(payload.method, payload.path, payload.content_type, payload.ip, "ops@bright.example", payload.body)
    assert told == ["POST, by ops@bright.example; the rest of what arrived is no longer kept."]
    assert [row[0] for row in opened.receipt.changed] == ["buyer_converted", "revenue", "offer_converted", "payout"]
    assert opened.receipt.decided["code"] == "applied"


def test_what_is_still_to_be_sent_is_left_and_said(person: Person) -> None:
    for number, ended_at in enumerate((1, None)):
        delivery = entropy.new_id()
        about = {"account_id": person.acme, "delivery_id": delivery}
        request = {"method": "POST", "url": "https://a.example", "headers": "[]", "body": NAME.encode(), "trace": "{}"}
        person.tx.execute(sending_schema.delivery_requests.insert().values({**about, **request}))
        row = {"postback_id": 1, "version": 1, "trigger": "x", "seq": number, "call_uuid": person.uuid, "created_at": 1}
        told = to_document({"differences": [["contact_fields.name", NAME, "Other"]]})
        state = {"host": "a.example", "state": "delivered" if ended_at else "pending", "ended_at": ended_at}
        former = {**about, **request, "attempts": 1}
        person.tx.execute(sending_schema.former_requests.insert().values(former))
        person.tx.execute(
            sending_schema.deliveries.insert().values(account_id=person.acme, id=delivery, details=told, **row, **state)
        )
    assert erase(person).open_deliveries == 1
    assert person.traces == {"delivery_requests", "former_requests", "deliveries"}
    person.tx.execute(sending_schema.deliveries.update().values(state="delivered", ended_at=1))
    assert erase(person).open_deliveries == 0
    assert person.traces == set()


def test_it_is_noted_and_remembered(person: Person) -> None:
    erase(person)
    erase(person)
    assert erasing.list_erased(person.tx) == [("acme", person.uuid)]
    audit = schema.audit_log
    noted = person.tx.execute(select(audit.c.subject, audit.c.user_id).where(audit.c.action == "call.erased")).all()
    assert noted == [(f"call {person.call.number}", None)] * 2


def test_calls_are_found_by_caller_or_uuid(person: Person) -> None:
    acme = accounts.find(person.tx, "acme")
    for spelt in (NUMBER, "(415) 555-2671"):
        assert erasing.find_calls(person.tx, acme, caller_number=spelt, uuid=None) == [person.uuid]
    assert erasing.find_calls(person.tx, acme, caller_number=None, uuid=person.uuid.upper()) == [person.uuid]
    assert erasing.find_calls(person.tx, acme, caller_number="+14155552672", uuid=None) == []
    for number, uuid, why in (
        ("call me", None, "is not a telephone number"),
        (None, "17", "has no call"),
        (None, entropy.new_call_uuid(), "has no call"),
    ):
        with pytest.raises(Mistake, match=why):
            erasing.find_calls(person.tx, acme, caller_number=number, uuid=uuid)


@pytest.mark.parametrize(("account", "known"), [("acme", False), ("nobody", True), ("zeta", True)])
def test_of_what_is_not_there_nothing_is_erased(person: Person, account: str, *, known: bool) -> None:
    uuid = person.uuid if known else entropy.new_call_uuid()
    assert erasing.erase(person.tx, account, uuid, LATER, entropy.new_id) is None
    assert person.call.caller_number == NUMBER
