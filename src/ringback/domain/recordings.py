"""The recording of a call, as it is reported to us: Ringback is no telephone switch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from msgspec.structs import replace

from ringback.domain.bodies import Fields
from ringback.domain.decisions import read_uuid
from ringback.domain.details import NAMES as DETAIL_NAMES
from ringback.domain.details import Detail, bad, invalid, is_blank, read_details
from ringback.domain.errors import Problem
from ringback.domain.unreplaced import find_unreplaced
from ringback.domain.updates import UNSTORABLE, Reading, keep_unknown, read_patch

PARTNERS: Mapping[str, str] = {
    "buyer": "buyer",
    "buyer_id": "buyer",
    "traffic_source": "traffic_source",
    "traffic_source_id": "traffic_source",
    "trackdrive_buyer_id": "buyer",
    "trackdrive_traffic_source_id": "traffic_source",
    "offer": "offer",
    "offer_id": "offer",
}
"""The names that refer to a partner, by number, UUID or name."""

_TEXTS = frozenset({"caller_number", "uuid"})
NAMES = frozenset(PARTNERS) | DETAIL_NAMES | _TEXTS
"""The names of a recording that are neither attributes nor template token values."""


@dataclass(frozen=True, slots=True)
class Recording:
    """A call as it was reported. ``details`` are what is named of its state, ``partners`` who is named, by noun."""

    reading: Reading
    uuid: str | None = None
    caller_number: str | None = None
    partners: Mapping[str, str] = field(default_factory=dict)
    details: Mapping[str, Detail] = field(default_factory=dict)


def read_recording(fields: Fields, *, keys: Mapping[str, str], dry_run: str | None) -> Recording:
    """Understand a recording; names that are not its own are template token values, kept as contact fields."""
    own = {name: raw for name, raw in fields.values.items() if name in NAMES and not is_blank(raw)}
    rest = {name: raw for name, raw in fields.values.items() if name not in NAMES}
    reading = keep_unknown(read_patch(Fields(rest, fields.sources, fields.notes), keys=keys, dry_run=dry_run))
    told = read_details(own)
    problems = told.problems
    partners: dict[str, str] = {}
    texts: dict[str, str] = {}
    for name, raw in own.items():
        if name in DETAIL_NAMES:
            continue
        if not isinstance(raw, str) or find_unreplaced(raw) or UNSTORABLE.search(raw):
            problems.append(bad(name, raw))
        elif name in PARTNERS:
            noun, value = PARTNERS[name], raw.strip()
            if partners.setdefault(noun, value) != value:
                problems.append(Problem(noun, "conflicting_values", {"first": noun, "second": f"{noun}_id"}))
        else:
            texts[name] = raw.strip()
    uuid = read_uuid(texts["uuid"]) if "uuid" in texts else None
    if "uuid" in texts and uuid is None:
        problems.append(invalid("uuid", "a UUID such as 3f2b8c1e-0000-4000-8000-000000000000"))
    reading = replace(reading, problems=(*problems, *reading.problems))
    return Recording(reading, uuid, texts.get("caller_number"), partners, told.values)
