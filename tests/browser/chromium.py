"""The Chromium that the tests drive: the machine's own, or Debian's package; never a download from elsewhere.

``python -m tests.browser.chromium`` comes before the tests of ``make test``: it installs what is missing if it may, and
is silent where nothing is.
"""

from __future__ import annotations

import os
import shutil
import sys

from tests import debian

NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--no-sandbox",  # root has none
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


class ChromiumMissingError(Exception):
    """There is no Chromium that runs; the message says what to do about it."""


def find() -> str:
    """The path of a Chromium that runs: what CHROMIUM in the environment names, else what is on the PATH.

    Raises:
        ChromiumMissingError: there is none.
    """
    chosen = os.environ.get("CHROMIUM")
    for name in [chosen] if chosen else NAMES:
        path = shutil.which(name)
        if path and debian.runs(path, "--version"):
            return path
    if chosen:
        raise ChromiumMissingError(f"CHROMIUM is {chosen}, which does not run: correct it, or unset it")
    raise ChromiumMissingError(
        "Chromium is missing: install it (Debian's package chromium), or set CHROMIUM to its path"
    )


def provide() -> str:
    """The same; where there is none, Debian's package is installed first, if that can be done here."""
    try:
        return find()
    except ChromiumMissingError:
        if os.environ.get("CHROMIUM") or not debian.may_install():
            raise
    print("Installing Chromium …", flush=True)  # noqa: T201 - it takes a while
    try:
        debian.install("chromium")
    except debian.NotInstalledError as error:
        raise ChromiumMissingError(f"Chromium is missing, and apt-get could not install it: {error}") from error
    return find()


if __name__ == "__main__":
    try:
        provide()
    except ChromiumMissingError as missing:
        sys.exit(str(missing))
