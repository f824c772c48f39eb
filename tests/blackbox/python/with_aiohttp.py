"""A client with aiohttp."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable

import aiohttp

from tests.blackbox.python.asking import Ask, answer_all


async def send(ask: Ask) -> tuple[int, Iterable[tuple[str, str]], str]:
    """Post an update, in a session of its own."""
    is_text = ask.body == "json_as_form"
    content: object = json.dumps(ask.document) if is_text else ask.form
    if ask.form is not None and ask.body == "multipart":
        content = aiohttp.FormData(ask.form, default_to_multipart=True)
    async with (
        aiohttp.ClientSession() as session,
        session.request(
            ask.method,
            ask.target,
            headers=ask.headers,
            auth=aiohttp.BasicAuth(*ask.pair) if ask.pair else None,
            json=None if is_text else ask.document,
            data=content,
        ) as response,
    ):
        return response.status, list(response.headers.items()), await response.text()


def post(ask: Ask) -> tuple[int, Iterable[tuple[str, str]], str]:
    """Post an update."""
    return asyncio.run(send(ask))


if __name__ == "__main__":
    answer_all(post)
