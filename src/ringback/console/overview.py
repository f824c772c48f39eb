"""The overview: what calls came to in a period, what waits, and where to begin."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from starlette.responses import Response

from ringback.console import charts, told
from ringback.console.pages import Need, Page, Visit, go, render
from ringback.console.shown import amount
from ringback.domain.periods import LONGEST, Part, Period, read_day
from ringback.services import overview
from ringback.services.overview import Overview
from ringback.store.figures import Figures

PERIODS: Mapping[str, tuple[str, int]] = {"today": ("Today", 1), "7": ("7 days", 7), "30": ("30 days", 30)}
"""The periods to choose from: their labels, and how many days they have, today included."""

USUAL = "7"
CUSTOM = "custom"


@dataclass(frozen=True, slots=True)
class Chosen:
    """The period that was chosen, by its name; of a custom one the dates as typed, and what is wrong with them."""

    name: str
    period: Period
    typed: Mapping[str, str] = field(default_factory=lambda: {"from": "", "to": ""})
    errors: Mapping[str, str] = field(default_factory=dict)


def show(visit: Visit) -> Response:
    """What the account's calls came to; members have none of their own, and are led to their calls."""
    if visit.is_member_only:
        return go(visit.url("/calls"))
    beginning = overview.look_at_beginning(visit.tx, visit.here.id, visit.tools.now())
    chosen = _choose(visit)
    found = overview.look(visit.tx, visit.here.id, chosen.period)
    return render(
        visit,
        "overview/show.html",
        beginning=None if beginning.is_over and not visit.query("began") else beginning,
        chosen=chosen,
        periods=PERIODS,
        longest=LONGEST,
        found=found,
        results=told.RESULTS,
        days=urlencode({"from": chosen.period.first, "to": chosen.period.last}),
        parts_told=[(part, figures, _link(visit, part)) for part, figures in found.parts],
        charts=_charts(found),
    )


def _choose(visit: Visit) -> Chosen:
    zone = ZoneInfo(visit.here.time_zone)
    today = visit.tools.now().astimezone(zone).date()
    name = visit.query("period", USUAL)
    if name == CUSTOM:
        return _custom(visit, zone, today)
    name = name if name in PERIODS else USUAL
    return Chosen(name, Period(today - timedelta(days=PERIODS[name][1] - 1), today, zone))


def _custom(visit: Visit, zone: ZoneInfo, today: date) -> Chosen:
    """The dates that were typed; what can't be understood of them is today, and is said."""
    typed = {name: visit.query(name)[:40] for name in ("from", "to")}
    days = {name: read_day(text) for name, text in typed.items()}
    errors = {name: "A date is written as 2026-01-31." for name, day in days.items() if typed[name] and day is None}
    first, last = days["from"] or days["to"] or today, days["to"] or days["from"] or today
    if first > last:
        first, last = last, first
    if (last - first).days >= LONGEST:
        first = last - timedelta(days=LONGEST - 1)
        errors["from"] = f"At most {LONGEST} days are shown at once; these are the last of yours."
    return Chosen(CUSTOM, Period(first, last, zone), typed, errors)


def _link(visit: Visit, part: Part) -> str:
    """The calls of a part of the period; an hour has no list of its own."""
    return visit.url(f"/calls?{urlencode({'from': part.first, 'to': part.last})}") if part.first else ""


def _charts(found: Overview) -> list[tuple[str, str, str, charts.Chart]]:
    """Each chart with its caption and what its bars and their inner parts are."""
    rows = found.parts
    worth = charts.draw((_of_worth(part, each), each.revenue, each.payout) for part, each in rows)
    count = charts.draw((_of_calls(part, each), each.calls, each.conversions) for part, each in rows)
    return [
        ("Calls and conversions", "calls", "conversions", count),
        ("Revenue and payout", "revenue", "payout", worth),
    ]


def _of_calls(part: Part, figures: Figures) -> str:
    return f"{part.label}: {figures.calls} calls, {figures.conversions} conversions"


def _of_worth(part: Part, figures: Figures) -> str:
    return f"{part.label}: revenue {amount(figures.revenue)}, payout {amount(figures.payout)}"


PAGES = (Page("GET", "/a/{account}/overview", show, Need.MEMBER),)
