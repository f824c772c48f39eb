"""What the OpenAPI document says of reading calls beside its operations."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ringback.api.call_queries import FILTERS, ORDERING
from ringback.api.schemas import (
    AMOUNT,
    IGNORED,
    MOMENT,
    TEXT,
    TEXT_OR_NULL,
    TRUTH,
    WHOLE,
    WHOLE_OR_NULL,
    Schema,
    call_schema,
    list_of,
    object_of,
    ref,
)
from ringback.domain.columns import NOT_KEPT, WEBHOOKS
from ringback.domain.receipts import Json
from ringback.services.call_stats import GROUPS, STATS

_GROUPING: Mapping[str, tuple[str, Schema]] = {
    "group_by": ("What calls are put together by.", {"enum": [*GROUPS]}),
    "stat": ("What is added up.", {"enum": [*STATS]}),
    **{name: FILTERS[name] for name in ("created_at_from", "created_at_to")},
}
"""What figures can't be asked for without."""

_NOTHING: Mapping[str, Schema] = {}
_AT = "2026-05-01T08:34:00.000-04:00"
_UUID = "3f2b8c1e-5d0a-4f6b-9c7d-2e1a0b3c4d5e"
_RECEIPT = "019df3a2-7c40-7d11-8e52-6b0f4a9c1d27"
_DELIVERY = "019df3a2-7c41-7a02-b1c3-4d5e6f708192"


def parameters() -> dict[str, Schema]:
    """The filters, the order and the grouping by their names in the document."""
    asked = {f"calls.{name}": _parameter(name, *told) for name, told in {**FILTERS, **ORDERING}.items()}
    needed = {f"stats.{name}": {**_parameter(name, *told), "required": True} for name, told in _GROUPING.items()}
    return asked | needed


def _parameter(name: str, description: str, schema: Schema) -> Schema:
    return {"name": name, "in": "query", "description": description, "schema": schema}


def schemas() -> dict[str, Schema]:
    """The schemas by their names in the document."""
    groups: dict[str, Schema] = dict.fromkeys(GROUPS, TEXT_OR_NULL)
    figures: dict[str, Schema] = {name: WHOLE if name == "count" else _SIGNED for name in STATS}
    line = object_of(
        {"created_at": MOMENT, "level": {"enum": ["success", "info", "warning", "danger"]}, "message": TEXT}
    )
    return {
        "CallList": list_of("calls", ref("ListedCall")),
        "ListedCall": _listed_call(),
        "CallStats": _rows("stats", object_of(groups | figures, []), {"group_by": TEXT, "stat": TEXT}, IGNORED),
        "CallEvents": _events(),
        "CallLogs": _rows("call_logs", line, {}),
    }


_SIGNED: Schema = {**AMOUNT, "pattern": r"^-?[0-9]+\.[0-9]{2,6}$"}
_DIFF: Schema = {"type": "object", "additionalProperties": {"type": "array"}}


def _listed_call() -> Schema:
    """A call in a list: with columns that are asked for, also those that are null in all of them."""
    call = call_schema()
    absent = {name: {"type": "null"} for name in sorted(NOT_KEPT)}
    return {**call, "properties": {**call["properties"], WEBHOOKS: WHOLE, **absent}}


def _events() -> Schema:
    change = {"type": {"const": "CallChange"}, "created_at": MOMENT, "diff": _DIFF}
    audit = {
        "type": {"const": "AuditLog"},
        **dict.fromkeys(("id", "email", "code"), TEXT),
        **dict.fromkeys(("created_at", "received_at"), MOMENT),
        **dict.fromkeys(("request_method", "request_path", "request_ip"), TEXT_OR_NULL),
        "response_status": WHOLE,
        "dry_run": TRUTH,
        "diff": _DIFF,
    }
    sent = {
        "type": {"const": "WebhookLog"},
        **dict.fromkeys(("id", "owner_type", "name", "trigger_type", "state"), TEXT),
        **dict.fromkeys(("owner_id", "attempts"), WHOLE),
        **dict.fromkeys(("request_method", "request_url", "started_at", "finished_at"), TEXT_OR_NULL),
        "created_at": MOMENT,
        "code": WHOLE_OR_NULL,
    }
    events: Schema = {"type": "array", "items": {"anyOf": [object_of(each) for each in (audit, sent, change)]}}
    bare = {"id": WHOLE, "uuid": TEXT, "created_at": MOMENT, "events": events}
    envelope: dict[str, Schema] = {
        "status": {"const": 200},
        "success": {"const": True},
        "errors": object_of({}),
        "metadata": object_of({"root": {"const": "events"}}),
    }
    return {"anyOf": [object_of(envelope | bare), object_of(bare, additionalProperties=False)]}


def _rows(noun: str, row: Schema, metadata: Mapping[str, Schema], maybe: Mapping[str, Schema] = _NOTHING) -> Schema:
    rows: Schema = {"type": "array", "items": row}
    root: dict[str, Schema] = {"root": {"const": noun}, **metadata}
    told: dict[str, Schema] = {
        "status": {"const": 200},
        "success": {"const": True},
        "errors": object_of({}),
        noun: rows,
        "metadata": object_of({**root, **maybe}, [*root]),
    }
    return {"anyOf": [object_of(told), rows]}


def examples(call: Json) -> dict[str, Any]:
    """The examples by their names in the document."""
    page = {"total_count": 1042, "next_cursor": 1042, "page": None, "per_page": 1}
    stats = [
        {"created_at_day": "2026-05-01", "revenue": "1260.00"},
        {"created_at_day": "2026-05-02", "revenue": "84.00"},
    ]
    return {
        "call_list": _enveloped("calls", [call], page),
        "call_list_bare": [{name: call[name] for name in ("uuid", "revenue")}],
        "call_stats": _enveloped("stats", stats, {"group_by": "created_at_day", "stat": "revenue"}),
        "call_events": {
            **_SUCCESS,
            "id": 1042,
            "uuid": _UUID,
            "created_at": "2026-05-01T08:30:00.000-04:00",
            "events": [*_example_events()],
            "metadata": {"root": "events"},
        },
        "call_logs": _enveloped(
            "call_logs",
            [{"created_at": _AT, "level": "success", "message": "ops@bright.example: Buyer Revenue: none → 42.00"}],
            {},
        ),
    }


_SUCCESS: dict[str, Any] = {"status": 200, "success": True, "errors": {}}


def _example_events() -> Iterable[Json]:
    yield {
        "type": "WebhookLog",
        "id": _DELIVERY,
        "created_at": _AT,
        "owner_type": "OutgoingWebhook",
        "owner_id": 4,
        "name": "Sales to Summit Media",
        "trigger_type": "buyer_converted",
        "request_method": "POST",
        "request_url": "https://summit.example/postback",
        "state": "delivered",
        "attempts": 1,
        "code": 200,
        "started_at": _AT,
        "finished_at": _AT,
    }
    yield {
        "type": "AuditLog",
        "id": _RECEIPT,
        "created_at": _AT,
        "received_at": _AT,
        "email": "ops@bright.example",
        "request_method": "POST",
        "request_path": f"/api/v1/calls/update_call/{_UUID}",
        "request_ip": "203.0.113.7",
        "response_status": 200,
        "code": "applied",
        "dry_run": False,
        "diff": {"revenue": [None, "42.00"]},
    }


def _enveloped(noun: str, rows: object, metadata: Json) -> Json:
    return {**_SUCCESS, noun: rows, "metadata": {"root": noun, **metadata}}
