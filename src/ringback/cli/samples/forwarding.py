"""What Acme hands on to Bright Roofing, which has an account of its own here: the loop of a call, from end to end.

Search Co's calls come to Acme, whose forward post records them at Bright. When Bright converts one, its postback tells
Acme, and Acme's tells Search Co. The deliveries are made in the past, and sent as soon as the demo serves.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import partial

from ringback.cli.samples.deeds import ADA, BRIGHT, MEG, OLIVE
from ringback.cli.samples.sending import SOURCE, Server
from ringback.cli.samples.stage import ACCOUNT, HOUR, MINUTE, SECOND, Stage
from ringback.cli.samples.weeks import BACK_UUID, BRIGHT_BASIC, HABITS, recording
from ringback.domain.access import AccessType
from ringback.domain.postbacks import BY_HOST, Definition, Owner, Trigger
from ringback.services import byhand, postbacks, vault
from ringback.services.postbacks import PostbackForm
from ringback.services.vault import CredentialForm
from ringback.store import partners

BUYER = "bright"
"""The subdomain of Bright Roofing."""

HANDED_OUT = "For Acme Media, which forwards calls"
SINCE, CALLED, SOLD = 3 * HOUR, 47 * MINUTE, 12 * MINUTE
"""How long ago Acme began to forward; and a call that Bright sold came in, and was sold."""

WORTH = {"buyer_converted": "true", "revenue": "310.00", "payout": "96.00"}
"""What Bright's roofers paid for it, and what Bright pays Acme."""

BODY = """{
  "uuid": "[call_uuid]",
  "caller_number": "[caller_number]",
  "traffic_source": "[account_name]",
  "trackdrive_subdomain": "[subdomain]",
  "trackdrive_call_uuid": "[call_uuid]"
}"""


def schedule(stage: Stage, now: datetime, server: Server) -> None:
    """Have Acme forward calls, and Bright post back, since a few hours ago."""
    stage.at(now - SINCE, partial(_begin, stage, server))
    stage.at(now - CALLED, partial(_forward, stage, now - SOLD))


def _begin(stage: Stage, server: Server) -> None:
    handed_out = stage.token(OLIVE, HANDED_OUT, home=BUYER, access_type=AccessType.EVERYTHING)
    secret = CredentialForm(BRIGHT, "basic", f"{BUYER}.localhost", handed_out.basic or "")
    vault.create(stage.tx, stage.actor(ADA), server.seal, secret)
    url = f"http://{BUYER}.localhost:{server.port}/api/v1/calls"
    number = partners.find_by_name(stage.tx, stage.account.id, Owner.BUYER, BRIGHT)
    forward = Definition("POST", url, body=BODY, credential=BY_HOST)
    form = PostbackForm(f"Hand calls to {BRIGHT}", Trigger.CALL_FORWARDED.value, forward, Owner.BUYER.value, number)
    postbacks.create(stage.tx, stage.actor(MEG), form)
    olive = stage.actor(OLIVE, BUYER)
    secret = CredentialForm("Acme Media", "basic", f"{ACCOUNT}.localhost", stage.tokens[BRIGHT_BASIC].basic or "")
    vault.create(stage.tx, olive, server.seal, secret)
    form = PostbackForm("Tell the traffic source", Trigger.BUYER_CONVERTED.value, server.postback)
    postbacks.create(stage.tx, olive, form)


def _forward(stage: Stage, sold_at: datetime) -> None:
    """A call comes to Acme and is recorded at Bright, which sells it."""
    (habit,) = [each for each in HABITS if each.buyer == BRIGHT]
    call = stage.record(recording(stage, habit, source=SOURCE)).call
    assert call is not None  # noqa: S101 - it was recorded
    there = {"uuid": call.uuid, "caller_number": call.caller_number or ""}
    came_with = {"traffic_source": "Acme Media", "trackdrive_subdomain": ACCOUNT, BACK_UUID: call.uuid}
    stage.at(stage.now + SECOND, partial(_at_bright, stage, {**there, **came_with}))
    stage.at(sold_at, partial(_at_bright, stage, {**there, **WORTH}))


def _at_bright(stage: Stage, values: Mapping[str, str]) -> None:
    uuid = stage.dice.new_call_uuid()
    byhand.record(stage.tx, BUYER, values, now=stage.now, new_uuid=uuid, new_id=stage.new_id)
