"""``ringback serve``: the server, in one process or several."""

from __future__ import annotations

import errno
import signal
import socket
from contextlib import closing, suppress
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ringback import __version__, clock, entropy
from ringback.cli.options import DatabaseUrl
from ringback.cli.printing import show
from ringback.domain.errors import Mistake

if TYPE_CHECKING:
    from uvicorn import Config

    from ringback.settings import Settings
    from ringback.store.engine import Database

PORT = 8080
BACKLOG = 2048
GRACE_SECONDS = 20
"""How long answers that have begun may take when the server is told to stop."""

Port = Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on; 0 takes a free one.")]


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(serve)


def serve(
    host: Annotated[str, typer.Option(help="Address to listen on; 0.0.0.0 for every one.")] = "127.0.0.1",
    port: Port = PORT,
    workers: Annotated[int, typer.Option(min=1, help="Processes; no more than the machine has cores.")] = 1,
    *,
    no_worker: Annotated[
        bool, typer.Option("--no-worker", help="Send no deliveries from here; ringback worker does.")
    ] = False,
    database: DatabaseUrl = None,
) -> None:
    """Serve web and API, and send deliveries unless told not to."""
    from ringback.cli.databases import in_words
    from ringback.settings import read_settings

    settings = read_settings(database_url=database)
    stop_in_good_order()
    with listening(host, port) as listener, in_words(settings):
        if workers > 1:
            _serve_in_workers(settings, listener, workers, delivers=not no_worker)
        else:
            from ringback.app import build, kept

            app = kept(build(settings, delivers=not no_worker))
            _introduce(settings, app.database, listener)
            serve_here(app, listener)


def listening(host: str, port: int) -> socket.socket:
    """A socket that listens; requests wait in it until they are answered.

    Raises:
        Mistake: the port is in use, or can't be listened on.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise Mistake(f"port {port} is in use; take another: --port {port + 1}") from error
        raise Mistake(f"can't listen on {host}, port {port}: {error.strerror}") from error
    listener.set_inheritable(True)
    return listener


def base_url(listener: socket.socket, base_domain: str) -> str:
    """Where a browser on this machine reaches the server."""
    return f"http://{base_domain}:{listener.getsockname()[1]}"


def stop_in_good_order() -> None:
    """Have SIGTERM end this process as if it came to its end; a server that runs by then finishes its answers first."""
    signal.signal(signal.SIGTERM, _stop)


def serve_here(app: Any, listener: socket.socket) -> None:  # noqa: ANN401 - an ASGI application
    """Answer requests in this process until it is told to stop."""
    import uvicorn

    with suppress(KeyboardInterrupt):
        uvicorn.Server(_config(app)).run(sockets=[listener])


def _serve_in_workers(settings: Settings, listener: socket.socket, workers: int, *, delivers: bool) -> None:
    """Answer requests in processes of their own; schema and secret key are seen to before they start."""
    from uvicorn.supervisors import Multiprocess

    from ringback.cli.databases import connect
    from ringback.services.secret_key import SecretKey
    from ringback.settings import hand_on
    from ringback.store.failures import StoreError
    from ringback.store.migrate import migrate

    with closing(connect(settings)) as database:
        if settings.auto_migrate:
            migrate(database)
        with suppress(StoreError):  # as where one process serves; processes that can't start would be begun for ever
            SecretKey(database, settings.secret_key, settings.key_file).find()
        _introduce(settings, database, listener)
    hand_on(database_url=settings.database)
    Multiprocess(
        _config(
            "ringback.app:create" if delivers else "ringback.app:create_without_worker", factory=True, workers=workers
        ),
        sockets=[listener],
    ).run()


def _config(app: Any, **more: Any) -> Config:  # noqa: ANN401 - an ASGI application, or where to find it
    import uvicorn

    from ringback.cli.connection import Connection

    return uvicorn.Config(
        app,
        http=Connection,
        access_log=False,  # query strings may hold secrets
        log_config=None,
        lifespan="on",
        ws="none",
        server_header=False,
        proxy_headers=False,  # forwarded addresses are believed by RINGBACK_TRUSTED_PROXIES alone
        timeout_graceful_shutdown=GRACE_SECONDS,
        **more,
    )


def _stop(_signal: int, _frame: object) -> None:
    raise SystemExit(0)


def _introduce(settings: Settings, database: Database, listener: socket.socket) -> None:
    """Say where it listens, and what to do where there is nobody yet."""
    own = base_url(listener, settings.base_domain)
    port = listener.getsockname()[1]
    url = settings.public_url.rstrip("/") or own
    show(f"Ringback {__version__} listens on {listener.getsockname()[0]}, port {port}: {url}")
    show(f"An account is at http://SUBDOMAIN.{settings.base_domain}:{port} and at {url}/a/SUBDOMAIN")
    link = _first_run(database)
    if link:
        show(f"There is nobody here yet. Open this within 60 minutes to make the first company: {url}/first-run/{link}")
        show("Or make it here: ringback account create SUBDOMAIN --name NAME --owner EMAIL")


def _first_run(database: Database) -> str | None:
    """The secret of the link for the first person, if there is none yet."""
    from ringback.services.people import make_link
    from ringback.store.failures import StoreError
    from ringback.store.people import LinkKind, has_users

    with suppress(StoreError), database.write() as tx:  # a server starts, and waits, where its database is away
        if not has_users(tx):
            secret = entropy.secret_bytes().hex()
            make_link(tx, LinkKind.FIRST_RUN, secret, now=clock.now())
            return secret
    return None
