"""``ringback worker``: deliveries only; and ``ringback rotate-key``, for the key that seals what it sends with."""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ringback.cli.options import DatabaseUrl
from ringback.cli.printing import show

if TYPE_CHECKING:
    from ringback.app import App

SWITCH_SECONDS = 0.0005
"""How long the sending may keep the thread waiting that talks to the database: each statement would wait this long."""


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(worker)
    app.command("rotate-key")(rotate_key)


def worker(*, database: DatabaseUrl = None) -> None:
    """Send deliveries, and nothing else; any number may run, on any machine that reaches the database."""
    import uvloop

    from ringback.app import build, kept
    from ringback.cli.databases import in_words
    from ringback.settings import read_settings

    settings = read_settings(database_url=database)
    with in_words(settings):
        app = kept(build(settings))
        show("The worker sends what is due. Ctrl-C ends it in good order.")
        sys.setswitchinterval(SWITCH_SECONDS)
        uvloop.run(_work(app))


async def _work(app: App) -> None:
    from ringback.delivery.worker import working
    from ringback.domain.addresses import Allowed

    told = asyncio.Event()
    for each in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(each, told.set)
    async with working(app.worker_tools, Allowed.parse(app.settings.delivery_allow)):
        await told.wait()


def rotate_key(
    *,
    new_key_file: Annotated[
        Path | None, typer.Option(help="A file with the new key; it is made there if there is none.")
    ] = None,
    database: DatabaseUrl = None,
) -> None:
    """Seal every secret with a new key. Then restart every server and worker: those that run go on with the old one."""
    from ringback.cli.databases import opened
    from ringback.domain.errors import Mistake
    from ringback.sealing import Seal
    from ringback.services.key_rotation import rotate
    from ringback.services.secret_key import ROTATED, find_key, write_key
    from ringback.settings import read_settings

    settings = read_settings(database_url=database)
    old_file = settings.key_file
    target = new_key_file or (old_file and old_file.with_suffix(ROTATED))
    if target is None:
        raise Mistake("say where the new key goes: --new-key-file FILE")
    if not target.exists():
        write_key(target, Seal.make())
    with opened(database) as found, found.write() as tx:
        count = rotate(tx, find_key(tx, settings.secret_key, old_file), Seal.read(target.read_text(encoding="ascii")))
    sealed = "1 secret is" if count == 1 else f"{count} secrets are"
    if old_file is not None and not settings.secret_key and new_key_file is None:
        target.replace(old_file)
        show(f"{sealed} sealed with the new key, which is in {old_file}.")
    else:
        show(f"{sealed} sealed with the key in {target}; set RINGBACK_SECRET_KEY_FILE to it.")
    show("Restart every server and worker now.", "yellow")
