"""``GET /metrics``: for who brings the token, or, where none is set, for this machine alone."""

from __future__ import annotations

from dataclasses import dataclass
from hmac import compare_digest
from ipaddress import ip_address

from ringback.api.answers import Send
from ringback.api.places import Scope
from ringback.domain.errors import Refusal
from ringback.metrics import CONTENT_TYPE, Metrics

PATH = "/metrics"

_FORWARDING = frozenset({b"x-forwarded-for", b"forwarded", b"x-real-ip"})


@dataclass(frozen=True, slots=True)
class MetricsEndpoint:
    """Answers with the counts of this process; to whom they are not for, there is nothing at that path."""

    metrics: Metrics
    token: str

    async def __call__(self, scope: Scope, send: Send) -> None:
        """Answer a request.

        Raises:
            Refusal: ``not_found``.
        """
        if not self._may_read(scope):
            raise Refusal("not_found", path=PATH)
        body = self.metrics.written()
        headers = [(b"content-type", CONTENT_TYPE.encode()), (b"content-length", str(len(body)).encode())]
        headers.append((b"cache-control", b"no-store"))
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    def _may_read(self, scope: Scope) -> bool:
        if self.token:
            wanted = f"Bearer {self.token}".encode()
            return any(name == b"authorization" and compare_digest(value, wanted) for name, value in scope["headers"])
        # A proxy on this machine speaks for others.
        is_forwarded = any(name in _FORWARDING for name, _ in scope["headers"])
        return not is_forwarded and bool(scope.get("client")) and ip_address(scope["client"][0]).is_loopback
