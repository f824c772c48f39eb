from __future__ import annotations

from datetime import UTC, datetime

import pytest

from ringback.domain.access import EVERY_ATTRIBUTE
from ringback.domain.answers import call_columns, call_object
from ringback.domain.attributes import blank_state
from ringback.domain.calls import Call
from ringback.domain.columns import NOT_KEPT, OFFICIAL, WEBHOOKS

NOW = datetime(2026, 5, 1, tzinfo=UTC)


@pytest.mark.parametrize("readable", [EVERY_ATTRIBUTE, frozenset({"revenue"}), frozenset[str]()])
def test_the_columns_are_those_of_the_object(readable: frozenset[str]) -> None:
    call = Call(1, "3f2b8c1e-0000-4000-8000-000000000000", 7, None, blank_state(), NOW, NOW)
    assert call_columns(readable) == tuple(call_object(call, readable, "UTC"))


def test_every_official_column_is_kept_or_known_not_to_be() -> None:
    assert len(OFFICIAL) == len(set(OFFICIAL)) == 67
    kept = {*call_columns(EVERY_ATTRIBUTE), WEBHOOKS}
    assert set(OFFICIAL) <= NOT_KEPT | kept
    assert not NOT_KEPT & kept
