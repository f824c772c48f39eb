"""``ringback demo``: sample companies on a throw-away database, served, with lines to paste."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated
from urllib.request import getproxies, proxy_bypass

import typer

from ringback import clock
from ringback.cli.invoking import line_from_anywhere
from ringback.cli.printing import show
from ringback.cli.serving import PORT, Port, listening, serve_here, stop_in_good_order

if TYPE_CHECKING:
    from ringback.cli.samples import Samples

LOOPBACK = "127.0.0.1"


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(demo)


def demo(
    *,
    port: Port = PORT,
    fresh: Annotated[bool, typer.Option("--fresh", help="Start afresh, as the demo always does.")] = False,  # noqa: ARG001
) -> None:
    """Serve sample companies on a throw-away database, on this machine only, and say what to try."""
    stop_in_good_order()
    with listening(LOOPBACK, port) as listener, TemporaryDirectory(prefix="ringback-demo-") as folder:
        from ringback.app import build, kept
        from ringback.cli.samples import Server, fill
        from ringback.services.secret_key import find_key
        from ringback.settings import read_settings

        url = f"sqlite:///{Path(folder) / 'demo.db'}"
        settings = read_settings(
            database_url=url,
            base_domain="localhost",
            default_account="",
            public_url="",
            smtp_url="",
            trusted_proxies="",
            delivery_allow="*.localhost",
            auto_migrate=True,
        )
        app = build(settings)
        with app.database.write() as tx:
            seal = find_key(tx, settings.secret_key, settings.key_file)
            samples = fill(tx, clock.now(), Server(listener.getsockname()[1], seal))
        _introduce(samples, listener.getsockname()[1], url)
        serve_here(kept(app), listener)


def _introduce(samples: Samples, port: int, database: str) -> None:
    show(f"Ringback's demo is at http://localhost:{port}. Ctrl-C ends it and deletes its data.", "bold")
    show("Acme Media owns the calls; Bright Roofing, Summit Solar and others buy them, and post back their worth.")
    show(f"Console, as Acme's owner:  http://localhost:{port}/log-in/{samples.owner_link}")
    show(f"Console, as Bright's user: http://localhost:{port}/log-in/{samples.member_link}")
    show("Each link lets in once; start the demo again for new ones.")
    show(f"For a program of yours: {samples.spare_call} is a call of Bright's that no line below is about.")
    show("Paste these into another terminal, one after another:")
    for number, (about, command) in enumerate(_lines(samples, port, database), 1):
        show()
        show(f"{number}. {about}", "cyan")
        show(command, "green")
    show()


def _lines(samples: Samples, port: int, database: str) -> Iterator[tuple[str, str]]:
    """What to try: a line about each command, and the command."""
    from ringback.cli.samples import ACCOUNT, HANDED_ON, MISSING, REFUSED, SMALLEST, SOLD_ON, SUMMIT
    from ringback.cli.samples.forwarding import BUYER

    ringback = partial(line_from_anywhere, database=database)
    by_host = f"http://{ACCOUNT}.localhost:{port}/api/v1/calls/update_call/"
    by_path = f"http://{LOOPBACK}:{port}/a/{ACCOUNT}/api/v1/calls/update_call/"
    yield (
        "Bright Roofing posts back a sale, with Basic auth: 200, and the answer says what changed.",
        _curl(by_host + samples.bright_call, samples.bright_basic, SMALLEST),
    )
    yield (
        "The same with a Token, the account in the path (where no *.localhost resolves): 200.",
        _curl(by_path + samples.other_bright_call, samples.bright_token, SMALLEST),
    )
    yield (
        "Summit Solar's team lacks one right: 403. The answer says which; the update waits.",
        _curl(by_host + samples.summit_call, samples.summit_basic, REFUSED),
    )
    yield (
        "Acme grants the right.",
        ringback("team", "grant", "--account", ACCOUNT, "--team", SUMMIT, "--update", MISSING),
    )
    yield (
        "Acme applies what was refused; one such update came before this demo began.",
        ringback("updates", "apply", "--account", ACCOUNT, "--all-denied-for", SUMMIT),
    )
    yield (
        "Every update is explained: what arrived, what we understood, how it was decided, what changed.",
        ringback("updates", "show", samples.refused_update),
    )
    yield (
        "A call has a timeline.",
        ringback("call", "show", samples.bright_call, "--account", ACCOUNT),
    )
    yield (
        "The loop: Acme hands a new call to Bright Roofing; the forward post records it in Bright's account.",
        _curl(
            f"http://{ACCOUNT}.localhost:{port}/api/v1/calls",
            samples.recording_basic,
            {"uuid": samples.new_call, **HANDED_ON},
        ),
    )
    yield (
        "Bright sells it, in its own account; its postback tells Acme.",
        _curl(
            f"http://{BUYER}.localhost:{port}/api/v1/calls/update_call/{samples.new_call}",
            samples.selling_basic,
            SOLD_ON,
        ),
    )
    yield (
        "What came back to Acme. The console shows both sides: as Acme's owner, and as Bright's user.",
        ringback("call", "show", samples.new_call, "--account", ACCOUNT),
    )


def _curl(url: str, authorization: str, body: Mapping[str, object]) -> str:
    direct = ["--noproxy", "*"] if "http" in getproxies() and not proxy_bypass("acme.localhost") else []
    headers = [f"Authorization: {authorization}", "Content-Type: application/json"]
    sent = [part for header in headers for part in ("-H", header)]
    return shlex.join(["curl", "-sS", *direct, url, *sent, "-d", json.dumps(body)])
