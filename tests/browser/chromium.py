"""The Chromium that the tests drive: the machine's own, or Debian's package; never a download from elsewhere.

``python -m tests.browser.chromium`` comes before the tests of ``make test``: it installs what is missing if it may, and
is silent where nothing is.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence

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
        if path and _runs(path, "--version"):
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
        become_root = [] if os.geteuid() == 0 else ["sudo", "-n"]
        can_install = shutil.which("apt-get") and (not become_root or _runs(*become_root, "true"))
        if os.environ.get("CHROMIUM") or not can_install:
            raise
    _install(become_root)
    return find()


def _install(become_root: Sequence[str]) -> None:
    print("Installing Chromium …", flush=True)  # noqa: T201 - it takes a while
    apt = [*become_root, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq", "-o", "DPkg::Lock::Timeout=300"]
    # Lists that can't be renewed may do all the same: the next command tells.
    subprocess.run([*apt, "update"], capture_output=True, check=False)
    wish = ["install", "--yes", "--no-install-recommends", "chromium"]
    done = subprocess.run([*apt, *wish], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        reason = (done.stderr.strip() or "it did not say why").splitlines()[-1]
        raise ChromiumMissingError(f"Chromium is missing, and apt-get could not install it: {reason}")


def _runs(*command: str) -> bool:
    """Whether a program is there and works: some systems have a script of its name that only tells how to get it."""
    try:
        return subprocess.run(command, capture_output=True, check=False, timeout=60).returncode == 0
    except OSError:
        return False


if __name__ == "__main__":
    try:
        provide()
    except ChromiumMissingError as missing:
        sys.exit(str(missing))
