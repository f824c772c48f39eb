"""Turns to write a SQLite file: one at a time, in good time, and the log comes to an end."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from multiprocessing.connection import Connection as Pipe
from pathlib import Path

import pytest
from sqlalchemy import text

from ringback.store.engine import Database
from ringback.store.failures import ContendedError
from ringback.store.writing import ENDING, Turns

LONG, SHORT = 30.0, 0.05
"""Seconds that are never waited for to the end, and that always are."""

MOST_OF_A_LOG = 25_000_000
"""It is written back when it has 16 MB; what one transaction writes is beyond that."""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    made = tmp_path / "ringback.db"
    made.touch()
    return made


def is_free(turns: Turns) -> bool:
    """Whether a turn can be had."""
    try:
        with turns.take(SHORT):
            return True
    except ContendedError:
        return False


def test_threads_and_processes_wait_for_each_other_and_not_for_ever(file: Path) -> None:
    here, elsewhere = Turns(str(file)), Turns(str(file))
    with here.take(LONG) as left:
        assert 0 < left <= LONG
        assert not is_free(here)
        assert not is_free(elsewhere)
    assert is_free(here)
    assert is_free(elsewhere)


def test_a_turn_ends_however_its_block_ends(file: Path) -> None:
    turns = Turns(str(file))
    with pytest.raises(ZeroDivisionError), turns.take(LONG):
        raise ZeroDivisionError
    assert is_free(Turns(str(file)))
    assert is_free(turns)


def test_who_waits_goes_on_when_it_is_his_turn(file: Path) -> None:
    with ThreadPoolExecutor() as threads:
        with Turns(str(file)).take(LONG):
            waiting = threads.submit(is_free_in_time, Turns(str(file)))
            assert not waiting.done()
        assert waiting.result()


def is_free_in_time(turns: Turns) -> bool:
    with turns.take(LONG):
        return True


def test_one_file_by_two_names_has_one_turn(file: Path) -> None:
    link = file.with_name("other.db")
    link.symlink_to(file)
    with Turns(str(link)).take(LONG):
        assert not is_free(Turns(str(file)))


def hold(file: str, said: Pipe) -> None:
    with Turns(file).take(LONG):
        said.send("mine")
        threading.Event().wait()


def test_the_turn_of_a_killed_process_is_over(file: Path) -> None:
    here, there = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=hold, args=(str(file), there))
    process.start()
    assert here.recv() == "mine"
    turns = Turns(str(file))
    assert not is_free(turns)
    assert process.pid is not None
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    assert is_free(turns)


def test_where_there_can_be_no_turns_the_lock_of_sqlite_has_to_do(file: Path) -> None:
    file.with_name(file.name + ENDING).symlink_to(file.parent / "nowhere" / "to be found")
    with Turns(str(file)).take(LONG):
        assert is_free(Turns(str(file)))
    with closing(Database(f"sqlite:///{file}")) as one, closing(Database(f"sqlite:///{file}")) as other:
        with one.write() as tx:
            tx.execute(text("CREATE TABLE t (x)"))
        with other.write() as tx:
            tx.execute(text("INSERT INTO t VALUES (1)"))


def test_a_program_that_takes_no_turns_is_waited_for(file: Path) -> None:
    with closing(Database(f"sqlite:///{file}")) as database, ThreadPoolExecutor() as threads:
        write(database, "CREATE TABLE t (x)")
        with closing(sqlite3.connect(file, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            waiting = threads.submit(write, database, "INSERT INTO t VALUES (2)")
            other.execute("INSERT INTO t VALUES (1)")
            assert not waiting.done()
            other.execute("COMMIT")
            waiting.result()
            assert [x for (x,) in other.execute("SELECT x FROM t")] == [1, 2]


def write(database: Database, statement: str) -> None:
    with database.write() as tx:
        tx.execute(text(statement))


def test_the_log_comes_to_an_end_though_two_write_all_the_time(file: Path) -> None:
    url = f"sqlite:///{file}"
    with closing(Database(url)) as one, closing(Database(url)) as other, ThreadPoolExecutor() as threads:
        write(one, "CREATE TABLE t (x)")

        def fill(database: Database) -> None:
            for _ in range(50):
                write(database, "INSERT INTO t VALUES (zeroblob(1048576))")

        each = [threads.submit(fill, database) for database in (one, other)]
        for future in each:
            future.result()
        assert file.with_name(f"{file.name}-wal").stat().st_size < MOST_OF_A_LOG
