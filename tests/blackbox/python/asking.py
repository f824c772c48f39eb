"""How a client is asked: one line of JSON for each update it is to post, one line of JSON for each answer it got."""

from __future__ import annotations

import json
import sys
from base64 import b64encode
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlencode

UPDATE: Mapping[str, str | float | bool] = {"buyer_converted": True, "revenue": 42.00, "offer_converted": True}
TEXTS = {"buyer_converted": "true", "revenue": "42.00", "offer_converted": "true"}
NESTED = {**TEXTS, "post_call_tokens[first_name]": "Jane"}
JSON_BODIES: Mapping[str, Mapping[str, object]] = {
    "json": {**UPDATE, "post_call_tokens": {}},
    "json_as_form": {**UPDATE, "post_call_tokens": {}},
    "json_nested": {**UPDATE, "post_call_tokens": {"first_name": "Jane"}},
    "json_empty_list": {**UPDATE, "post_call_tokens": []},
}
FORMS = {"form": TEXTS, "nested_form": NESTED, "multipart": NESTED}
QUERIES = {"query": TEXTS, "get": NESTED}


@dataclass(frozen=True)
class Ask:
    """One update to be posted: where, with which kind of body, with which kind of credential."""

    url: str
    body: str
    credential: str
    public: str
    private: str
    token: str

    @property
    def method(self) -> str:
        """A pixel is fetched, everything else is posted."""
        return "GET" if self.body == "get" else "POST"

    @property
    def target(self) -> str:
        """The URL with what goes into it."""
        query = {**QUERIES.get(self.body, {}), **({"auth_token": self.token} if self._is("auth_token_query") else {})}
        url = (
            self.url.replace("://", f"://{quote(self.public)}:{quote(self.private)}@")
            if self._is("basic_url")
            else self.url
        )
        return f"{url}{'&' if '?' in url else '?'}{urlencode(query)}" if query else url

    @property
    def pair(self) -> tuple[str, str] | None:
        """Public and private key, where the client has an option for them."""
        return (self.public, self.private) if self._is("basic_option") else None

    @property
    def headers(self) -> dict[str, str]:
        """The header of the credential, if it is one."""
        values = {
            "basic_header": f"Basic {b64encode(f'{self.public}:{self.private}'.encode()).decode()}",
            "token": f"Token {self.token}",
            "token_quoted": f'Token token="{self.token}"',
            "bearer": f"Bearer {self.token}",
        }
        return {"Authorization": values[self.credential]} if self.credential in values else {}

    @property
    def document(self) -> dict[str, object] | None:
        """What goes into JSON, if that is the body."""
        body = JSON_BODIES.get(self.body)
        return None if body is None else {**body, **self._secret}

    @property
    def form(self) -> dict[str, str] | None:
        """What goes into a form, if that is the body."""
        body = FORMS.get(self.body)
        return None if body is None else {**body, **self._secret}

    @property
    def _secret(self) -> dict[str, str]:
        return {"auth_token": self.token} if self._is("auth_token_body") else {}

    def _is(self, credential: str) -> bool:
        return self.credential == credential


def answer_all(post: Callable[[Ask], tuple[int, Iterable[tuple[str, str]], str]]) -> None:
    """Post every update that is asked for, and tell status, headers and body of each answer."""
    for line in sys.stdin:
        status, headers, body = post(Ask(**json.loads(line)))
        told = {"status": status, "headers": {name.lower(): value for name, value in headers}, "body": body}
        sys.stdout.write(json.dumps(told) + "\n")
        sys.stdout.flush()
