"""A client with httpx2."""

from __future__ import annotations

import json
from collections.abc import Iterable

import httpx2

from tests.blackbox.python.asking import Ask, answer_all


def post(ask: Ask) -> tuple[int, Iterable[tuple[str, str]], str]:
    """Post an update."""
    is_multipart, is_text = ask.body == "multipart", ask.body == "json_as_form"
    response = httpx2.request(
        ask.method,
        ask.target,
        headers=ask.headers,
        auth=ask.pair,
        json=None if is_text else ask.document,
        content=json.dumps(ask.document) if is_text else None,
        data=None if is_multipart else ask.form,
        files={name: (None, value) for name, value in (ask.form or {}).items()} if is_multipart else None,
        timeout=30,
    )
    return response.status_code, response.headers.items(), response.text


if __name__ == "__main__":
    answer_all(post)
