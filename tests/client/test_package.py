"""The client as it is published: built, installed into an empty environment, and used as README says."""

from __future__ import annotations

import re
import subprocess
import sys
import textwrap
import tomllib
import venv
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import Distribution, distribution
from pathlib import Path
from zipfile import ZipFile

import pytest
from packaging.requirements import Requirement

from ringback import client
from ringback.app import build
from ringback.settings import read_settings
from tests.house.source import ROOT, SRC
from tests.live import Live, running
from tests.world import build_world

SERVER_ONLY = ("fastapi", "starlette", "sqlalchemy", "pydantic", "uvicorn", "aiohttp", "jinja2", "typer")


@dataclass(frozen=True)
class Environment:
    """An environment with the client, what the client asks for, and nothing else."""

    python: Path

    def run(self, program: str) -> str:
        """Run a program in it; returns what it printed."""
        ran = subprocess.run(
            [self.python, "-I", "-W", "error", "-c", program], capture_output=True, text=True, check=False
        )
        assert (ran.returncode, ran.stderr) == (0, "")
        return ran.stdout


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `make wheels` builds."""
    folder = tmp_path_factory.mktemp("wheels")
    pip("wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder), ".", "./client")
    return folder


@pytest.fixture(scope="module")
def environment(wheels: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """The client, installed into an empty environment without asking the network."""
    folder = tmp_path_factory.mktemp("empty")
    venv.create(folder, symlinks=True)
    python = folder / "bin" / "python"
    (site,) = folder.glob("lib/python*/site-packages")
    asked = tomllib.loads((ROOT / "client" / "pyproject.toml").read_text())["project"]["dependencies"]
    for needed in closure(asked):
        lend(needed, site)
    (wheel,) = wheels.glob("ringback_client-*.whl")
    pip("--python", str(python), "install", "--no-index", str(wheel))
    return Environment(python)


def pip(*arguments: str) -> None:
    command = [sys.executable, "-m", "pip", "-qq", "--disable-pip-version-check", *arguments]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stderr) == (0, "")


def closure(requirements: list[str], seen: frozenset[str] = frozenset()) -> Iterator[Distribution]:
    """The installed packages that these ask for, and those that they ask for in turn."""
    for requirement in map(Requirement, requirements):
        if requirement.name in seen or (requirement.marker and not requirement.marker.evaluate({"extra": ""})):
            continue
        seen |= {requirement.name}
        found = distribution(requirement.name)
        yield found
        yield from closure(found.requires or [], seen)


def lend(package: Distribution, site: Path) -> None:
    """Have an environment see a package that is installed here."""
    for name in {file.parts[0] for file in package.files or () if file.parts[0] != ".."}:
        if not (site / name).exists():
            (site / name).symlink_to(Path(str(package.locate_file(name))))


def readme_lines() -> str:
    """The lines of README's section on Python."""
    section = (ROOT / "README.md").read_text(encoding="utf-8").partition("## From Python\n")[2].partition("\n## ")[0]
    found = re.search(r"(?:^    from .*\n)(?:^(?:    .*)?\n)+", section, re.MULTILINE)
    assert found is not None
    return textwrap.dedent(found[0]).strip()


def test_the_ten_lines_of_readme_work(environment: Environment, sqlite_url: str) -> None:
    app = build(read_settings(database_url=sqlite_url))
    with running(app, build_world(app.database)) as live:
        assert environment.run(adapted(live)).splitlines() == [
            "buyer_converted: False -> True",
            "revenue: None -> 42.00",
            "offer_converted: False -> True",
            "payout: None -> 25.20",
            "payout: 25.20",
        ]
        live.world.grant([])
        denied = environment.run(adapted(live))
        assert "Buyer Revenue: grant update to the team Bright Roofing at /company/teams/" in denied
    assert len(readme_lines().splitlines()) == 10


def adapted(live: Live) -> str:
    """README's lines with what stands in ``<>`` filled in, as a reader does it."""
    basic = live.world.bob_token.basic
    assert basic is not None
    filled = {
        "http://localhost:8080": f"http://127.0.0.1:{live.port}",
        "<base64 of public key:private key>": basic,
        "<call uuid>": live.world.call().uuid,
    }
    lines = readme_lines()
    for word, value in filled.items():
        assert word in lines
        lines = lines.replace(word, value)
    return lines


@pytest.mark.parametrize("page", ["README.md", "client/README.md", "docs/how-to/post-from-python.md"])
def test_what_is_told_of_it_is_there(page: str) -> None:
    told = re.findall(r"from ringback\.client import (.+)", (ROOT / page).read_text(encoding="utf-8"))
    assert told
    assert {name for line in told for name in line.split(", ")} <= set(client.__all__)


def test_what_is_told_of_it_links_to_nothing_beside_it() -> None:
    links = re.findall(r"\]\(([^)]+)\)", (ROOT / "client" / "README.md").read_text(encoding="utf-8"))
    assert [link for link in links if not link.startswith("https://")] == []


def test_nothing_of_the_server_is_loaded(environment: Environment) -> None:
    told = "import sys, ringback.client as c; print(c.__version__, *sorted({m.split('.')[0] for m in sys.modules}))"
    version, *loaded = environment.run(told).split()
    assert version == client.__version__
    assert {"ringback", "httpx2"} <= set(loaded)
    assert not set(SERVER_ONLY) & set(loaded)


def test_beside_the_server_it_loads_no_more() -> None:
    told = "import sys, ringback.client; print(*(m for m in sys.modules if m.startswith('ringback.')))"
    ran = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True)
    assert {module.split(".")[1] for module in ran.stdout.split()} == {"client"}


def test_both_packages_can_be_installed_side_by_side(wheels: Path) -> None:
    ours, servers = (
        {name for wheel in wheels.glob(f"{package}-*.whl") for name in ZipFile(wheel).namelist()}
        for package in ("ringback_client", "ringback")
    )
    assert ours & servers == set()
    source = {path.relative_to(SRC).as_posix() for path in (SRC / "ringback" / "client").rglob("*.py")}
    assert source | {"ringback/client/py.typed"} <= ours
    assert not any(name.startswith("ringback/client/") for name in servers)
    assert "ringback/__init__.py" in servers


def test_types_are_seen_by_those_who_use_it(environment: Environment, tmp_path: Path) -> None:
    (tmp_path / "used.py").write_text(USED)
    arguments = ["--strict", "--python-executable", str(environment.python), "--cache-dir", "cache", "used.py"]
    ran = subprocess.run(
        [sys.executable, "-m", "mypy", *arguments], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    complaints = [line.split(":")[1] for line in ran.stdout.splitlines() if ": error: " in line]
    assert complaints == [str(number) for number, line in enumerate(USED.splitlines(), 1) if line.endswith("# wrong")]


USED = """\
from datetime import date
from decimal import Decimal
from ringback.client import AsyncClient, Call, Client, Refused, Updated

def post(client: Client, uuid: str) -> Decimal | None:
    update: Updated = client.update_call(uuid, buyer_converted=True, revenue=Decimal("42.50"), payout="1")
    client.update_call(uuid, revenue=42.5)  # wrong
    client.update_call(uuid, revenu="42.5")  # wrong
    client.update_call(uuid, buyer_converted="yes")  # wrong
    client.record_call("+17195550123", buyer="Bright", post_call_tokens={"zip": 80903, "city": None})
    results: list[Updated | Refused] = client.bulk_update([{"uuid": uuid, "add_revenue": 5}])
    client.bulk_update([{"uuid": uuid, "revenue": 5.5}])  # wrong
    return update.call.revenue if update.call and results else None

async def read(client: AsyncClient) -> list[Call]:
    client.me().email  # wrong
    [buyer async for buyer in client.buyers(user_buyer_id="B-1", paused=True)]
    [offer async for offer in client.offers(user_buyer_id="B-1")]  # wrong
    [call async for call in client.calls(buyer=3)]  # wrong
    [call async for call in client.calls(order_dir="newest")]  # wrong
    return [call async for call in client.calls(buyer_id=3, created_at_from=date(2026, 5, 1), no_buyer=None)]
"""
