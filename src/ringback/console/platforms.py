"""Platforms that post back by a form: what to type into which of their fields.

The names of fields and template tokens are those of each platform's own documentation: Ringba's articles "Pixels" and
"Most Common Tokens", Retreaver's "Webhook Configurator" and its templates, Zapier's "Send webhooks in Zaps", and n8n's
"HTTP Request".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ringback.console.addresses import UUID, Address
from ringback.console.snippets import CALL, CREDENTIAL

JSON, BASIC = "application/json", f"Basic {CREDENTIAL}"
_RETREAVER = (
    "https://retreaver.com/webhook-configurator/v1/?call_key=[call_key]&call_uuid=[call_uuid]"
    "&output_tag_prefix=ringback&ping_url={}&ping_method=POST"
    '&ping_headers={{"Content-Type":"application/json","Authorization":"Token%20<token_value>"}}'
    '&ping_data={{"buyer_converted":"true","revenue":"<payout>","offer_converted":"true","post_call_tokens":{{}}}}'
)


@dataclass(frozen=True, slots=True)
class Platform:
    """A platform: where its form is, its fields with what to type or choose, and what else there is to know."""

    name: str
    label: str
    where: str
    fields: Sequence[tuple[str, str]]
    notes: Sequence[str]


def platforms(address: Address, account: str) -> Sequence[Platform]:
    """What to type for an account."""
    return (_ringba(address, account), _retreaver(address, account), _zapier(address), _n8n(address))


def _body(revenue: str) -> str:
    return f'{{"buyer_converted": "true", "revenue": "{revenue}", "offer_converted": "true", "post_call_tokens": {{}}}}'


def _ringba(address: Address, account: str) -> Platform:
    return Platform(
        "ringba",
        "Ringba",
        "Integrations > Pixels > Create Pixel. Switch Advanced Options on.",
        (
            ("Fire Pixel On", "Payout"),
            ("URL", address.endpoint("[tag:user:trackdrive_call_uuid]")),
            ("HTTP Method", "POST"),
            ("Content Type", JSON),
            ("Headers: key", "Authorization"),
            ("Headers: value", BASIC),
            ("Body", _body("[Call:ConversionPayout]")),
        ),
        (
            f"[Call:ConversionPayout] is what Ringba pays its publisher for the call, here {account}.",
            "With Fire Pixel On set to Converted, that may not be known yet.",
            "trackdrive_call_uuid is a URL parameter (Integrations > URL Parameters), filled by the forward post.",
            "Add a filter, so that the pixel fires only for calls that have this parameter.",
        ),
    )


def _retreaver(address: Address, account: str) -> Platform:
    return Platform(
        "retreaver",
        "Retreaver",
        "Webhooks of the campaign: add one that is triggered by conversions, with the Webhook Configurator.",
        (("Webhook URL", _RETREAVER.format(address.endpoint(UUID))),),
        (
            "<token_value> is the value of a Developer Access Token.",
            "A Basic value would not do here: it may have characters in it that mean something else in a URL.",
            f"<payout> is Retreaver's replacement token for what {account} gets for the call.",
            "[trackdrive_call_uuid] is a tag of the call, which the forward post of the call has to set.",
        ),
    )


def _zapier(address: Address) -> Platform:
    return Platform(
        "zapier",
        "Zapier",
        "An action step with Webhooks by Zapier; as Event, choose Custom Request.",
        (
            ("Method", "POST"),
            ("URL", address.endpoint(CALL)),
            ("Data", _body("<revenue>")),
            ("Headers: Content-Type", JSON),
            ("Headers: Authorization", BASIC),
        ),
        (
            "In place of <trackdrive_call_uuid> and <revenue>, insert the fields of an earlier step that hold them.",
            "Custom Request sends Data as it stands, which the nested post_call_tokens need.",
        ),
    )


def _n8n(address: Address) -> Platform:
    return Platform(
        "n8n",
        "n8n",
        "An HTTP Request node.",
        (
            ("Method", "POST"),
            ("URL", address.endpoint("{{ $json.trackdrive_call_uuid }}")),
            ("Authentication", "Generic Credential Type"),
            ("Generic Auth Type", "Header Auth"),
            ("Header Auth: Name", "Authorization"),
            ("Header Auth: Value", BASIC),
            ("Send Body", "on"),
            ("Body Content Type", "JSON"),
            ("Specify Body", "Using JSON"),
            ("JSON", _body("{{ $json.revenue }}")),
        ),
        (
            "Set URL and JSON to Expression, or n8n sends the braces as they are.",
            "trackdrive_call_uuid and revenue are fields of the item that comes in; put the names of yours.",
        ),
    )
