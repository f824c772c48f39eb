"""What each operation of the API is, takes and can answer: the reference documentation is made of this."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from ringback.domain.errors import CODES, ON_PAGES


@dataclass(frozen=True, slots=True)
class Success:
    """An answer that says that it was done: its schema and examples, by their names in the document."""

    status: int
    description: str
    schema: str
    examples: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Body:
    """What an operation reads: a schema and examples, by their names in the document."""

    schema: str
    examples: tuple[str, ...]
    required: bool = False


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


NOWHERE_DESCRIBED = ON_PAGES | {"not_found", "method_not_allowed"}
"""The refusals of what no operation describes: pages of the console, unknown paths, other methods."""


def _codes(status: int) -> Iterable[str]:
    return (name for name, code in CODES.items() if code.status == status and name not in NOWHERE_DESCRIBED)


_ANYWHERE = frozenset({"account_conflict", "host_not_served", "internal_error"})
_BODY = frozenset({"malformed_json", "duplicate_key", "malformed_body", "too_deep", "timeout", "too_large"})
_CREDENTIAL = frozenset({"account_not_found", "ambiguous_credentials", "rate_limited", *_codes(401)})
_TOKEN = frozenset({"ip_not_allowed", "access_type", "account_not_allowed"})
_TEAM = frozenset({"no_team", "api_access_off"})
_VALUES = frozenset({"invalid_value", "unreplaced_token", "conflicting_values", "too_many_fields"})
_CALL = frozenset({"call_not_found", "buyer_not_shared"})
_WRITING = frozenset({"permission_denied", "idempotency_conflict", "amount_out_of_range", "busy", "unconfirmed"})

_KNOWN = _ANYWHERE | _BODY | _CREDENTIAL | _TOKEN | {"head_too_large"}
_UPDATING = _KNOWN | _TEAM | _VALUES | _CALL | _WRITING | {"doubled_path"}

UPDATING, CALLS, ACCESS, HEALTH = "Updating calls", "Recording and reading calls", "Access", "Health"
TAGS: dict[str, str] = {
    UPDATING: "What a call was worth, posted back by who knows it.",
    CALLS: "Ringback is no telephone switch: calls are reported to it.",
    ACCESS: "Who a credential is, and what it may do.",
    HEALTH: "For monitors and load balancers; no credential, no account.",
}

_UPDATED = (Success(200, "Done, or already so.", "Applied", ("applied", "unchanged", "dry_run")),)
_CONTROLS = ("dry_run", "Ringback-Dry-Run", "Idempotency-Key", "webhook-id")

_UPDATE_DESCRIPTION = """\
Say what the call became. An attribute that is not named is left alone; all that is named is applied, or nothing is.

The body may be JSON, a form or multipart, whatever its content type says; names may also stand in the query string. \
The same update twice is answered `unchanged`. An update that is refused for want of a right, or that comes before \
its call, is kept and can still be applied: `held_until` says how long."""

UPDATE_BY_UUID = Operation(
    "update_call",
    UPDATING,
    "Update a call by its UUID",
    _UPDATE_DESCRIPTION,
    _UPDATED,
    _UPDATING,
    parameters=("uuid", *_CONTROLS),
    body=Body("Update", ("guide", "fields")),
)
UPDATE_BY_QUERY = Operation(
    "update_call_by_query",
    UPDATING,
    "Update a call by its UUID, with a query string",
    "The same update for senders that can only fetch a URL. A GET that names nothing changes nothing; HEAD never does.",
    _UPDATED,
    _UPDATING,
    parameters=("uuid", *_CONTROLS),
)
UPDATE_BY_ID = Operation(
    "update_call_by_id",
    UPDATING,
    "Update a call by its UUID or number",
    "The same update under the call's own address. By number, a call that you may not see is answered as if there "
    "were none.",
    _UPDATED,
    _UPDATING,
    parameters=("call", *_CONTROLS),
    body=Body("Update", ("guide", "fields")),
)
RECORD_CALL = Operation(
    "record_call",
    CALLS,
    "Record a call",
    """\
Report a call, so that it can be updated. `caller_number` is all it needs; a `uuid` of your own makes it the same \
call when it is sent again, and what is named then is updated.

Names that are none of the call's are kept as contact fields. Updates that came before their call are applied now.

It takes an access token of an owner or manager with the Access Type Everything, or a team with the right Record \
calls.""",
    (
        Success(201, "Recorded.", "Applied", ("recorded",)),
        Success(200, "The call was there; what was named is updated.", "Applied", ("applied", "unchanged")),
    ),
    _KNOWN | _TEAM | _VALUES | _WRITING | {"buyer_not_shared", "may_not_record", "unknown_partner", "missing_value"},
    parameters=_CONTROLS,
    body=Body("Recording", ("recording", "smallest_recording"), required=True),
)
READ_CALL = Operation(
    "read_call",
    CALLS,
    "Read a call",
    "The call as far as you may see it: an attribute that none of your teams may read is left out.",
    (Success(200, "The call.", "CallShown", ("call", "call_columns")),),
    _KNOWN | _TEAM | _CALL | {"unreplaced_token", "busy"},
)
READ_ME = Operation(
    "read_me",
    ACCESS,
    "Who am I, and what may I update?",
    "The user, token and teams behind a credential in this account, and for each attribute whether it may be updated: "
    "`may_update` over all teams, `right` team by team. Without a team, or with API access off, it answers all the "
    "same, and `obstacle` says what to do.",
    (Success(200, "Who you are.", "MeShown", ("me", "me_without_team")),),
    _KNOWN | {"busy"},
)
ALIVE = Operation(
    "healthz",
    HEALTH,
    "Is it alive?",
    "The process answers.",
    (Success(200, "Alive.", "State", ("alive",)),),
    _ANYWHERE,
    secured=False,
)
READY = Operation(
    "readyz",
    HEALTH,
    "Is it ready?",
    "Database and schema are there; why not is in the log.",
    (Success(200, "Ready.", "State", ("ready",)), Success(503, "Not ready.", "State", ("not_ready",))),
    _ANYWHERE,
    secured=False,
)
VERSION = Operation(
    "version",
    HEALTH,
    "Which version?",
    "The version of the program that answers.",
    (Success(200, "The version.", "Version", ("version",)),),
    _ANYWHERE,
    secured=False,
)

OPERATIONS = (UPDATE_BY_UUID, UPDATE_BY_QUERY, UPDATE_BY_ID, RECORD_CALL, READ_CALL, READ_ME, ALIVE, READY, VERSION)

OUTSIDE_THE_FRAMEWORK: tuple[tuple[str, tuple[str, ...], Operation], ...] = (
    ("/api/v1/calls/update_call/{uuid}", ("post", "put", "patch"), UPDATE_BY_UUID),
    ("/api/v1/calls/update_call/{uuid}", ("get",), UPDATE_BY_QUERY),
    ("/api/v1/calls/{call}", ("post", "put", "patch"), UPDATE_BY_ID),
)
"""The paths and methods that ``api.updates`` answers before the framework's router sees them."""
