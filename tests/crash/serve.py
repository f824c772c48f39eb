"""The server process of the harness."""

from __future__ import annotations

import os
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path

import uvicorn

from ringback.app import App, build
from ringback.settings import read_settings


def ours() -> App:
    """Ringback as it is, by its settings."""
    return build(read_settings())


def main(factory: str, port: int, settings: Mapping[str, str], log: Path) -> None:
    """Serve what a factory (``module:function``) makes, until told to stop; what is said goes to a file."""
    with log.open("ab") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    os.environ.update(settings)
    module, _, name = factory.partition(":")
    app = getattr(import_module(module), name)()
    uvicorn.run(app, host="127.0.0.1", port=port, access_log=False, log_level="warning", server_header=False)
