"""The public suffix list (publicsuffix.org): the names right below which anybody can register one."""

from __future__ import annotations

from functools import lru_cache

from publicsuffixlist import PublicSuffixList

_OURS = "localhost"
"""Nobody can register a name below it: it means the machine itself (RFC 6761)."""


def is_public_suffix(name: str) -> bool:
    """Whether a name is such a suffix: ``com``, ``co.uk``, ``github.io``."""
    name = name.strip(".").lower()
    return name != _OURS and bool(_list().is_public(name))


@lru_cache(maxsize=1)
def _list() -> PublicSuffixList:
    return PublicSuffixList()
