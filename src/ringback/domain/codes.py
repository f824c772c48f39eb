"""Every answer Ringback can give, by code: its status, what it means, and what to do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Code:
    """One answer: its stable name, its HTTP status, what it means and what the reader should do.

    ``title`` and ``hint`` are format strings; what stands in braces comes from the details of the refusal. Where these
    say by which ``way`` it came about, there may be another hint for it.
    """

    name: str
    status: int
    title: str
    hint: str = ""
    ways: Mapping[str, str] = field(default_factory=dict)


_ALL = (
    # 2xx
    Code("applied", 200, "The update was recorded."),
    Code("unchanged", 200, "Everything was so already; nothing had to change."),
    Code("recorded", 201, "The call was recorded."),
    Code("processed", 200, "Each update has its own answer under results."),
    Code("made", 201, "It was made."),
    # 400: can't be read
    Code(
        "malformed_json",
        400,
        "The body is not readable JSON: {reason}.",
        "Send one JSON object, for example "
        '{{"buyer_converted": "true", "revenue": "42.00", "offer_converted": "true", "post_call_tokens": {{}}}}.',
    ),
    Code(
        "duplicate_key",
        400,
        "The name {name} stands twice in the request with different values.",
        "Send each name once; Ringback doesn't guess which of the two was meant.",
    ),
    Code(
        "malformed_body",
        400,
        "The body can't be read as {form}: {reason}.",
        "Send JSON, a form or a query string; a body labelled multipart must carry its boundary.",
    ),
    Code(
        "too_deep",
        400,
        "The body is nested more than {limit} levels deep.",
        "Put contact fields directly into post_call_tokens, as text, numbers or booleans.",
    ),
    Code(
        "ambiguous_credentials",
        400,
        "The request carries two different credentials.",
        "Send one credential: either the Authorization header or auth_token, not both.",
    ),
    Code(
        "doubled_path",
        400,
        "The path contains the address of the endpoint twice.",
        "The URL ends …/api/v1/calls/update_call/<call uuid>; "
        "check the sender's base URL for a part that it adds itself.",
    ),
    Code(
        "account_conflict",
        400,
        "The host names account {host_account}, the path names account {path_account}.",
        "Use either https://<subdomain>.<domain>/api/v1/… or https://<domain>/a/<subdomain>/api/v1/….",
    ),
    # 401: who are you
    Code(
        "missing_credentials",
        401,
        "The request carries no credential.",
        "Send the header Authorization: Basic <value shown when the token was made>, or Authorization: Token <value>.",
    ),
    Code(
        "unsupported_scheme",
        401,
        "The Authorization scheme {scheme} is not one that Ringback reads.",
        "Use Authorization: Basic <base64 of public key:private key> or Authorization: Token <value>.",
    ),
    Code(
        "basic_not_base64",
        401,
        "The Basic credential is the plain pair of keys, not its base64 form.",
        "Send base64(public key:private key); the ready value was shown when the token was made.",
    ),
    Code(
        "basic_malformed",
        401,
        "The Basic credential is not base64.",
        "Copy the value exactly: no quotes, no angle brackets, no spaces inside.",
    ),
    Code(
        "basic_missing_secret",
        401,
        "The Basic credential lacks one of its halves.",
        "It is base64 of public key, a colon, and private key; "
        "check that the client sends the private key as password.",
    ),
    Code(
        "token_malformed",
        401,
        "The Token credential has quotes, angle brackets or spaces in it.",
        "Send Authorization: Token <value>, the value as it was shown, with nothing around it.",
    ),
    Code(
        "token_is_pair",
        401,
        "The Token credential is a pair of keys.",
        "Send a pair as Authorization: Basic <base64 of public key:private key>; the ready value was shown when the "
        "token was made.",
    ),
    Code(
        "credential_placeholder",
        401,
        "The credential is a placeholder that was never filled in.",
        "Put the real value into the sender's setting; it sent a template token, undefined, or an example value.",
    ),
    Code(
        "credential_mistyped",
        401,
        "The credential looks like one of Ringback's, but its check digits don't fit.",
        "A character is missing or changed; copy the value again.",
    ),
    Code(
        "unknown_credentials",
        401,
        "No access token has this credential.",
        "Check that the whole value was copied and that it was made on this Ringback.",
    ),
    Code("wrong_password", 401, "E-mail address or password is wrong.", "Check both and try again."),
    Code("link_spent", 404, "This link was used or has expired.", "Ask for a new one."),
    Code(
        "auth_token_off",
        401,
        "This account does not read auth_token.",
        "Send the credential in the header Authorization: Basic … or Authorization: Token ….",
    ),
    Code("expired", 401, "The access token expired on {expired_on}.", "Make a new access token, or rotate this one."),
    Code("revoked", 401, "The access token was revoked.", "Ask its user for a new one."),
    # 403: known, may not
    Code(
        "permission_denied",
        403,
        "The user of this token may not update: {attributes}.",
        "The owner of the account grants Update on these attributes to the team (Company > Teams).",
    ),
    Code(
        "buyer_not_shared",
        403,
        "None of the user's teams sees the buyer of this call.",
        "The owner of the account opens the buyer's edit page and adds the team under Team Access.",
    ),
    Code(
        "no_team",
        403,
        "The user of this token is on no team of this account.",
        "The owner of the account opens the buyer's edit page and adds a team with this user's e-mail address "
        "under Team Access.",
    ),
    Code(
        "api_access_off",
        403,
        "Developer API access is off for the user's teams in this account.",
        "The owner of the account opens Company > Teams, edits the team, and turns on Enable Developer API Access.",
    ),
    Code(
        "access_type",
        403,
        "An access token of type {access_type} may not do this here.",
        "Use an access token with the Access Type Calls; Everything counts only in the account where it was made.",
    ),
    Code(
        "account_not_allowed",
        403,
        "This access token is restricted to other accounts.",
        "Add this account to the token's list of accounts, or make another token.",
    ),
    Code(
        "token_blocked",
        403,
        "An owner of this account has blocked this access token here.",
        "Ask the owner of the account to unblock it (Company > Settings > Access tokens).",
    ),
    Code(
        "ip_not_allowed",
        403,
        "This access token may not be used from {ip}.",
        "Add the address to the token's IP allow-list.",
    ),
    Code(
        "may_not_record",
        403,
        "The user of this token may not record calls in this account.",
        "Use an owner's or manager's token with the Access Type Everything, "
        "or have the right Record calls granted to the team.",
    ),
    Code(
        "may_not_see",
        403,
        "The user of this token may not see the {nouns} of this account.",
        "Use an owner's or manager's token.",
        {"everything": "Use an owner's or manager's token with the Access Type Everything."},
    ),
    Code("may_not_change", 403, "This token may not change {nouns}.", "Use an owner's or manager's, type Everything."),
    Code(
        "may_not_read",
        403,
        "Your teams may not read {attribute}, so nothing can be filtered by it.",
        "The owner of the account grants Read on it to a team of yours (Company > Teams).",
    ),
    Code(
        "own_team",
        403,
        "A manager may not change the rights of a team that he sits on.",
        "An owner of the account can.",
    ),
    # 404, 405, 409, 413, 421
    Code(
        "account_not_found",
        404,
        "There is no account {subdomain} here.",
        "Check the subdomain in the host name, or the name after /a/ in the path.",
    ),
    Code(
        "account_not_named",
        404,
        "The request doesn't say which account it is for.",
        "Send it to https://<subdomain>.<domain>/api/v1/… or to https://<domain>/a/<subdomain>/api/v1/….",
    ),
    Code(
        "call_not_found",
        404,
        "This account has no call {call}.",
        "Send the call UUID that came with the forward post, to the subdomain that it came from.",
        {
            "caller": "Send the number that called as caller_id, and the offer_token of the offer that it called for; "
            "call_timeframe says how many minutes ago at most.",
            "held": "It waits for its call until {until}; nothing needs to be sent again.",
        },
    ),
    Code("no_reports", 404, "Ringback has no reports of calls.", "Ask /api/v1/calls/stats, with group_by and stat."),
    Code("not_there", 404, "This account has no {noun} {value}.", "Name it by its number, its UUID, or your own id."),
    Code(
        "nothing_waits",
        404,
        "Nothing waits for that any more.",
        "It was applied or given up meanwhile, or waits for something else now; look at what waits.",
    ),
    Code("not_found", 404, "There is nothing at {path}.", "The API is described at /api/docs."),
    Code(
        "timeout",
        408,
        "The body did not arrive within {seconds} seconds.",
        "Send the request again; nothing was applied.",
    ),
    Code("method_not_allowed", 405, "{method} is not understood here.", "Use {allowed}."),
    Code(
        "idempotency_conflict",
        409,
        "This Idempotency-Key was used for this call with other content.",
        "Use a new key for a new update; the same key only for a retry of the same one.",
    ),
    Code(
        "too_large",
        413,
        "The body is larger than {limit} KiB.",
        "Send only the fields of the update; use bulk_update for many calls.",
    ),
    Code(
        "head_too_large",
        431,
        "The path and the headers are larger than {limit} KiB together.",
        "Send the fields of the update in the body, and one credential in one header.",
    ),
    Code(
        "host_not_served",
        421,
        "This server does not serve the host {host}.",
        "Use a host name under the base domain, or set RINGBACK_BASE_DOMAIN.",
    ),
    # 422: bad values
    Code("invalid_value", 422, "{reason}.", "Correct the value of each field listed under errors."),
    Code(
        "unreplaced_token",
        422,
        "{value} is a template token {platform}that was sent before it was replaced by a value.",
        "Check the name of the template token in the sender's postback; the sender had no value for it.",
    ),
    Code(
        "conflicting_values",
        422,
        "{first} and {second} can't stand in one request.",
        "Send one of the two.",
    ),
    Code(
        "amount_out_of_range",
        422,
        "The result would be {result}; an amount lies between 0 and 999,999.999999.",
        "Check the amount.",
    ),
    Code(
        "too_many_fields",
        422,
        "The call would have more than {limit} contact fields, or more than {kib} KiB of them.",
        "Send fewer or shorter contact fields; null removes one.",
    ),
    Code(
        "too_many_calls",
        422,
        "More than {limit} calls would have to be looked through.",
        "Narrow created_at_from and created_at_to, or read page after page with cursor: -1 first, then next_cursor.",
    ),
    Code("unknown_partner", 422, "The account has no {noun} {value}.", "Send an id, UUID or name of an existing one."),
    Code("missing_value", 422, "{name} is required.", "Add it to the request."),
    # 429, 5xx
    Code(
        "rate_limited",
        429,
        "Too many wrong credentials from this address.",
        "Correct the credential, wait as long as Retry-After says, and try again.",
    ),
    Code(
        "too_many_passwords",
        429,
        "Too many wrong passwords. Wait {wait}, then try again.",
        "Who is logged in stays logged in; the operator of this server can make a reset link meanwhile.",
    ),
    Code("busy", 503, "Ringback can't take this now; nothing was applied.", "Send it again after Retry-After seconds."),
    Code(
        "unconfirmed",
        503,
        "The database went away while this was being recorded; whether it was recorded is not known.",
        "Send it again after Retry-After seconds; an Idempotency-Key makes sure that it counts once.",
    ),
    Code(
        "internal_error",
        500,
        "Something in Ringback failed; nothing was applied.",
        "Send it again; if it stays, tell the operator the request id {request_id}.",
    ),
)

CODES: Mapping[str, Code] = MappingProxyType({code.name: code for code in _ALL})

ON_PAGES = frozenset({"wrong_password", "too_many_passwords", "link_spent", "own_team", "nothing_waits"})
"""The codes that only people at the console meet; the documentation of the API doesn't speak of them."""
