from __future__ import annotations

from pathlib import Path

import pytest

from tests.house.homes import away_from_home, impure
from tests.house.source import SRC, read

SOURCES = read(SRC)


def tree(folder: Path, **files: str) -> Path:
    """Write a small package; ``a__b`` is the file ``ringback/a/b.py``."""
    for name, text in files.items():
        path = folder / "ringback" / f"{name.replace('__', '/')}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def test_clock_randomness_environment_and_sql_have_one_home_each() -> None:
    server = [source for source in SOURCES if not source.path.startswith("ringback/client/")]  # runs elsewhere, alone
    assert away_from_home(server) == []


def test_the_domain_is_pure() -> None:
    assert impure([source for source in SOURCES if source.path.startswith("ringback/domain/")]) == []


@pytest.mark.parametrize(
    ("home", "text"),
    [
        ("clock", "from datetime import UTC, datetime\nnow = datetime.now(UTC)"),
        ("clock", "import datetime as dt\nnow = dt.datetime.utcnow()"),
        ("clock", "from datetime import date\nday = date.today()"),
        ("clock", "import time\nnow = time.time()"),
        ("clock", "from time import time_ns"),
        ("entropy", "import random"),
        ("entropy", "from secrets import token_urlsafe"),
        ("entropy", "import os\nkey = os.urandom(32)"),
        ("entropy", "from uuid import uuid4 as make"),
        ("entropy", "import uuid\nmake = uuid.uuid4"),
        ("entropy", "def make():\n    from uuid_utils import uuid7\n    return uuid7()"),
        ("settings", "import os\nurl = os.environ['DATABASE_URL']"),
        ("settings", "from os import getenv"),
        ("store__calls", "import sqlalchemy as sa"),
        ("store__calls", "from sqlalchemy import Connection, text"),
        ("store__engine", "import sqlite3"),
    ],
)
def test_what_is_used_outside_its_home_is_found(tmp_path: Path, home: str, text: str) -> None:
    assert away_from_home(read(tree(tmp_path, **{home: text}))) == []
    found = away_from_home(read(tree(tmp_path, services__calls=text)))
    assert found
    assert all(complaint.startswith("ringback/services/calls.py:") for complaint in found)


def test_the_complaint_names_place_thing_and_home(tmp_path: Path) -> None:
    text = "import time\n\nnow = time.time()\n"
    assert away_from_home(read(tree(tmp_path, app=text))) == [
        "ringback/app.py:3: time.time (the clock is at home in ringback/clock.py)"
    ]


def test_what_has_no_home_may_be_used_anywhere(tmp_path: Path) -> None:
    text = """
import os.path
import time
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Connection

started = time.monotonic()
parsed = datetime.fromisoformat("2026-01-01") + timedelta(days=1)
path = os.path.join("a", "b")
"""
    assert away_from_home(read(tree(tmp_path, services__calls=text))) == []


@pytest.mark.parametrize(
    "text",
    [
        "import time",
        "import os.path",
        "from pathlib import Path",
        "import urllib.request",
        "from http.client import HTTPConnection",
        "import msgspec",
        "from phonenumbers import parse",
        "from ringback import clock",
        "from ringback.store import calls",
        "from . import calls",
        "def show(value):\n    print(value)",
        "text = open('file').read()",
    ],
)
def test_what_is_not_pure_is_found(tmp_path: Path, text: str) -> None:
    assert impure(read(tree(tmp_path, domain__calls=text))) != []


@pytest.mark.parametrize(
    "text",
    [
        "from __future__ import annotations",
        "import re\nfrom collections.abc import Mapping\nfrom decimal import Decimal",
        "from urllib.parse import quote\nfrom http import HTTPStatus",
        "from ringback.domain import money\nfrom ringback.domain.errors import Refusal",
        "from msgspec import Struct\nfrom msgspec.structs import replace",
    ],
)
def test_what_is_pure_is_not(tmp_path: Path, text: str) -> None:
    assert impure(read(tree(tmp_path, domain__calls=text))) == []
