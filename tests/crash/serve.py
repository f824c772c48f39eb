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
    """Serve what a factory (``module:function``) makes, until told to stop; its log goes to a file."""
    for number, place in ((1, Path(os.devnull)), (2, log)):
        with place.open("ab") as file:
            os.dup2(file.fileno(), number)
    os.environ.update(settings)
    if factory == OURS:
        sys.exit(cli.run(["serve", "--port", str(port)]))
    module, _, name = factory.partition(":")
    app = getattr(import_module(module), name)()
    with serving.listening("127.0.0.1", port) as listener:
        serving.serve_here(app, listener)
