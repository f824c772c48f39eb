from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.postgres import (
    OLDEST,
    PostgresFailedError,
    PostgresMissingError,
    PostgresServer,
    find_programs,
    in_wheel,
    on_machine,
)


@pytest.fixture
def durable_server() -> Iterator[PostgresServer]:
    with PostgresServer() as server:
        yield server


def write(server: PostgresServer, number: int) -> None:
    with psycopg.connect(server.url()) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS numbers (number int)")
        connection.execute("INSERT INTO numbers VALUES (%s)", [number])


def read(server: PostgresServer) -> list[int]:
    with psycopg.connect(server.url()) as connection:
        return [number for (number,) in connection.execute("SELECT number FROM numbers ORDER BY number")]


def show(url: str, setting: str) -> str:
    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT current_setting(%s)", [setting]).fetchone()
        return str(row and row[0])


def test_the_wheel_alone_is_enough() -> None:
    with PostgresServer(find_programs(in_wheel()), durable=False) as server:
        assert show(server.url(), "server_version").startswith(str(server.version))


def test_the_wheel_is_enough_for_root_in_a_folder_of_roots_own(tmp_path: Path) -> None:
    package = find_programs(in_wheel()).parents[1]
    (closed := tmp_path / "closed").mkdir(mode=0o700)
    for folder in (package, Path(f"{package}.libs")):
        if folder.exists():
            (closed / folder.name).symlink_to(folder)
    with PostgresServer(closed / package.name / "pginstall" / "bin", durable=False) as server:
        assert server.version >= OLDEST


def test_what_is_committed_outlives_a_kill_and_a_restart(durable_server: PostgresServer) -> None:
    write(durable_server, 1)
    durable_server.kill9()
    with pytest.raises(psycopg.OperationalError):
        read(durable_server)
    durable_server.start()
    write(durable_server, 2)
    durable_server.stop("immediate")
    durable_server.start()
    write(durable_server, 3)
    durable_server.stop()
    durable_server.start()
    assert read(durable_server) == [1, 2, 3]


def test_a_killed_server_comes_back_with_connections_open(durable_server: PostgresServer) -> None:
    write(durable_server, 1)
    with psycopg.connect(durable_server.url()) as connection:
        connection.execute("INSERT INTO numbers VALUES (2)")
        durable_server.kill9()
        durable_server.start()
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")
        assert read(durable_server) == [1]


def test_a_server_is_durable_unless_told_not_to_be(durable_server: PostgresServer, postgresql_url: str) -> None:
    assert show(durable_server.url(), "fsync") == "on"
    assert show(postgresql_url, "fsync") == "off"


def test_settings_reach_the_server() -> None:
    with PostgresServer(settings={"max_connections": "7"}) as server:
        assert show(server.url(), "max_connections") == "7"


def test_a_server_that_does_not_start_says_why() -> None:
    with (
        pytest.raises(PostgresFailedError, match="max_connections"),
        PostgresServer(settings={"max_connections": "no"}),
    ):
        pass


def test_nothing_is_left_behind() -> None:
    with PostgresServer(durable=False) as server:
        folder = Path(show(server.url(), "unix_socket_directories"))
        assert folder.exists()
    assert not folder.exists()


def test_a_missing_postgresql_is_said_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(PostgresMissingError, match=r"^no PostgreSQL 15 or newer on this machine, and the wheel .*$"):
        find_programs(iter([tmp_path]))


def test_the_machines_own_comes_first() -> None:
    assert find_programs() in {*on_machine(), *in_wheel()}


def test_a_fresh_database_is_empty(empty_database_url: str) -> None:
    if empty_database_url.startswith("sqlite"):
        assert not Path(empty_database_url.removeprefix("sqlite:///")).exists()
    else:
        with psycopg.connect(empty_database_url) as connection:
            tables = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"
            assert connection.execute(tables).fetchone() == (0,)


def test_a_database_can_be_a_copy(postgres_server: PostgresServer) -> None:
    with psycopg.connect(postgres_server.create_database("original")) as connection:
        connection.execute("CREATE TABLE numbers (number int)")
    with psycopg.connect(postgres_server.create_database("copy", template="original")) as connection:
        assert connection.execute("SELECT count(*) FROM numbers").fetchone() == (0,)
    postgres_server.drop_database("copy")
    postgres_server.drop_database("original")
