"""The OpenAPI document and the Postman files, as text that can be read and compared line by line."""

from __future__ import annotations

import json
import re
from typing import Any

from docs.generate import postman
from ringback.api.answers import encode
from ringback.app import build
from ringback.settings import read_settings

_REFERENCE = re.compile(r'\{\s+("\$ref": "[^"]+")\s+\}')


def document() -> Any:  # noqa: ANN401
    """The OpenAPI document, as ``GET /api/openapi.json`` answers it."""
    settings = read_settings(database_url="sqlite:///:memory:", auto_migrate=False)
    return json.loads(encode(build(settings).web.openapi()))


def page() -> str:
    """The document."""
    return _written(document())


def collection() -> str:
    """Its requests for Postman."""
    return _written(postman.collection(document()))


def environment() -> str:
    """What Postman fills into them."""
    return _written(postman.environment())


def _written(content: object) -> str:
    return _REFERENCE.sub(r"{\1}", json.dumps(content, indent=2, ensure_ascii=False)) + "\n"
