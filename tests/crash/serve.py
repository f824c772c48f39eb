"""The server process of the harness."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path

from ringback import cli
from ringback.cli import serving

OURS = ""
"""In place of a factory: ``ringback serve``, as everybody starts it."""


def main(factory: str, port: int, settings: Mapping[str, str], log: Path) -> None:
    """Serve what a factory (``module:function``) makes, until told to stop; what is said goes to a file."""
    with log.open("ab") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    os.environ.update(settings)
    if factory == OURS:
        sys.exit(cli.run(["serve", "--port", str(port)]))
    module, _, name = factory.partition(":")
    app = getattr(import_module(module), name)()
    with serving.listening("127.0.0.1", port) as listener:
        serving.serve_here(app, listener)
