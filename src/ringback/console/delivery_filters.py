"""The filters of the list of deliveries, as they stand in its address."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlencode

from ringback.console.pages import Visit
from ringback.console.update_filters import NO_CALL
from ringback.domain.deliveries import State
from ringback.services import seen
from ringback.store import postbacks
from ringback.store.delivery_search import Wanted

NAMES = ("state", "postback", "host", "call", "differs", "tests")
"""The filters; the state is chosen by a chip, not in the form."""

TESTS: Mapping[str, bool] = {"none": False, "only": True}
"""What can be said of tests, and whether those or all others are meant."""

NO_POSTBACK = 0
_LONGEST_NUMBER = 18


@dataclass(frozen=True, slots=True)
class Filters:
    """What was asked for, as typed and as understood, and what can't be understood of it."""

    typed: Mapping[str, str]
    wanted: Wanted = field(default_factory=Wanted)
    errors: Mapping[str, str] = field(default_factory=dict)

    @property
    def set(self) -> int:
        """How many filters there are besides the state."""
        return sum(bool(value) for name, value in self.typed.items() if name != "state")

    @property
    def is_any(self) -> bool:
        """Whether anything is filtered at all."""
        return any(self.typed.values())

    def query(self, **more: str) -> str:
        """The query string of these filters and of something more."""
        given = {name: value for name, value in {**self.typed, **more}.items() if value}
        return f"?{urlencode(given)}" if given else ""


def read(visit: Visit) -> Filters:
    """The filters of a request, from its address; of a form that goes on with them, from there."""
    typed = {name: (visit.text(name) or visit.query(name))[:300] for name in NAMES}
    errors: dict[str, str] = {}
    if typed["state"] not in set(State):
        typed["state"] = ""
    if typed["tests"] not in TESTS:
        typed["tests"] = ""
    wanted = Wanted(
        state=State(typed["state"]) if typed["state"] else None,
        postback_id=_postback(typed["postback"], errors),
        host=typed["host"].lower() or None,
        call_uuid=_call(visit, typed["call"], errors),
        differs=bool(typed["differs"]),
        is_test=TESTS.get(typed["tests"]),
    )
    return Filters(typed, wanted, errors)


def offered(visit: Visit, filters: Filters) -> list[tuple[str, str]]:
    """The postbacks that can be filtered by; one that was deleted only while it is."""
    rows = [(str(each.id), each.name) for each in postbacks.list_postbacks(visit.tx, [visit.here.id])]
    chosen = filters.typed["postback"]
    if chosen and chosen not in {key for key, _ in rows}:
        rows.append((chosen, f"deleted postback {chosen}"))
    return rows


def _postback(text: str, errors: dict[str, str]) -> int | None:
    if not text:
        return None
    if text.isascii() and text.isdigit() and len(text) <= _LONGEST_NUMBER:
        return int(text)
    errors["postback"] = f"There is no postback {text} here."
    return NO_POSTBACK


def _call(visit: Visit, text: str, errors: dict[str, str]) -> str | None:
    if not text:
        return None
    uuid = seen.find_call(visit.tx, visit.actor, text)
    if uuid is None:
        errors["call"] = f"There is no call {text} here."
    return uuid or NO_CALL
