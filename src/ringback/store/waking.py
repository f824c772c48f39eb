"""How workers hear at once that something is due: from other processes on PostgreSQL, else from their own.

A worker that hears nothing looks now and then all the same.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg
from sqlalchemy import Connection

from ringback.store.engine import Database

CHANNEL = "ringback_due"

AGAIN_SECONDS = 1.0
"""How long until a lost connection is made anew."""

STOP_SECONDS = 0.2
"""How long it takes at most to stop listening."""


def announce(connection: Connection) -> None:
    """Have workers look, once this transaction is committed."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"NOTIFY {CHANNEL}")
    else:
        connection.info["announced"] = True


@contextmanager
def listening(database: Database, heard: Callable[[], None]) -> Iterator[None]:
    """Have ``heard`` called, in any thread, whenever something may be due."""
    if database.is_sqlite:
        database.announced.append(heard)
        try:
            yield
        finally:
            database.announced.remove(heard)
        return
    stopped = threading.Event()
    listener = threading.Thread(target=_listen, args=(database, heard, stopped), name="listener", daemon=True)
    listener.start()
    try:
        yield
    finally:
        stopped.set()
        listener.join(AGAIN_SECONDS)


def _listen(database: Database, heard: Callable[[], None], stopped: threading.Event) -> None:
    url = database.url.set(drivername="postgresql").render_as_string(hide_password=False)
    while not stopped.is_set():
        try:
            with psycopg.connect(url, autocommit=True) as connection:
                connection.execute(f"LISTEN {CHANNEL}")
                heard()  # whatever came while nobody listened
                while not stopped.is_set():
                    for _ in connection.notifies(timeout=STOP_SECONDS, stop_after=1):
                        heard()
        except psycopg.Error:
            stopped.wait(AGAIN_SECONDS)
