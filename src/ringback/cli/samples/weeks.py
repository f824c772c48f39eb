"""Five weeks of calls, and what the platforms of their buyers post back: the ordinary course of things."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from functools import partial
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from ringback.cli.samples.stage import DAY, HOUR, MINUTE, Request, Stage
from ringback.entropy import Dice

WEEKS = 5
CALLS_A_DAY = 24
SWITCH, BRIGHT_BASIC, SUMMIT_BASIC, HARBOR_BASIC = (
    "Call router",
    "Global Basic Auth for ops@bright.example",
    "Summit's platform",
    "Harbor CRM",
)
"""Access tokens: the one by which calls are recorded, and those of the buyers' platforms."""

BACK_TO, BACK_UUID = "searchco", "trackdrive_call_uuid"
"""The subdomain of Search Co, and the contact field in which its calls bring the UUID that they have there."""

WITH_CONTACTS = 12
"""How many sales Harbor Insurance has posted back since its platform sends contact fields, which it may not update."""

_BY_HOUR = (1, 1, 0, 0, 0, 1, 2, 5, 9, 13, 15, 14, 12, 12, 14, 15, 13, 10, 7, 6, 5, 4, 3, 2)
_BY_WEEKDAY = (1.15, 1.2, 1.1, 1.05, 1.0, 0.45, 0.3)
"""How calls are spread over the hours of a day and the days of a week, Monday first."""

_FIRST_NAMES = ("Jane", "Joe", "Maria", "Luis", "Ann", "Sam", "Ruth", "Omar", "Kim", "Dan", "Eve", "Walt", "Rosa")
_STATES = ("NY", "NJ", "PA", "OH", "CO", "TX", "FL", "CA", "WA", "MI")
_AREAS = (201, 212, 213, 303, 305, 312, 404, 415, 503, 512, 602, 617, 702, 713, 719, 801, 804, 917)
_SPELLINGS = ("true", "true", "true", "1", "yes", "True")

Body = dict[str, object]


@dataclass(frozen=True, slots=True)
class Habit:
    """A buyer: what he buys, how many of his calls become sales and what they are worth, how his platform posts."""

    buyer: str
    offer: str
    share: int
    sells: float
    worth: tuple[int, int]
    token: str
    write: Callable[[Mapping[str, object]], tuple[bytes, str]]
    ip: str
    names_revenue: float = 1.0
    tells_failures: float = 0.0


@dataclass(frozen=True, slots=True)
class Lead:
    """A call, and when it became a sale, if it did."""

    uuid: str
    at: datetime
    habit: Habit
    sold_at: datetime | None


def _json(body: Mapping[str, object]) -> tuple[bytes, str]:
    return json.dumps(body).encode(), "application/json"


def _form(body: Mapping[str, object]) -> tuple[bytes, str]:
    contact = body.get("post_call_tokens")
    nested = (
        {f"post_call_tokens[{name}]": value for name, value in contact.items()} if isinstance(contact, dict) else {}
    )
    flat = {name: value for name, value in body.items() if value is not contact}
    return urlencode({**flat, **nested}).encode(), _FORM


def _as_curl_does(body: Mapping[str, object]) -> tuple[bytes, str]:
    """JSON that is labelled as a form."""
    return json.dumps(body).encode(), _FORM


_FORM = "application/x-www-form-urlencoded"

HABITS = (
    Habit("Bright Roofing", "Roofing", 46, 0.36, (38, 96), BRIGHT_BASIC, _json, "198.51.100.20", 0.7, 0.35),
    Habit("Summit Solar", "Solar", 30, 0.24, (60, 140), SUMMIT_BASIC, _form, "198.51.100.31", 1.0, 0.15),
    Habit("Harbor Insurance", "Auto Insurance", 24, 0.3, (12, 30), HARBOR_BASIC, _as_curl_does, "198.51.100.44"),
)


def schedule(stage: Stage, now: datetime) -> None:
    """Have the calls of the weeks before now come in, and what follows from them."""
    leads = list(_leads(stage.dice, stage.now, now, ZoneInfo(stage.account.time_zone)))
    sales = sorted((lead.sold_at, lead.uuid) for lead in leads if lead.habit is HABITS[2] and lead.sold_at)
    with_contacts = {uuid for _, uuid in [sale for sale in sales if sale[0] < now][-WITH_CONTACTS:]}
    for lead in leads:
        stage.at(lead.at, partial(stage.record, recording(stage, lead.habit, lead.uuid)))
        if lead.sold_at is not None:
            _schedule_sale(stage, lead, lead.sold_at, names_contact=lead.uuid in with_contacts)
        elif stage.dice.random() < lead.habit.tells_failures:
            stage.at(lead.at + stage.dice.random() * 3 * HOUR, partial(_post, stage, lead, _failure(stage.dice)))


def _leads(dice: Dice, since: datetime, until: datetime, zone: ZoneInfo) -> Iterator[Lead]:
    first = since.astimezone(zone).date()
    for number in range(WEEKS * 7 + 2):
        day = first + timedelta(days=number)
        for hour, share in enumerate(_BY_HOUR):
            wanted = CALLS_A_DAY * _BY_WEEKDAY[day.weekday()] * share / sum(_BY_HOUR)
            begin = datetime.combine(day, time(hour), zone).astimezone(UTC)
            for _ in range(int(wanted + dice.random())):
                moment = begin + dice.random() * HOUR
                if since + HOUR < moment < until - 2 * MINUTE:
                    yield _lead(dice, moment)


def _lead(dice: Dice, moment: datetime) -> Lead:
    (habit,) = dice.choices(HABITS, [habit.share for habit in HABITS])
    sold = dice.random() < habit.sells
    return Lead(dice.new_call_uuid(), moment, habit, moment + _delay(dice) if sold else None)


def _delay(dice: Dice) -> timedelta:
    """How long a buyer takes to know: mostly minutes, sometimes days."""
    (longest,) = dice.choices((90 * MINUTE, DAY, 8 * DAY), (60, 30, 10))
    return 5 * MINUTE + dice.random() * longest


def recording(stage: Stage, habit: Habit, uuid: str | None = None, source: str = "") -> Request:
    """The report of a call for a buyer, from this traffic source or any."""
    dice, seconds = stage.dice, stage.dice.randint(20, 900)
    body: Body = {
        "caller_number": f"+1{dice.choice(_AREAS)}55501{dice.randint(0, 99):02}",
        "buyer": habit.buyer,
        "offer": habit.offer,
        "traffic_source": source or dice.choice(("Search Co", "Search Co", "Social Leads", "Radio Spots")),
        "status": "finished",
        "total_duration": str(seconds + dice.randint(5, 40)),
        "answered_duration": str(seconds),
        "first_name": dice.choice(_FIRST_NAMES),
        "state": dice.choice(_STATES),
    }
    if uuid is not None:
        body["uuid"] = uuid
    if body["traffic_source"] == "Search Co":
        body |= {"trackdrive_subdomain": BACK_TO, BACK_UUID: dice.new_call_uuid()}
    return Request("", body, stage.tokens[SWITCH].authorization, by="", ip="203.0.113.10")


def _schedule_sale(stage: Stage, lead: Lead, sold_at: datetime, *, names_contact: bool) -> None:
    dice = stage.dice
    body: Body = {"buyer_converted": dice.choice(_SPELLINGS), "offer_converted": "true", "post_call_tokens": {}}
    low, high = lead.habit.worth
    revenue = f"{dice.randint(low, high)}.{dice.choice(('00', '50', '25'))}"
    if dice.random() < lead.habit.names_revenue:
        body["revenue"] = dice.choice((revenue, revenue, f"${revenue}"))
    if names_contact:
        body["post_call_tokens"] = {"first_name": dice.choice(_FIRST_NAMES), "zip": f"{dice.randint(10001, 99950)}"}
    elif dice.random() < 0.3:  # noqa: PLR2004 - about a third of the platforms number their events
        body["event_id"] = f"sale-{dice.randint(100_000, 999_999)}"
    stage.at(sold_at, partial(_post, stage, lead, body))
    choices, weights = ((None, _again), (70, 30)) if names_contact else ((None, *_AFTER), (70, 8, 9, 5, 8))
    (after,) = dice.choices(choices, weights)
    if after is not None:
        after(stage, lead, sold_at, body)


def _again(stage: Stage, lead: Lead, sold_at: datetime, body: Body) -> None:
    """The platform was not sure whether it had been heard."""
    stage.at(sold_at + stage.dice.random() * 20 * MINUTE, partial(_post, stage, lead, body))


def _corrected(stage: Stage, lead: Lead, sold_at: datetime, body: Body) -> None:
    low, high = lead.habit.worth
    right: Body = {**body, "revenue": f"{stage.dice.randint(low, high)}.00"}
    stage.at(sold_at + (0.2 + 4 * stage.dice.random()) * DAY, partial(_post, stage, lead, right))


def _taken_back(stage: Stage, lead: Lead, sold_at: datetime, _body: Body) -> None:
    """The customer changed his mind."""
    lost: Body = {"buyer_converted": "false", "offer_converted": "false", "revenue": "0", "post_call_tokens": {}}
    stage.at(sold_at + (1 + 6 * stage.dice.random()) * DAY, partial(_post, stage, lead, lost))


def _sold_more(stage: Stage, lead: Lead, sold_at: datetime, _body: Body) -> None:
    more: Body = {"add_revenue": f"{stage.dice.randint(5, 25)}.00"}
    stage.at(sold_at + (1 + 5 * stage.dice.random()) * DAY, partial(_post, stage, lead, more))


_AFTER: Sequence[Callable[[Stage, Lead, datetime, Body], None]] = (_again, _corrected, _taken_back, _sold_more)


def _failure(dice: Dice) -> Body:
    why = dice.choice(("no answer", "wrong area", "not interested", "existing customer", "call back later"))
    return {"buyer_converted": "false", "post_call_tokens": {"disposition": why}}


def _post(stage: Stage, lead: Lead, body: Body) -> None:
    content, content_type = lead.habit.write(body)
    auth = stage.tokens[lead.habit.token].authorization
    stage.send(Request(lead.uuid, content, auth, content_type=content_type, ip=lead.habit.ip))
