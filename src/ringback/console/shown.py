"""How values are shown to people: times in the account's zone, amounts, codes as sentences."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from ringback.domain.errors import CODES
from ringback.domain.money import format_amount

_MINUTE, _HOUR, _DAY = 60, 3600, 86_400
_BROWSERS = (
    ("Edg/", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
    ("curl/", "curl"),
)
_SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS X", "Mac"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)
"""What stands in a User-Agent, the more telling first: every browser names several others too."""


def moment(value: datetime | None, zone: str) -> str:
    """A time in a time zone, to the second."""
    return "" if value is None else f"{value.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M:%S}"


def clock(value: datetime, zone: str) -> str:
    """The time of day in a time zone, with the name of its time: a clock may show an hour twice."""
    return f"{value.astimezone(ZoneInfo(zone)):%H:%M %Z}"


def seconds(value: int) -> str:
    """A duration as minutes and seconds."""
    return f"{value // _MINUTE}:{value % _MINUTE:02}"


def duration(value: timedelta) -> str:
    """About how long, in its two largest units."""
    total = round(value.total_seconds())
    for size, unit, less, smaller in ((_DAY, "d", _HOUR, "h"), (_HOUR, "h", _MINUTE, "min"), (_MINUTE, "min", 1, "s")):
        if total >= size:
            return f"{total // size} {unit} {total % size // less} {smaller}"
    return f"{total} s"


def ago(value: datetime | None, now: datetime) -> str:
    """How long ago, in the largest unit that fits."""
    if value is None:
        return "never"
    seconds = int((now - value).total_seconds())
    for size, unit in ((_DAY, "d"), (_HOUR, "h"), (_MINUTE, "min")):
        if abs(seconds) >= size:
            return f"{seconds // size} {unit} ago" if seconds > 0 else f"in {round(-seconds / size)} {unit}"
    return "just now"


def soon(value: datetime, now: datetime) -> str:
    """How soon, to the second while it is seconds."""
    left = int((value - now).total_seconds())
    return f"in {left} s" if 0 < left < _MINUTE else ago(value, now)


def amount(value: object) -> str:
    """Money with as many decimals as it needs, two at least; a dash for none, text as it is."""
    if value is None or value == "":
        return "-"
    if not isinstance(value, Decimal):
        return str(value)
    decimals = len(format_amount(value).partition(".")[2])
    return f"{value:,.{decimals}f}"


def code_title(code: str) -> str:
    """What a code means, in a few words without its details."""
    return code.replace("_", " ").capitalize().replace("Api ", "API ")


def code_hint(code: str) -> str:
    """What to do about a code."""
    return CODES[code].hint if code in CODES else ""


def browser(agent: str) -> str:
    """What kind of browser a User-Agent names, as its user knows it."""
    name = next((name for mark, name in _BROWSERS if mark in agent), "")
    system = next((name for mark, name in _SYSTEMS if mark in agent), "")
    return f"{name} on {system}" if name and system else name or agent[:60] or "unknown"


FILTERS = {
    "browser": browser,
    "moment": moment,
    "clock": clock,
    "seconds": seconds,
    "duration": duration,
    "ago": ago,
    "soon": soon,
    "amount": amount,
    "code_title": code_title,
    "code_hint": code_hint,
}
