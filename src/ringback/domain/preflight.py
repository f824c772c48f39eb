"""Pre-flight: what a receiver is asked before there is a call, and what its answer means."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from ringback.domain.attributes import ATTRIBUTES
from ringback.domain.decisions import read_uuid

EVERY_ATTRIBUTE: Mapping[str, object] = {
    "buyer_converted": "true",
    "revenue": "1.00",
    "offer_converted": "true",
    "payout": "1.00",
    "post_call_tokens": {"first_name": "Test"},
}
"""A body that names every attribute."""

OK, UNAUTHORIZED = 200, 401
_ENDPOINT = "/api/v1/calls/update_call/"
_UPDATE = re.compile(r"(.*?)/api/v1/calls/(?:update_call/)?([^/]*)/?")


@dataclass(frozen=True, slots=True)
class Receiver:
    """A Ringback that is asked: where it is, and where an update of some call would go."""

    name: str
    base: str
    endpoint: str


@dataclass(frozen=True, slots=True)
class Checked:
    """What a receiver says to a dry run: a verdict for each attribute, as far as it got, and why not."""

    receiver: Receiver
    status: int | None = None
    code: str = ""
    message: str = ""
    hint: str = ""
    verdicts: Mapping[str, str] = field(default_factory=dict)
    grant_at: tuple[str, ...] = ()

    @property
    def is_granted(self) -> bool:
        """Whether the update would be applied."""
        return self.status == OK and not self.code.startswith("not_")

    @property
    def row(self) -> list[str]:
        """What it says of each attribute, in the order of the table."""
        return [self.verdicts.get(attribute.name, "-") for attribute in ATTRIBUTES]


def receiver(url: str, uuid: str) -> Receiver:
    """The receiver at a URL: of the endpoint, with a call or a template token in it, or of the server or account."""
    parts = urlsplit(url)
    origin = f"{parts.scheme}://{parts.netloc}"
    update = _UPDATE.fullmatch(parts.path)
    prefix = update[1] if update else parts.path.rstrip("/")
    call = (read_uuid(update[2]) if update else None) or uuid
    return Receiver(f"{parts.netloc}{prefix}", f"{origin}{prefix}", f"{origin}{prefix}{_ENDPOINT}{call}?dry_run=true")


def is_ringback(status: int, body: bytes) -> bool:
    """Whether the answer to ``/version`` is that of a Ringback; another system might convert the call."""
    return status == OK and _document(body).get("name") == "ringback"


def read_answer(asked: Receiver, status: int, body: bytes) -> Checked:
    """What a receiver answered to the dry run."""
    answer = _document(body)
    if status == OK and answer.get("dry_run") is not True:
        return Checked(asked, status, "not_dry", "It did not say that this was a dry run; look whether it was applied.")
    verdicts, missing = answer.get("verdicts"), answer.get("missing_permissions")
    return Checked(
        asked,
        status,
        str(answer.get("code", "")),
        str(answer.get("message", "")),
        str(answer.get("hint", "")),
        {str(name): str(verdict) for name, verdict in verdicts.items()} if isinstance(verdicts, dict) else {},
        tuple(_grant(each) for each in missing if isinstance(each, dict)) if isinstance(missing, list) else (),
    )


def _grant(missing: Mapping[str, object]) -> str:
    return f"{missing.get('attribute')}: team {missing.get('team')}, {missing.get('grant_at')}"


def _document(body: bytes) -> dict[str, object]:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}
