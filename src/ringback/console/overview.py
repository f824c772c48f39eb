"""The overview: what calls came to in a period, what waits, and where to begin."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from itertools import zip_longest
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from starlette.responses import Response

from ringback.console import charts, comparing, delivery_words, told
from ringback.console.pages import Need, Page, Visit, go, render
from ringback.console.shown import amount
from ringback.domain.figures import Figures
from ringback.domain.periods import LONGEST, Part, Period, read_day, write_hour
from ringback.services import overview, waiting
from ringback.services.overview import Overview

PERIODS: Mapping[str, tuple[str, int]] = {"today": ("Today", 1), "7": ("7 days", 7), "30": ("30 days", 30)}
"""The periods to choose from: their labels, and how many days they have, today included."""

BEFORE = "before"
"""What is said in the address to compare with the period before."""

USUAL = "7"
CUSTOM = "custom"


Row = tuple[Part, Figures]


@dataclass(frozen=True, slots=True)
class Told:
    """A part of a period, what it came to, and where its calls are listed."""

    part: Part
    figures: Figures
    href: str


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
    now = visit.tools.now()
    beginning = overview.look_at_beginning(visit.tx, visit.here.id, now)
    chosen = _choose(visit)
    compares = visit.query("compare") == BEFORE
    periods = [chosen.period, *([chosen.period.before] if compares else ())]
    found, *others = overview.look(visit.tx, visit.here.id, periods)
    before = others[0] if others else None
    return render(
        visit,
        "overview/show.html",
        beginning=None if beginning.is_over and not visit.query("began") else beginning,
        chosen=chosen,
        periods=PERIODS,
        longest=LONGEST,
        found=found,
        before=before,
        figures=comparing.compare(found, before),
        causes=waiting.list_causes(visit.tx, visit.here.id),
        sending=delivery_words.list_open(visit.tx, visit.here.id),
        most_counted=delivery_words.MOST_COUNTED,
        results=told.RESULTS,
        days=urlencode({"from": chosen.period.first, "to": chosen.period.last}),
        days_before=urlencode({"from": chosen.period.before.first, "to": chosen.period.before.last}),
        parts_told=_side_by_side(visit, found, before),
        charts=_charts(found, before),
        columns_told=_COLUMNS,
        same_period=_same_period(chosen),
        is_over=chosen.period.until <= now,
    )


def _choose(visit: Visit) -> Chosen:
    zone = ZoneInfo(visit.here.time_zone)
    today = visit.tools.now().astimezone(zone).date()
    name = visit.query("period", USUAL)
    if name == CUSTOM:
        return _custom(visit, zone, today)
    name = name if name in PERIODS else USUAL
    return Chosen(name, Period(today - timedelta(days=PERIODS[name][1] - 1), today, zone))


def _same_period(chosen: Chosen) -> str:
    """The query string of the period that is chosen."""
    days = {"from": chosen.period.first, "to": chosen.period.last} if chosen.name == CUSTOM else {}
    return urlencode({"period": chosen.name, **days})


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


_COLUMNS: Sequence[tuple[str, Callable[[Figures], str]]] = (
    ("", lambda each: f"{each.calls:,}"),
    ("&converted=yes", lambda each: f"{each.conversions:,}"),
    ("", lambda each: amount(each.revenue)),
    ("", lambda each: amount(each.payout)),
    ("", lambda each: amount(each.margin)),
)
"""The columns of the table: by what their lists are filtered besides, and what stands in them."""


def _side_by_side(visit: Visit, found: Overview, before: Overview | None) -> list[tuple[Told | None, Told | None]]:
    """Each part of the period with the part of the one before that has its place; a day may have 23 hours, or 25."""
    rows = zip_longest(found.parts, before.parts if before else ())

    def told(row: Row | None) -> Told | None:
        return row and Told(row[0], row[1], _link(visit, row[0]))

    return [(told(each), told(other)) for each, other in rows]


def _link(visit: Visit, part: Part) -> str:
    """Where the calls of a part of the period are listed."""
    zone = ZoneInfo(visit.here.time_zone)
    first, last = (day or part.since.astimezone(zone).date() for day in (part.first, part.last))
    hour = {} if part.first else {"hour": write_hour(part.since)}
    return visit.url(f"/calls?{urlencode({'from': first, 'to': last, **hour})}")


def _charts(found: Overview, before: Overview | None) -> list[tuple[str, str, str, charts.Chart]]:
    """Each chart with its caption and what its bars and their inner parts are."""
    rows = list(zip_longest(found.parts, before.parts if before else ()))
    count = charts.draw(_bars(rows, _of_calls, lambda each: (each.calls, each.conversions)))
    worth = charts.draw(_bars(rows, _of_worth, lambda each: (each.revenue, each.payout)))
    return [
        ("Calls and conversions", "calls", "conversions", count),
        ("Revenue and payout", "revenue", "payout", worth),
    ]


def _bars(
    rows: Sequence[tuple[Row | None, Row | None]],
    words: Callable[[Part, Figures], str],
    numbers: Callable[[Figures], tuple[int | Decimal, int | Decimal]],
) -> Iterator[charts.Told]:
    for row, other in rows:
        titles = [words(*each) for each in (row, other) if each]
        whole, part = numbers(row[1]) if row else (0, 0)
        yield charts.Told("; before: ".join(titles), whole, part, numbers(other[1])[0] if other else None)


def _of_calls(part: Part, figures: Figures) -> str:
    return f"{part.label}: {figures.calls} calls, {figures.conversions} conversions"


def _of_worth(part: Part, figures: Figures) -> str:
    return f"{part.label}: revenue {amount(figures.revenue)}, payout {amount(figures.payout)}"


PAGES = (Page("GET", "/a/{account}/overview", show, Need.MEMBER),)
