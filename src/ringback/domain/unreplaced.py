"""Template tokens that a sender failed to replace by a value, in the dialects of the field.

``[Call:ConversionPayout]`` and ``[tag:User:x]`` are Ringba's, ``[x]`` TrackDrive's, ``{{x}}`` Postman's and n8n's,
``{x}`` Everflow's and TUNE's, ``#x#`` CAKE's, ``--A--x--B--`` ViciDial's; each also percent-encoded.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote

NAME = r"[A-Za-z_][\w:. -]{0,127}"
"""The name in a token of ours, or of those who write theirs alike; in free text one with spaces is none."""

LONGEST_DEFAULT = 200
DEFAULT = rf"\{{[^{{}}\[\]]{{0,{LONGEST_DEFAULT}}}\}}"
"""What may follow such a token."""

_NAME = r"[A-Za-z_][\w:.\-]{0,127}"
PLATFORMS = (
    ("Ringba", rf"\[(?:[Cc]all|[Tt]ag|[Nn]umber|[Pp]ublisher|[Bb]uyer|[Cc]ampaign):{NAME}\](?:{DEFAULT})?"),
    ("TrackDrive", rf"\[{_NAME}\](?:{DEFAULT})?"),
    ("Postman, n8n or Zapier", r"\{\{[^{}]{1,128}\}\}"),
    ("JavaScript", rf"\$\{{{_NAME}\}}"),
    ("Everflow or TUNE", rf"\{{{_NAME}\}}"),
    ("CAKE", rf"#{_NAME}#"),
    ("ViciDial", rf"--A--{_NAME}--B--"),
)
"""Whose tokens look how, the more telling first."""

ANY = re.compile("|".join(f"({pattern})" for _, pattern in PLATFORMS))
"""Any of them; which one says its group."""

_MARKS = re.compile(r"[\[{#%]|--A--")
_SHOWN = 80


@dataclass(frozen=True, slots=True)
class UnreplacedToken:
    """A template token found in a value, and the platform whose it looks like."""

    text: str
    platform: str


def find_unreplaced(value: str) -> UnreplacedToken | None:
    """The first template token anywhere in a value; for values that never contain brackets of their own."""
    match = ANY.search(_decoded(value)) if _MARKS.search(value) else None
    return None if match is None else matched(match)


def is_unreplaced(value: str) -> UnreplacedToken | None:
    """The template token that a value consists of; for free text, where brackets may stand in a sentence."""
    match = ANY.fullmatch(_decoded(value).strip()) if _MARKS.search(value) else None
    return None if match is None else matched(match)


def matched(match: re.Match[str]) -> UnreplacedToken:
    """The token that :data:`ANY` found."""
    platform = PLATFORMS[(match.lastindex or 1) - 1][0]
    return UnreplacedToken(match.group()[:_SHOWN], platform)


def _decoded(value: str) -> str:
    return unquote(value) if "%" in value else value
