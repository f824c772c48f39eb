"""Postbacks to begin with, for the platforms of the field."""

from __future__ import annotations

from dataclasses import dataclass

from ringback.domain.postbacks import BY_HOST, Definition, Trigger

CONVERSION = """{
  "buyer_converted": "true",
  "revenue": "[Call:ConversionPayout]",
  "offer_converted": "true",
  "post_call_tokens": {}
}"""
"""The smallest body that converts a call at TrackDrive, and here."""

_CAME_WITH_UUID = (("trackdrive_call_uuid", "exists", ""),)
_PATH = "/api/v1/calls/update_call/[trackdrive_call_uuid]"


@dataclass(frozen=True, slots=True)
class Preset:
    """A definition to begin with."""

    key: str
    label: str
    about: str
    trigger: Trigger
    definition: Definition


PRESETS: tuple[Preset, ...] = (
    Preset(
        "trackdrive",
        "TrackDrive",
        "Tells the traffic source's TrackDrive account that the call converted. One postback serves every traffic "
        "source: subdomain and UUID are those that came with the call.",
        Trigger.BUYER_CONVERTED,
        Definition(
            "POST",
            f"https://[trackdrive_subdomain].trackdrive.com{_PATH}",
            body=CONVERSION,
            conditions=_CAME_WITH_UUID,
            allowed_hosts=("*.trackdrive.com",),
            credential=BY_HOST,
        ),
    ),
    Preset(
        "ringback",
        "Ringback",
        "The same to another Ringback. Put its domain in place of ringback.example, here and under the allowed hosts.",
        Trigger.BUYER_CONVERTED,
        Definition(
            "POST",
            f"https://[trackdrive_subdomain].ringback.example{_PATH}",
            body=CONVERSION,
            conditions=_CAME_WITH_UUID,
            allowed_hosts=("*.ringback.example",),
            credential=BY_HOST,
        ),
    ),
    Preset(
        "forward",
        "Forward post",
        "Hands a call to the buyer's platform as it is forwarded, with our subdomain and UUID, so that the buyer can "
        "post back. Put the buyer's address in place of buyer.example.",
        Trigger.CALL_FORWARDED,
        Definition(
            "POST",
            "https://buyer.example/api/v1/calls",
            body='{\n  "caller_number": "[caller_number]",\n  "trackdrive_subdomain": "[subdomain]",\n'
            '  "trackdrive_call_uuid": "[call_uuid]"\n}',
            credential=BY_HOST,
        ),
    ),
    Preset(
        "ringba",
        "Ringba",
        "Tells Ringba what the call paid, at a webhook made there under Integrations, Webhooks, with Call Token "
        "call_id, Revenue Token call_revenue and Fire Conversion sale_successful. Put its id in place of YOUR-WEBHOOK. "
        "Ringba takes one conversion a call.",
        Trigger.BUYER_CONVERTED,
        Definition(
            "GET",
            "https://webhook.ringba.com/hook/YOUR-WEBHOOK"
            "?call_id=[field:ringba_call_uuid]&call_revenue=[payout]&sale_successful=true",
            body_kind="none",
            conditions=(("field:ringba_call_uuid", "exists", ""),),
        ),
    ),
    Preset(
        "retreaver",
        "Retreaver",
        "Tells Retreaver what the call paid. It knows the call by the UUID and the call key that it sent with it. Put "
        "the address that Retreaver shows, and its names of the parameters, in place of these.",
        Trigger.BUYER_CONVERTED,
        Definition(
            "GET",
            "https://retreaver.example/YOUR-POSTBACK?call_uuid=[field:retreaver_call_uuid]"
            "&call_key=[field:retreaver_call_key]&converted=true&revenue=[payout]",
            body_kind="none",
            conditions=(("field:retreaver_call_uuid", "exists", ""), ("field:retreaver_call_key", "exists", "")),
        ),
    ),
    Preset(
        "everflow",
        "Everflow",
        "A server postback to Everflow by the click's transaction id. Put your tracking domain and offer's network id "
        "in place of these.",
        Trigger.BUYER_CONVERTED,
        Definition(
            "GET",
            "https://tracking.example/?nid=YOUR-NID&transaction_id=[field:transaction_id]&amount=[payout]",
            body_kind="none",
            conditions=(("field:transaction_id", "exists", ""),),
        ),
    ),
    Preset(
        "get",
        "GET with a query string",
        "For anything that takes its values from the address.",
        Trigger.BUYER_CONVERTED,
        Definition("GET", "https://hooks.example/conversion?call=[call_uuid]&payout=[payout]", body_kind="none"),
    ),
    Preset(
        "json",
        "POST with JSON",
        "For anything that takes JSON; amounts go as numbers.",
        Trigger.CALL_CHANGED,
        Definition(
            "POST",
            "https://hooks.example/calls",
            body='{\n  "event": "[trigger]",\n  "call": "[call_uuid]",\n  "revenue": "[revenue]",\n'
            '  "payout": "[payout]"\n}',
            holes={"revenue": "omit", "payout": "omit"},
            types={"revenue": "number", "payout": "number"},
        ),
    ),
)
"""In the order in which they are offered."""
