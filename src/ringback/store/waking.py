"""How workers hear at once that something is due: from other processes on PostgreSQL, else from their own.

A worker that hears nothing looks now and then all the same.
"""

from __future__ import annotations

import selectors
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg
from sqlalchemy import Connection

from ringback.store.engine import Database

CHANNEL = "ringback_due"

AGAIN_SECONDS = 1.0
"""How long until a lost connection is made anew."""


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
    told, telling = socket.socketpair()
    listener = threading.Thread(target=_listen, args=(database, heard, told), name="listener", daemon=True)
    listener.start()
    try:
        yield
    finally:
        telling.close()
        listener.join(AGAIN_SECONDS)


def _listen(database: Database, heard: Callable[[], None], told: socket.socket) -> None:
    """Listen until the other end of ``told`` is closed."""
    url = database.url.set(drivername="postgresql").render_as_string(hide_password=False)
    with told, selectors.DefaultSelector() as ready:
        ready.register(told, selectors.EVENT_READ)
        while True:
            try:
                with psycopg.connect(url, autocommit=True) as connection:
                    connection.execute(f"LISTEN {CHANNEL}")
                    heard()  # whatever came while nobody listened
                    with _registered(ready, connection):
                        while all(key.fileobj is not told for key, _ in ready.select()):
                            for _ in connection.notifies(timeout=0):
                                heard()
                    return
            except psycopg.Error:
                if ready.select(AGAIN_SECONDS):
                    return


@contextmanager
def _registered(ready: selectors.BaseSelector, connection: psycopg.Connection) -> Iterator[None]:
    number = connection.fileno()
    ready.register(number, selectors.EVENT_READ)
    try:
        yield
    finally:
        ready.unregister(number)
