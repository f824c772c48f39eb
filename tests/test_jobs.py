"""What a server does by itself while it runs."""

from __future__ import annotations

import time
from decimal import Decimal

import pytest
from sqlalchemy import func, select

from ringback import app
from ringback.settings import read_settings
from ringback.store.figure_schema import call_figure_changes, update_figure_changes, update_figures
from ringback.store.migrate import migrate
from tests.live import running
from tests.world import World, build_world


def left(world: World) -> int:
    """How many changes are not yet added to the figures."""
    with world.database.read() as tx:
        return sum(
            tx.execute(select(func.count()).select_from(table)).scalar_one()
            for table in (call_figure_changes, update_figure_changes)
        )


def test_changes_are_added_up(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app, "FIGURES_SECONDS", 0.05)
    made = app.build(read_settings(database_url=database_url))
    migrate(made.database)
    with running(made, build_world(made.database)) as live:
        live.update(live.world.call(revenue=Decimal(1)).uuid, {"revenue": "2"}, auth=live.world.bob_token.authorization)
        deadline = time.monotonic() + 20
        while left(live.world) and time.monotonic() < deadline:
            time.sleep(0.02)
        assert left(live.world) == 0
        with live.world.database.read() as tx:
            assert tx.execute(select(func.sum(update_figures.c.updates))).scalar_one() == 2  # its quarter, and its day
