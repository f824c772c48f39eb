"""The JSON schemas of what the API reads and answers, driven by the table of attributes."""

from __future__ import annotations

from typing import Any

from ringback.domain.attributes import ATTRIBUTES, TEXTS, UPDATABLE, Attribute, Kind
from ringback.domain.bulks import MOST_UPDATES
from ringback.domain.calls import FIELDS_LIMIT, Origin
from ringback.domain.errors import CODES
from ringback.domain.recordings import PARTNERS
from ringback.domain.refires import EVERY, MOST, SOME
from ringback.domain.updates import REAPPLY

Schema = dict[str, Any]

TEXT: Schema = {"type": "string"}
TRUTH: Schema = {"type": "boolean"}
WHOLE: Schema = {"type": "integer"}
TEXT_OR_NULL: Schema = {"type": ["string", "null"]}
WHOLE_OR_NULL: Schema = {"type": ["integer", "null"]}
AMOUNT: Schema = {"type": "string", "pattern": r"^[0-9]+\.[0-9]{2,6}$"}
MOMENT: Schema = {"type": "string", "format": "date-time"}
SCALAR: Schema = {"type": ["string", "number", "boolean"]}

_KINDS: dict[Kind, tuple[Schema, str]] = {
    Kind.BOOLEAN: (
        {"type": ["boolean", "string", "integer", "null"]},
        "`1` `true` `yes` `on`, or `0` `false` `no` `off`, in any case. Blank or null is left alone.",
    ),
    Kind.MONEY: (
        {"type": ["string", "number", "null"]},
        "An amount with at most six decimals: `42`, `42.50`, `$1,250.50`. Blank or null is left alone.",
    ),
    Kind.PARTNER: (
        {"type": ["string", "integer", "null"]},
        "Number, UUID or your own id of one in this account that your team sees. Blank or null is left alone.",
    ),
    Kind.TEXT: (
        {"type": ["string", "integer", "null"]},
        "A text of at most 4 KiB. Null takes it away; blank is left alone.",
    ),
    Kind.FIELDS: (
        {"type": ["object", "array", "string", "null"], "additionalProperties": {"type": [*SCALAR["type"], "null"]}},
        f"Up to {FIELDS_LIMIT} texts, numbers or booleans by name, merged into the call's. Null removes one.",
    ),
}


def object_of(properties: dict[str, Schema], required: list[str] | None = None, **more: Any) -> Schema:  # noqa: ANN401
    """An object with these properties, all of them required unless said otherwise."""
    return {
        "type": "object",
        "properties": properties,
        "required": [*properties] if required is None else required,
        **more,
    }


def ref(name: str) -> Schema:
    """A schema by its name in the document."""
    return {"$ref": f"#/components/schemas/{name}"}


def written(attribute: Attribute) -> dict[str, Schema]:
    """The wire names that write an attribute, each with its schema."""
    schema, values = _KINDS[attribute.kind]
    first, *others = attribute.sets
    told = {first: values, **dict.fromkeys(others, f"The same as `{first}`; each name in one of them only.")}
    told |= dict.fromkeys(attribute.adds, f"An amount that is added to what the call has; not together with `{first}`.")
    return {
        name: {**schema, "description": description, "x-attribute": attribute.name, "x-right": attribute.label}
        for name, description in told.items()
    }


def values_of(attribute: Attribute) -> str:
    """What may be written to an attribute, in words."""
    return _KINDS[attribute.kind][1]


_CONTROL: dict[str, Schema] = {
    "event_id": {**TEXT, "description": "An id of this update: the same id with the same content counts once."},
    "transaction_id": {**TEXT, "description": "The same as `event_id`."},
    "dry_run": {"type": ["boolean", "string"], "description": "Decide everything, change nothing."},
}
_ANEW: dict[str, Schema] = {
    REAPPLY: {
        "type": ["boolean", "integer", "string", "null"],
        "description": "Work out anew what the call's conversions entail: the agreed revenue where there is none, the "
        "payout by the offer's rule from the revenue there is now. Needs the right to Buyer Revenue and TS Payout, to "
        "each unless the request names it.",
    },
    EVERY: {
        "type": ["boolean", "integer", "string", "null"],
        "description": "Send every postback anew that was sent for this call before, with the values of now. Taken "
        "from owners and managers; of others it is ignored.",
    },
    SOME: {
        "type": ["array", "integer", "string", "null"],
        "items": {"type": ["integer", "string"]},
        "description": f"The same for the outgoing webhooks with these numbers, {MOST} at most.",
    },
}


def _update() -> Schema:
    names = {name: schema for attribute in UPDATABLE for name, schema in written(attribute).items()}
    asked = {**names, **_ANEW, **_CONTROL}
    return object_of(asked, [], additionalProperties=True, description="Names that are unknown are ignored.")


def _update_by_caller() -> Schema:
    update = _update()
    own: dict[str, Schema] = {
        "offer_token": {**TEXT, "description": "The token of the call's offer, from its page. Required."},
        "call_timeframe": {
            "type": ["integer", "string", "null"],
            "description": "How many minutes back the call may be; without it, any time.",
        },
    }
    return {**update, "properties": own | update["properties"]}


def _bulk() -> Schema:
    own: dict[str, Schema] = {
        "uuid": {**TEXT, "format": "uuid", "description": "The call that is meant; or one of the next two says it."},
        "id": {"type": ["integer", "string"], "description": "The call's UUID, or its number in this account."},
        "caller_id": {**TEXT, "description": "The caller; then `offer_token` is required, as alone."},
        "idempotency_key": {**TEXT, "description": "What the header Idempotency-Key is for an update alone."},
    }
    by_caller = _update_by_caller()
    item = {**by_caller, "properties": own | by_caller["properties"]}
    updates: Schema = {"type": "array", "items": item, "maxItems": MOST_UPDATES, "description": "What to update."}
    return object_of({"updates": updates, "dry_run": _CONTROL["dry_run"]}, ["updates"])


_PARTNER_WORDS = {"buyer": "The buyer", "traffic_source": "The traffic source", "offer": "The offer"}


def _recording() -> Schema:
    reference: Schema = {"type": ["string", "integer"]}
    own: dict[str, Schema] = {
        "caller_number": {
            **TEXT,
            "description": "A telephone number, best as `+17195550123`, or a word such as `anonymous`. Required for a "
            "new call.",
        },
        "uuid": {**TEXT, "format": "uuid", "description": "The call's UUID; without one it gets a new one."},
        **{
            name: {
                **reference,
                "description": f"{_PARTNER_WORDS[noun]}, by number, UUID or name."
                if name == noun
                else f"The same as `{noun}`.",
            }
            for name, noun in PARTNERS.items()
        },
        "status": {**TEXT, "description": "What state the call is in, in your words."},
        "total_duration": {"type": ["integer", "string"], "description": "Whole seconds."},
        "answered_duration": {"type": ["integer", "string"], "description": "Whole seconds."},
        "ended_at": {**TEXT, "description": "When it ended; in the account's zone if it names no offset."},
        "hangup_cause": {**TEXT, "description": "Why it ended, in your words."},
    }
    names = {name: schema for attribute in ATTRIBUTES for name, schema in written(attribute).items()}
    return object_of(
        own | names | _CONTROL,
        [],
        additionalProperties=True,
        description="Names that are unknown are kept as contact fields.",
    )


def _column(attribute: Attribute) -> Schema:
    if attribute.kind is Kind.TEXT:
        return TEXT_OR_NULL
    if attribute.kind is Kind.BOOLEAN:
        return {"enum": ["Converted", None]}
    if attribute.kind is Kind.MONEY:
        return {**AMOUNT, "type": ["string", "null"]}
    return {"type": "object", "additionalProperties": SCALAR}


def call_schema() -> Schema:
    """The object of a call."""
    columns: dict[str, Schema] = {
        "id": WHOLE,
        "uuid": {**TEXT, "format": "uuid"},
        "created_at": MOMENT,
        "updated_at": MOMENT,
        "ended_at": {**MOMENT, "type": ["string", "null"]},
        "caller_number": TEXT_OR_NULL,
        "status": TEXT_OR_NULL,
        "total_duration": WHOLE_OR_NULL,
        "answered_duration": WHOLE_OR_NULL,
        **dict.fromkeys(("hangup_cause", "hangup_reason"), TEXT_OR_NULL),
    }
    for noun in _PARTNER_WORDS:
        columns |= {noun: TEXT_OR_NULL, f"{noun}_id": WHOLE_OR_NULL, f"user_{noun}_id": TEXT_OR_NULL}
    for attribute in (*ATTRIBUTES, *TEXTS):
        column = {**_column(attribute), "x-attribute": attribute.name}
        columns |= dict.fromkeys(attribute.reads, column)
    told = "What may not be read, or was not asked for, is left out."
    return object_of(columns, [], additionalProperties=False, description=told)


def envelope(noun: str, thing: Schema) -> Schema:
    """What one thing is shown in."""
    return object_of(
        {
            "status": {"const": 200},
            "success": {"const": True},
            "errors": object_of({}),
            noun: thing,
            "metadata": object_of({"root": {"const": noun}}),
        }
    )


IGNORED: dict[str, Schema] = {"ignored": {"type": "array", "items": TEXT}}
"""The names of a query string that are unknown, where there are some."""


def list_of(plural: str, thing: Schema) -> Schema:
    """A page of a list, in its envelope or bare."""
    metadata: dict[str, Schema] = {
        "root": {"const": plural},
        "total_count": WHOLE_OR_NULL,
        "next_cursor": WHOLE_OR_NULL,
        "page": WHOLE_OR_NULL,
        "per_page": WHOLE,
    }
    rows: Schema = {"type": "array", "items": thing}
    told: dict[str, Schema] = {
        "status": {"const": 200},
        "success": {"const": True},
        "errors": object_of({}),
        plural: rows,
        "metadata": object_of({**metadata, **IGNORED}, [*metadata]),
    }
    return {"anyOf": [object_of(told), rows]}


WARNING = object_of({"code": TEXT, "message": TEXT})
_VERDICTS: Schema = {"type": "object", "additionalProperties": {"enum": ["allowed", "denied"]}}
_ORIGINS = [origin.value for origin in Origin]
_CHANGE = object_of({"from": {}, "to": {}, "origin": {"enum": _ORIGINS}}, ["from", "to"])
_MISSING = object_of({"attribute": TEXT, "right": TEXT, "team": TEXT, "grant_at": TEXT})
_TOLD: dict[str, Schema] = {
    "changed": {"type": "object", "additionalProperties": _CHANGE},
    "unchanged": {"type": "array", "items": TEXT},
    "ignored": {"type": "array", "items": TEXT},
    "warnings": {"type": "array", "items": WARNING},
    "receipt_id": TEXT,
}
_METADATA = object_of({"root": {"const": "call"}})
_DRY: dict[str, Schema] = {"dry_run": {"const": True}, "verdicts": _VERDICTS}


def _applied() -> Schema:
    codes = [name for name, code in CODES.items() if code.status < 300]  # noqa: PLR2004 - the statuses of success
    told: dict[str, Schema] = {
        "status": {"enum": [200, 201]},
        "success": {"const": True},
        "code": {"enum": codes},
        "errors": object_of({}),
        "call": {"oneOf": [ref("Call"), {"type": "null"}]},
        **_TOLD,
        "metadata": _METADATA,
    }
    return object_of(told | _DRY, [*told])


def _refused() -> dict[str, Schema]:
    """Both shapes of a failure: ours and RFC 9457."""
    codes = [name for name, code in CODES.items() if code.status >= 400]  # noqa: PLR2004 - the statuses of failure
    shared: dict[str, Schema] = {
        "status": WHOLE,
        "code": {"enum": codes},
        "errors": {"type": "object", "additionalProperties": TEXT},
        "hint": TEXT,
    }
    further: dict[str, Schema] = {
        "codes": {"type": "object", "additionalProperties": TEXT},
        "missing_permissions": {"type": "array", "items": _MISSING},
        "held_until": MOMENT,
        **_TOLD,
        **_DRY,
        "metadata": _METADATA,
    }
    ours = {"success": {"const": False}, "message": TEXT, **shared}
    theirs = {"type": {**TEXT, "format": "uri-reference"}, "title": TEXT, "detail": TEXT, **shared}
    return {"Refused": object_of(ours | further, [*ours]), "Problem": object_of(theirs | further, [*theirs])}


def _bulk_done() -> Schema:
    result: Schema = {"oneOf": [ref("Applied"), ref("Refused")]}
    return object_of(
        {
            "status": {"const": 200},
            "success": {"const": True},
            "code": {"const": "processed"},
            "errors": object_of({}),
            "results": {"type": "array", "items": result},
            "counts": object_of({"updates": WHOLE, "succeeded": WHOLE, "failed": WHOLE}),
            "ignored": {"type": "array", "items": TEXT},
            "metadata": object_of({"root": {"const": "results"}}),
        }
    )


def _me() -> Schema:
    team = {"id": WHOLE, "name": TEXT, "developer_api": TRUTH, "every_buyer": TRUTH}
    attribute = {
        "attribute": TEXT,
        "label": TEXT,
        "wire_names": {"type": "array", "items": TEXT},
        "may_update": TRUTH,
        "teams": {
            "type": "array",
            "items": object_of({"id": WHOLE, "right": {"enum": ["none", "read", "update"]}}),
        },
    }
    return object_of(
        {
            "user": object_of({"id": WHOLE, "email": TEXT}),
            "account": object_of({"subdomain": TEXT, "name": TEXT, "time_zone": TEXT}, ["subdomain"]),
            "role": {"enum": ["owner", "manager", "member", None]},
            "token": object_of(
                {
                    "id": TEXT,
                    "access_type": {"enum": ["calls", "calls-read", "everything"]},
                    "expires_at": {**MOMENT, "type": ["string", "null"]},
                }
            ),
            "teams": {
                "type": "array",
                "items": object_of({**team, "buyer_ids": {"type": "array", "items": WHOLE}, "records_calls": TRUTH}),
            },
            "may_record_calls": TRUTH,
            "attributes": {"type": "array", "items": object_of(attribute)},
            "obstacle": {"oneOf": [object_of({"code": TEXT, "message": TEXT, "hint": TEXT}), {"type": "null"}]},
        }
    )


def schemas() -> dict[str, Schema]:
    """Every schema by its name in the document."""
    return {
        "Update": _update(),
        "UpdateByCaller": _update_by_caller(),
        "Bulk": _bulk(),
        "BulkDone": _bulk_done(),
        "Recording": _recording(),
        "Call": call_schema(),
        "Me": _me(),
        "Applied": _applied(),
        "CallShown": {"anyOf": [envelope("call", ref("Call")), ref("Call")]},
        "MeShown": {"anyOf": [envelope("me", ref("Me")), ref("Me")]},
        **_refused(),
        "State": object_of({"status": {"enum": ["alive", "ready", "not ready"]}}),
        "Version": object_of({"name": {"const": "ringback"}, "version": TEXT}),
    }
