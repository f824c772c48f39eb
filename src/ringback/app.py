"""The composition root: the only place that builds the parts and wires them."""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from ipaddress import ip_network
from typing import Any
from urllib.parse import quote

import structlog

from ringback import __version__, clock, entropy, logs
from ringback.api import openapi
from ringback.api.answers import Send, send_refusal
from ringback.api.metrics import PATH as METRICS_PATH
from ringback.api.metrics import MetricsEndpoint
from ringback.api.places import Place, Places, Scope
from ringback.api.requests import Receive, check_head, read_headers
from ringback.api.updates import UpdateEndpoint, find_target
from ringback.console import site
from ringback.console.guesses import Guesses
from ringback.console.pages import Tools
from ringback.delivery.worker import Tools as WorkerTools
from ringback.delivery.worker import Worker, working
from ringback.domain.addresses import Allowed
from ringback.domain.errors import Refusal
from ringback.domain.throttle import WrongCredentials
from ringback.intake import Intake
from ringback.mail import Mailer
from ringback.metrics import Metrics
from ringback.services import retention
from ringback.services.housekeeping import add_up, tidy
from ringback.services.secret_key import SecretKey
from ringback.settings import Settings, read_settings
from ringback.store.engine import Database
from ringback.store.failures import StoreError, UnavailableError
from ringback.store.migrate import is_current, migrate

TIDY_SECONDS = 60
"""How often old keys and waiting updates are looked through."""

FIGURES_SECONDS = 5
"""How often changes are added to the figures; until then they are added whenever the figures are shown."""

PRUNE_SECONDS = 600
"""How often it is looked for what has been kept long enough."""

REST_SECONDS = 0.1
"""How long a job rests that has more to do, so that others get their turn."""

log = structlog.get_logger()


@dataclass(slots=True)
class App:
    """The ASGI application: hosts and paths to accounts, updates to their endpoint, the rest to the framework."""

    settings: Settings
    database: Database
    places: Places
    intake: Intake
    updates: UpdateEndpoint
    web: Any
    console: Any
    worker_tools: WorkerTools
    metrics: MetricsEndpoint
    mailer: Mailer | None = None
    delivers: bool = True
    worker: Worker | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one connection."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http":
            await self._answer(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = _Started(send)
        try:
            check_head(scope)
            if scope["path"] == METRICS_PATH:  # by whichever name or address Prometheus knows this server
                await self.metrics(scope, started)
                return
            place = self.places.locate(scope)
            ip = self.places.address(scope)
            target = find_target(scope["method"], place.path)
            if target is not None:
                await self.updates(scope, receive, started, place, target, ip)
            elif _is_api(place.path):
                await self.web(_within(scope, place, ip), receive, started)
            elif self.places.is_account_host(scope):
                await self._to_console(scope, place, started)
            else:
                await self.console({**scope, "scheme": self._scheme(scope), "state": {"ip": ip}}, receive, started)
        except Refusal as refusal:
            await send_refusal(started, refusal, accept=read_headers(scope).accept)
        except UnavailableError as error:
            log.warning("database is not there", reason=str(error))
            await send_refusal(started, Refusal("busy"), accept=read_headers(scope).accept)
        except Exception:
            request_id = entropy.new_id()
            log.exception("request failed", request_id=request_id, method=scope["method"])
            if not started.done:
                await send_refusal(started, Refusal("internal_error", request_id=request_id))

    async def _to_console(self, scope: Scope, place: Place, send: Send) -> None:
        """The console has one origin, with the account in its path; an account's own host leads there."""
        where = f"{self.public_url(scope)}/a/{place.account}{'' if place.path == '/' else quote(place.path)}"
        headers = [(b"location", where.encode()), (b"content-length", b"0")]
        await send({"type": "http.response.start", "status": 307, "headers": headers})
        await send({"type": "http.response.body", "body": b""})

    def public_url(self, scope: Scope) -> str:
        """Where people reach this server: the setting, else the base domain at the port of the request."""
        if self.settings.public_url:
            return self.settings.public_url.rstrip("/")
        port = scope["server"][1] if scope.get("server") else 80
        return f"{self._scheme(scope)}://{self.settings.base_domain}:{port}"

    def _scheme(self, scope: Scope) -> str:
        """How people reach this server: cookies are for https alone wherever that is https."""
        return "https" if self.settings.public_url.startswith("https:") else self.places.scheme(scope)

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        async with AsyncExitStack() as at_work:
            if self.delivers:
                allowed = Allowed.parse(self.settings.delivery_allow)
                self.worker = await at_work.enter_async_context(working(self.worker_tools, allowed))
            thread = ThreadPoolExecutor(1, thread_name_prefix="housekeeping")
            jobs = ((TIDY_SECONDS, self._tidy), (FIGURES_SECONDS, self._add_up), (PRUNE_SECONDS, self._prune))
            housekeeping = [asyncio.create_task(self._repeat(thread, *job)) for job in jobs]
            await send({"type": "lifespan.startup.complete"})
            await receive()
            for task in housekeeping:
                task.cancel()
            await asyncio.to_thread(thread.shutdown)  # a job at work has a connection, and gives it back first
            await self.intake.close()
            if self.mailer is not None:
                await asyncio.to_thread(self.mailer.close)
        self.database.close()
        await send({"type": "lifespan.shutdown.complete"})

    async def _repeat(self, thread: Executor, seconds: float, job: Callable[[], bool | None]) -> None:
        """Do a job again and again, and soon again where it says that there is more of it."""
        has_more: bool | None = False
        while True:
            await asyncio.sleep(REST_SECONDS if has_more else seconds)
            has_more = False
            try:
                has_more = await asyncio.get_running_loop().run_in_executor(thread, job)
            except StoreError as error:
                log.warning("housekeeping put off", reason=str(error))

    def _tidy(self) -> None:
        with self.database.write() as tx:
            tidy(tx, clock.now())

    def _prune(self) -> bool:
        """Remove some of what has been kept long enough; returns whether there may be more."""
        with self.database.read() as tx:
            dues = retention.list_due(tx, self.settings.retention, clock.now())
        has_more = False
        for due in dues:
            with self.database.write() as tx:
                has_more |= retention.drop(tx, due) == retention.AT_ONCE
        return has_more

    def _add_up(self) -> None:
        """Add up what has changed, some at a time, so that nobody waits long for this transaction."""
        has_more = True
        while has_more:
            with self.database.write() as tx:
                has_more = add_up(tx)


@dataclass(slots=True)
class _Started:
    """Sends on, and remembers whether an answer has begun."""

    send: Send
    done: bool = False

    async def __call__(self, message: dict[str, Any]) -> None:
        await self.send(message)
        self.done = True


def build(settings: Settings, *, delivers: bool = True) -> App:
    """Build the application for these settings; the schema is brought up to date if they say so.

    Args:
        settings: what the operator set.
        delivers: whether deliveries are sent from here.

    Raises:
        Mistake: the secret key is missing, or is not that of the database.
    """
    logs.configure(settings.log_format)
    database = open_database(settings)
    if settings.auto_migrate:
        migrate(database)
    proxies = [ip_network(part.strip(), strict=False) for part in settings.trusted_proxies.split(",") if part.strip()]
    wrong_credentials = WrongCredentials(settings.wrong_credentials_per_minute, time.monotonic)
    metrics = Metrics()
    intake = Intake(database, clock.now, limit=settings.queue_limit, metrics=metrics)
    secret_key = SecretKey(database, settings.secret_key, settings.key_file)
    with suppress(StoreError):  # a server starts, and waits, where its database is away
        secret_key.find()
    server = settings.mail_server
    mailer = Mailer(server, settings.mail_from, clock.now, entropy.new_id) if server else None
    return App(
        settings=settings,
        database=database,
        places=Places(settings.base_domain, settings.default_account, proxies),
        intake=intake,
        updates=UpdateEndpoint(intake.submit, wrong_credentials, clock.now, entropy.new_id),
        web=openapi.build(
            database,
            version=__version__,
            is_ready=lambda: is_ready(database),
            now=clock.now,
            new_id=entropy.new_id,
            new_call_uuid=entropy.new_call_uuid,
            submit=intake.submit_all,
            wrong_credentials=wrong_credentials,
            public_url=settings.public_url,
        ),
        delivers=delivers,
        mailer=mailer,
        worker_tools=WorkerTools(database, secret_key.find, clock.now, entropy.new_id, entropy.fraction, metrics),
        metrics=MetricsEndpoint(metrics, settings.metrics_token),
        console=site.build(
            Tools(
                database=database,
                now=clock.now,
                new_id=entropy.new_id,
                random=entropy.secret_bytes,
                public_url=settings.public_url.rstrip("/"),
                base_domain=settings.base_domain,
                version=__version__,
                guesses=Guesses(settings.wrong_credentials_per_minute, time.monotonic),
                retention=settings.retention,
                mailer=mailer,
                find_seal=secret_key.find,
            )
        ),
    )


def create() -> App:
    """The application of a worker process; its settings come from the environment."""
    return kept(build(read_settings()))


def create_without_worker() -> App:
    """The same for a process that sends no deliveries."""
    return kept(build(read_settings(), delivers=False))


def kept(app: App) -> App:
    """An application that stays until its process ends.

    To look through all that was built for garbage again and again took a sixth of the time.
    """
    gc.freeze()
    return app


def open_database(settings: Settings) -> Database:
    """The database of these settings; the folder of a SQLite file is made."""
    settings.make_data_dir()
    return Database(settings.database)


def is_ready(database: Database) -> bool:
    """Whether the database answers and has the schema that this program needs; why not goes to the log."""
    try:
        ready = is_current(database)
    except StoreError as error:
        log.warning("database is not ready", reason=str(error))
        return False
    if not ready:
        log.warning("schema is not up to date; run: ringback migrate")
    return ready


def _is_api(path: str) -> bool:
    return path.startswith("/api/") or path in {"/healthz", "/readyz", "/version"}


def _within(scope: Scope, place: Place, ip: str) -> Scope:
    """The scope as the framework sees it: the path within the account, and whom it is about."""
    return {**scope, "path": place.path, "root_path": "", "state": {"account": place.account, "ip": ip}}
