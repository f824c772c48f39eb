"""What each operation of the API is, takes and can answer: the reference documentation is made of this."""

from __future__ import annotations

from ringback.api import call_operations
from ringback.api.call_operations import READING
from ringback.api.operation import (
    ANYWHERE,
    CALL,
    DRY,
    KNOWN,
    NOWHERE_DESCRIBED,
    TEAM,
    VALUES,
    WRITING,
    Body,
    Operation,
    Success,
)
from ringback.api.partner_operations import LIST_WEBHOOKS, PARTNERING, PARTNERS, POSTBACKS, READ_WEBHOOK

__all__ = ["NOWHERE_DESCRIBED", "OPERATIONS", "OUTSIDE_THE_FRAMEWORK", "TAGS", "Body", "Operation", "Success"]

_UPDATING = KNOWN | TEAM | VALUES | CALL | WRITING | {"doubled_path"}

UPDATING, CALLS, ACCESS, HEALTH = "Updating calls", "Recording and reading calls", "Access", "Health"
TAGS: dict[str, str] = {
    UPDATING: "What a call was worth, posted back by who knows it.",
    CALLS: "Ringback is no telephone switch: calls are reported to it.",
    READING: "Lists of calls, their figures, and what happened to each.",
    PARTNERING: "Who pays for calls, who sends them, and the campaigns they belong to.",
    POSTBACKS: "The postbacks of an account, under TrackDrive's names.",
    ACCESS: "Who a credential is, and what it may do.",
    HEALTH: "For monitors and load balancers; no credential, no account.",
}

_UPDATED = (Success(200, "Done, or already so.", "Applied", ("applied", "unchanged", "dry_run")),)
_CONTROLS = (*DRY, "Idempotency-Key", "webhook-id")

_UPDATE_DESCRIPTION = """\
Say what the call became. An attribute that is not named is left alone; all that is named is applied, or nothing is.

The body may be JSON, a form or multipart, whatever its content type says; names may also stand in the query string. \
The same update twice is answered `unchanged`. An update that is refused for want of a right, or that comes before \
its call, is kept and can still be applied: `held_until` says how long.

Who may record calls may also say how one went: `status`, `total_duration`, `answered_duration`, `ended_at`, \
`hangup_cause`. Of others these are ignored, with a warning."""

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
UPDATE_BY_CALLER = Operation(
    "update_by_caller_id",
    UPDATING,
    "Update the newest call of a caller",
    """\
For senders that don't know the call's UUID: the newest call that came from this number, of the offer whose token is \
sent. Calls that you may not see don't count. `offer_token` is on the offer's page; it is no credential.

A number without country code is taken for one of the US. Callers who hid their number can't be told apart, so they \
can't be named. A retry with the same key is one even if the caller has called again meanwhile.""",
    _UPDATED,
    (_UPDATING - {"buyer_not_shared"}) | {"missing_value"},
    parameters=("caller_id", *_CONTROLS),
    body=Body("UpdateByCaller", ("by_caller",)),
)
UPDATE_BULK = Operation(
    "bulk_update",
    UPDATING,
    "Update many calls",
    """\
Up to 1,000 updates and 4 MiB in one request. `results` has one answer for each, in order, as it would have been \
given to that update alone, with its own receipt; one that fails doesn't keep the others. `replayed` is true where its \
key was used before, and this is the first answer again.

Only what is wrong with the request as a whole, or with its credential, is answered as a whole. Where Ringback can't \
take all of them now, the last ones are answered `busy`, and `Retry-After` says when to send those again.""",
    (Success(200, "Each update has its own answer.", "BulkDone", ("bulk",)),),
    KNOWN | TEAM | {"invalid_value", "missing_value", "busy", "unconfirmed"},
    parameters=_CONTROLS,
    body=Body("Bulk", ("bulk_update",), required=True, only_json=True),
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
    KNOWN | TEAM | VALUES | WRITING | {"buyer_not_shared", "may_not_record", "unknown_partner", "missing_value"},
    parameters=_CONTROLS,
    body=Body("Recording", ("recording", "smallest_recording"), required=True),
)
READ_CALL = Operation(
    "read_call",
    CALLS,
    "Read a call",
    "The call as far as you may see it: an attribute that none of your teams may read is left out.",
    (Success(200, "The call.", "CallShown", ("call", "call_columns")),),
    KNOWN | TEAM | CALL | {"unreplaced_token", "busy"},
)
READ_ME = Operation(
    "read_me",
    ACCESS,
    "Who am I, and what may I update?",
    "The user, token and teams behind a credential in this account, and for each attribute whether it may be updated: "
    "`may_update` over all teams, `right` team by team. Without a team, or with API access off, it answers all the "
    "same, and `obstacle` says what to do.",
    (Success(200, "Who you are.", "MeShown", ("me", "me_without_team")),),
    KNOWN | {"busy"},
)
ALIVE = Operation(
    "healthz",
    HEALTH,
    "Is it alive?",
    "The process answers.",
    (Success(200, "Alive.", "State", ("alive",)),),
    ANYWHERE,
    secured=False,
)
READY = Operation(
    "readyz",
    HEALTH,
    "Is it ready?",
    "Database and schema are there; why not is in the log.",
    (Success(200, "Ready.", "State", ("ready",)), Success(503, "Not ready.", "State", ("not_ready",))),
    ANYWHERE,
    secured=False,
)
VERSION = Operation(
    "version",
    HEALTH,
    "Which version?",
    "The version of the program that answers.",
    (Success(200, "The version.", "Version", ("version",)),),
    ANYWHERE,
    secured=False,
)

OPERATIONS = (
    *(UPDATE_BY_UUID, UPDATE_BY_QUERY, UPDATE_BY_ID, UPDATE_BY_CALLER, UPDATE_BULK, RECORD_CALL, READ_CALL),
    *call_operations.OPERATIONS,
    *(operation for of_kind in PARTNERS.values() for operation in of_kind.all),
    *(LIST_WEBHOOKS, READ_WEBHOOK, READ_ME, ALIVE, READY, VERSION),
)

OUTSIDE_THE_FRAMEWORK: tuple[tuple[str, tuple[str, ...], Operation], ...] = (
    ("/api/v1/calls/update_call/{uuid}", ("post", "put", "patch"), UPDATE_BY_UUID),
    ("/api/v1/calls/update_call/{uuid}", ("get",), UPDATE_BY_QUERY),
    ("/api/v1/calls/update_by_caller_id/{caller_id}", ("post", "put"), UPDATE_BY_CALLER),
    ("/api/v1/calls/{call}", ("post", "put", "patch"), UPDATE_BY_ID),
)
"""The paths and methods that ``api.updates`` answers before the framework's router sees them."""
