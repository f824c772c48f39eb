"""The columns of a call that TrackDrive's clients know, those of them that are counted, or that are never kept."""

from __future__ import annotations

from ringback.domain.access import EVERY_ATTRIBUTE
from ringback.domain.answers import call_columns

OFFICIAL = (
    *("id", "legacy_id", "type", "uuid", "created_at", "updated_at", "deleted_at", "user_updated_at"),
    *("routes_show_path", "routes_edit_path", "external_record_id", "name", "recording_url", "category"),
    *("number_called", "number_id", "connected_to", "caller_number", "offer", "user_offer_id", "offer_id"),
    *("quality_assurance_user_id", "quality_assurance_name", "quality_assurance_id", "agent_id"),
    *("traffic_source", "user_traffic_source_id", "traffic_source_id", "buyer", "user_buyer_id", "buyer_id"),
    *("obfuscated_caller_number", "caller_city", "caller_country", "token_values", "total_duration"),
    *("hold_duration", "ivr_duration", "attempted_duration", "answered_duration", "agent_duration", "sub_id"),
    *("schedule_id", "schedule_name", "ring_pool_id", "status", "buyer_converted", "buyer_repeat_caller"),
    *("buyer_revenue", "revenue", "traffic_source_converted", "traffic_source_repeat_caller"),
    *("traffic_source_payout", "payout", "trackdrive_cost", "provider_cost", "call_sid", "provider"),
    *("outgoing_webhooks_count", "ended_at", "contact_field_type", "disposition_id", "disposition_key"),
    *("disposition_name", "disposition_notes", "hangup_cause", "hangup_reason"),
)
"""All columns that may be asked for."""

WEBHOOKS = "outgoing_webhooks_count"
"""The one that is counted where it is asked for: how many deliveries were made for a call, tests apart."""

NOT_KEPT = frozenset(OFFICIAL) - {*call_columns(EVERY_ATTRIBUTE), WEBHOOKS}
"""Those that are null in every call; they are shown only where they are asked for."""

EVERY = frozenset((*OFFICIAL, *call_columns(EVERY_ATTRIBUTE)))
"""All columns that there are, for whoever reads everything."""
