"""What Acme posts back itself: Search Co, its traffic source, hears of its sales, at a Ringback that is this very one.

The deliveries are made in the past, by what they are owed for, and sent as soon as the demo serves.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from ringback.cli.samples.deeds import ADA, KEYSTONE, MEG
from ringback.cli.samples.stage import ACCOUNT, DAY, HOUR, SECOND, Stage
from ringback.cli.samples.weeks import BACK_TO, BACK_UUID
from ringback.domain.attributes import CONTACT_FIELDS
from ringback.domain.postbacks import Definition, Owner, Trigger
from ringback.domain.presets import PRESETS
from ringback.sealing import Seal
from ringback.services import byhand, postbacks, vault
from ringback.services.postbacks import PostbackForm
from ringback.services.vault import CredentialForm
from ringback.store import call_search, partners
from ringback.store.call_search import Wanted

SOURCE, SUBDOMAIN = "Search Co", BACK_TO
SINCE = 3 * DAY
"""How long Acme has been posting back."""

OLDEST = 14 * DAY
"""How old the calls are at most that it has posted back."""

MOST_CALLS = 500


@dataclass(frozen=True, slots=True)
class Server:
    """Where the demo serves, and what seals its secrets."""

    port: int
    seal: Seal

    @property
    def postback(self) -> Definition:
        """The preset's postback, to accounts of this server."""
        preset = PRESETS[0].definition
        url = preset.url.replace("https://", "http://").replace("trackdrive.com", f"localhost:{self.port}")
        return replace(preset, url=url, allowed_hosts=("*.localhost",))


def schedule(stage: Stage, now: datetime, server: Server) -> None:
    """Have Acme begin to post back some days ago; what one call of Search Co's pays is not known yet."""
    stage.at(now - SINCE, partial(_begin, stage, server))
    stage.at(now - 5 * HOUR, partial(_sell_without_payout, stage))


def _begin(stage: Stage, server: Server) -> None:
    basic = stage.token(ADA, "For the traffic source Search Co").basic or ""
    form = CredentialForm(SOURCE, "basic", f"{SUBDOMAIN}.localhost", basic)
    vault.create(stage.tx, stage.actor(ADA), server.seal, form)
    number = partners.find_by_name(stage.tx, stage.account.id, "traffic_source", SOURCE)
    gone = Definition("POST", "https://alerts.acme.example/hooks/lost", body='{"call": "[call_uuid]"}')
    for name, trigger, definition, owner in (
        ("Tell the traffic source", Trigger.BUYER_CONVERTED, server.postback, Owner.TRAFFIC_SOURCE),
        ("Tell our alerts of sales taken back", Trigger.BUYER_UNCONVERTED, gone, Owner.ACCOUNT),
    ):
        owner_id = number if owner is Owner.TRAFFIC_SOURCE else None
        postbacks.create(
            stage.tx, stage.actor(MEG), PostbackForm(name, trigger.value, definition, owner.value, owner_id)
        )


def _sell_without_payout(stage: Stage) -> None:
    uuid, there = stage.dice.new_call_uuid(), stage.dice.new_call_uuid()
    call = {"uuid": uuid, "caller_number": "+12155550109", "buyer": KEYSTONE, "offer": "Windows"}
    came_with = {"traffic_source": SOURCE, "trackdrive_subdomain": SUBDOMAIN, BACK_UUID: there}
    for values in ({**call, **came_with}, {**call, "buyer_converted": "true", "revenue": "55.00"}):
        byhand.record(stage.tx, ACCOUNT, values, now=stage.now, new_uuid=uuid, new_id=stage.new_id)


def record_at_source(stage: Stage, now: datetime) -> None:
    """Record at Search Co the calls that it has sent, as far as Acme posts them back, each a moment before it came."""
    number = partners.find_by_name(stage.tx, stage.account.id, "traffic_source", SOURCE)
    sent = Wanted(traffic_source_id=number, since=now - OLDEST)
    for call in reversed(call_search.list_page(stage.tx, stage.account.id, sent, limit=MOST_CALLS).calls):
        stage.now = call.created_at - 2 * SECOND
        contact = call.state[CONTACT_FIELDS.name]
        assert isinstance(contact, dict)  # noqa: S101 - contact fields are
        if call.caller_number is not None and BACK_UUID in contact:
            values = {"caller_number": call.caller_number, "uuid": str(contact[BACK_UUID])}
            uuid = stage.dice.new_call_uuid()
            byhand.record(stage.tx, SUBDOMAIN, values, now=stage.now, new_uuid=uuid, new_id=stage.new_id)
    stage.now = now
