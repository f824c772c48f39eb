"""The programs that post as clients do: the machine's own, or Debian's packages; never a download from elsewhere.

``python -m tests.blackbox.programs`` comes before the tests of ``make test``, with ``--all`` before those of
``make test-all``: it installs what is missing if it may, says what it could not, and is silent where nothing is.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import dataclass

from tests import debian


class ProgramsMissingError(Exception):
    """Some programs are not there; the message says which, and what to do about it."""


@dataclass(frozen=True)
class Program:
    """A program, a command that succeeds where it is fit for us, and Debian's packages of it."""

    name: str
    check: tuple[str, ...]
    packages: tuple[str, ...]

    @property
    def is_there(self) -> bool:
        """Whether it is there and can do what is asked of it."""
        return debian.runs(*self.check)


USUAL = (
    Program("curl", ("curl", "--version"), ("curl",)),
    Program("wget", ("wget", "--version"), ("wget",)),
    Program("Node.js 18", ("node", "-e", "fetch"), ("nodejs",)),
    Program("npm", ("npm", "--version"), ("npm",)),
    Program("PHP with curl", ("php", "-r", "exit(function_exists('curl_init') ? 0 : 1);"), ("php-cli", "php-curl")),
)
"""What the clients of ``make test`` are."""

FURTHER = (
    Program("Guzzle", ("php", "-r", "require 'GuzzleHttp/autoload.php';"), ("php-guzzlehttp-guzzle",)),
    Program("Perl with LWP", ("perl", "-MLWP::UserAgent", "-MJSON::PP", "-e", "1"), ("libwww-perl",)),
    Program("Ruby", ("ruby", "-rnet/http", "-rjson", "-e", "1"), ("ruby",)),
)
"""What those of ``make test-all`` are, too."""


def provide(programs: Iterable[Program]) -> None:
    """See that programs are there; Debian's packages of those that aren't are installed, if that can be done here.

    Raises:
        ProgramsMissingError: some could not be had.
    """
    missing = [program for program in programs if not program.is_there]
    if not missing:
        return
    packages = [package for program in missing for package in program.packages]
    told = f"{', '.join(program.name for program in missing)}: missing"
    if not debian.may_install():
        raise ProgramsMissingError(f"{told}; install them (Debian's packages {' '.join(packages)})")
    print(f"Installing {' '.join(packages)} …", flush=True)  # noqa: T201 - it takes a while
    try:
        debian.install(*packages)
    except debian.NotInstalledError as error:
        raise ProgramsMissingError(f"{told}, and apt-get could not install them: {error}") from error
    if still := [program.name for program in missing if not program.is_there]:
        raise ProgramsMissingError(f"{', '.join(still)}: missing, even with Debian's packages installed")


if __name__ == "__main__":
    try:
        provide((*USUAL, *FURTHER) if "--all" in sys.argv else USUAL)
    except ProgramsMissingError as gone:
        sys.exit(str(gone))
