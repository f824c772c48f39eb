"""What is published of the API as files: the OpenAPI document, and what Postman reads, made of it.

``python -m tests.contract.published`` (``make reference``) writes them; a test says where one is out of date.
"""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ringback.api.answers import encode
from ringback.app import build
from ringback.settings import read_settings
from tests.contract.postman import collection, environment
from tests.house.source import ROOT

OPENAPI = ROOT / "docs" / "reference" / "openapi.json"
COLLECTION = ROOT / "docs" / "postman" / "ringback.postman_collection.json"
ENVIRONMENT = ROOT / "docs" / "postman" / "ringback.postman_environment.json"

_REFERENCE = re.compile(r'\{\s+("\$ref": "[^"]+")\s+\}')


def document() -> Any:  # noqa: ANN401
    """The OpenAPI document, as ``GET /api/openapi.json`` answers it."""
    with tempfile.TemporaryDirectory() as folder:
        app = build(read_settings(database_url=f"sqlite:///{folder}/ringback.sqlite"))
        app.database.close()
        return json.loads(encode(app.web.openapi()))


def files() -> Mapping[Path, str]:
    """The text of each file, as it has to be."""
    told = document()
    made = {OPENAPI: told, COLLECTION: collection(told), ENVIRONMENT: environment()}
    return {path: _written(content) for path, content in made.items()}


def write() -> None:
    """Write the files."""
    for path, text in files().items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def _written(content: object) -> str:
    """JSON that can be read, and compared line by line."""
    return _REFERENCE.sub(r"{\1}", json.dumps(content, indent=2, ensure_ascii=False)) + "\n"


if __name__ == "__main__":
    write()
