"""Templates of other platforms: which of their tokens would be sent as they stand, and the same written as ours."""

from __future__ import annotations

import re

from ringback.domain.templates import between, scan
from ringback.domain.unreplaced import ANY, UnreplacedToken, matched

_OURS = {"Ringba", "TrackDrive"}
"""Platforms that write their tokens as we do: ``[name]``."""

_NAME = re.compile(r"([A-Za-z_]\w*)\W*$")
_FRAME = re.compile(r"^--A--|--B--$")


def list_foreign(text: str) -> list[UnreplacedToken]:
    """The tokens of other platforms in a template, each once: nothing here replaces them."""
    found = (matched(match) for piece in scan(text) if isinstance(piece, str) for match in ANY.finditer(piece))
    return list(dict.fromkeys(each for each in found if each.platform not in _OURS))


def convert(text: str) -> str:
    """The template with each token of another platform written as one of ours; of ``{{call.payout}}`` the last name."""
    return between(text, lambda piece: ANY.sub(_converted, piece))


def _converted(match: re.Match[str]) -> str:
    name = _NAME.search(_FRAME.sub("", match[0]))
    return match[0] if name is None or matched(match).platform in _OURS else f"[{name[1]}]"
