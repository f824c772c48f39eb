"""What the OpenAPI document says of buyers, traffic sources, offers and outgoing webhooks beside their operations."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from ringback.api.partners import done_document
from ringback.api.schemas import (
    AMOUNT,
    MOMENT,
    TEXT,
    TEXT_OR_NULL,
    TRUTH,
    WARNING,
    WHOLE,
    WHOLE_OR_NULL,
    Schema,
    envelope,
    list_of,
    object_of,
    ref,
)
from ringback.domain.bodies import Fields
from ringback.domain.outgoing_webhooks import COLUMNS as WEBHOOK_COLUMNS
from ringback.domain.outgoing_webhooks import OWNERS, TRIGGER_TYPES, webhook_object
from ringback.domain.partner_forms import COLUMNS, read_partner
from ringback.domain.postbacks import BY_HOST, Definition, Owner, Postback, Trigger
from ringback.domain.receipts import Json
from ringback.services.partner_access import Done, partner_object
from ringback.store.values import to_moment

_NAMES = {noun: noun.title().replace("_", "") for noun in COLUMNS}
_WORDS: Mapping[str, tuple[Schema, str, Schema]] = {
    "name": (TEXT, "Up to 200 characters; no two have the same, whatever the case.", TEXT),
    "email": (TEXT_OR_NULL, "Of the person to ask; nothing is sent to it.", TEXT_OR_NULL),
    "agreed_revenue": (
        {"type": ["string", "number", "null"]},
        "US dollars. A conversion that comes without an amount gets this one.",
        {**AMOUNT, "type": ["string", "null"]},
    ),
    "payout": (
        {"type": ["string", "number", "null"]},
        "An amount in US dollars, or a percentage of the revenue: `9.00`, `60%`.",
        TEXT_OR_NULL,
    ),
    "external_id": (
        {"type": ["string", "integer", "null"]},
        "The id that your own systems know it by; it may be used wherever its number may.",
        TEXT_OR_NULL,
    ),
}
"""By column: what may be written, what it is, and how it reads."""

FORMS: Mapping[str, Mapping[str, str | bool]] = {
    "buyer": {"name": "Bright Roofing", "agreed_revenue": "42.00", "user_buyer_id": "BR-7", "paused": False},
    "traffic_source": {"name": "Summit Media", "user_traffic_source_id": "summit"},
    "offer": {"name": "Roofing", "payout": "60%", "user_offer_id": "roofing-us"},
}
"""The bodies of the examples."""

_NOW = datetime(2026, 5, 1, 12, 30, tzinfo=UTC)
_ZONE = "America/New_York"
_UUID = "019df3a2-7c40-7d11-8e52-6b0f4a9c1d27"


def schemas() -> dict[str, Schema]:
    """The schemas by their names in the document."""
    found: dict[str, Schema] = {}
    for noun, name in _NAMES.items():
        found |= {
            name: _shown(noun),
            f"{name}Form": _form(noun),
            f"{name}Done": _done(noun, ref(name)),
            f"{name}Shown": {"anyOf": [envelope(noun, ref(name)), ref(name)]},
            f"{name}List": list_of(f"{noun}s", ref(name)),
        }
    webhook = ref("OutgoingWebhook")
    return {
        **found,
        "OutgoingWebhook": _webhook(),
        "OutgoingWebhookShown": {"anyOf": [envelope("outgoing_webhook", webhook), webhook]},
        "OutgoingWebhookList": list_of("outgoing_webhooks", webhook),
    }


def parameters() -> dict[str, Schema]:
    """The filters of the lists by their names in the document."""
    told = {
        "partner.fulltext": ("fulltext", "A part of the name.", TEXT),
        "partner.paused": ("paused", "Only those that are paused, or that are not.", TRUTH),
        "partner.archived": ("archived", "`true`: those that are archived, instead of the others.", TRUTH),
        **{f"partner.user_{noun}_id": (f"user_{noun}_id", "The id that you gave it.", TEXT) for noun in COLUMNS},
    }
    return {
        key: {"name": name, "in": "query", "description": description, "schema": schema}
        for key, (name, description, schema) in told.items()
    }


def examples() -> dict[str, Json]:
    """The examples by their names in the document; the answers are made as always."""
    found: dict[str, Json] = {}
    for noun, form in FORMS.items():
        fields = Fields(dict(form), dict.fromkeys(form, "json"), ())
        asked = read_partner(fields, noun, None)
        row = partner_object(noun, _row(noun, form), _ZONE)
        found |= {
            f"{noun}_form": form,
            f"{noun}_form_nested": {noun: {"name": form["name"], "paused": True}},
            f"{noun}_shown": _single(noun, row),
            f"{noun}_list": _page(f"{noun}s", row),
            f"{noun}_made": done_document(asked, Done(row, None), ())[1],
            f"{noun}_changed": done_document(asked, Done({**row, "paused": True}, row), ())[1],
        }
    webhook = webhook_object(_postback(), {}, _ZONE)
    return {
        **found,
        "outgoing_webhook_shown": _single("outgoing_webhook", webhook),
        "outgoing_webhook_list": _page("outgoing_webhooks", webhook),
    }


def _form(noun: str) -> Schema:
    told: dict[str, Schema] = {
        **{name: {**_WORDS[column][0], "description": _WORDS[column][1]} for name, column in COLUMNS[noun].items()},
        "paused": {
            "type": ["boolean", "string", "integer", "null"],
            "description": "No business for now. It is shown as paused; calls that are reported are recorded all the "
            "same, with a warning.",
        },
    }
    nested: Schema = {"type": "object", "description": "The same names, nested; here or there."}
    return object_of({**told, noun: nested}, [], additionalProperties=True, description="Unknown names are ignored.")


def _shown(noun: str) -> Schema:
    columns: dict[str, Schema] = {
        "id": WHOLE,
        "uuid": {**TEXT, "format": "uuid"},
        **{name: _WORDS[column][2] for name, column in COLUMNS[noun].items()},
        **({"offer_token": TEXT_OR_NULL} if noun == "offer" else {}),
        "paused": TRUTH,
        "archived": TRUTH,
        "created_at": MOMENT,
    }
    return object_of(columns, [], additionalProperties=False, description=_LEFT_OUT)


_LEFT_OUT = "What may not be read, or was not asked for, is left out."


def _done(noun: str, thing: Schema) -> Schema:
    told: dict[str, Schema] = {
        "status": {"enum": [200, 201]},
        "success": {"const": True},
        "code": {"enum": ["made", "applied", "unchanged"]},
        "errors": object_of({}),
        noun: thing,
        "changed": {"type": "object", "additionalProperties": object_of({"from": {}, "to": {}})},
        "ignored": {"type": "array", "items": TEXT},
        "warnings": {"type": "array", "items": WARNING},
        "metadata": object_of({"root": {"const": noun}}),
    }
    return object_of({**told, "dry_run": {"const": True}}, [*told])


def _webhook() -> Schema:
    told: dict[str, Schema] = {
        **dict.fromkeys(WEBHOOK_COLUMNS, TEXT_OR_NULL),
        "id": WHOLE,
        "uuid": {**TEXT, "format": "uuid"},
        "name": TEXT,
        "trigger_type": {"enum": sorted(TRIGGER_TYPES.get(trigger, trigger.value) for trigger in Trigger)},
        "owner": {"enum": list(OWNERS.values())},
        "owner_id": WHOLE_OR_NULL,
        "paused": TRUTH,
        "remote_method": {"enum": ["get", "post", "post_body", "put", "patch", "delete"]},
        "body_kind": {"enum": ["json", "form", "text", "none"]},
        "webhook_read_timeout": {**WHOLE, "description": "Seconds."},
        "delay": {**WHOLE, "description": "Seconds."},
        "conditions": {"type": "array", "items": TEXT},
        "signed": TRUTH,
        "created_at": MOMENT,
        "updated_at": MOMENT,
    }
    told["credential"] = {**TEXT_OR_NULL, "description": f"The name of the credential, or `{BY_HOST}`."}
    return object_of(told, [], additionalProperties=False, description=_LEFT_OUT)


def _row(noun: str, form: Mapping[str, str | bool]) -> dict[str, Any]:
    """A partner as it would be kept."""
    terms: dict[str, Any] = {"agreed_revenue": 42_000_000, "email": None, "payout": form.get("payout")}
    own = {"external_id": form[f"user_{noun}_id"], "token": "019df3a27c407d118e526b0f4a9c1d27"}
    return {
        **terms,
        **own,
        "id": 3,
        "uuid": _UUID,
        "name": form["name"],
        "paused": False,
        "archived": False,
        "created_at": to_moment(_NOW),
    }


def _postback() -> Postback:
    definition = Definition(
        "POST",
        "https://[trackdrive_subdomain].trackdrive.com/api/v1/calls/update_call/[trackdrive_call_uuid]",
        body='{"buyer_converted": "true", "revenue": "[revenue]", "offer_converted": "true", "post_call_tokens": {}}',
        credential=BY_HOST,
    )
    name, trigger = "Conversions to TrackDrive", Trigger.BUYER_CONVERTED
    return Postback(1, 4, _UUID, name, Owner.ACCOUNT, None, trigger, 1, definition, None, _NOW, _NOW)


def _single(noun: str, document: Json) -> Json:
    return {"status": 200, "success": True, "errors": {}, noun: document, "metadata": {"root": noun}}


def _page(plural: str, row: Json) -> Json:
    metadata = {"root": plural, "total_count": 1, "next_cursor": 0, "page": 1, "per_page": 25}
    return {"status": 200, "success": True, "errors": {}, plural: [row], "metadata": metadata}
