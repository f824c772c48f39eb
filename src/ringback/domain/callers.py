"""Calls that are named by who called: the newest one of a caller, of the offer that a token stands for."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from msgspec import Struct

from ringback.domain.bodies import Fields
from ringback.domain.bodies import Value as Raw
from ringback.domain.decisions import CallRef, RefKind
from ringback.domain.errors import Problem
from ringback.domain.masking import mask_keys
from ringback.domain.names import UnfitError
from ringback.domain.unreplaced import find_unreplaced
from ringback.domain.updates import Understood

NAMES = frozenset({"offer_token", "call_timeframe"})
"""The names of a request that say which call of the caller is meant."""

LONGEST_TIMEFRAME = 5_256_000
"""Minutes: ten years."""

_TOKEN = re.compile(r"[A-Za-z0-9_-]{8,64}")
_MINUTES = re.compile(r"[0-9]{1,7}")


class Meant(Struct):
    """The call that a request means by its caller, how that was understood, and what is wrong with it."""

    ref: CallRef
    trail: list[Understood] = []
    problems: list[Problem] = []


def without_names(fields: Fields) -> Fields:
    """The fields that say something of the call itself."""
    rest = {name: raw for name, raw in fields.values.items() if name not in NAMES}
    return Fields(rest, fields.sources, fields.notes)


def read_offer_token(text: str) -> str:
    """The token of an offer as somebody wants it.

    Raises:
        UnfitError: it can't be one.
    """
    if not _TOKEN.fullmatch(text):
        raise UnfitError("the token of an offer has 8 to 64 letters, digits, - and _")
    return text


def read_caller(text: str, number: str | None, fields: Fields, received_at: datetime, *, source: str = "path") -> Meant:
    """Understand which call of a caller is meant.

    Args:
        text: the caller as he was named.
        number: his telephone number in E.164 form; None if the text holds none.
        fields: what the request names beside him.
        received_at: when it came; minutes are counted back from then.
        source: where he was named.
    """
    meant = Meant(CallRef(RefKind.UNREADABLE, mask_keys(text.replace("\0", "\ufffd"))[:100]))
    if number is None:
        meant.problems.append(_bad("caller_id", text, "a telephone number such as +17195550123"))
    else:
        meant.trail.append(Understood("caller_id", source, "newest_of_caller"))
    token = _token(fields, meant)
    since = _since(fields, received_at, meant)
    if number is not None:
        meant.ref = CallRef(RefKind.CALLER, number, token, since)
    return meant


def _token(fields: Fields, meant: Meant) -> str:
    raw = fields.values.get("offer_token")
    if _is_blank(raw):
        meant.problems.append(Problem("offer_token", "missing_value", {"name": "offer_token"}))
    elif not isinstance(raw, str) or not _TOKEN.fullmatch(raw.strip()):
        meant.problems.append(_bad("offer_token", raw, "the token that the offer's page shows"))
    else:
        meant.trail.append(Understood("offer_token", fields.sources.get("offer_token", "body"), "names_offer"))
        return raw.strip()
    return ""


def _since(fields: Fields, received_at: datetime, meant: Meant) -> datetime | None:
    raw = fields.values.get("call_timeframe")
    if _is_blank(raw):
        return None
    if not isinstance(raw, str) or not _MINUTES.fullmatch(raw.strip()) or not 0 < int(raw) <= LONGEST_TIMEFRAME:
        meant.problems.append(_bad("call_timeframe", raw, "whole minutes, such as 60"))
        return None
    meant.trail.append(Understood("call_timeframe", fields.sources.get("call_timeframe", "body"), "looks_back"))
    return received_at - timedelta(minutes=int(raw))


def _is_blank(raw: Raw) -> bool:
    return raw is None or (isinstance(raw, str) and not raw.strip())


def _bad(name: str, raw: Raw, form: str) -> Problem:
    if isinstance(raw, str) and (token := find_unreplaced(raw)):
        return Problem(name, "unreplaced_token", {"value": mask_keys(token.text), "platform": f"of {token.platform} "})
    return Problem(name, "invalid_value", {"reason": f"{name} must be {form}"})
