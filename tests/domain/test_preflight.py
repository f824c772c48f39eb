from __future__ import annotations

import json

import pytest

from ringback.domain.attributes import ATTRIBUTES
from ringback.domain.bodies import read_fields
from ringback.domain.preflight import EVERY_ATTRIBUTE, Checked, Receiver, is_ringback, read_answer, receiver
from ringback.domain.updates import read_patch

UUID = "3f2b8c1e-0000-4000-8000-000000000000"
OTHER = "11111111-2222-4333-8444-555555555555"
ASKED = Receiver("acme", "http://acme.localhost", "http://acme.localhost/…")


@pytest.mark.parametrize(
    ("url", "base", "call"),
    [
        ("https://acme.example", "https://acme.example", UUID),
        ("https://acme.example/", "https://acme.example", UUID),
        ("https://acme.example:8443/a/acme/", "https://acme.example:8443/a/acme", UUID),
        (f"https://acme.example/api/v1/calls/update_call/{OTHER}", "https://acme.example", OTHER),
        (f"https://acme.example/api/v1/calls/{OTHER}/", "https://acme.example", OTHER),
        ("https://acme.example/api/v1/calls/update_call/[trackdrive_call_uuid]", "https://acme.example", UUID),
        ("https://acme.example/a/acme/api/v1/calls/update_call/", "https://acme.example/a/acme", UUID),
    ],
)
def test_a_receiver_is_found_by_its_endpoint_or_by_where_it_is(url: str, base: str, call: str) -> None:
    found = receiver(url, UUID)
    assert found.base == base
    assert found.endpoint == f"{base}/api/v1/calls/update_call/{call}?dry_run=true"
    assert found.name == base.removeprefix("https://")


def test_the_body_names_every_attribute_and_is_no_update_by_itself() -> None:
    reading = read_patch(
        read_fields(b"", "application/json", json.dumps(EVERY_ATTRIBUTE).encode()), keys={}, dry_run=None
    )
    assert [write.attribute for write in reading.patch] == [attribute.name for attribute in ATTRIBUTES]
    assert reading.problems == ()


@pytest.mark.parametrize(
    ("status", "body", "is_one"),
    [
        (200, b'{"name": "ringback", "version": "1"}', True),
        (200, b'{"name": "trackdrive"}', False),
        (404, b'{"name": "ringback"}', False),
        (200, b"<html>", False),
        (200, b'"ringback"', False),
        (200, b"[" * 100_000, False),
    ],
)
def test_only_a_ringback_says_that_it_is_one(status: int, body: bytes, *, is_one: bool) -> None:
    assert is_ringback(status, body) is is_one


def answered(status: int, **document: object) -> Checked:
    return read_answer(ASKED, status, json.dumps(document).encode())


def test_a_granted_update_is_told_attribute_by_attribute() -> None:
    found = answered(200, code="applied", dry_run=True, verdicts={"revenue": "allowed", "payout": "allowed"})
    assert found.is_granted
    assert found.row == ["-", "allowed", "-", "allowed", "-"]


def test_a_denied_one_says_where_it_is_granted() -> None:
    missing = [{"attribute": "TS Payout", "right": "update", "team": "Bright", "grant_at": "/company/teams/2"}]
    found = answered(
        403,
        code="permission_denied",
        message="No.",
        hint="Do.",
        verdicts={"payout": "denied"},
        missing_permissions=missing,
    )
    assert not found.is_granted
    assert found.grant_at == ("TS Payout: team Bright, /company/teams/2",)
    assert (found.message, found.hint, found.code) == ("No.", "Do.", "permission_denied")


def test_an_answer_that_does_not_speak_of_a_dry_run_is_an_alarm() -> None:
    found = answered(200, code="applied")
    assert not found.is_granted
    assert found.code == "not_dry"


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"verdicts": 1, "missing_permissions": {}}'])
def test_an_answer_that_is_not_ours_is_no_grant(body: bytes) -> None:
    found = read_answer(ASKED, 502, body)
    assert not found.is_granted
    assert found.row == ["-"] * len(ATTRIBUTES)
