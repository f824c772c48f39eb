from __future__ import annotations

import pytest

from ringback.domain import explanations
from ringback.domain.access import MissingRight, PermissionDenied
from ringback.domain.bodies import read_fields
from ringback.domain.decisions import Step
from ringback.domain.errors import CODES
from ringback.domain.receipts import understood_document
from ringback.domain.updates import read_patch


def understood(body: bytes, query: bytes = b"", key: str | None = None) -> list[str]:
    keys = {} if key is None else {key: "abc"}
    return explanations.understood(
        understood_document(read_patch(read_fields(query, "", body), keys=keys, dry_run=None))
    )


def test_what_arrived_names_sender_and_body() -> None:
    told = explanations.arrived("POST", "/api/v1/calls/1", "text/plain", "192.0.2.7", "ops@bright.example", b"a=\xff")
    assert told == ["POST /api/v1/calls/1", "from 192.0.2.7, by ops@bright.example", "text/plain, 3 bytes: a=\ufffd"]
    assert explanations.arrived("GET", "/", "", "", "ops", b"") == ["GET /", "from this machine, by ops"]
    assert explanations.arrived("GET", "/", "", "", "ops", b"x")[2] == "no content type, 1 bytes: x"


def test_what_was_done_here_came_from_nobody() -> None:
    told = explanations.arrived("", "", "", "", "ada@acme.example", b"")
    assert told == ["Nothing from outside: it was done here, in the name of ada@acme.example."]


def test_what_was_understood_is_told_in_the_words_of_the_team_page() -> None:
    fields = b'{"first_name": "Jane", "zip": null}'
    body = b'{"buyer_converted": "0", "add_revenue": "$5", "post_call_tokens": %b, "foo": 1}' % fields
    assert understood(body, b"payout=2") == [
        "Buyer Converted?: no (buyer_converted in the JSON body)",
        "Buyer Revenue: add 5.00 (add_revenue in the JSON body)",
        "TS Payout: 2.00 (payout in the query string)",
        "Contact Fields: first_name = Jane, zip removed (post_call_tokens in the JSON body)",
        "Ignored, since nothing here has these names: foo",
        "The body came without a content type; it was read as what it looks like.",
    ]


def test_problems_warnings_keys_and_dry_runs_are_told() -> None:
    told = understood(b'{"revenue": "1,25", "payout": "", "dry_run": true}', key="Idempotency-Key")
    assert "revenue: 1,25 is ambiguous: write 1.25 or 125." in told
    assert "payout was blank, so it was left as it is." in told
    assert "Repeats are known by Idempotency-Key." in told
    assert "It asks what would happen, and wants nothing changed." in told


def test_nothing_is_told_as_nothing() -> None:
    assert understood(b"") == ["Nothing that could be updated."]


def test_fields_that_were_kept_from_the_top_level_have_no_place_of_their_own() -> None:
    document = {
        **understood_document(read_patch(read_fields(b"", "", b""), keys={}, dry_run=None)),
        "patch": [["contact_fields", "merge", {"foo": 1}]],
    }
    assert explanations.understood(document) == ["Contact Fields: foo = 1"]


def decided(code: str, step: Step, **more: object) -> list[str]:
    return explanations.decided(code, {"code": code, "step": step.value, "verdicts": {}, **more})


def test_an_applied_update_passed_every_step() -> None:
    told = decided("applied", Step.RIGHTS)
    assert told[:-1] == [f"✓ {explanations.STEPS[step]}" for step in list(Step)[3:10]]
    assert told[-1] == "→ The update was recorded."


def test_a_denied_update_tells_the_step_that_failed_and_what_cures_it() -> None:
    refusal = PermissionDenied((MissingRight("payout", 2, "Summit Solar"),))
    told = decided(
        "permission_denied", Step.RIGHTS, details=dict(refusal.details), missing=[["payout", 2, "Summit Solar"]]
    )
    assert told[-4] == "✓ The buyer of the call is shared with a team of the sender, or the sender runs the account."
    assert told[-3:] == [
        "✗ The user of this token may not update: TS Payout.",
        "   TS Payout: team Summit Solar lacks Update",
        "→ The owner of the account grants Update on these attributes to the team (Company > Teams).",
    ]


def test_what_failed_first_has_nothing_before_it() -> None:
    told = decided("malformed_json", Step.BODY, details={"reason": "it is empty"})
    assert told[0] == "✗ The body is not readable JSON: it is empty."


def test_warnings_of_the_decision_come_last() -> None:
    assert decided("applied", Step.RIGHTS, warnings=[["call_unknown", {}]])[-1].startswith("No call has this UUID yet")


@pytest.mark.parametrize("code", [code.name for code in CODES.values()])
@pytest.mark.parametrize("step", list(Step))
def test_every_code_at_every_step_is_told_in_sentences(code: str, step: Step) -> None:
    for line in decided(code, step):
        assert line[0] in "✓✗→"
        assert line.endswith((".", ">")) or "…" in line or "}}" in line


def test_changes_are_told_from_what_to_what() -> None:
    rows: list[list[object]] = [
        ["buyer_converted", False, True, "update"],
        ["revenue", None, "42.00", "effect"],
        ["contact_fields.first_name", "Jane", None, "update"],
    ]
    told = [
        "Buyer Converted?: no → yes",
        "Buyer Revenue: nothing → 42.00 (follows from the conversion)",
        "Contact Fields, first_name: Jane → nothing",
    ]
    assert explanations.changed(rows) == told
    assert explanations.changed(rows, dry_run=True) == [f"It would be: {each}" for each in told]
    assert explanations.changed([]) == ["Nothing."]
    assert explanations.changed([], dry_run=True) == ["Nothing, and nothing would."]
