"""A client with nothing but Python's standard library."""

from __future__ import annotations

import json
from collections.abc import Iterable
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import HTTPBasicAuthHandler, HTTPPasswordMgrWithDefaultRealm, Request, build_opener

from tests.blackbox.python.asking import Ask, answer_all


def post(ask: Ask) -> tuple[int, Iterable[tuple[str, str]], str]:
    """Post an update."""
    keys = HTTPPasswordMgrWithDefaultRealm()
    if ask.pair:
        keys.add_password(None, ask.url, *ask.pair)
    headers, data = ask.headers, None
    if ask.document is not None:
        data = json.dumps(ask.document).encode()
        if ask.body != "json_as_form":
            headers["Content-Type"] = "application/json"
    if ask.form is not None:
        data = urlencode(ask.form).encode()
    request = Request(ask.target, data, headers, method=ask.method)  # noqa: S310 - the address is the suite's own
    try:
        with build_opener(HTTPBasicAuthHandler(keys)).open(request, timeout=30) as response:
            return response.status, response.headers.items(), response.read().decode()
    except HTTPError as refused:
        with refused:
            return refused.code, refused.headers.items(), refused.read().decode()


if __name__ == "__main__":
    answer_all(post)
