"""What goes wrong between platforms: every refusal that an update can meet, and every oddity that is read all the same.

Each mishap happens in the later weeks, to a call of its own.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from ringback.cli.samples.stage import DAY, HOUR, MINUTE, SECOND, Request, Stage
from ringback.cli.samples.weeks import BRIGHT_BASIC, HABITS, SWITCH, Habit, recording

CRM, REPORTS, OFFICE, OWN, HOME, OLD, LEFT, BLOCKED = (
    "From the avatar menu",
    "Reports",
    "Office network only",
    "For Bright's own account",
    "Everything at Bright",
    "Trial of the old CRM",
    "Left behind by a contractor",
    "Of a script that ran wild",
)
NORTHWIND = "Northwind's platform"
"""Access tokens that mishaps happen with."""

BRIGHT, HARBOR = HABITS[0], HABITS[2]
SALE: Mapping[str, object] = {"buyer_converted": "true", "revenue": "51.00", "offer_converted": "true"}
_MULTIPART = "multipart/form-data; boundary=frontier"

Making = Callable[[Stage, str], Request]
"""Makes a request for a call."""


def _sent(body: Mapping[str, object] | bytes = SALE, token: str = BRIGHT_BASIC, **more: object) -> Making:
    """A request as it should not be, or need not."""

    def make(stage: Stage, call: str) -> Request:
        asked = Request(call, body, stage.tokens[token].authorization, ip="198.51.100.20")
        return replace(asked, **more)  # type: ignore[arg-type] # each is checked where it is written

    return make


def _signed(sign: Callable[[str], str | None], token: str = BRIGHT_BASIC) -> Making:
    """A request whose credential is made of what should stand in the header."""

    def make(stage: Stage, call: str) -> Request:
        request = _sent(token=token)(stage, call)
        return replace(request, auth=sign(request.auth or ""))

    return make


def _in_base64(text: str) -> str:
    return f"Basic {b64encode(text.encode()).decode()}"


def _public_only(header: str) -> str:
    """A Basic credential whose second half is empty."""
    return _in_base64(b64decode(header[6:]).decode().partition(":")[0] + ":")


REFUSED: Mapping[str, Making] = {
    "malformed_json": _sent(b'{"buyer_converted": "true", "revenue": 42.00,'),
    "duplicate_key": _sent(b'{"revenue": "42.00", "revenue": "24.00"}'),
    "malformed_body": _sent(b'--frontier\r\nContent-Disposition: form-data; name="revenue"', content_type=_MULTIPART),
    "too_deep": _sent(b'{"post_call_tokens": ' + b"[" * 20 + b"]" * 20 + b"}"),
    "too_large": _sent(b'{"notes": "' + b"x" * 270_000 + b'"}'),
    "timeout": _sent(stalls=True),
    "ambiguous_credentials": _sent(token=CRM, query="auth_token=some-other-value-9c1f"),
    "missing_credentials": _signed(lambda _: None),
    "unsupported_scheme": _signed(lambda _: "Digest username=ops"),
    "basic_not_base64": _signed(lambda _: "Basic rbpub_0000000:rbprv_0000000"),
    "basic_malformed": _signed(lambda header: f"Basic <{header[6:]}>"),
    "basic_missing_secret": _signed(_public_only),
    "token_malformed": _signed(lambda header: f"Token '{header[6:]}", CRM),
    "token_is_pair": _signed(lambda header: f"Token {header[6:]}"),
    "credential_placeholder": _signed(lambda _: "Token YOUR_TOKEN_HERE"),
    "credential_mistyped": _signed(lambda header: header[:-3], CRM),
    "unknown_credentials": _signed(lambda _: "Token 2f7c1d9e0b8a4c6f9d3e"),
    "expired": _sent(token=OLD),
    "revoked": _sent(token=LEFT),
    "token_blocked": _sent(token=BLOCKED),
    "ip_not_allowed": _sent(token=OFFICE),
    "account_not_allowed": _sent(token=OWN),
    "call_not_found": _sent(by="", call="99999999"),
    "invalid_value": _sent({"buyer_converted": "sold", "revenue": "1,25"}),
    "unreplaced_token": _sent({"buyer_converted": "true", "revenue": "[Call:ConversionPayout]"}),
    "conflicting_values": _sent({"revenue": "40.00", "add_revenue": "2.00"}),
    "too_many_fields": _sent({"post_call_tokens": {f"field_{number}": "x" for number in range(201)}}),
}
"""A request for each refusal of what never waits."""

ODD: Mapping[str, Making] = {
    "credential_whitespace": _signed(lambda header: _in_base64(b64decode(header[6:]).decode() + "\n")),
    "doubled_scheme": _signed(lambda header: f"Basic {header}"),
    "basic_bare_token": _signed(lambda header: _in_base64(header.removeprefix("Token ")), CRM),
    "content_type_missing": _sent(content_type=""),
    "content_type_mismatch": _sent(content_type="text/plain"),
    "boundary_guessed": _sent(
        b'--frontier\r\nContent-Disposition: form-data; name="revenue"\r\n\r\n51.00\r\n--frontier--\r\n',
        content_type="multipart/form-data",
    ),
    "encoding_guessed": _sent('{"post_call_tokens": {"first_name": "Zoë"}}'.encode("cp1252")),
    "percent_encoded_json": _sent(
        b"%7B%22revenue%22%3A%2251.00%22%7D", content_type="application/x-www-form-urlencoded"
    ),
    "double_encoded": _sent(json.dumps(json.dumps(SALE)).encode()),
    "control_characters": _sent(b'{"post_call_tokens": {"notes": "called twice\ninterested"}}'),
    "json_in_field": _sent({**SALE, "post_call_tokens": '{"first_name": "Walt"}'}),
    "repeated_name": _sent(b'{"revenue": "51.00", "revenue": "51.00"}'),
    "query_overridden": _sent(query="revenue=15.00"),
    "file_ignored": _sent(
        b'--frontier\r\nContent-Disposition: form-data; name="voucher"; filename="voucher.pdf"\r\n\r\n%PDF\r\n'
        b'--frontier\r\nContent-Disposition: form-data; name="revenue"\r\n\r\n51.00\r\n--frontier--\r\n',
        content_type=_MULTIPART,
    ),
    "blank_ignored": _sent({"buyer_converted": "true", "revenue": ""}),
    "payout_needs_revenue": _sent({"offer_converted": "true"}),
    "too_many_hops": _sent(headers={"Ringback-Hops": "9"}),
    "detail_ignored": _sent({**SALE, "status": "finished"}),
    "refire_ignored": _sent({**SALE, "rerun_webhooks": "true"}),
    "refired": _sent({**SALE, "rerun_webhooks": "true"}, token=SWITCH),
    "postback_unknown": _sent({**SALE, "fire_outgoing_webhook_ids": "404"}, token=SWITCH),
    "call_unknown": _sent(call="7d0c5a52-0000-4000-8000-00000000feed", headers={"Ringback-Dry-Run": "true"}),
}
"""A request for each thing that is odd, and read all the same."""


WAITING: tuple[tuple[int, Habit, Making], ...] = (
    (70, BRIGHT, _sent(token=NORTHWIND)),
    (51, HARBOR, _sent()),
    (44, BRIGHT, _sent(token=HOME)),
    (40, BRIGHT, _sent(token=REPORTS)),
    (26, HARBOR, _sent()),
    (20, BRIGHT, _sent(token=NORTHWIND)),
    (5, BRIGHT, _sent(token=NORTHWIND)),
)
"""Requests that are refused for want of what can still be granted: how many hours ago, and whose call they were for."""

RECORDINGS: Mapping[str, tuple[str, Mapping[str, object]]] = {
    "invalid_value": (SWITCH, {"caller_number": "call me"}),
    "unknown_partner": (SWITCH, {"caller_number": "+17195550188", "buyer": "Brigt Roofing"}),
    "missing_value": (SWITCH, {"first_name": "Jane"}),
    "may_not_record": (BRIGHT_BASIC, {"caller_number": "+17195550189"}),
}
"""Reports of calls that are refused, by the code of the refusal, and the access tokens that they come with."""


def schedule(stage: Stage, now: datetime) -> None:
    """Scatter the mishaps over the later weeks before now, more of them in the last days."""
    dice, span = stage.dice, now - stage.now
    for making in (*REFUSED.values(), *ODD.values()):
        _schedule(stage, now - (0.02 + 0.55 * dice.random() ** 2) * span, BRIGHT, partial(_send, stage, making))
    for hours, whose, making in WAITING:
        _schedule(stage, now - hours * HOUR, whose, partial(_send, stage, making))
    for report in RECORDINGS.values():
        stage.at(now - (1 + 9 * dice.random()) * DAY, partial(_report, stage, *report))
    for moment, recorded_after in ((now - 23 * DAY, 2 * HOUR), (now - 12 * DAY, None), (now - 9 * DAY, 4 * MINUTE)):
        _schedule_early(stage, moment, recorded_after)
    for hours in (21, 3):
        _schedule_early(stage, now - hours * HOUR, None)
    _schedule(stage, now - 4 * DAY, BRIGHT, partial(_repeat, stage))
    _schedule(stage, now - 30 * HOUR, BRIGHT, partial(_add_twice, stage))


def _schedule(stage: Stage, moment: datetime, whose: Habit, happen: Callable[[str], object]) -> None:
    """Have something happen to a call of its own, which came a moment before."""
    call = stage.dice.new_call_uuid()
    stage.at(moment - 4 * MINUTE, lambda: stage.record(recording(stage, whose, call)))
    stage.at(moment, lambda: happen(call))


def _send(stage: Stage, making: Making, call: str) -> None:
    stage.send(making(stage, call))


def _report(stage: Stage, token: str, body: Mapping[str, object]) -> None:
    stage.record(Request("", body, stage.tokens[token].authorization, by=""))


def _schedule_early(stage: Stage, moment: datetime, recorded_after: timedelta | None) -> None:
    """A postback that overtakes the report of its call, which comes later or never."""
    uuid = stage.dice.new_call_uuid()
    stage.at(moment, lambda: _send(stage, _sent(), uuid))
    if recorded_after is not None:
        stage.at(moment + recorded_after, lambda: stage.record(recording(stage, BRIGHT, uuid)))


def _repeat(stage: Stage, call: str) -> None:
    """One key or event id with the same content and with other, by a token that may and by one that may not.

    In between comes an addition that is too large for what the call has by then.
    """
    key = {"Idempotency-Key": "5f0c"}
    event = {**SALE, "event_id": "sale-77"}
    for making in (
        _sent({"add_revenue": "5.00"}, headers=key),
        _sent({"add_revenue": "5.00"}, headers=key),
        _sent({"add_revenue": "50.00"}, headers=key),
        _sent({"add_revenue": "999999.00"}),
        _sent(event),
        _sent(event, token=REPORTS),
        _sent({**event, "revenue": "15.00"}),
    ):
        stage.now += 40 * SECOND
        _send(stage, making, call)


def _add_twice(stage: Stage, call: str) -> None:
    """An addition without a key, sent again by a client that did not wait for its answer."""
    for _ in range(2):
        _send(stage, _sent({"add_revenue": "12.00"}), call)
        stage.now += 9 * SECOND
