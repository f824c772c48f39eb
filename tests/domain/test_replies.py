"""What answers say: whether the call has what was sent, why not, and never more than fits."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringback.domain.exchanges import Exchange, Milliseconds, Outgoing
from ringback.domain.replies import (
    LINES,
    LONGEST_LINE,
    Difference,
    at_path,
    differences,
    explanation,
    read_reply,
    remarks,
)

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
JSON = (("Content-Type", "application/json"),)
FORM = (("Content-Type", "application/x-www-form-urlencoded"),)
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["call", "errors", "message", "detail", "changed", "ignored", "warnings", "missing_permissions"]
            )
            | st.sampled_from(["revenue", "contact_fields", "buyer_converted", "from", "to", "a"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


def came(body: bytes | object, status: int = 200) -> Exchange:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Exchange(NOW, Milliseconds(1), status=status, body=raw)


def sent(body: object, url: str = "https://a.example/api/v1/calls/update_call/1") -> Outgoing:
    return Outgoing("POST", url, JSON, json.dumps(body).encode())


def told(update: object, call: object) -> list[tuple[str, str | None, str | None]]:
    found = differences(sent(update), came({"status": 200, "call": call}))
    return [(each.name, each.sent, each.answered) for each in found]


@pytest.mark.parametrize(
    ("update", "call", "expected"),
    [
        ({"buyer_converted": "true"}, {"buyer_converted": "Converted"}, []),
        ({"buyer_converted": True}, {"buyer_converted": True}, []),
        ({"buyer_converted": "1"}, {"buyer_converted": 1}, []),
        ({"buyer_converted": "true"}, {"buyer_converted": None}, [("buyer_converted", "true", "false")]),
        ({"buyer_converted": "true"}, {"buyer_converted": "Not Converted"}, [("buyer_converted", "true", "false")]),
        ({"buyer_converted": "true"}, {"buyer_converted": "Duplicate"}, [("buyer_converted", "true", "Duplicate")]),
        ({"buyer_converted": "false"}, {"buyer_converted": None}, []),
        ({"buyer_converted": "false"}, {"buyer_converted": ""}, []),
        ({"buyer_converted": "false"}, {"buyer_converted": "Converted"}, [("buyer_converted", "false", "true")]),
        ({"offer_converted": "true"}, {"traffic_source_converted": "Converted"}, []),
        ({"offer_converted": "true"}, {"traffic_source_converted": None}, [("offer_converted", "true", "false")]),
        ({"revenue": "42"}, {"revenue": "42.00", "buyer_revenue": "0"}, []),
        ({"revenue": "$1,042.50"}, {"revenue": 1042.5}, []),
        ({"revenue": "42"}, {"buyer_revenue": 42}, []),
        ({"revenue": "42.5"}, {"revenue": "42"}, [("revenue", "42.50", "42.00")]),
        ({"revenue": "0"}, {"revenue": None}, [("revenue", "0.00", None)]),
        ({"revenue": "42"}, {"revenue": "much"}, [("revenue", "42.00", "much")]),
        ({"revenue": "42"}, {"revenue": ["42"]}, [("revenue", "42.00", "a list")]),
        ({"payout": 9}, {"traffic_source_payout": "9.0"}, []),
        ({"add_revenue": "5"}, {"revenue": "50.00"}, []),
        ({"revenue": "42"}, {}, []),
        ({"revenue": "42"}, None, []),
        ({"revenue": "[Call:Payout]"}, {"revenue": "1"}, []),
        (
            {"post_call_tokens": {"a": "x", "n": 7, "b": True}},
            {"contact_fields": {"a": "x", "n": "7", "b": "true"}},
            [],
        ),
        ({"post_call_tokens": {"a": "x"}}, {"token_values": {"a": "y"}}, [("contact_fields.a", "x", "y")]),
        ({"data": {"a": "x"}}, {"post_call_tokens": {}}, [("contact_fields.a", "x", None)]),
        ({"data": {"a": None}}, {"contact_fields": {}}, []),
        ({"data": {"a": None}}, {"contact_fields": {"a": "x"}}, [("contact_fields.a", None, "x")]),
        ({"data": {"a": "x"}}, {"contact_fields": [["a", "y"]]}, []),
        ({"data": {"a": "x"}}, {"contact_fields": {"a": {"b": 1}}}, [("contact_fields.a", "x", "an object")]),
        ({}, {"revenue": "42"}, []),
    ],
)
def test_what_was_recorded_is_compared_with_what_was_sent(update: object, call: object, expected: list[Any]) -> None:
    assert told(update, call) == expected


@pytest.mark.parametrize(
    "outgoing",
    [
        Outgoing("POST", "https://a.example/", FORM, b"buyer_converted=true&revenue=42"),
        Outgoing("GET", "https://a.example/?buyer_converted=true&revenue=42#x"),
        Outgoing("POST", "https://a.example/", (), b'{"buyer_converted":true,"revenue":42}'),
    ],
)
def test_it_is_compared_however_it_was_sent(outgoing: Outgoing) -> None:
    answered = came({"call": {"buyer_converted": None, "revenue": "41.00"}})
    expected = (Difference("buyer_converted", "true", "false"), Difference("revenue", "42.00", "41.00"))
    assert differences(outgoing, answered) == expected


@pytest.mark.parametrize("body", [b"", b"OK", b"[]", b'{"call":', b'{"calls":[]}', b"\xff", b'{"call":[]}'])
def test_an_answer_without_the_call_says_nothing_of_it(body: bytes) -> None:
    assert differences(sent({"revenue": "42"}), came(body)) == ()


@pytest.mark.parametrize("body", [b"{", b'{"revenue":1,"revenue":2}', b"<xml/>"])
def test_what_was_sent_may_be_anything(body: bytes) -> None:
    outgoing = Outgoing("POST", "https://a.example/\ud800", JSON, body)
    assert differences(outgoing, came({"call": {"revenue": "1"}})) == ()


def test_our_own_refusal_is_explained() -> None:
    reply = {
        "status": 403,
        "success": False,
        "code": "permission_denied",
        "errors": {"revenue": "Buyer Revenue: the team Partners lacks the right Update."},
        "message": "The user of this token may not update: Buyer Revenue.",
        "hint": "The owner of the account grants Update (Company > Teams).",
        "missing_permissions": [
            {"attribute": "Buyer Revenue", "right": "update", "team": "Partners", "grant_at": "/company/teams/7"},
            {"attribute": None},
            "nonsense",
        ],
    }
    assert explanation(came(reply, 403)) == (
        "The user of this token may not update: Buyer Revenue.",
        "The owner of the account grants Update (Company > Teams).",
        "Missing: update on Buyer Revenue, for the team Partners (granted at /company/teams/7)",
        "Missing: update on an attribute",
        "revenue: Buyer Revenue: the team Partners lacks the right Update.",
    )


@pytest.mark.parametrize(
    ("body", "lines"),
    [
        ({"type": "/x", "title": "Forbidden", "detail": "No right."}, ("Forbidden", "No right.")),
        ({"error": "invalid_token", "error_description": "It expired."}, ("invalid_token", "It expired.")),
        ({"error": {"message": "No right.", "code": 7}}, ("No right.",)),
        ({"success": False, "status": "error", "errors": ["One.", "Two.", "One."]}, ("One.", "Two.")),
        (
            {"errors": {"revenue": ["is bad", "is late"], "base": "no"}},
            ("revenue: is bad", "revenue: is late", "base: no"),
        ),
        ({"errors": [{"message": "One."}, {"detail": "Two."}]}, ("One.", "Two.")),
        ({"errors": "All wrong."}, ("All wrong.",)),
        ([{"message": "One."}, "Two."], ("One.", "Two.")),
        ({"a": 1}, ()),
        ({"message": 7}, ("7",)),
        (b'"just a text"', ('"just a text"',)),
        (b"Forbidden\r\n\r\n  by   policy\x07", ("Forbidden", "by policy")),
        (b"", ()),
        (b"\xff\xfe\x00\x01 binary", ()),
        (
            b"<!DOCTYPE html><title>A &amp; B</title><style>p{}</style><script>x<y</script>\n<p>Ask <b>Ada</b>.",
            ("A & B", "Ask", "Ada", "."),
        ),
        (b"<html><script>unending", ()),
        (b"<p>\xff latin</p>", ("\ufffd latin",)),
    ],
)
def test_a_refusal_is_explained_in_the_receiver_s_words(body: object, lines: tuple[str, ...]) -> None:
    assert explanation(came(body, 403)) == lines


def test_an_explanation_is_not_looked_for_deeper_than_a_few_levels() -> None:
    deep: object = "found"
    for _ in range(3):
        deep = {"error": deep}
    assert explanation(came(deep)) == ("found",)
    for _ in range(10):
        deep = {"error": deep}
    assert explanation(came(deep)) == ()
    assert explanation(came(b'{"error":' * 900 + b"1" + b"}" * 900)) == ()


def test_an_explanation_has_an_end() -> None:
    lines = explanation(came({"errors": [f"{number} {'x' * 1000}" for number in range(1000)]}))
    assert len(lines) == LINES
    assert {len(line) for line in lines} == {LONGEST_LINE}
    assert lines[0].endswith("…")


def test_what_an_accepting_receiver_says_is_told() -> None:
    reply = {
        "changed": {
            "revenue": {"from": None, "to": "42.00"},
            "buyer_converted": {"from": False, "to": True},
            "odd": "no",
        },
        "ignored": ["first_name", "last_name"],
        "warnings": [{"code": "x", "message": "It was blank."}, "As text.", 7],
    }
    assert remarks(came(reply)) == (
        "revenue: nothing → 42.00",
        "buyer_converted: false → true",
        "Ignored there: first_name, last_name",
        "It was blank.",
        "As text.",
        "7",
    )


@pytest.mark.parametrize("body", [{}, [], b"", b"OK", {"changed": [], "ignored": [], "warnings": {}}])
def test_who_says_nothing_is_told_nothing_of(body: object) -> None:
    assert remarks(came(body)) == ()


def test_numbers_stay_as_they_were_written() -> None:
    assert at_path(read_reply(came(b'{"a":1.10,"b":12345678901234567890}')), "a") == "1.10"
    assert at_path(read_reply(came(b'{"b":12345678901234567890}')), "b") == "12345678901234567890"
    assert at_path(read_reply(came(b"[1,2]")), "99999999999") is None


@given(ANY_JSON, ANY_JSON)
def test_whatever_is_answered_is_read(reply: object, call: object) -> None:
    update = {"revenue": "42", "buyer_converted": "true", "data": {"a": "x", "call": None}}
    for body in (reply, {"call": call, "changed": reply, "errors": call}):
        lines = [*explanation(came(body)), *remarks(came(body))]
        assert all(line.isprintable() and len(line) <= LONGEST_LINE for line in lines)
        assert all(isinstance(each, Difference) for each in differences(sent(update), came(body)))


@given(st.binary(max_size=200))
def test_whatever_bytes_are_answered_are_read(body: bytes) -> None:
    lines = [*explanation(came(body)), *remarks(came(body))]
    assert all(line.isprintable() for line in lines)
    assert len(lines) <= LINES * 2
