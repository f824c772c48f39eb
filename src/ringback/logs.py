"""The log: one line an event, pretty on a terminal, JSON otherwise, secrets masked before anything is written."""

from __future__ import annotations

import logging
import sys
from contextlib import suppress
from typing import Literal

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from ringback.domain.masking import mask_text

Format = Literal["auto", "pretty", "json"]


def configure(log_format: Format = "auto") -> None:
    """Send the log to standard error in this format; ``auto`` is pretty on a terminal."""
    pretty = log_format == "pretty" or (log_format == "auto" and sys.stderr.isatty())
    # Tracebacks are plain: a prettier one shows the values of variables, and those may be secrets.
    renderer: Processor = (
        structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
        if pretty
        else structlog.processors.JSONRenderer()
    )
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            _masked,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=lambda *_: _Logger(sys.stderr),
    )


class _Logger(structlog.WriteLogger):
    """Writes lines; one that can't be written, on a full disk say, is dropped and stops nobody's work."""

    def msg(self, message: str) -> None:
        """Write a line."""
        with suppress(OSError):
            super().msg(message)

    debug = info = warning = error = critical = exception = msg


def _masked(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    return {name: mask_text(value) if isinstance(value, str) else value for name, value in event.items()}
