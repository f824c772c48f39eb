"""The operations that read calls as TrackDrive's do."""

from __future__ import annotations

from ringback.api.call_queries import FILTERS, ORDERING
from ringback.api.lists import LISTING
from ringback.api.operation import CALL, KNOWN, TEAM, Operation, Success

READING = "Reading calls"

_FILTERS = tuple(f"calls.{name}" for name in FILTERS)
_ORDERING = tuple(f"calls.{name}" for name in ORDERING)
_GROUPING = tuple(f"stats.{name}" for name in ("group_by", "stat", "created_at_from", "created_at_to"))
_ASKED = KNOWN | TEAM | {"invalid_value", "unreplaced_token", "too_many_calls", "may_not_read", "busy"}
_ONE = KNOWN | TEAM | CALL | {"unreplaced_token", "busy"}
_PAGE = (Success(200, "A page of calls.", "CallList", ("call_list", "call_list_bare"), as_csv=True),)
_CSV = " A path that ends in `.csv`, or `Accept: text/csv`, answers with a file."

_SHARED = """
A call is there if one of your teams with API access sees its buyer; an attribute that none of those may read is left \
out. What is filtered or added up by an attribute has only calls of which you may read it; where there are none such, \
the answer is `may_not_read`. Names that are unknown are passed over, and told as `metadata.ignored`."""

LIST_CALLS = Operation(
    "list_calls",
    READING,
    "List calls",
    f"""\
The newest calls first, a page at a time. To read them all, ask with `cursor=-1`, and then with the `next_cursor` of \
each answer until it is `0`. Pages by number go down to the 10,000th call. `total_count` is null where it would take \
too long to count.{_CSV}
{_SHARED}""",
    _PAGE,
    _ASKED,
    parameters=(*LISTING, *_ORDERING, *_FILTERS),
)
LIVE_CALLS = Operation(
    "list_live_calls",
    READING,
    "List calls that are not over",
    "Those that were reported with a status such as `initiated`, `established`, `forwarded`, `waiting` or `on-hold`, "
    f"and with neither a duration nor an end. Otherwise as the list of calls.{_CSV}\n{_SHARED}",
    _PAGE,
    _ASKED,
    parameters=(*LISTING, *_ORDERING, *_FILTERS),
)
CALLS_OF_CALLER = Operation(
    "list_calls_of_caller",
    READING,
    "List the calls of a caller",
    f"By the caller's number, with or without `+`. Otherwise as the list of calls.{_CSV}\n{_SHARED}",
    _PAGE,
    _ASKED,
    parameters=(*LISTING, *_ORDERING, *_FILTERS),
)
CALL_STATS = Operation(
    "read_call_stats",
    READING,
    "What calls come to",
    f"""\
How many calls there are, or what they come to, group by group; groups without a call are left out. Days, weeks (from \
Monday) and months are those of the account's time zone. `profit` is revenue less payout, `cost` the payout.
{_SHARED}""",
    (Success(200, "The groups.", "CallStats", ("call_stats",)),),
    _ASKED | {"missing_value"},
    parameters=(*_GROUPING, "root", *(name for name in _FILTERS if name.replace("calls", "stats") not in _GROUPING)),
)
CALL_EVENTS = Operation(
    "read_call_events",
    READING,
    "What happened to a call",
    """\
The newest first: `AuditLog` are updates that came, refused ones too, `WebhookLog` what was sent because of it, \
`CallChange` what others changed. Owners and managers are told all of it; others their own updates, and what else \
became of what they may read. Secrets are masked.""",
    (Success(200, "The events.", "CallEvents", ("call_events",)),),
    _ONE,
)
CALL_LOGS = Operation(
    "list_call_logs",
    READING,
    "What happened to a call, in sentences",
    "The same as its events, for people. `call_id` is required. A `message` is HTML without elements, as TrackDrive's "
    "clients show it: `<`, `>` and `&` are escaped.",
    (Success(200, "The lines.", "CallLogs", ("call_logs",)),),
    _ONE | {"missing_value"},
)

OPERATIONS = (LIST_CALLS, LIVE_CALLS, CALLS_OF_CALLER, CALL_STATS, CALL_EVENTS, CALL_LOGS)
