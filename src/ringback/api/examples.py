"""Examples for the reference documentation; the answers among them are given by the rules themselves."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal

import msgspec
from msgspec.structs import replace

from ringback.api import call_document, partner_document
from ringback.api.access import me_object
from ringback.api.answers import as_problem
from ringback.api.operation import NOWHERE_DESCRIBED
from ringback.domain import calls as domain_calls
from ringback.domain.access import AccessToken, AccessType, Level, MissingRight, PermissionDenied, Principal, Role, Team
from ringback.domain.answers import answer, call_object, refusal_document
from ringback.domain.attributes import ATTRIBUTES, blank_state
from ringback.domain.bodies import read_fields
from ringback.domain.calls import Call, Partner, Terms
from ringback.domain.decisions import CallRef, RefKind, decide
from ringback.domain.errors import CODES, Problem, Refusal
from ringback.domain.money import parse_payout
from ringback.domain.receipts import Json, Outcome, Update
from ringback.domain.recordings import read_recording
from ringback.domain.updates import read_patch
from ringback.domain.waiting import LIFETIME, Kind
from ringback.services.access import Myself
from ringback.store.access import Account

BODIES: Mapping[str, Json] = {
    "guide": {
        "buyer_converted": "true",
        "revenue": "42.00",
        "offer_converted": "true",
        "post_call_tokens": {},
    },
    "fields": {
        "buyer_converted": True,
        "revenue": 42.5,
        "offer_converted": True,
        "payout": "25.50",
        "post_call_tokens": {"first_name": "Jane", "zip": "80903"},
    },
    "by_caller": {"offer_token": "0f9c2e4b7a6d41d8b3e5c7a9f1d20846", "buyer_converted": "true", "add_revenue": "5.00"},
    "bulk_update": {
        "updates": [
            {"uuid": "3f2b8c1e-5d0a-4f6b-9c7d-2e1a0b3c4d5e", "buyer_converted": "true", "revenue": "42.00"},
            {"id": 1041, "revenue": "1,25"},
        ]
    },
    "smallest_recording": {"caller_number": "+17195550123"},
    "recording": {
        "uuid": "3f2b8c1e-5d0a-4f6b-9c7d-2e1a0b3c4d5e",
        "caller_number": "(719) 555-0123",
        "buyer": "Bright Roofing",
        "traffic_source": "Summit Media",
        "offer": "Roofing",
        "status": "finished",
        "total_duration": 184,
        "first_name": "Jane",
    },
}
"""Bodies by name."""

_NOW = datetime(2026, 5, 4, 15, 30, tzinfo=UTC)
_UUID = "3f2b8c1e-5d0a-4f6b-9c7d-2e1a0b3c4d5e"
_RECEIPT = "019df3a2-7c40-7d11-8e52-6b0f4a9c1d27"
_ZONE = "America/New_York"
_IP = "203.0.113.7"

_ACCOUNT = Account(1, "acme", "Acme Media", _ZONE, reads_auth_token=True, keeps_unknown_fields=False)
_TEAM = Team(
    id=7,
    name="Bright Roofing",
    developer_api=True,
    every_buyer=False,
    records_calls=False,
    rights={attribute.name: Level.UPDATE for attribute in ATTRIBUTES},
    buyers=frozenset({3}),
)
_TOKEN = AccessToken("019dc1f0-15aa-7b3e-9a44-0d5e6f708192", 1, AccessType.CALLS, b"")
_BOB = Principal(1, 12, "ops@bright.example", Role.MEMBER, (_TEAM,), _TOKEN)
_CALL = Call(
    account_id=1,
    uuid=_UUID,
    number=1042,
    caller_number="+17195550123",
    state=blank_state(),
    created_at=datetime(2026, 5, 1, 12, 30, tzinfo=UTC),
    updated_at=datetime(2026, 5, 1, 12, 34, tzinfo=UTC),
    buyer=Partner(3, "", "Bright Roofing"),
    traffic_source=Partner(2, "", "Summit Media"),
    offer=Partner(1, "", "Roofing"),
    terms=Terms(Decimal(42), parse_payout("60%")),
    status="finished",
    total_duration=184,
    answered_duration=171,
)
_SENT = Update(_RECEIPT, _NOW, "update_call", "acme", Refusal("missing_credentials"), CallRef(RefKind.UUID, _UUID))

DETAILS: Mapping[str, Mapping[str, str]] = {
    "malformed_json": {"reason": "a value is missing after column 12"},
    "duplicate_key": {"name": "revenue"},
    "malformed_body": {"form": "multipart", "reason": "it doesn't begin with its boundary"},
    "too_deep": {"limit": "8"},
    "account_conflict": {"host_account": "acme", "path_account": "zeta"},
    "unsupported_scheme": {"scheme": "Digest"},
    "expired": {"expired_on": "2026-05-01 00:00 UTC"},
    "too_many_calls": {"limit": "10,000"},
    "access_type": {"access_type": AccessType.CALLS_READ.label},
    "ip_not_allowed": {"ip": _IP},
    "account_not_found": {"subdomain": "acmee"},
    "call_not_found": {"call": _UUID},
    "may_not_see": {"nouns": "offers"},
    "may_not_change": {"nouns": "buyers"},
    "not_there": {"noun": "buyer", "value": "1042"},
    "not_found": {"path": "/api/v1/call"},
    "timeout": {"seconds": "30"},
    "method_not_allowed": {"method": "DELETE", "allowed": "GET, POST, PUT, PATCH"},
    "too_large": {"limit": "256"},
    "head_too_large": {"limit": "32"},
    "may_not_read": {"attribute": "Buyer Converted?"},
    "too_many_passwords": {"wait": "a minute"},
    "host_not_served": {"host": "acme.example.net"},
    "internal_error": {"request_id": _RECEIPT},
}
"""What the sentences of refusals are filled with."""

PROBLEMS: Mapping[str, Problem] = {
    problem.code: problem
    for problem in (
        Problem("revenue", "invalid_value", {"reason": "revenue: 1,25 can be read as 1.25 and as 125"}),
        Problem("revenue", "unreplaced_token", {"value": "[Call:ConversionPayout]", "platform": "of Ringba "}),
        Problem("add_revenue", "conflicting_values", {"first": "revenue", "second": "add_revenue"}),
        Problem("revenue", "amount_out_of_range", {"result": "1000000.00"}),
        Problem("contact_fields", "too_many_fields", {"limit": "200", "kib": "64"}),
        Problem("buyer", "unknown_partner", {"noun": "buyer", "value": "Brigth Roofing"}),
        Problem("caller_number", "missing_value", {"name": "caller_number"}),
    )
}
"""What is wrong with one field, for the refusals that name fields."""


def sample(code: str) -> Refusal:
    """A refusal of this code, as it could come about."""
    if code == "permission_denied":
        return PermissionDenied((MissingRight("revenue", _TEAM.id, _TEAM.name),))
    problem = PROBLEMS.get(code)
    return Refusal(code, problems=[problem] if problem else (), **DETAILS.get(code, {}))


def examples() -> dict[str, Json]:
    """Every example by its name in the document; of a refusal also as problem details."""
    refused: dict[str, Json] = {
        name: refusal_document(sample(name))
        for name, code in CODES.items()
        if code.status >= 400 and name not in NOWHERE_DESCRIBED  # noqa: PLR2004 - the statuses of failure
    }
    refused["permission_denied"] = _denied()
    refused["call_not_found"] = _early()
    return {
        **BODIES,
        **_answers(),
        **partner_document.examples(),
        **refused,
        **{f"{name}.problem": as_problem(document) for name, document in refused.items()},
    }


def _answers() -> dict[str, Json]:
    applied = _updated("guide")
    after = applied.call or _CALL
    columns = call_object(after, frozenset(after.state), _ZONE)
    stranger = Refusal("no_team")
    return {
        "applied": answer(applied)[1],
        "unchanged": answer(_updated("guide", call=after))[1],
        "dry_run": answer(_updated("guide", dry_run="true"))[1],
        "recorded": answer(_recorded())[1],
        "bulk": _bulk(applied),
        "call": _enveloped("call", columns),
        **call_document.examples(columns),
        "call_columns": {name: columns[name] for name in ("uuid", "revenue", "payout")},
        "me": _enveloped("me", me_object(Myself(_ACCOUNT, _BOB, None))),
        "me_without_team": _enveloped("me", me_object(Myself(_ACCOUNT, replace(_BOB, role=None, teams=()), stranger))),
        "alive": {"status": "alive"},
        "ready": {"status": "ready"},
        "not_ready": {"status": "not ready"},
        "version": {"name": "ringback", "version": "1.0.0"},
    }


def _enveloped(noun: str, document: Json) -> Json:
    return {"status": 200, "success": True, "errors": {}, noun: document, "metadata": {"root": noun}}


def _updated(body: str, *, call: Call = _CALL, principal: Principal = _BOB, dry_run: str | None = None) -> Outcome:
    """What becomes of one of the bodies, decided and applied as always."""
    fields = read_fields(b"", "application/json", msgspec.json.encode(BODIES[body]))
    update = replace(_SENT, reading=read_patch(fields, keys={}, dry_run=dry_run))
    decision = decide(principal, update.reading, call, update.ref, now=_NOW, ip=_IP)
    outcome = Outcome(update, principal, decision, call=call, time_zone=_ZONE)
    if decision.refusal is not None:
        return outcome
    applied = domain_calls.apply(call.state, update.reading.patch, call.terms)
    return replace(outcome, applied=applied, call=replace(call, state=applied.state, updated_at=_NOW))


def _bulk(applied: Outcome) -> Json:
    results = [answer(applied)[1], refusal_document(sample("invalid_value"))]
    counts = {"updates": 2, "succeeded": 1, "failed": 1}
    told = {"status": 200, "success": True, "code": "processed", "errors": {}, "results": results, "counts": counts}
    return {**told, "ignored": [], "metadata": {"root": "results"}}


def _recorded() -> Outcome:
    fields = read_fields(b"", "application/json", msgspec.json.encode(BODIES["recording"]))
    update = replace(_SENT, reading=read_recording(fields, keys={}, dry_run=None).reading)
    ada = replace(_BOB, role=Role.OWNER, teams=())
    decision = decide(ada, update.reading, _CALL, update.ref, now=_NOW, ip=_IP)
    applied = domain_calls.apply(blank_state(), update.reading.patch, Terms(), domain_calls.Origin.RECORDING)
    call = replace(_CALL, state=applied.state, created_at=_NOW, updated_at=_NOW)
    return Outcome(update, ada, decision, applied, call, time_zone=_ZONE, is_new=True)


def _denied() -> Json:
    lacking = replace(_TEAM, rights={**_TEAM.rights, "revenue": Level.READ, "offer_converted": Level.NONE})
    return _held(_updated("guide", principal=replace(_BOB, teams=(lacking,))), Kind.DENIED)


def _early() -> Json:
    outcome = _updated("guide")
    early = replace(outcome, call=None, applied=None).refused(sample("call_not_found"))
    return _held(early, Kind.EARLY)


def _held(outcome: Outcome, kind: Kind) -> Json:
    """The answer to a refused update that is kept."""
    return answer(replace(outcome, waits_until=_NOW + LIFETIME[kind]))[1]
