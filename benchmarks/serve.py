"""Ringback by its settings, for ``uvicorn --factory``."""

from __future__ import annotations

from ringback.app import App, build, kept
from ringback.settings import read_settings


def ringback() -> App:
    """The application."""
    return kept(build(read_settings()))
