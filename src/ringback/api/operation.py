"""What is told of one operation of the API, and the refusals that many of them share."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from ringback.domain.errors import CODES, ON_PAGES


@dataclass(frozen=True, slots=True)
class Success:
    """An answer that says that it was done: its schema and examples, by their names in the document.

    Of a list it can be had as CSV, too.
    """

    status: int
    description: str
    schema: str
    examples: tuple[str, ...]
    as_csv: bool = False


@dataclass(frozen=True, slots=True)
class Body:
    """What an operation reads: a schema and examples, by their names in the document."""

    schema: str
    examples: tuple[str, ...]
    required: bool = False
    only_json: bool = False


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation. ``refusals`` are codes of ``domain.errors``, ``parameters`` names in the document."""

    id: str
    tag: str
    summary: str
    description: str
    successes: tuple[Success, ...]
    refusals: frozenset[str]
    parameters: tuple[str, ...] = ()
    body: Body | None = None
    secured: bool = field(default=True)

    @property
    def told(self) -> dict[str, Any]:
        """What the framework is told of it when its route is added."""
        return {
            "operation_id": self.id,
            "tags": [self.tag],
            "summary": self.summary,
            "description": self.description,
            "response_description": self.successes[0].description,
            "status_code": self.successes[0].status,
        }

    def told_of(self, method: str) -> dict[str, Any]:
        """The same where several methods do one thing, each of which needs an id of its own."""
        return {
            **self.told,
            "operation_id": f"{method.lower()}_{self.id}",
            "openapi_extra": {"x-operation": self.id},
        }


NOWHERE_DESCRIBED = ON_PAGES | {"not_found", "method_not_allowed", "no_reports"}
"""The refusals of what no operation describes: pages of the console, paths that lead nowhere, other methods."""


def _codes(status: int) -> Iterable[str]:
    return (name for name, code in CODES.items() if code.status == status and name not in NOWHERE_DESCRIBED)


ANYWHERE = frozenset({"account_conflict", "host_not_served", "internal_error"})
_BODY = frozenset({"malformed_json", "duplicate_key", "malformed_body", "too_deep", "timeout", "too_large"})
_CREDENTIAL = frozenset(
    {"account_not_found", "account_not_named", "ambiguous_credentials", "rate_limited", *_codes(401)}
)
_TOKEN = frozenset({"token_blocked", "ip_not_allowed", "access_type", "account_not_allowed"})
TEAM = frozenset({"no_team", "api_access_off"})
VALUES = frozenset({"invalid_value", "unreplaced_token", "conflicting_values", "too_many_fields"})
CALL = frozenset({"call_not_found", "buyer_not_shared"})
WRITING = frozenset({"permission_denied", "idempotency_conflict", "amount_out_of_range", "busy", "unconfirmed"})

KNOWN = ANYWHERE | _BODY | _CREDENTIAL | _TOKEN | {"head_too_large"}

DRY = ("dry_run", "Ringback-Dry-Run")
"""The parameters that ask for a dry run, by their names in the document."""
