"""Asking for postbacks of a call to be sent anew: TrackDrive's ``rerun_webhooks`` and ``fire_outgoing_webhook_ids``.

It is for who runs the account: of others these are names that mean nothing.
"""

from __future__ import annotations

from msgspec.structs import replace

from ringback.domain.bodies import Fields
from ringback.domain.bodies import Value as Raw
from ringback.domain.details import bad, invalid, is_blank
from ringback.domain.errors import Problem
from ringback.domain.receipts import NO_REFIRES, Refires
from ringback.domain.updates import Reading, Understood, read_truth

EVERY = "rerun_webhooks"
SOME = "fire_outgoing_webhook_ids"
NAMES = frozenset({EVERY, SOME})

MOST = 100
"""Postbacks that one update may name."""


def take_refires(reading: Reading) -> tuple[Reading, Refires]:
    """A reading of somebody who runs the account, and the postbacks it asks for; their names are not unknown then."""
    unknown = reading.unknown
    named = [] if unknown is None else [name for name in unknown.values if name in NAMES]
    if unknown is None or not named:
        return reading, NO_REFIRES
    problems: list[Problem] = []
    every = _read_every(unknown.values.get(EVERY), problems)
    ids = _read_ids(unknown.values.get(SOME), problems)
    rest = {name: raw for name, raw in unknown.values.items() if name not in NAMES}
    read = replace(
        reading,
        trail=(*reading.trail, *(Understood(name, unknown.sources.get(name, "body"), "refire") for name in named)),
        ignored=tuple(name for name in reading.ignored if name not in NAMES),
        problems=(*reading.problems, *problems),
        unknown=Fields(rest, unknown.sources, unknown.notes) if rest else None,
    )
    return read, Refires(every, ids)


def _read_every(raw: Raw, problems: list[Problem]) -> bool:
    asked = None if is_blank(raw) else read_truth(raw)
    if asked is None and not is_blank(raw):
        problems.append(invalid(EVERY, "true or false"))
    return bool(asked)


def _read_ids(raw: Raw, problems: list[Problem]) -> tuple[int, ...]:
    """The numbers in a list, or in a text with commas between them."""
    listed = raw if isinstance(raw, list) else str(raw).split(",") if isinstance(raw, str) else [raw]
    ids = []
    for each in listed:
        if is_blank(each):
            continue
        if not (isinstance(each, str) and each.strip().isdecimal() and len(each) <= len(str(2**31))):
            problems.append(bad(SOME, each) if isinstance(each, str) and not each.isdecimal() else _no_ids())
            return ()
        ids.append(int(each))
    if len(ids) > MOST:
        problems.append(_no_ids())
        return ()
    return tuple(dict.fromkeys(ids))


def _no_ids() -> Problem:
    return invalid(SOME, f"numbers of postbacks, {MOST} at most")
