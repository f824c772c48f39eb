"""What people do at the console in these weeks: settings, rights and tokens change, calls are adjusted by hand."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from ringback import entropy
from ringback.cli.samples.mishaps import BLOCKED, LEFT
from ringback.cli.samples.mishaps import CRM as DEVELOPER_TOKEN
from ringback.cli.samples.stage import DAY, HOUR, MINUTE, Request, Stage
from ringback.cli.samples.weeks import BRIGHT_BASIC, SWITCH
from ringback.domain.access import Role
from ringback.domain.calls import Call
from ringback.domain.decisions import CallRef, RefKind
from ringback.services import account_settings, adjustments, blocking, memberships, own_tokens, partners, runs, waiting
from ringback.services.account_settings import SettingsForm
from ringback.services.own_tokens import Lifetime
from ringback.services.tokens import BASIC
from ringback.store import calls
from ringback.store import partners as partner_store
from ringback.store import waiting as waiting_store
from ringback.store.accounts import TokenRow

ADA, MEG, OLIVE, KIM = "ada@acme.example", "meg@acme.example", "ops@bright.example", "kim@keystone.example"
KEYSTONE = "Keystone Windows"
KEYSTONE_TOKEN = "Keystone's dialer"  # noqa: S105 - what an access token is described as


@dataclass(frozen=True, slots=True)
class Adjustment:
    """So many days ago the newest call of a buyer that was sold, or was not, was adjusted by hand."""

    days: float
    buyer: str
    typed: Mapping[str, str]
    reason: str
    was_sold: bool = True


BRIGHT = "Bright Roofing"
NOTHING = {"buyer_converted": "no", "offer_converted": "no", "revenue": "0"}
ADJUSTED = (
    Adjustment(27.35, BRIGHT, {"revenue": "65.00"}, "Agreed by phone with Olive: two roofs, one call."),
    Adjustment(19.11, "Summit Solar", {"payout": "20.00"}, "Search Co accepts less, see the mail of Monday."),
    Adjustment(11.57, BRIGHT, NOTHING, "Refunded: the caller was the neighbour."),
    Adjustment(1.62, BRIGHT, NOTHING, "Called off within two days."),
    Adjustment(6.21, "Harbor Insurance", {"offer_converted": "yes"}, "A courtesy to the publisher.", was_sold=False),
    Adjustment(
        2.43, BRIGHT, {"buyer_converted": "yes", "revenue": "120.00"}, "Told by mail, no postback came.", was_sold=False
    ),
)


def schedule(stage: Stage, now: datetime) -> None:
    """Have people do what they did in the weeks before now."""
    plan: tuple[tuple[float, Callable[[Stage], object]], ...] = (
        (34.13, _appoint_a_bookkeeper),
        (31.42, _pay_more_for_insurance),
        (28.52, _correct_what_waits),
        (28.37, _grant_and_apply),
        (21.06, _end_a_token),
        (21.02, _block_a_token),
        (18.29, partial(_read_auth_token, wanted=False)),
        (17.61, _send_by_query),
        (17.2, partial(_read_auth_token, wanted=True)),
        (15.44, _rotate_a_token),
        (6.31, _take_on_keystone),
    )
    for days, deed in plan:
        stage.at(now - days * DAY, partial(deed, stage))
    for adjustment in ADJUSTED:
        stage.at(now - adjustment.days * DAY, partial(_adjust, stage, adjustment))
    for hours in (120, 71, 27, 4):
        stage.at(now - hours * HOUR, partial(_sell_windows, stage))


def _appoint_a_bookkeeper(stage: Stage) -> None:
    memberships.appoint(stage.tx, stage.actor(ADA), "books@acme.example", Role.MANAGER, _secret())


def _pay_more_for_insurance(stage: Stage) -> None:
    form = {"name": "Auto Insurance", "payout": "9.00"}
    rows = partner_store.list_partners(stage.tx, stage.account.id, "offer")
    (row,) = [row for row in rows if row["name"] == form["name"]]
    partners.change(stage.tx, stage.actor(MEG), "offer", row, form)


def _correct_what_waits(stage: Stage) -> None:
    """Set by hand what a refused update names; when that is applied, the newer value stays."""
    held = waiting_store.list_waiting(stage.tx, stage.account.id)
    call = calls.find(stage.tx, stage.account.id, CallRef(RefKind.UUID, held[0].call_uuid)) if held else None
    if call is not None:
        _adjust_call(stage, call, {"revenue": "21.00"}, "Told by phone, since the postback was refused.")


def _grant_and_apply(stage: Stage) -> None:
    """Grant the right that most updates wait for, and apply them."""
    causes = [caused for caused in waiting.list_causes(stage.tx, stage.account.id) if caused.can_apply]
    if causes:
        runs.start(stage.tx, stage.actor(ADA), causes[0].cause.name)


def _block_a_token(stage: Stage) -> None:
    """Block what a script of the buyer's sends with, after its first update."""
    body = {"buyer_converted": "true", "revenue": "51.00", "offer_converted": "true"}
    auth = stage.tokens[BLOCKED].authorization
    stage.send(Request(stage.calls["Bright Roofing"][-1], body, auth, ip="198.51.100.44"))
    blocking.block(stage.tx, stage.actor(ADA), _own_token(stage, BLOCKED).id)


def _end_a_token(stage: Stage) -> None:
    own_tokens.revoke(stage.tx, stage.actor(OLIVE), _own_token(stage, LEFT))


def _rotate_a_token(stage: Stage) -> None:
    """Renew the access token by which Bright's platform posts back; the old one ends a day later."""
    forever = Lifetime(own_tokens.NEVER, "", stage.account.time_zone)
    token = _own_token(stage, BRIGHT_BASIC)
    stage.tokens[BRIGHT_BASIC] = own_tokens.rotate(
        stage.tx, stage.actor(OLIVE), token, overlap="24", lifetime=forever, random=_random()
    )


def _read_auth_token(stage: Stage, *, wanted: bool) -> None:
    account = stage.account
    form = SettingsForm(
        account.name, account.time_zone, wanted, account.keeps_unknown_fields, str(account.retry_seconds)
    )
    account_settings.change(stage.tx, stage.actor(ADA), account, form)


def _send_by_query(stage: Stage) -> None:
    """A sender of the old way, while the account doesn't read ``auth_token``."""
    token = stage.tokens[DEVELOPER_TOKEN].token
    query = f"auth_token={token}&buyer_converted=1&revenue=44.00"
    stage.send(Request(stage.calls["Bright Roofing"][-1], method="GET", query=query, content_type=""))


def _take_on_keystone(stage: Stage) -> None:
    """A new buyer: his user sees his calls, and nobody has turned on API access yet."""
    meg = stage.actor(MEG)
    form = {"name": KEYSTONE, "email": KIM, "agreed_revenue": "35.00"}
    number = partners.create(stage.tx, meg, "buyer", form)
    memberships.share_buyer(stage.tx, meg, number, KEYSTONE, email=KIM, secret=_secret())
    stage.token(KIM, KEYSTONE_TOKEN, home="keystone")


def _sell_windows(stage: Stage) -> None:
    """A call for the new buyer, whose platform tells half an hour later what became of it."""
    number = f"+1215555010{len(stage.calls[KEYSTONE])}"
    call = {"caller_number": number, "buyer": KEYSTONE, "offer": "Windows", "traffic_source": "Radio Spots"}
    stage.record(Request("", {**call, "status": "finished"}, stage.tokens[SWITCH].authorization, by=""))
    body = {"buyer_converted": "true", "revenue": "35.00", "offer_converted": "true", "payout": "14.00"}
    sale = Request(stage.calls[KEYSTONE][-1], body, stage.tokens[KEYSTONE_TOKEN].authorization, ip="198.51.100.58")
    stage.at(stage.now + 30 * MINUTE, lambda: stage.send(sale))


def _adjust(stage: Stage, adjustment: Adjustment) -> None:
    for uuid in reversed(stage.calls[adjustment.buyer]):
        call = calls.find(stage.tx, stage.account.id, CallRef(RefKind.UUID, uuid))
        if call is not None and call.state["buyer_converted"] is adjustment.was_sold:
            _adjust_call(stage, call, adjustment.typed, adjustment.reason)
            return


def _adjust_call(stage: Stage, call: Call, typed: Mapping[str, str], reason: str) -> None:
    adjustments.adjust(stage.tx, stage.actor(stage.dice.choice((ADA, MEG))), call, typed, reason)


def _own_token(stage: Stage, description: str) -> TokenRow:
    return own_tokens.find(stage.tx, stage.actor(OLIVE).principal.user_id, BASIC, stage.tokens[description].id)


def _random() -> tuple[bytes, bytes]:
    return entropy.secret_bytes(), entropy.secret_bytes()


def _secret() -> str:
    """Of an invitation that nobody opens."""
    return entropy.secret_bytes().hex()
