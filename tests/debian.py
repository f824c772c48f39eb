"""Debian's packages, on machines where they may be installed: as root, or with a sudo that asks nothing."""

from __future__ import annotations

import os
import shutil
import subprocess


class NotInstalledError(Exception):
    """Packages could not be installed; the message is the reason that apt-get gave."""


def runs(*command: str) -> bool:
    """Whether a program is there and works: some systems have a script of its name that only tells how to get it."""
    try:
        return subprocess.run(command, capture_output=True, check=False, timeout=60).returncode == 0
    except OSError:
        return False


def may_install() -> bool:
    """Whether packages can be installed here without anybody being asked."""
    become_root = _become_root()
    return shutil.which("apt-get") is not None and (not become_root or runs(*become_root, "true"))


def install(*packages: str) -> None:
    """Install packages.

    Raises:
        NotInstalledError: it could not be done.
    """
    apt = [*_become_root(), "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq"]
    apt += ["-o", "DPkg::Lock::Timeout=300"]
    # Lists that can't be renewed may do all the same: the next command tells.
    subprocess.run([*apt, "update"], capture_output=True, check=False)
    wish = ["install", "--yes", "--no-install-recommends", *packages]
    done = subprocess.run([*apt, *wish], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise NotInstalledError((done.stderr.strip() or "it did not say why").splitlines()[-1])


def _become_root() -> list[str]:
    return [] if os.geteuid() == 0 else ["sudo", "-n"]
