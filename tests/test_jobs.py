"""What a server does by itself while it runs."""

from __future__ import annotations

import time
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import func, select

from ringback import app, clock, entropy
from ringback.services import retention
from ringback.settings import read_settings
from ringback.store.figure_schema import call_figure_changes, update_figure_changes, update_figures
from ringback.store.migrate import migrate
from ringback.store.schema import credential_failures
from ringback.store.values import lowest_id
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


def test_what_was_kept_long_enough_goes(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app, "PRUNE_SECONDS", 0.05)
    monkeypatch.setattr(app, "REST_SECONDS", 0.01)
    monkeypatch.setattr(retention, "AT_ONCE", 2)
    made = app.build(read_settings(database_url=database_url, keep_traces_days=1))
    migrate(made.database)
    traces = credential_failures
    with running(made, build_world(made.database)) as live:
        for _ in range(7):
            live.update(entropy.new_call_uuid(), {"revenue": "2"}, auth="Token 2f7c1d9e0b8a4c6f9d3e")
        old = lowest_id(clock.now() - timedelta(days=2))
        with made.database.write() as tx:
            for number, row in enumerate(tx.execute(select(traces.c.id).order_by(traces.c.id)).scalars().all()[:-1]):
                tx.execute(traces.update().where(traces.c.id == row).values(id=f"{old[:-1]}{number}"))
        deadline = time.monotonic() + 20
        kept = 7
        while kept > 1 and time.monotonic() < deadline:
            time.sleep(0.02)
            with made.database.read() as tx:
                kept = tx.execute(select(func.count()).select_from(traces)).scalar_one()
        assert kept == 1
