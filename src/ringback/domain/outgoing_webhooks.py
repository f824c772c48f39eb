"""Postbacks under the names that TrackDrive has for its outgoing webhooks (reference, 5.1 and 5.2).

What a postback has and an outgoing webhook hasn't keeps its own name; a trigger that TrackDrive hasn't, too.
"""

from __future__ import annotations

from collections.abc import Mapping

from ringback.domain.answers import iso
from ringback.domain.masking import mask_text
from ringback.domain.postbacks import BY_HOST, Definition, Owner, Postback, Trigger

TRIGGER_TYPES: Mapping[Trigger, str] = {
    Trigger.CALL_RECORDED: "new_call_started",
    **{
        trigger: trigger.value
        for trigger in (
            Trigger.BUYER_CONVERTED,
            Trigger.OFFER_CONVERTED,
            Trigger.CONTACT_FIELDS_CHANGED,
            Trigger.CALL_CHANGED,
        )
    },
}
"""The triggers that mean the same in TrackDrive, and their names there."""

OWNERS: Mapping[Owner, str] = {
    Owner.ACCOUNT: "global_company_id",
    Owner.BUYER: "buyer_id",
    Owner.TRAFFIC_SOURCE: "traffic_source_id",
    Owner.OFFER: "offer_id",
}
"""What TrackDrive calls the owner of a webhook."""

COLUMNS = (
    *("id", "uuid", "name", "trigger_type", "owner", "owner_id", "paused", "remote_url", "remote_method"),
    *("post_headers", "post_body", "body_kind", "webhook_read_timeout", "delay"),
    *("webhook_body_success_path", "webhook_body_success_match", "conditions", "credential", "signed"),
    *("created_at", "updated_at"),
)
"""The columns of an outgoing webhook, in their order."""


def webhook_object(postback: Postback, credentials: Mapping[str, str], time_zone: str) -> dict[str, object]:
    """A postback as an outgoing webhook; ``credentials`` are the names of those of the vault, by number.

    Whatever looks like a secret in what a person typed is masked.
    """
    made = postback.definition
    values: tuple[object, ...] = (
        *(postback.id, postback.uuid, postback.name),
        TRIGGER_TYPES.get(postback.trigger, postback.trigger.value),
        *(OWNERS[postback.owner], postback.owner_id, postback.paused is not None),
        *(mask_text(made.url), _remote_method(made)),
        "\n".join(mask_text(f"{name}: {value}") for name, value in made.headers),
        *(mask_text(made.body), made.body_kind, made.timeout, made.delay),
        *((made.success.path, made.success.value) if made.success else (None, None)),
        [" ".join(condition).strip() for condition in made.conditions],
        BY_HOST if made.credential == BY_HOST else credentials.get(made.credential),
        made.signed,
        *(iso(postback.created_at, time_zone), iso(postback.updated_at, time_zone)),
    )
    return dict(zip(COLUMNS, values, strict=True))


def _remote_method(definition: Definition) -> str:
    """The method; with a body of its own, TrackDrive calls a POST ``post_body``."""
    method = definition.method.lower()
    return "post_body" if method == "post" and definition.body_kind in {"json", "text"} else method
